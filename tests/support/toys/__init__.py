"""A toy env of IsaacLab's kind, its policy and its task: starts in no time."""
