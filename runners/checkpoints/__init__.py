"""Checkpoints of a training, played one after the other: which there are, and which of them are whole."""
