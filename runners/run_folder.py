"""Reading run folders, also of runs that were killed: what can be read is read, and what cannot is told.

Classes:
    Run: what a run folder holds.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from groot_wrappers.errors import Gr00tError
from runners.episode_log import read_rows
from runners.plan import PlannedEpisode
from runners.results import EpisodeRow, count, last_rows
from runners.stopping import StopRule

__all__ = ["Run", "RunFolderError", "find_runs", "read_run"]


class RunFolderError(Gr00tError):
    """A folder holds no run that can be read."""


@dataclass(frozen=True)
class Run:
    """What a run folder holds.

    Args:
        folder: The run folder.
        rows: The row of the last attempt at each episode, by index.
        counted: Those of them that figures are made of.
        summary: Successes counted anew from the rows, as ``summary.json`` names them, with what else that file holds;
            its ``server`` and speed are None where the run was killed before it was written.
        plan: Its planned episodes.
        manifest: What ``manifest.json`` holds.
        overrides: What was set at the command line.
        parts: The run folders that it was read from: more than its own where shards were joined.
        notes: What was left out or is missing, in words.
    """

    folder: Path
    rows: list[EpisodeRow]
    counted: list[EpisodeRow]
    summary: dict[str, Any]
    plan: list[PlannedEpisode]
    manifest: dict[str, Any]
    overrides: list[str]
    parts: tuple[Path, ...]
    notes: list[str]


def find_runs(folder: Path, *, tolerant: bool = False) -> list[Path]:
    """Return the run folders at or below a folder.

    Raises:
        RunFolderError: There are none, and that is not tolerated.
    """
    if not folder.is_dir():
        raise RunFolderError(f"{folder} is no folder. Name a run folder, or one that holds some, such as outputs.")
    found = sorted(path.parent for path in folder.rglob("episodes.jsonl"))
    if not found and not tolerant:
        raise RunFolderError(
            f"{folder} holds no run: there is no episodes.jsonl in it or below. A run writes one once it has a server "
            "and a simulator."
        )
    return found


def read_run(folder: Path) -> Run:
    """Read a run folder.

    Raises:
        RunFolderError: No episode has ended there.
    """
    rows, notes = read_rows(folder / "episodes.jsonl")
    rows = last_rows(rows)
    if not rows:
        raise RunFolderError(f"{folder} holds no episode that has ended." + "".join(f" {note}." for note in notes))
    written = _read_json(folder / "summary.json", notes)
    manifest = _read_json(folder / "manifest.json", notes)
    config = manifest.get("config", {})
    stop = StopRule(_read_plan(folder / "plan.json", rows, notes), config.get("stop", {}).get("ci_width"))
    counted = stop.counted(rows)
    if len(rows) < len(stop.plan) and not stop.enough(rows):
        notes.append(f"{len(rows)} of {len(stop.plan)} planned episodes have ended")
    facts = {
        "task": config.get("task", {}).get("id", "?"),
        "instruction": " | ".join(dict.fromkeys(row.instruction for row in rows)),
        "server": None,
        "env_steps_per_s": None,
        **written,
        **count(rows, counted, stop.method),
        "stop": stop.to_json(rows),
    }
    return Run(
        folder=folder,
        rows=rows,
        counted=counted,
        summary=facts,
        plan=list(stop.plan),
        manifest=manifest,
        parts=(folder,),
        overrides=manifest.get("overrides", []),
        notes=notes,
    )


def _read_json(path: Path, notes: list[str]) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        notes.append(f"no {path.name}: the run was killed, or goes on still")
        return {}
    except ValueError:
        notes.append(f"{path.name} cannot be read; left out")
        return {}
    return content


def _read_plan(path: Path, rows: Sequence[EpisodeRow], notes: list[str]) -> list[PlannedEpisode]:
    try:
        return [PlannedEpisode(**planned) for planned in json.loads(path.read_text())]
    except (FileNotFoundError, ValueError, TypeError):
        notes.append(f"no {path.name} that can be read: all rows are counted")
        return [PlannedEpisode(row.index, row.seed, row.instruction) for row in rows]
