"""VideoRecorder: an MP4 an episode, all cameras side by side, a frame a beat or a control step."""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Semaphore
from typing import Any, Literal, get_args

import numpy as np

from groot_wrappers.control_step import ControlStep
from groot_wrappers.errors import ContractError
from groot_wrappers.modality import ModalityConfigs
from runners.episodes.plan import PlannedEpisode
from runners.episodes.row import EpisodeRow
from runners.recorders.recorder import Recorder, RunInfo
from runners.statistics.summary import Summary
from runners.utils.mp4 import Mp4Writer

__all__ = ["VideoRecorder"]

Frames = Literal["beats", "control_steps"]

ENCODING = {"preset": "veryfast", "crf": "20"}
"""Of libx264."""

MAX_WAITING = 256
"""Frames that wait to be encoded before the run waits for them, over all videos: 75 MB of two 224-pixel views."""


class _Video:
    """One video, encoded in a thread, frame after frame.

    Args:
        path: Where it goes; the file is there once a first frame is.
        fps: Frames a second.
        thread: Encodes; one thread for each video, or several videos for one.
        room: A place for each frame that may wait.
    """

    def __init__(self, path: Path, fps: float, thread: ThreadPoolExecutor, room: Semaphore) -> None:
        self.path = path
        self._fps, self._thread, self._room = fps, thread, room
        self._writer: Mp4Writer | None = None
        self._failure: Exception | None = None
        self.is_empty = True

    def add(self, frame: np.ndarray[Any, Any]) -> None:
        """Take a frame, uint8 (H, W, 3), H and W even; it is encoded later. Raises what went wrong before."""
        if self._failure is not None:
            raise self._failure
        self._room.acquire()
        self._thread.submit(self._encode, frame)
        self.is_empty = False

    def close(self) -> None:
        """Wait until all is written; the file is playable after this only. Raises what went wrong before."""
        self._thread.submit(self._finish).result()
        if self._failure is not None:
            raise self._failure

    def _encode(self, frame: np.ndarray[Any, Any]) -> None:
        try:
            if self._writer is None:
                self._writer = Mp4Writer(self.path, frame.shape[:2], self._fps, ENCODING)
            self._writer.write(frame)
        except Exception as error:  # told to who comes next with a frame, or closes
            self._failure = error
        finally:
            self._room.release()

    def _finish(self) -> None:
        if self._writer is not None:
            self._writer.close()


class VideoRecorder(Recorder):
    """Writes ``videos/episode_000000.mp4`` for each episode, by its index, and ``..._attempt_1.mp4`` for a second try.

    A video plays at the speed of the simulated time. Threads encode it, so that the run goes on meanwhile. While an
    episode runs its video is named ``recording_000000.mp4``; it can be played once it has its final name. The frame of
    the control step that ended an episode is missing: a direct env has begun another episode by then.

    Args:
        frames: ``beats``: what the server was asked with, which is drawn already; ``control_steps``: a frame a control
            step, each of which is drawn for it.

    Raises:
        ContractError: ``frames`` is neither.
    """

    def __init__(self, frames: Frames = "beats") -> None:
        if frames not in get_args(Frames):
            raise ContractError(
                f"recorder.video.frames={frames} was asked for. Set it to one of {', '.join(get_args(Frames))}."
            )
        self._frames = frames
        self._videos: dict[int, _Video] = {}
        self._threads: list[ThreadPoolExecutor] = []
        self._room = Semaphore(MAX_WAITING)

    def check(self, modality: ModalityConfigs) -> None:
        """Refuse a server that looks at no pictures, so that there are none to show."""
        if "video" not in modality:
            raise ContractError(
                "recorder=[video] was asked for, but the server looks at no pictures, so that none are drawn. Leave it "
                "out: recorder=[wandb], or recorder=[]."
            )

    def on_run_start(self, run: RunInfo) -> None:
        """Make the folder."""
        self._run = run
        self._fps = run.fps / run.execution if self._frames == "beats" else run.fps
        self._folder = run.folder / "videos"
        self._folder.mkdir(exist_ok=True)
        for half in self._folder.glob("recording_*.mp4"):  # of an earlier start that was killed
            half.unlink()
        # Half of the cores: the others simulate.
        self._threads = [ThreadPoolExecutor(1, "video") for _ in range(max(1, (os.cpu_count() or 1) // 2))]

    def on_episodes_start(self, episodes: Mapping[int, PlannedEpisode], observation: Mapping[str, Any]) -> None:
        """Begin a video for each episode; its first frame is the first beat's."""
        for env_id, episode in episodes.items():
            path = self._folder / f"recording_{episode.index:06d}.mp4"
            thread = self._threads[env_id % len(self._threads)]
            self._videos[env_id] = _Video(path, self._fps, thread, self._room)
            if self._frames == "control_steps":
                self._videos[env_id].add(side_by_side(observation["video"], env_id))

    def on_beat(self, observation: Mapping[str, Any]) -> None:
        """Add what the server was asked with to the videos of the episodes that run."""
        if self._frames == "beats":
            for env_id, video in self._videos.items():
                video.add(side_by_side(observation["video"], env_id))

    def on_control_step(self, step: ControlStep) -> None:
        """Add a frame to the videos of the envs whose episode goes on."""
        if self._frames == "control_steps":
            for env_id, video in self._videos.items():
                if step.playing[env_id]:
                    video.add(side_by_side(step.observation["video"], env_id))

    def on_episode_end(self, row: EpisodeRow) -> None:
        """Close the episode's video and name it in the row, if it has a frame."""
        if row.env in self._videos:
            path = self._close(row.env, f"_attempt_{row.attempt}" if row.attempt else "")
            row.video = None if path is None else str(path.relative_to(self._run.folder))

    def on_run_end(self, summary: Summary | None) -> None:
        """Close the videos of episodes that were interrupted."""
        try:
            for env_id in list(self._videos):
                self._close(env_id, "_interrupted")
        finally:
            for thread in self._threads:
                thread.shutdown()

    def _close(self, env_id: int, suffix: str) -> Path | None:
        """Close the video of an env, give it its final name and return its path; None where it has no frame."""
        video = self._videos.pop(env_id)
        if video.is_empty:
            return None
        video.close()
        return video.path.rename(video.path.with_name(f"{video.path.stem.replace('recording', 'episode')}{suffix}.mp4"))


def side_by_side(video: Mapping[str, np.ndarray[Any, Any]], env_id: int) -> np.ndarray[Any, Any]:
    """Return the present frames of one env's cameras in a row, uint8 (H, W, 3), H and W even as H.264 wants them.

    Args:
        video: Video key to uint8 (num_envs, T, H, W, 3); cameras may differ in size.
        env_id: Which env.
    """
    frames = [frames[env_id, -1] for frames in video.values()]
    height, width = max(frame.shape[0] for frame in frames), sum(frame.shape[1] for frame in frames)
    row = np.zeros((height + height % 2, width + width % 2, 3), np.uint8)
    left = 0
    for frame in frames:
        row[: frame.shape[0], left : left + frame.shape[1]] = frame
        left += frame.shape[1]
    return row
