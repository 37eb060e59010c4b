"""LIBERO's tasks on Newton."""
