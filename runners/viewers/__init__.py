"""Viewers: a run looked at while it plays. Each is a recorder that writes nothing, and never changes a row."""
