"""The YAML groups of the Hydra apps; their types are in runners/config/schema.py."""
