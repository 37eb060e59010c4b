"""What a sweep's folder says: its jobs in ``sweep.json``, and how each ended in its own folder's ``job.json``.

* ``write_jobs``, ``read_jobs``: the jobs that were asked for, those of earlier commands included.
* ``played_jobs``: those that have been played, of a sweeper that chooses as it goes.
* ``JobEnd``: how a job ended.
* ``archive``: what ``fresh=true`` does with the folder that is there.
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from runners.run_folder.manifest import MANIFEST, read_manifest
from runners.sweeps.jobs import Job
from runners.utils.atomic_files import write_whole
from runners.utils.json_files import JsonFileError

__all__ = ["JobEnd", "archive", "played_jobs", "read_jobs", "write_jobs"]


@dataclass(frozen=True)
class JobEnd:
    """How a job ended.

    Args:
        code: Its exit code.
        error: What it was refused for, or failed by; None otherwise.
    """

    code: int
    error: str | None = None

    def write(self, folder: Path) -> None:
        """Write it into the job's folder, if that takes it: a job that left no word there counts as cut off."""
        with suppress(OSError):
            write_whole(folder / "job.json", json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def read(cls, folder: Path) -> "JobEnd | None":
        """Read it from a job's folder; None for a job that has not ended."""
        try:
            return cls(**json.loads((folder / "job.json").read_text()))
        except (OSError, ValueError, TypeError):
            return None

    @staticmethod
    def forget(folder: Path) -> None:
        """Take away what an earlier start has written."""
        (folder / "job.json").unlink(missing_ok=True)


def write_jobs(folder: Path, jobs: Sequence[Job]) -> None:
    """Write ``sweep.json``; jobs that an earlier command has asked for in the same folder stay in it."""
    folder.mkdir(parents=True, exist_ok=True)
    everything = {job.name: job for job in [*read_jobs(folder), *jobs]}
    write_whole(folder / "sweep.json", json.dumps([asdict(job) for job in everything.values()], indent=1) + "\n")


def read_jobs(folder: Path) -> list[Job]:
    """Read ``sweep.json``; a folder without one has no jobs."""
    try:
        return [Job(told["name"], tuple(told["overrides"])) for told in json.loads((folder / "sweep.json").read_text())]
    except (OSError, ValueError, TypeError, KeyError):
        return []


def played_jobs(folder: Path) -> list[Job]:
    """Return the jobs of which a sweep's folder holds something, by name; the settings are those of their manifests."""
    jobs = []
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.name.startswith("."):  # as what launchers keep there
            try:
                jobs.append(Job(path.name, tuple(read_manifest(path / MANIFEST).overrides)))
            except JsonFileError:  # it was refused, or cut off, before it had one
                jobs.append(Job(path.name, ()))
    return jobs


def archive(folder: Path) -> Path | None:
    """Rename a folder that is there already; return its new path, None where there is nothing to put aside."""
    if not folder.exists():
        return None
    number = 1
    while (aside := folder.with_name(f"{folder.name}.before-{number}")).exists():
        number += 1
    return folder.rename(aside)
