"""Recorder: the hooks through which a rollout is watched, and the group that isolates a recorder's failure.

Classes:
    RunInfo: what a recorder is told about the run.
    Recorder: hooks that do nothing; a recorder overrides those it needs.
    Recorders: several recorders, none of which can stop a rollout.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from groot_wrappers.control_step import ControlStep
from groot_wrappers.errors import ContractError, Gr00tError
from groot_wrappers.modality import ModalityConfigs
from runners.episodes.plan import PlannedEpisode
from runners.episodes.row import EpisodeRow
from runners.run_folder.manifest import Manifest
from runners.simulation.film_scene import FilmScene
from runners.statistics.stop_rule import StopRule
from runners.statistics.summary import RecorderFailure, Summary
from runners.utils.remedies import disk_failed, in_overrides

__all__ = ["Recorder", "Recorders", "RunInfo"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunInfo:
    """What a recorder is told about the run.

    Args:
        folder: The run folder.
        config: The resolved configuration, without secrets.
        fps: Control steps per second of simulated time.
        task: The env's gym id.
        execution: Control steps that a beat plays of each chunk, at most.
        has_success: Whether the env has a success term.
        has_rewards: Whether it has reward terms.
        shapes: Modality to key to the shape of what one env shows or takes on a control step: ``video`` (H, W, 3),
            ``state`` and ``action`` (D,).
        stop: Which episodes count, in the order of the plan; it holds the plan.
        manifest: Which software, hardware and command the run has.
        cameras: Name in the scene to what draws the present picture of each env, uint8 (num_envs, 1, H, W, 3).
    """

    folder: Path
    config: Mapping[str, Any]
    fps: float
    task: str
    execution: int = 1
    has_success: bool = True
    has_rewards: bool = True
    shapes: Mapping[str, Mapping[str, tuple[int, ...]]] = field(default_factory=dict)
    stop: StopRule = field(default_factory=lambda: StopRule((), None))
    manifest: Manifest | None = None
    cameras: Mapping[str, Callable[[], np.ndarray[Any, Any]]] = field(default_factory=dict)


class Recorder:
    """Hooks that do nothing. Observations are lazy: looking at ``observation["video"]`` draws the cameras.

    A ContractError of ``check`` or ``on_run_start`` refuses the run before its first step, and a full disk ends it, as
    it would keep the next row from being written too; whatever else a hook raises leaves the recorder out from then on,
    and is told at the end of the run.
    """

    takes_labels = False
    """Whether it keeps the ``label`` of control steps, which nobody is asked for otherwise."""

    def check(self, modality: ModalityConfigs) -> None:
        """Called before the simulator starts.

        Args:
            modality: What the server wants and gives.

        Raises:
            ContractError: What the recorder is asked for cannot be recorded.
        """

    def set_up_scene(self, scene: FilmScene) -> None:
        """Called before the simulator starts, for a recorder that has cameras of its own.

        Args:
            scene: Where they are set up.

        Raises:
            ContractError: They cannot be.
        """

    def on_run_start(self, run: RunInfo) -> None:
        """Called once, before the first reset.

        Raises:
            ContractError: As ``check``, for what only the env tells.
        """

    def on_episodes_start(self, episodes: Mapping[int, PlannedEpisode], observation: Mapping[str, Any]) -> None:
        """Called when envs begin episodes together.

        Args:
            episodes: Env index to the episode that begins there.
            observation: The first observation, of all envs.
        """

    def on_beat(self, observation: Mapping[str, Any]) -> None:
        """Called once a beat, when all that the server is asked with has been read.

        Args:
            observation: What it was read from, of all envs: drawn and on the host already.
        """

    def on_control_step(self, step: ControlStep) -> None:
        """Called after every control step."""

    def on_chunk(self, rows: Sequence[int], chunk: Mapping[str, Any], latency_s: float) -> None:
        """Called once a beat, when what the server answered has been played.

        Args:
            rows: The envs that were asked for.
            chunk: ``{action key: float32 (num_envs, T_action, D)}``; the rows of other envs are 0.
            latency_s: Seconds from the question to the answer.
        """

    def on_episode_end(self, row: EpisodeRow) -> None:
        """Called before the row is written; may set ``row.video``."""

    def on_row_written(self, row: EpisodeRow, rows: Sequence[EpisodeRow]) -> None:
        """Called after the row is on disk, with all rows so far."""

    def on_run_end(self, summary: Summary | None) -> None:
        """Called once at the end, after an interruption too; closes what is open.

        Args:
            summary: What the run has shown; None where it was refused before its first step.
        """

    def on_folder_whole(self) -> None:
        """Called last of all, when recorders have closed their files and the run's page is written, if it could be."""


