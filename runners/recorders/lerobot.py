"""LerobotRecorder: the run's episodes as a data set that GR00T is fine-tuned on, a frame a control step."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from groot_wrappers.control_step import ControlStep
from groot_wrappers.errors import ContractError
from groot_wrappers.modality import ModalityConfigs
from runners.datasets import paths
from runners.datasets.features import Features
from runners.datasets.modality_config import modality_config_text
from runners.datasets.recording import EpisodeRecording, Frame
from runners.datasets.writer import DatasetWriter
from runners.episodes.plan import PlannedEpisode
from runners.episodes.row import EpisodeRow
from runners.recorders.recorder import Recorder, RunInfo
from runners.statistics.summary import Summary
from runners.utils.background import Background

__all__ = ["LerobotRecorder"]

WAITING_BYTES = 64 * 2**20
"""Pixels that may wait to be encoded; when there are more, the simulation waits."""

CHOICES = ("all", "successful")

Keys: TypeAlias = Mapping[str, np.ndarray[Any, Any]]


@dataclass
class _Episode:
    """An episode that runs.

    Args:
        planned: Which one it is.
        state, video: What its env showed last, from which the next action comes.
        recording: Its frames; None until its first step.
    """

    planned: PlannedEpisode
    state: Keys
    video: Keys
    recording: EpisodeRecording | None = None


class LerobotRecorder(Recorder):
    """Writes ``dataset/`` in the run folder, LeRobot v2.1 with GR00T's additions, and goes on with it on resume.

    A frame holds what the policy could see before a control step, and what the server asked for on that step, without
    the noise of ``action_noise``; with ``label=expert``, what the task's expert would have asked for. Pixels are
    encoded beside the simulation; an episode is in the data set before its row is in the run's list. Episodes that
    ended in an error are left out; where none is left, there is no data set.

    Args:
        episodes: ``all``, or ``successful`` alone.
    """

    takes_labels = True

    def __init__(self, episodes: Literal["all", "successful"]) -> None:
        if episodes not in CHOICES:
            raise ContractError(
                f"recorder.lerobot.episodes={episodes} was asked for, but it takes {' or '.join(CHOICES)}."
            )
        self._only_successful = episodes == "successful"
        self._running: dict[int, _Episode] = {}
        self._modality: ModalityConfigs = {}
        self._writer: DatasetWriter | None = None

    def check(self, modality: ModalityConfigs) -> None:
        """Refuse a server whose rollouts make no data set."""
        if "state" not in modality:
            raise ContractError(
                "recorder=[lerobot] was asked for, but the server looks at no state, and each frame of a data set has "
                "one. Leave lerobot out of recorder, or record with a policy that looks at a state."
            )
        self._modality = modality

    def on_run_start(self, run: RunInfo) -> None:
        """Find out which episodes an earlier start of the run has recorded, and whether more can be added to them."""
        if self._only_successful and not run.has_success:
            raise ContractError(
                "recorder.lerobot.episodes=successful was asked for, but the env has no success term: nothing would "
                "be recorded. Set recorder.lerobot.episodes=all."
            )
        video = {key: (shape[0], shape[1]) for key, shape in run.shapes["video"].items()}
        features = Features(
            fps=run.fps,
            state={key: width for key, (width,) in run.shapes["state"].items()},
            action={key: width for key, (width,) in run.shapes["action"].items()},
            video=video,
            languages=self._modality["language"].modality_keys if "language" in self._modality else ("task",),
            robot_type=run.task,
            has_rewards=run.has_rewards,
            has_success=run.has_success,
        )
        text = modality_config_text(features, {kind: config.to_json() for kind, config in self._modality.items()})
        writer = DatasetWriter(run.folder / paths.RUN_FOLDER, features, text)
        self._recorded = _plan_indices(writer, run)
        frame_bytes = sum(3 * height * width for height, width in video.values())
        self._background = Background(waiting=max(1, WAITING_BYTES // max(1, frame_bytes)))
        self._writer = writer

    def on_episodes_start(self, episodes: Mapping[int, PlannedEpisode], observation: Mapping[str, Any]) -> None:
        """Keep what each episode begins with."""
        for env_id, planned in episodes.items():
            if planned.index not in self._recorded:  # else killed between data set and row
                self._running[env_id] = _Episode(planned, *_seen(observation, env_id))

    def on_control_step(self, step: ControlStep) -> None:
        """Record what the step's action came from, and the action."""
        if self._writer is None:
            return
        reward = None if step.reward is None else step.reward.tolist()
        success = None if step.success is None else step.success.tolist()
        action = step.action if step.label is None else step.label
        for env_id, episode in self._running.items():
            if not step.played[env_id]:
                continue
            frame = Frame(
                state=episode.state,
                video=episode.video,
                action={key: values[env_id].copy() for key, values in action.items()},
                reward=None if reward is None else reward[env_id],
                success=None if success is None else success[env_id],
            )
            if episode.recording is None:
                episode.recording = self._writer.begin()
            self._background.do(episode.recording.add, frame)
            if step.playing[env_id]:
                episode.state, episode.video = _seen(step.observation, env_id)

    def on_episode_end(self, row: EpisodeRow) -> None:
        """Make the episode part of the data set, or throw it away."""
        episode = self._running.pop(row.env, None)
        if self._writer is None or episode is None or episode.recording is None:
            return
        if row.ended == "error" or (self._only_successful and not row.success):
            self._background.do(self._writer.discard, episode.recording)
            return
        done = self._background.do(
            self._writer.finish,
            episode.recording,
            row.instruction,
            success=row.success,
            ended=row.ended,
            plan_index=row.index,
            seed=row.seed,
        )
        done.result()  # the row is written after this: a row without its episode would never be recorded again

    def on_run_end(self, summary: Summary | None) -> None:
        """Throw away episodes that were interrupted, and bring the statistics up to date.

        Raises:
            ContractError: Episodes have ended, and none of them is recorded.
        """
        if self._writer is None:
            return
        self._background.close()
        for episode in self._running.values():
            if episode.recording is not None:
                episode.recording.close()
        self._writer.close()
        if summary is not None and summary.episodes and not self._writer.episodes:
            why = "no episode succeeded; recorder.lerobot.episodes=all keeps the others too"
            raise ContractError(
                f"There is no data set: {why if self._only_successful else 'every episode ended in an error'}."
            )


