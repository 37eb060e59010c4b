"""Settings: their types and ranges, how overrides are read, and what is told of a wrong one."""
