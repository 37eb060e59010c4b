"""RunHook: what happens where a run or a sweep begins and ends, in the process that a person has started."""

import shlex
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from hydra.core.global_hydra import GlobalHydra
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

from groot_wrappers.errors import ContractError
from runners.checkpoints.found import find_checkpoints
from runners.checkpoints.served import require_served_checkpoint
from runners.config.override_errors import explain, is_hydras
from runners.config.overrides import all_parsed, key_of, quoted
from runners.launch.hydra_app import ELSEWHERE
from runners.reports import PAGE
from runners.sweeps.folder import JobEnd, archive, played_jobs, write_jobs
from runners.sweeps.jobs import SUITE_INDEX, Job, jobs_of, sweep_name, swept_free_keys, with_each_choice
from runners.utils.endings import tell
from runners.utils.exit_codes import DONE, FAILED, GATE_NOT_MET, SweepEnded, worst
from runners.utils.terminal import say

__all__ = ["RunHook", "archive_if_fresh"]

MOST_TOLD = 10
"""More jobs than this are not told one by one."""


class RunHook(Callback):
    """Puts aside what ``fresh=true`` begins anew, gives a sweep its folders, and tells at its end how its jobs went."""

    def __init__(self) -> None:
        self._jobs: list[Job] | None = None  # None: the sweeper chooses them as it goes
        self._folder = Path()

    def on_run_start(self, config: DictConfig, **_: Any) -> None:
        """Put the run's folder aside where ``fresh=true``."""
        _refusing(lambda: archive_if_fresh(config, Path(config.hydra.run.dir)))

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """Name the sweep and its jobs, and write down which there are."""
        _refusing(lambda: self._start(config))

    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        """Tell how the jobs went, and end with the worst of their exit codes."""
        _refusing(lambda: self._end(config))

    def _end(self, config: DictConfig) -> None:
        jobs = self._jobs
        if jobs is None:
            jobs = played_jobs(self._folder)
            write_jobs(self._folder, jobs)
        ends = {job: JobEnd.read(self._folder / job.name) or JobEnd(FAILED, "it was cut off") for job in jobs}
        failed = {job: end for job, end in ends.items() if end.code == FAILED}
        say(f"\nSweep {self._folder}: {len(ends) - len(failed)} of {len(ends)} jobs are done")
        for job, end in list(failed.items())[:MOST_TOLD]:
            reason = (end.error or "").partition("\n")[0]
            say(f"  failed: {' '.join(job.overrides)} ({self._folder / job.name}): {reason}")
        if len(failed) > MOST_TOLD:
            say(f"  and {len(failed) - MOST_TOLD} more")
        if failed:
            say("The same command plays what is missing.")
        codes = [end.code for end in ends.values()]
        if not failed and config.shard.count > 1 and config.gate.min_success is not None:
            codes += self._judge_shards(jobs)
        # The curve of a training has grown; what variations cost, and how a suite went, is what they are played for.
        if config.checkpoints is not None or (_ends_with_report(jobs) and len(failed) < len(jobs)):
            from runners.reports.terminal import report  # noqa: PLC0415  # as above

            report([self._folder], self._folder / PAGE)
        else:
            say(f"Look at it: groot-report {shlex.quote(str(self._folder))}")
        raise SweepEnded(worst(codes))

    def _judge_shards(self, jobs: Sequence[Job]) -> list[int]:
        """Tell which gates are met by the evaluations whose shards were played; return the exit codes."""
        from runners.reports.shards import join_shards  # noqa: PLC0415
        from runners.run_folder.reader import read_run  # noqa: PLC0415  # counting takes libraries that are slow to import

        joined = join_shards([read_run(self._folder.resolve() / job.name) for job in jobs])
        gates = [run.summary.gate for run in joined if run.summary.gate is not None]
        for gate in gates:
            say(gate.told)
        return [DONE if gate.met else GATE_NOT_MET for gate in gates]

    def _start(self, config: DictConfig) -> None:
        if config.resume is not None:
            raise ContractError(
                f"resume={config.resume} was asked for with -m. A sweep goes on when the same command is given again: "
                "leave out resume=."
            )
        counts = config.hydra.sweeper._target_.endswith(".BasicSweeper")
        jobs = self._counted_jobs(config) if counts else []  # others choose the next job by what the last has shown
        given = [override for override in config.hydra.overrides.hydra if override.startswith("hydra.sweep.dir=")]
        self._jobs = jobs if counts else None
        self._folder = Path(config.hydra.sweep.dir if given else f"outputs/sweeps/{_name(config, jobs)}")
        archive_if_fresh(config, self._folder)
        write_jobs(self._folder, jobs)
        counted = ",".join(swept_free_keys([job.overrides for job in jobs]))
        # Both for this process, and as overrides for those that play the jobs, each of which composes its own settings.
        config.hydra.sweep.dir = str(self._folder)
        config.hydra.overrides.hydra += [
            f"hydra.sweep.dir='{self._folder}'",
            f"hydra.sweep.subdir='${{job_name:${{hydra:overrides.task}},[{counted}]}}'",
        ]
        say(f"Sweep {self._folder}: " + (f"{len(jobs)} jobs" if counts else "as many jobs as its sweeper asks for"))

    def _counted_jobs(self, config: DictConfig) -> list[Job]:
        """Return the jobs of a sweeper that plays each combination of values, checked."""
        overrides = _overrides(config)
        if config.checkpoints is not None:
            _sweep_checkpoints(config)
        jobs = jobs_of(_overrides(config), GlobalHydra.instance().config_loader())
        _require_composable(config, with_each_choice(jobs, overrides))
        return jobs


