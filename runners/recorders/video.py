"""VideoRecorder: an MP4 an episode, its cameras side by side, a frame a beat or a control step."""

import math
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Semaphore
from typing import Any, Literal, TypeGuard, get_args

import numpy as np

from groot_wrappers.control_step import ControlStep
from groot_wrappers.errors import ContractError, did_you_mean
from groot_wrappers.modality import ModalityConfigs
from runners.episodes.plan import PlannedEpisode
from runners.episodes.row import EpisodeRow
from runners.recorders.recorder import Recorder, RunInfo
from runners.run_folder.videos import FULL, VIDEOS
from runners.simulation.film_scene import ORBIT, FilmScene, View
from runners.statistics.summary import Summary
from runners.utils.mp4 import Mp4Writer

__all__ = ["VideoRecorder"]

Frames = Literal["beats", "control_steps"]
Failed = Literal["full"]

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
        frames: ``beats``: a frame for each question to the server; ``control_steps``: one a control step, each of which
            is drawn for it.
        cameras: Names of the scene's cameras, ``orbit`` among them (see ``runners.simulation.film_scene``), each drawn
            for the video alone; None for what the policy sees, which is drawn already where it is asked.
        size: Height and width of the pictures; None for the cameras' own.
        view: Where ``orbit`` stands and what is in the middle of its pictures, x, y, z in the env's frame, metres;
            None for what the env's config shows its viewers.
        failed: ``full``: after the run, the episodes that failed are played again for videos of each control step.

    Attributes:
        of_failed: What films these; None where nobody asked for them.

    Raises:
        ContractError: A setting is none of these.
    """

    def __init__(
        self,
        frames: Frames = "beats",
        cameras: Sequence[str] | None = None,
        *,
        size: Sequence[int] | None = None,
        view: Sequence[Sequence[float]] | None = None,
        failed: Failed | None = None,
    ) -> None:
        if frames not in get_args(Frames):
            raise ContractError(
                f"recorder.video.frames={frames} was asked for. Set it to one of {', '.join(get_args(Frames))}."
            )
        if cameras is not None and (not isinstance(cameras, list | tuple) or not cameras):
            raise ContractError(
                f"recorder.video.cameras={cameras} was asked for, but it takes a list of names, such as [orbit], or "
                "null for what the policy sees."
            )
        if failed not in (None, *get_args(Failed)):
            raise ContractError(f"recorder.video.failed={failed} was asked for. Set it to full, or to null.")
        self._frames = frames
        self._cameras = cameras
        self._name_end = ""
        self.of_failed: VideoRecorder | None = None
        if failed is not None:
            self.of_failed = VideoRecorder("control_steps", cameras)
            self.of_failed._name_end = FULL
        self._size = _checked_size(size)
        self._view = _checked_view(view)
        self._videos: dict[int, _Video] = {}
        self._threads: list[ThreadPoolExecutor] = []
        self._room = Semaphore(MAX_WAITING)

    def check(self, modality: ModalityConfigs) -> None:
        """Refuse a server that looks at no pictures, so that there are none to show."""
        if "video" not in modality and self._cameras is None:
            raise ContractError(
                "recorder=[video] was asked for, but the server looks at no pictures, so that none are drawn. Name a "
                "camera of the scene, recorder.video.cameras=[orbit], or leave it out: recorder=[wandb]."
            )

    def set_up_scene(self, scene: FilmScene) -> None:
        """Set up the cameras that are not the policy's as they are."""
        if self._cameras is not None or self._size is not None:
            self._cameras = scene.film(self._cameras, self._size, self._view)
            if self.of_failed is not None:
                self.of_failed._cameras = self._cameras

    def on_run_start(self, run: RunInfo) -> None:
        """Make the folder."""
        self._run = run
        if self.of_failed is not None and run.manifest is not None and run.manifest.reset_mode == "per_batch":
            raise ContractError(
                "recorder.video.failed=full was asked for, but the env begins episodes in all envs together, so that "
                "none can be played again by itself. Leave it out."
            )
        if missing := [name for name in self._cameras or () if name not in run.cameras]:
            raise ContractError(
                f"recorder.video.cameras names '{missing[0]}', but the env has no such camera."
                f"{did_you_mean(missing[0], run.cameras)} It has: {', '.join(run.cameras) or 'none'}."
            )
        self._fps = run.fps / run.execution if self._frames == "beats" else run.fps
        self._folder = run.folder / VIDEOS
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
                self._videos[env_id].add(side_by_side(self._pictures(observation), env_id))

    def on_beat(self, observation: Mapping[str, Any]) -> None:
        """Add what there is to see to the videos of the episodes that run."""
        if self._frames == "beats" and self._videos:
            pictures = self._pictures(observation)
            for env_id, video in self._videos.items():
                video.add(side_by_side(pictures, env_id))

    def on_control_step(self, step: ControlStep) -> None:
        """Add a frame to the videos of the envs whose episode goes on."""
        playing = [env_id for env_id in self._videos if step.playing[env_id]]
        if self._frames == "control_steps" and playing:
            pictures = self._pictures(step.observation)
            for env_id in playing:
                self._videos[env_id].add(side_by_side(pictures, env_id))

    def on_episode_end(self, row: EpisodeRow) -> None:
        """Close the episode's video and name it in the row, if it has a frame."""
        if row.env in self._videos:
            path = self._close(row.env, (f"_attempt_{row.attempt}" if row.attempt else "") + self._name_end)
            row.video = None if path is None else str(path.relative_to(self._run.folder))

    def on_run_end(self, summary: Summary | None) -> None:
        """Close the videos of episodes that were interrupted."""
        try:
            for env_id in list(self._videos):
                self._close(env_id, f"{self._name_end}_interrupted")
        finally:
            for thread in self._threads:
                thread.shutdown()

    def _pictures(self, observation: Mapping[str, Any]) -> Mapping[str, np.ndarray[Any, Any]]:
        """Return what the cameras show at present, by name, uint8 (num_envs, T, H, W, 3)."""
        if self._cameras is None:
            pictures: Mapping[str, np.ndarray[Any, Any]] = observation["video"]
            return pictures
        return {name: self._run.cameras[name]() for name in self._cameras}

    def _close(self, env_id: int, suffix: str) -> Path | None:
        """Close the video of an env, give it its final name and return its path; None where it has no frame."""
        video = self._videos.pop(env_id)
        if video.is_empty:
            return None
        video.close()
        return video.path.rename(video.path.with_name(f"{video.path.stem.replace('recording', 'episode')}{suffix}.mp4"))


def _checked_size(size: Sequence[int] | None) -> tuple[int, int] | None:
    if size is None:
        return None
    if not _is_list(size, 2) or not all(isinstance(n, int) and 16 <= n <= 4096 for n in size):
        raise ContractError(
            f"recorder.video.size={size} was asked for, but it takes height and width, 16 to 4096 pixels each, such as "
            "[720, 1280]."
        )
    return size[0], size[1]


def _checked_view(view: Sequence[Sequence[float]] | None) -> View | None:
    if view is None:
        return None
    if not _is_list(view, 2) or not all(map(_is_point, view)) or view[0] == view[1]:
        raise ContractError(
            f"recorder.video.view={view} was asked for, but it takes where the camera {ORBIT} stands and another point "
            'that it looks at, x, y, z in metres: "recorder.video.view=[[1.3,0.9,0.75],[0.3,0,0.25]]".'
        )
    return view[0], view[1]


def _is_point(value: object) -> bool:
    return _is_list(value, 3) and all(map(_is_number, value))


def _is_list(value: object, length: int) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, list | tuple) and len(value) == length


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


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
