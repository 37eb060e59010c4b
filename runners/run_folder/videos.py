"""Where the videos lie in a run folder."""

from pathlib import Path

__all__ = ["FULL", "VIDEOS", "full_video"]

VIDEOS = "videos"

FULL = "_full"
"""Behind the name of a video of each control step of an episode that failed; see ``recorder.video.failed``."""


def full_video(index: int) -> Path:
    """Return the place of the video of each control step of a failed episode, in its run folder."""
    return Path(VIDEOS) / f"episode_{index:06d}{FULL}.mp4"
