"""Policy servers of a run: connected to, embedded, started by a command, slowed down."""
