"""Reading run folders, also of runs that were killed: what can be read is read, and what cannot is told.

Classes:
    Run: what a run folder holds.
    RecordedSettings: what its manifest says of what it was to play.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import msgspec

from groot_wrappers.errors import Gr00tError
from runners.config.schema import StopOn
from runners.episodes.episode_log import read_rows
from runners.episodes.plan import PlannedEpisode
from runners.episodes.row import EpisodeRow, last_rows
from runners.run_folder.manifest import MANIFEST, Manifest, read_manifest
from runners.run_folder.results import SUMMARY, read_summary
from runners.statistics.stop_rule import StopRule
from runners.statistics.summary import Summary, cost_of, summarise
from runners.utils.json_files import JsonFileError, read_json

if TYPE_CHECKING:
    import pandas

__all__ = ["RecordedSettings", "Run", "RunFolderError", "find_runs", "load_run", "read_run"]

T = TypeVar("T")

MARKS = ("manifest.json", "plan.json")
"""Files that a run has beside its rows, which the lists of other programs' folders have not."""


class RunFolderError(Gr00tError):
    """A folder holds no run that can be read."""


Whole = Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]


@dataclass(frozen=True)
class _Task:
    id: str = "?"
    fidelity: str | None = None


@dataclass(frozen=True)
class _Stop:
    ci_width: float | None = None
    on: StopOn = StopOn.success


@dataclass(frozen=True)
class _Gate:
    min_success: float | None = None


@dataclass(frozen=True)
class _Shard:
    index: Whole = 0
    count: Whole = 1


@dataclass(frozen=True)
class _Variation:
    suite: str | None = None


@dataclass(frozen=True)
class RecordedSettings:
    """What ``config`` of a manifest says of what was to be played; see ``conf/play.yaml``.

    Args:
        task, stop, gate, shard, variation: Groups of that name.
        episodes: Of the whole plan.
        episode: Of a recorded plan, the first.
        checkpoint: Of a training's folder, the one that was played.
    """

    task: _Task = _Task()
    stop: _Stop = _Stop()
    gate: _Gate = _Gate()
    shard: _Shard = _Shard()
    variation: _Variation = _Variation()
    episodes: Whole = 0
    episode: Whole = 0
    checkpoint: str | None = None


@dataclass(frozen=True)
class Run:
    """What a run folder holds.

    Args:
        folder: The run folder.
        rows: The row of the last attempt at each episode, by index.
        counted: Those of them that figures are made of.
        summary: Counted anew from the rows; what no row tells is None where the run was killed before it was written.
        plan: Its planned episodes.
        manifest: Where it comes from, None where that cannot be read.
        settings: Of it, what was to be played.
        parts: The run folders that it was read from: more than its own where shards were joined.
        notes: What was left out or is missing, in words.
    """

    folder: Path
    rows: list[EpisodeRow]
    counted: list[EpisodeRow]
    summary: Summary
    plan: list[PlannedEpisode]
    manifest: Manifest | None
    parts: tuple[Path, ...]
    notes: list[str]
    overrides: list[str] = field(default_factory=list)
    settings: RecordedSettings = field(default_factory=RecordedSettings)

    def rows_frame(self) -> "pandas.DataFrame":
        """Return the rows as a table: an episode a line, by index, under the names of ``episodes.jsonl``."""
        import pandas  # noqa: PLC0415  # takes seconds to import

        return pandas.DataFrame([row.to_json() for row in self.rows]).set_index("index")


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


def load_run(folder: str | Path) -> Run:
    """Read a run folder, of a run that is over, was killed, or goes on still.

    Example:
        run = load_run("outputs/2026-11-25/01-28-34")
        run.summary.success_rate
        run.rows_frame().groupby("instruction").success.mean()

    Raises:
        RunFolderError: No episode has ended there, or its rows cannot be read.
    """
    return read_run(Path(folder))


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
    written = _read(folder / SUMMARY, lambda path: read_summary(path.parent), notes)
    manifest = _read(folder / MANIFEST, read_manifest, notes)
    settings = _settings_of(manifest, notes)
    stop = StopRule(_read_plan(folder / "plan.json", rows, notes), settings.stop.ci_width, settings.stop.on)
    if len(rows) < len(stop.plan) and not stop.enough(rows):
        notes.append(f"{len(rows)} of {len(stop.plan)} planned episodes have ended")
    summary = summarise(
        rows,
        stop,
        task=settings.task.id if written is None else written.task,
        instruction=" | ".join(dict.fromkeys(row.instruction for row in rows))
        if written is None
        else written.instruction,
        checkpoint=settings.checkpoint,
        min_success=settings.gate.min_success if settings.shard.count == 1 else None,
        cost=None if written is None else cost_of(written),
        label=None if written is None else written.label,
        fidelity=settings.task.fidelity if written is None else written.fidelity,
    )
    return Run(
        folder=folder,
        rows=rows,
        counted=stop.counted(rows),
        summary=summary,
        plan=list(stop.plan),
        manifest=manifest,
        parts=(folder,),
        notes=notes,
        overrides=[] if manifest is None else manifest.overrides,
        settings=settings,
    )


def _read(path: Path, read: Callable[[Path], T], notes: list[str]) -> T | None:
    """Return what a file holds; None, and a note, where it cannot be read."""
    if not path.exists():
        notes.append(f"no {path.name}: the run was killed, or goes on still")
        return None
    try:
        return read(path)
    except JsonFileError as error:
        notes.append(f"{path.name} cannot be read; left out ({error})")
        return None


def _settings_of(manifest: Manifest | None, notes: list[str]) -> RecordedSettings:
    """Return what a manifest says of what was to be played; nothing, and a note, where it makes no sense."""
    if manifest is None:
        return RecordedSettings()
    try:
        return msgspec.convert(manifest.config, RecordedSettings)
    except msgspec.ValidationError as error:
        notes.append(f"{MANIFEST} holds settings that cannot be read; left out ({error})")
        return RecordedSettings()


def _read_plan(path: Path, rows: Sequence[EpisodeRow], notes: list[str]) -> list[PlannedEpisode]:
    try:
        return read_json(path, list[PlannedEpisode])
    except JsonFileError:
        notes.append(f"no {path.name} that can be read: all rows are counted")
        return [PlannedEpisode.of(row) for row in rows]
