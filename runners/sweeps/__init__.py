"""Sweeps: many runs by one command, each in a folder and a process of its own; the same command goes on with them.

* ``jobs``: which jobs there are, and what each and the sweep are called.
* ``folder``: what is written of them.
* ``overview``, ``heat_map``: how far they have come, and what they show.

``runners.launch.run_hook`` begins and ends a sweep, ``runners.launch.sweep_job`` plays a job of it.
"""
