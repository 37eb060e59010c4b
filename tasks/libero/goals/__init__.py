"""What ends an episode of LIBERO, and how far one has come: predicates on Newton's worlds, and stages of a goal."""
