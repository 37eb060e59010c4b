"""Policies and policy servers that do what a test wants of them."""
