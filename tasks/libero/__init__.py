"""LIBERO's five suites on Newton: their scenes, goals, starts and controller, from the wheels that a user brings."""
