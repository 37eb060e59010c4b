"""Where the files for Rerun's viewer lie in a run folder."""

from pathlib import Path

__all__ = ["RERUN", "rerun_file"]

RERUN = "rerun"


def rerun_file(index: int, attempt: int) -> Path:
    """Return the place of the file of an attempt at an episode, in its run folder."""
    return Path(RERUN) / (f"episode_{index:06d}" + (f"_attempt_{attempt}" if attempt else "") + ".rrd")
