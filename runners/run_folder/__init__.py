"""A run folder: its manifest, its lock, how it is read, and how it is gone on with."""
