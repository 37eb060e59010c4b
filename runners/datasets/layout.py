"""Where the files of a LeRobot v2.1 data set lie, under GR00T's names.

Everything is below the data set's folder: ``meta/`` says what there is, ``data/`` has a parquet an episode, ``videos/``
an MP4 for each episode and camera. Episodes are counted from 0 without a gap.
"""

from pathlib import Path

__all__ = [
    "CHUNK_SIZE",
    "DATA_PATH",
    "EPISODES",
    "EPISODES_STATS",
    "INFO",
    "MODALITY",
    "MODALITY_CONFIG",
    "RUN_FOLDER",
    "STATS",
    "TASKS",
    "VIDEO_PATH",
    "data_path",
    "video_column",
    "video_path",
]

RUN_FOLDER = "dataset"
"""What the data set of a run is called in the run's folder."""

CHUNK_SIZE = 1000
"""Episodes a folder; nothing to do with chunks of actions."""

DATA_PATH = "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet"
VIDEO_PATH = "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4"

INFO = Path("meta/info.json")
EPISODES = Path("meta/episodes.jsonl")
TASKS = Path("meta/tasks.jsonl")
STATS = Path("meta/stats.json")
EPISODES_STATS = Path("meta/episodes_stats.jsonl")
MODALITY = Path("meta/modality.json")
MODALITY_CONFIG = Path("modality_config.py")
"""What GR00T's fine-tuning takes as ``--modality-config-path``."""


def data_path(episode: int) -> Path:
    """Return where an episode's numbers lie."""
    return Path(DATA_PATH.format(episode_chunk=episode // CHUNK_SIZE, episode_index=episode))


def video_path(episode: int, key: str) -> Path:
    """Return where an episode's frames of the video key ``key`` lie."""
    chunk = episode // CHUNK_SIZE
    return Path(VIDEO_PATH.format(episode_chunk=chunk, video_key=video_column(key), episode_index=episode))


def video_column(key: str) -> str:
    """Return the name that LeRobot knows a video key by."""
    return f"observation.images.{key}"
