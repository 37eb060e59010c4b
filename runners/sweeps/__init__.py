"""Sweeps: many runs by one command, each in a folder and a process of its own; the same command goes on with them.

* ``jobs``: which jobs there are, and what each and the sweep are called.
* ``hook``: what happens where a sweep begins and ends.
* ``process``: plays one job.
"""
