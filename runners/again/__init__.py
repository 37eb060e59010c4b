"""Episodes that can be played again: the actions that are kept of each, and how they are played once more."""
