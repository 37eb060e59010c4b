"""The core alone, installed in an environment of its own."""
