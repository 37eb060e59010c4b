"""The commands: a module for each groot-* program."""
