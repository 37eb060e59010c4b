"""From a command line to a run or a sweep."""
