"""The episodes of a run: which are planned, and a row for each attempt at one."""
