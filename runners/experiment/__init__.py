"""One experiment in three acts: preparation, experiment, conclusion."""
