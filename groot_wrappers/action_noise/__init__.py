"""Noise on what is played: how far each number of an action reaches, and what a share of that adds to it."""
