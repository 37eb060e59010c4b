"""LerobotRecorder: the run's episodes as a data set that GR00T is fine-tuned on, a frame a control step."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from groot_wrappers.control_step import ControlStep
from groot_wrappers.errors import ContractError
from runners.datasets import layout
from runners.datasets.background import Background
from runners.datasets.features import Features
from runners.datasets.modality_config import modality_config_text
from runners.datasets.reading import read_json_lines
from runners.datasets.recording import EpisodeRecording, Frame
from runners.datasets.writer import DatasetWriter
from runners.plan import PlannedEpisode
from runners.recorders.recorder import Recorder, RunInfo
from runners.results import EpisodeRow

__all__ = ["LerobotRecorder"]

WAITING_BYTES = 64 * 2**20
"""Pixels that may wait to be encoded; when there are more, the simulation waits."""

CHOICES = ("all", "successful")

type Keys = Mapping[str, np.ndarray[Any, Any]]


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

    A frame holds what the policy could see before a control step, and what the server asked for on that step. Pixels
    are encoded beside the simulation; an episode is in the data set before its row is in the run's list. Episodes that
    ended in an error are left out.

    Args:
        episodes: ``all``, or ``successful`` alone.
    """

    def __init__(self, episodes: Literal["all", "successful"]) -> None:
        if episodes not in CHOICES:
            raise ContractError(
                f"recorder.lerobot.episodes={episodes} was asked for, but it takes {' or '.join(CHOICES)}."
            )
        self._only_successful = episodes == "successful"
        self._running: dict[int, _Episode] = {}
        self._writer: DatasetWriter | None = None

    def on_run_start(self, run: RunInfo) -> None:
        """Find out which episodes an earlier start of the run has recorded."""
        self._run = run
        self._folder = run.folder / layout.RUN_FOLDER
        there = (self._folder / layout.EPISODES).exists()
        rows = read_json_lines(self._folder, layout.EPISODES) if there else []
        self._recorded = {row["plan_index"] for row in rows}

    def on_episodes_start(self, episodes: Mapping[int, PlannedEpisode], observation: Mapping[str, Any]) -> None:
        """Keep what each episode begins with."""
        (self._language,) = observation["language"]
        for env_id, planned in episodes.items():
            if planned.index not in self._recorded:  # else killed between data set and row
                self._running[env_id] = _Episode(planned, *_seen(observation, env_id))

    def on_control_step(self, step: ControlStep) -> None:
        """Record what the step's action came from, and the action."""
        reward = None if step.reward is None else step.reward.tolist()
        success = None if step.success is None else step.success.tolist()
        for env_id, episode in self._running.items():
            if not step.played[env_id]:
                continue
            frame = Frame(
                state=episode.state,
                video=episode.video,
                action={key: values[env_id].copy() for key, values in step.action.items()},
                reward=None if reward is None else reward[env_id],
                success=None if success is None else success[env_id],
            )
            if episode.recording is None:
                self._writer = self._writer or self._open(frame)
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
            self._require_judgement(row)
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

    def on_run_end(self, summary: Mapping[str, Any]) -> None:
        """Throw away episodes that were interrupted, and bring the statistics up to date."""
        if self._writer is not None:
            self._background.close()
            for episode in self._running.values():
                if episode.recording is not None:
                    episode.recording.close()
            self._writer.close()

    def _open(self, frame: Frame) -> DatasetWriter:
        """Begin the data set, or go on with it, now that all keys and shapes are known."""
        if not frame.state:
            raise ContractError("The server looks at no state, but each frame of a LeRobot data set holds one.")
        features = Features(
            fps=self._run.fps,
            state={key: values.size for key, values in frame.state.items()},
            action={key: values.size for key, values in frame.action.items()},
            video={key: (pixels.shape[0], pixels.shape[1]) for key, pixels in frame.video.items()},
            language=self._language,
            robot_type=self._run.task,
            has_rewards=frame.reward is not None,
            has_success=frame.success is not None,
        )
        text = modality_config_text(features, self._run.manifest.get("modality", {}))
        frame_bytes = sum(pixels.nbytes for pixels in frame.video.values())
        self._background = Background(waiting=max(1, WAITING_BYTES // max(1, frame_bytes)))
        return DatasetWriter(self._folder, features, text)

    def _require_judgement(self, row: EpisodeRow) -> None:
        if row.success is None and row.ended != "error":
            raise ContractError(
                "recorder.lerobot.episodes=successful was asked for, but the env has no success term: nothing would "
                "be recorded. Set recorder.lerobot.episodes=all."
            )


def _seen(observation: Mapping[str, Any], env_id: int) -> tuple[Keys, Keys]:
    """Return the present state and frames of one env: key to float32 (D,), key to uint8 (H, W, 3)."""
    state, video = observation["state"], observation["video"]
    return (
        {key: values[env_id, -1] for key, values in state.items()},
        {key: values[env_id, -1] for key, values in video.items()},
    )
