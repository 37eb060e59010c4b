"""Robots whose USD is built from wheels into a cache; nothing is built or imported until it is asked for."""