class Recorders(Recorder):
    """Several recorders as one; a recorder that fails is reported and left out from then on.

    Args:
        recorders: Called in this order.

    Attributes:
        failures: The first failure of each recorder that has failed, which the end of a run tells.
    """

    def __init__(self, recorders: Sequence[Recorder]) -> None:
        self._all = list(recorders)
        self._working = list(recorders)
        self._failed: dict[Recorder, RecorderFailure] = {}

    @property
    def failures(self) -> list[RecorderFailure]:  # noqa: D102  # the class tells
        return list(self._failed.values())

    def check(self, modality: ModalityConfigs) -> None:  # noqa: D102  # what a hook means is told once, by Recorder
        for recorder in self._all:
            recorder.check(modality)

    def set_up_scene(self, scene: FilmScene) -> None:  # noqa: D102
        for recorder in self._all:
            recorder.set_up_scene(scene)

    def on_run_start(self, run: RunInfo) -> None:  # noqa: D102
        try:
            self._each("on_run_start", run)
        except (ContractError, OSError):  # those that have begun hold files open, and W&B the process
            self._each("on_run_end", None)
            raise

    def on_episodes_start(  # noqa: D102
        self, episodes: Mapping[int, PlannedEpisode], observation: Mapping[str, Any]
    ) -> None:
        self._each("on_episodes_start", episodes, observation)

    def on_beat(self, observation: Mapping[str, Any]) -> None:  # noqa: D102
        self._each("on_beat", observation)

    def on_control_step(self, step: ControlStep) -> None:  # noqa: D102
        self._each("on_control_step", step)

    def on_chunk(self, rows: Sequence[int], chunk: Mapping[str, Any], latency_s: float) -> None:  # noqa: D102
        self._each("on_chunk", rows, chunk, latency_s)

    def on_episode_end(self, row: EpisodeRow) -> None:  # noqa: D102
        self._each("on_episode_end", row)

    def on_row_written(self, row: EpisodeRow, rows: Sequence[EpisodeRow]) -> None:  # noqa: D102
        self._each("on_row_written", row, rows)

    def on_run_end(self, summary: Summary | None) -> None:  # noqa: D102
        # One that was left out may still hold open files.
        self._working = list(self._all)
        self._each("on_run_end", summary)

    def on_folder_whole(self) -> None:  # noqa: D102
        self._each("on_folder_whole")

    def _each(self, hook: str, *arguments: Any) -> None:
        for recorder in list(self._working):
            try:
                getattr(recorder, hook)(*arguments)
            except Exception as error:  # whatever a recorder does, the episodes count more than its record
                if hook == "on_run_start" and (isinstance(error, ContractError) or disk_failed(error)):
                    self._working = self._working[: self._working.index(recorder)]
                    raise
                if hook != "on_run_end" and disk_failed(error):
                    raise
                self._working.remove(recorder)
                name = type(recorder).__name__
                told = in_overrides(error) if isinstance(error, Gr00tError) else f"{type(error).__name__}: {error}"
                self._failed.setdefault(recorder, RecorderFailure(name, hook, told))
                logger.warning(
                    "%s failed in %s and is left out from here on; the rollout goes on. %s", name, hook, told
                )
                logger.debug("Where %s failed", name, exc_info=True)
