"""``summary.json`` of a run folder, written and read."""

import json
from pathlib import Path

import msgspec

from runners.statistics.summary import Summary
from runners.utils.atomic_files import write_whole
from runners.utils.json_files import read_json

__all__ = ["SUMMARY", "read_summary", "write_summary"]

SUMMARY = "summary.json"


def write_summary(folder: Path, summary: Summary) -> None:
    """Write a summary into a run folder, whole or not at all.

    Raises:
        OSError: It cannot be written.
    """
    # By json, as foreign text may hold what is no Unicode, which msgspec's own writer refuses.
    write_whole(folder / SUMMARY, json.dumps(msgspec.to_builtins(summary), indent=1) + "\n")


def read_summary(folder: Path) -> Summary:
    """Read the summary of a run folder, of this version or of an earlier one.

    Raises:
        JsonFileError: It is not there, or none.
    """
    return read_json(folder / SUMMARY, Summary)
