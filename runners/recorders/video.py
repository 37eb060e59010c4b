"""VideoRecorder: an MP4 an episode, all cameras side by side, one frame a control step."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from groot_wrappers.control_step import ControlStep
from runners.mp4 import Mp4Writer
from runners.plan import PlannedEpisode
from runners.recorders.recorder import Recorder, RunInfo
from runners.results import EpisodeRow

__all__ = ["VideoRecorder"]


ENCODING = {"preset": "veryfast", "crf": "20"}
"""Of libx264."""


class VideoRecorder(Recorder):
    """Writes ``videos/episode_000000.mp4`` for each episode, by its index, and ``..._attempt_1.mp4`` for a second try.

    While an episode runs its video is named ``recording_000000.mp4``; it can be played once it has its final name. The
    frame of the control step that ended an episode is missing: IsaacLab has begun another episode by then.
    """

    def __init__(self) -> None:
        self._writers: dict[int, Mp4Writer] = {}
        self._paths: dict[int, Path] = {}

    def on_run_start(self, run: RunInfo) -> None:
        """Make the folder."""
        self._run = run
        self._folder = run.folder / "videos"
        self._folder.mkdir(exist_ok=True)
        for half in self._folder.glob("recording_*.mp4"):  # of an earlier start that was killed
            half.unlink()

    def on_episodes_start(self, episodes: Mapping[int, PlannedEpisode], observation: Mapping[str, Any]) -> None:
        """Open a video for each episode, with its first frame."""
        for env_id, episode in episodes.items():
            path = self._folder / f"recording_{episode.index:06d}.mp4"
            frame = side_by_side(observation["video"], env_id)
            self._paths[env_id] = path
            self._writers[env_id] = Mp4Writer(path, frame.shape[:2], self._run.fps, ENCODING)
            self._writers[env_id].write(frame)

    def on_control_step(self, step: ControlStep) -> None:
        """Add a frame to the videos of the envs whose episode goes on."""
        for env_id, writer in self._writers.items():
            if step.playing[env_id]:
                writer.write(side_by_side(step.observation["video"], env_id))

    def on_episode_end(self, row: EpisodeRow) -> None:
        """Close the episode's video and name it in the row."""
        if row.env in self._writers:
            path = self._close(row.env, f"_attempt_{row.attempt}" if row.attempt else "")
            row.video = str(path.relative_to(self._run.folder))

    def on_run_end(self, summary: Mapping[str, Any]) -> None:
        """Close the videos of episodes that were interrupted."""
        for env_id in list(self._writers):
            self._close(env_id, "_interrupted")

    def _close(self, env_id: int, suffix: str) -> Path:
        """Close the video of an env, give it its final name and return its path."""
        self._writers.pop(env_id).close()
        path = self._paths.pop(env_id)
        return path.rename(path.with_name(f"{path.stem.replace('recording', 'episode')}{suffix}.mp4"))


def side_by_side(video: Mapping[str, np.ndarray[Any, Any]], env_id: int) -> np.ndarray[Any, Any]:
    """Return the present frames of one env's cameras in a row, uint8 (H, W, 3), H and W even as H.264 wants them.

    Args:
        video: Video key to uint8 (num_envs, T, H, W, 3); cameras may differ in size.
        env_id: Which env.
    """
    frames = [frames[env_id, -1] for frames in video.values()]
    height = max(frame.shape[0] for frame in frames)
    padded = [np.pad(frame, ((0, height - frame.shape[0]), (0, 0), (0, 0))) for frame in frames]
    row = np.concatenate(padded, axis=1)
    return np.ascontiguousarray(np.pad(row, ((0, row.shape[0] % 2), (0, row.shape[1] % 2), (0, 0))))
