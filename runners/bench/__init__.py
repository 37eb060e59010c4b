"""``groot-bench``: how fast this is beside the alternatives, measured in one run on one machine. A section a file."""
