"""Reading run folders, also of runs that were killed: what can be read is read, and what cannot is told.

Classes:
    Run: what a run folder holds.
    RecordedSettings: what its manifest says of what it was to play.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec

from groot_wrappers.errors import Gr00tError
from runners.episodes.episode_log import read_rows
from runners.episodes.plan import PlannedEpisode
from runners.episodes.row import EpisodeRow, last_rows
from runners.statistics.stop_rule import StopRule
from runners.statistics.summary import count
from runners.utils.json_files import JsonFileError, read_json

__all__ = ["RecordedSettings", "Run", "RunFolderError", "find_runs", "read_run"]

MARKS = ("manifest.json", "plan.json")
"""Files that a run has beside its rows, which the lists of other programs' folders have not."""


class RunFolderError(Gr00tError):
    """A folder holds no run that can be read."""


Whole = Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]


@dataclass(frozen=True)
class _Task:
    id: str = "?"


@dataclass(frozen=True)
class _Stop:
    ci_width: float | None = None


@dataclass(frozen=True)
class _Gate:
    min_success: float | None = None


@dataclass(frozen=True)
class _Shard:
    index: Whole = 0
    count: Whole = 1


@dataclass(frozen=True)
class RecordedSettings:
    """What ``config`` of a manifest says of what was to be played; see ``conf/play.yaml``.

    Args:
        task, stop, gate, shard: Groups of that name.
        episodes: Of the whole plan.
        episode: Of a recorded plan, the first.
    """

    task: _Task = _Task()
    stop: _Stop = _Stop()
    gate: _Gate = _Gate()
    shard: _Shard = _Shard()
    episodes: Whole = 0
    episode: Whole = 0


class _Manifest(msgspec.Struct):
    """The part of ``manifest.json`` that readers rely on."""

    config: RecordedSettings
    created: datetime
    command: list[str]
    overrides: list[str] = []
    sweep: str | None = None


class _Endpoint(msgspec.Struct):
    endpoint: str
    calls: int
    observations: int
    p50_ms: float | None
    lost: str | None


class _Server(msgspec.Struct):
    calls: int
    observations: int
    p50_ms: float | None
    p99_ms: float | None
    bytes: int
    endpoints: list[_Endpoint]


class _Written(msgspec.Struct):
    """The part of ``summary.json`` that is not counted anew from the rows."""

    task: str
    instruction: str
    env_steps: int
    env_steps_per_s: float | None
    wall_s: float
    renders: int
    server: _Server | None


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
        manifest: What ``manifest.json`` holds, empty where it cannot be read.
        settings: Of it, what was to be played.
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
    settings: RecordedSettings = field(default_factory=RecordedSettings)


def find_runs(folder: Path, *, tolerant: bool = False) -> list[Path]:
    """Return the run folders at or below a folder.

    Raises:
        RunFolderError: There are none, and that is not tolerated.
    """
    if not folder.is_dir():
        raise RunFolderError(f"{folder} is no folder. Name a run folder, or one that holds some, such as outputs.")
    found = sorted(
        path.parent for path in folder.rglob("episodes.jsonl") if any((path.parent / name).exists() for name in MARKS)
    )
    if not found and not tolerant:
        raise RunFolderError(
            f"{folder} holds no run: there is no episodes.jsonl with a {MARKS[0]} beside it in it or below. A run "
            "writes them once it has a server and a simulator."
        )
    return found


def read_run(folder: Path) -> Run:
    """Read a run folder.

    Raises:
        RunFolderError: No episode has ended there, or its rows cannot be read.
    """
    try:
        rows, notes = read_rows(folder / "episodes.jsonl")
    except OSError as error:
        raise RunFolderError(f"{folder}/episodes.jsonl cannot be read: {error.strerror}.") from error
    rows = last_rows(rows)
    if not rows:
        raise RunFolderError(f"{folder} holds no episode that has ended." + "".join(f" {note}." for note in notes))
    written = _read(folder / "summary.json", _Written, notes)
    manifest = _read(folder / "manifest.json", _Manifest, notes)
    settings = msgspec.convert(manifest, _Manifest).config if manifest else RecordedSettings()
    stop = StopRule(_read_plan(folder / "plan.json", rows, notes), settings.stop.ci_width)
    counted = stop.counted(rows)
    if len(rows) < len(stop.plan) and not stop.enough(rows):
        notes.append(f"{len(rows)} of {len(stop.plan)} planned episodes have ended")
    facts = {
        "task": settings.task.id,
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
        settings=settings,
    )


def _read(path: Path, kind: type, notes: list[str]) -> dict[str, Any]:
    """Return what a JSON file holds if it is of a kind; else nothing, and a note."""
    if not path.exists():
        notes.append(f"no {path.name}: the run was killed, or goes on still")
        return {}
    try:
        content = read_json(path, dict[str, Any])
        msgspec.convert(content, kind)
    except (JsonFileError, msgspec.ValidationError) as error:
        notes.append(f"{path.name} cannot be read; left out ({error})")
        return {}
    return content


def _read_plan(path: Path, rows: Sequence[EpisodeRow], notes: list[str]) -> list[PlannedEpisode]:
    try:
        return read_json(path, list[PlannedEpisode])
    except JsonFileError:
        notes.append(f"no {path.name} that can be read: all rows are counted")
        return [PlannedEpisode(row.index, row.seed, row.instruction) for row in rows]
