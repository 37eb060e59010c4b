"""A Franka lifts a cube: the environment's config, its success term, its cameras and a scripted expert."""
