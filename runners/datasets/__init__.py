"""Data sets in the LeRobot v2.1 format, as GR00T reads it: what they hold, how they are written."""
