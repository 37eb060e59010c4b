"""A checkpoint of GR00T that plays the lift: how fast beside NVIDIA's server, and whether the same run is the same."""