def _overrides(config: DictConfig) -> list[str]:
    """Return what a sweep is asked for: the settings of its sweeper, and those of the command line."""
    params = config.hydra.sweeper.get("params") or {}
    given: Any = OmegaConf.to_container(config.hydra.overrides.task, resolve=False)  # ${...} is each job's own
    return [*(f"{key}={value}" for key, value in params.items()), *given]


def _sweep_checkpoints(config: DictConfig) -> None:
    """Let each whole checkpoint of a folder be a value that is swept, unless some are named.

    Raises:
        ContractError: There is none, or two are of one step.
    """
    if any(override.key_or_group == "checkpoint" for override in all_parsed(_overrides(config))):
        return
    found = find_checkpoints(Path(config.checkpoints).expanduser())
    say(*found.tell(config.checkpoints))
    config.hydra.overrides.task.append(f"checkpoint={','.join(quoted(each.name) for each in found.whole)}")


def _ends_with_report(jobs: Iterable[Job]) -> bool:
    """Say whether the jobs are about variations or the tasks of a suite, whose page is what they are played for."""
    keys = {key_of(each) for job in jobs for each in all_parsed(job.overrides)}
    return SUITE_INDEX in keys or any(key.partition(".")[0] == "variation" for key in keys)


def _require_composable(config: DictConfig, jobs: Iterable[Job]) -> None:
    """Check that jobs can be composed, before anything is written of them.

    Raises:
        ContractError: One cannot.
    """
    for job in jobs:
        try:
            composed = GlobalHydra.instance().config_loader().load_sweep_config(config, list(job.overrides))
            require_served_checkpoint(composed)
        except Exception as error:
            if not is_hydras(error):
                raise
            raise ContractError(explain(error, "play", job.overrides)) from error


def _name(config: DictConfig, jobs: Sequence[Job]) -> str:
    """Return the sweep's name.

    Raises:
        ContractError: The name that is asked for is no name of a folder.
    """
    asked: str | None = config.sweep.name
    if asked is None:
        # A folder of checkpoints has more of them the next time, and its sweep goes on.
        grows_by = "checkpoint" if config.checkpoints is not None else None
        return sweep_name(jobs, grows_by) if jobs else sweep_name([Job(" ".join(config.hydra.overrides.task), ())])
    if not asked.replace("-", "").replace(".", "").isidentifier() and not asked.isalnum():
        raise ContractError(
            f"sweep.name={asked} was asked for, but it names a folder: letters, digits, '-', '_' and '.' alone."
        )
    return asked


def archive_if_fresh(config: DictConfig, folder: Path) -> None:
    """Put a folder aside where ``fresh=true``, and say where it is.

    Raises:
        ContractError: It is also to be gone on with, or to be played again.
    """
    if not config.fresh:
        return
    again = OmegaConf.select(config, "again")
    if again is not None and Path(again).resolve() == folder.resolve():
        raise ContractError(
            f"fresh=true and again={again} were asked for in the folder of that run, which would be put aside. Leave "
            "out fresh=true, and hydra.run.dir with it: the playing again has a folder of its own."
        )
    if OmegaConf.select(config, "resume") is not None:
        raise ContractError(f"fresh=true and resume={config.resume} exclude each other. Leave one of them out.")
    aside = archive(folder)
    if aside is not None:
        say(f"fresh=true: what was in {folder} is now in {aside}")


def _refusing(do: Callable[[], None]) -> None:
    """Do it, or end the process with a message: Hydra would only warn of an exception here, and go on."""
    try:
        do()
    except Exception as error:
        tell(error, f"{ELSEWHERE}, or sweep.name=NAME")
        raise SweepEnded(FAILED) from error