def _plan_indices(writer: DatasetWriter, run: RunInfo) -> set[int]:
    """Return which episodes of the run a data set holds.

    Raises:
        ContractError: It does not say so of each, or they are those of another run.
    """
    seeds = {planned.index: planned.seed for planned in run.stop.plan}
    if writer.episodes and not (run.manifest and run.manifest.earlier_starts):
        problem = f"it holds {len(writer.episodes)} episodes, but the run begins anew"
    elif unnamed := [episode.index for episode in writer.episodes if episode.plan_index is None]:
        problem = f"the episodes {unnamed!r:.80} have no plan_index, which says which of the run they are"
    elif len({episode.plan_index for episode in writer.episodes}) < len(writer.episodes):
        problem = "two episodes have the same plan_index"
    elif other := [e.index for e in writer.episodes if e.seed != seeds.get(e.plan_index, e.seed)]:
        problem = f"the episodes {other!r:.80} have other seeds than those that this run plans"
    else:
        return {episode.plan_index for episode in writer.episodes}
    raise ContractError(
        f"{writer.folder} is not the data set of this run: {problem}. Put it aside (mv), or name another run folder by "
        "hydra.run.dir."
    )


def _seen(observation: Mapping[str, Any], env_id: int) -> tuple[Keys, Keys]:
    """Return the present state and frames of one env: key to float32 (D,), key to uint8 (H, W, 3)."""
    state, video = observation["state"], observation["video"]
    return (
        {key: values[env_id, -1] for key, values in state.items()},
        {key: values[env_id, -1] for key, values in video.items()},
    )
