"""Run folders, sweeps, rows and data sets as the software leaves them, made without a simulator."""
