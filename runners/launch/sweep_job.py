"""Plays one job of a sweep in a process of its own, so that a crash of a simulator takes no other job with it.

Simulators that can be started only once in a process, as Isaac Sim, can then be swept too. The processes are forked
from one that has imported what a run needs, so that only the first of them waits for that.
"""

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from multiprocessing.connection import wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import configure_log
from omegaconf import OmegaConf

from runners.config.composed import Composition
from runners.launch.hydra_app import ELSEWHERE
from runners.launch.resolvers import register_resolvers
from runners.sweeps.folder import JobEnd
from runners.utils.endings import tell
from runners.utils.exit_codes import FAILED, INTERRUPTED
from runners.utils.interrupts import heed_interruptions, interrupts_held, signals_ignored
from runners.utils.terminal import prepare_terminal, say

if TYPE_CHECKING:  # it takes libraries that are slow to import
    from runners.experiment.run_end import RunEnd

__all__ = ["play_job"]

END_TIMEOUT_S = 60.0
"""Longest wait for a job that is interrupted to write down what it has."""


def play_job(play: "Callable[[Composition], RunEnd]", composition: Composition) -> int:
    """Play a job, write down how it ended, and return its exit code.

    Jobs that are launched one after the other show what they show at the terminal. Of those that run side by side,
    that goes into ``output.log`` of the job's folder, and the terminal has a line where one begins and ends.

    Args:
        play: Plays a run, in the process of its own.
        composition: The settings of the job.
    """
    prepare_terminal()  # of this process, which a launcher may have started
    hydra = HydraConfig.get()
    folder = composition.folder
    alone = hydra.launcher._target_.endswith(".BasicLauncher")
    output = None if alone else folder / "output.log"
    say(f"#{hydra.job.num} begins in {folder}")  # Hydra has told the settings of each number
    JobEnd.forget(folder)
    multiprocessing.set_start_method("spawn", force=True)  # joblib's own is unknown to the process that is started
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["runners.experiment.experiment"])
    process = context.Process(
        target=_play,
        args=(play, composition, _plain(hydra), dict(os.environ), output),
        name="job",
    )
    with signals_ignored(signal.SIGTERM, signal.SIGHUP, signal.SIGUSR2):  # schedulers and terminals tell every process
        process.start()
    try:
        process.join()
    except (KeyboardInterrupt, SystemExit):  # the latter where submitit has put the job into the queue again
        with interrupts_held():
            _signal(process.pid, signal.SIGINT)  # where Ctrl-C has reached it too, this changes nothing
            process.join(END_TIMEOUT_S)
        raise
    finally:
        if process.is_alive():
            process.kill()
            process.join()
    end = JobEnd.read(folder)
    if end is None:
        end = JobEnd(FAILED, f"its process ended with code {process.exitcode}, below 0 for the signal that ended it")
        end.write(folder)
    error = f": {end.error}" if end.error and not alone else ""
    say(f"#{hydra.job.num} ended with code {end.code}{error}")
    return end.code


def _play(
    play: "Callable[[Composition], RunEnd]",
    composition: Composition,
    hydra: dict[str, Any],
    environment: Mapping[str, str],
    output: Path | None,
) -> None:
    """Play a job in this process, which is its own."""
    os.environ.update(environment)
    prepare_terminal()
    heed_interruptions([signal.SIGINT])  # which the process that has started this one sends, whatever that one ignores
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        if output is not None:
            _write_into(output)
        register_resolvers()
        HydraConfig.instance().cfg = OmegaConf.create({"hydra": hydra})  # type: ignore[assignment]
        settings: Any = HydraConfig.get()
        # Not where the process was forked.
        os.chdir(settings.runtime.output_dir if settings.job.chdir else settings.runtime.cwd)
        configure_log(settings.job_logging, settings.verbose)
        end = JobEnd(play(composition).code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)  # with no word in the folder: what is cut off is gone on with
    except Exception as error:  # whatever it is, the other jobs have their turn
        end = JobEnd(FAILED, tell(error, ELSEWHERE))
    end.write(composition.folder)
    sys.exit(end.code)


def _plain(hydra: Any) -> dict[str, Any]:
    """Return Hydra's own settings without their types, some of which are of launchers and cannot be pickled."""
    plain: Any = OmegaConf.to_container(hydra, resolve=True)
    return plain  # type: ignore[no-any-return]


def _write_into(path: Path) -> None:
    """Let all that this process prints go to the end of a file."""
    with path.open("a", encoding="utf-8") as file:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
            os.dup2(file.fileno(), stream.fileno())


def _end_with_parent() -> None:
    """Interrupt this process when the one that has started it is gone, however it died."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        _signal(os.getpid(), signal.SIGINT)
        threading.Event().wait(END_TIMEOUT_S)
        os._exit(FAILED)


def _signal(process: int | None, number: int) -> None:
    if process is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, number)
