"""The simulated env of a run: its config, its device, its start."""
