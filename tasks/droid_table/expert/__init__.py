"""Scripted policies for DROID's table, from pixels alone."""
