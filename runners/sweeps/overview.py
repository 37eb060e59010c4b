"""How far a sweep has come: the state of each job, also while some are being played.

* ``Evaluation``: a job, or those that play the shards of one evaluation.
* ``find_sweeps``: the sweeps below a folder.
* ``evaluations_of``: the evaluations of a sweep.
* ``swept_keys``: what they differ by.
* ``format_progress``: how far it is, in words.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from runners.run_folder.reader import Run
from runners.run_folder.run_lock import is_played
from runners.sweeps.folder import JobEnd, read_jobs
from runners.sweeps.jobs import Job, settings_of
from runners.sweeps.suite_means import format_suites
from runners.utils.exit_codes import FAILED

__all__ = ["Evaluation", "evaluations_of", "find_sweeps", "format_progress", "state_of", "swept_keys"]

SHARD = "shard.index"


@dataclass(frozen=True)
class Evaluation:
    """A job, or those that play the shards of one evaluation.

    Args:
        settings: What was set, by key, but for the shard.
        jobs: The folders of its jobs, each with its state in words.
        run: What has been played of it, None before an episode has ended.
    """

    settings: dict[str, str]
    jobs: dict[Path, str]
    run: Run | None

    @property
    def state(self) -> str:
        """Its state in words: of several jobs, how many are in which."""
        counts = Counter(self.jobs.values())
        if len(counts) == 1:
            return next(iter(counts))
        return ", ".join(f"{count} {state}" for state, count in counts.items())

    def label(self, keys: Sequence[str]) -> str:
        """Return its settings of these keys in one line."""
        return " ".join(f"{key}={self.settings[key]}" for key in keys if key in self.settings)


def find_sweeps(folder: Path) -> list[Path]:
    """Return the folders of sweeps at or below a folder."""
    return sorted(path.parent.resolve() for path in folder.rglob("sweep.json"))


def state_of(folder: Path) -> str:
    """Say how far a job has come."""
    if not folder.exists():
        return "not begun"
    if is_played(folder):
        return "being played"
    end = JobEnd.read(folder)
    if end is None:
        return "cut off"
    return "failed" if end.code == FAILED else "done"


def evaluations_of(sweep: Path, runs: Iterable[Run]) -> list[Evaluation]:
    """Return the evaluations of a sweep, in the order in which they were asked for.

    Args:
        sweep: Its folder.
        runs: What can be read of its jobs, shards joined.
    """
    by_folder = {folder: run for run in runs for folder in run.parts}
    grouped: dict[tuple[tuple[str, str], ...], list[Job]] = {}
    for job in read_jobs(sweep):
        settings = {key: value for key, value in settings_of(job.overrides).items() if key != SHARD}
        grouped.setdefault(tuple(settings.items()), []).append(job)
    return [
        Evaluation(
            settings=dict(settings),
            jobs={sweep / job.name: state_of(sweep / job.name) for job in jobs},
            run=next((by_folder[sweep / job.name] for job in jobs if sweep / job.name in by_folder), None),
        )
        for settings, jobs in grouped.items()
    ]


def swept_keys(evaluations: Sequence[Evaluation]) -> list[str]:
    """Return the keys in which evaluations differ, in the order in which they were set."""
    keys = dict.fromkeys(key for evaluation in evaluations for key in evaluation.settings)
    return [key for key in keys if len({evaluation.settings.get(key) for evaluation in evaluations}) > 1]


def format_progress(sweep: Path, evaluations: Sequence[Evaluation]) -> list[str]:
    """Say how many jobs are in which state, which of them are not done, and the means over a suite's tasks."""
    states = [(evaluation, folder, state) for evaluation in evaluations for folder, state in evaluation.jobs.items()]
    counts = Counter(state for _, _, state in states)
    lines = [f"Sweep {sweep.name}: {len(states)} jobs: " + ", ".join(f"{n} {state}" for state, n in counts.items())]
    swept = swept_keys(evaluations)
    for evaluation, folder, state in states:
        if state != "done":
            told = evaluation.label(swept)
            end = JobEnd.read(folder)
            reason = end.error.partition("\n")[0] if end and end.error else ""
            lines.append(f"  {state}: {told or sweep.name} ({folder.name})" + (f": {reason}" if reason else ""))
    return lines + format_suites(evaluations, swept)
