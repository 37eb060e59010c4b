"""Where the files of a LeRobot v2.1 data set lie, under GR00T's names, and the lists of v3.0.

Everything is below the data set's folder: ``meta/`` says what there is, ``data/`` has a parquet an episode, ``videos/``
an MP4 for each episode and camera. Episodes are counted from 0 without a gap.

Keys are a server's, and may hold anything. Folders and columns are named by ``file_name`` of them, and
``meta/modality.json`` says which key each name stands for.
"""

import re
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path

__all__ = [
    "CHUNK_SIZE",
    "DATA_PATH",
    "EPISODES",
    "EPISODES_STATS",
    "EPISODES_TABLES",
    "INFO",
    "MODALITY",
    "MODALITY_CONFIG",
    "OF_ALL_EPISODES",
    "RUN_FOLDER",
    "STATS",
    "TASKS",
    "TASKS_TABLE",
    "VIDEO_PATH",
    "annotation_column",
    "data_path",
    "episode_files",
    "episode_paths",
    "file_name",
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

EPISODES_TABLES = Path("meta/episodes")
TASKS_TABLE = Path("meta/tasks.parquet")
"""The lists of v3.0, the first a folder of parquet files."""

OF_ALL_EPISODES = (INFO, EPISODES, TASKS, STATS, EPISODES_STATS, MODALITY, MODALITY_CONFIG)


def data_path(episode: int) -> Path:
    """Return where an episode's numbers lie."""
    return Path(DATA_PATH.format(episode_chunk=episode // CHUNK_SIZE, episode_index=episode))


def video_path(episode: int, key: str) -> Path:
    """Return where an episode's frames of the video key ``key`` lie."""
    chunk = episode // CHUNK_SIZE
    return Path(VIDEO_PATH.format(episode_chunk=chunk, video_key=video_column(key), episode_index=episode))


def episode_paths(episode: int, videos: Iterable[str]) -> list[Path]:
    """Return where an episode's numbers and the frames of its video keys lie."""
    return [data_path(episode), *(video_path(episode, key) for key in videos)]


def episode_files(folder: Path) -> Iterator[Path]:
    """Yield the files of ``data/`` and ``videos/`` that hold episodes, relative to the data set's folder."""
    for part, ending in (("data", "parquet"), ("videos", "mp4")):
        for path in (folder / part).rglob(f"*.{ending}"):
            yield path.relative_to(folder)


def video_column(key: str) -> str:
    """Return the name that LeRobot knows a video key by."""
    return f"observation.images.{file_name(key)}"


def annotation_column(key: str) -> str:
    """Return the column of the language key ``annotation.<key>``."""
    return f"annotation.{file_name(key)}"


_PLAIN = re.compile(r"[a-z0-9_]+(?:[.-][a-z0-9_]+)*")
_DIGEST = re.compile(r".*-[0-9a-f]{16}")
_LONGEST = 100
"""Characters; file systems take names of 255 bytes."""


def file_name(key: str) -> str:
    """Return a name for what a key stands for: short, and safe in a path, a column and a file system without case.

    A key that is such a name already is its own. Any other is what can be read of it, and a digest; a key that looks
    like that is given a digest too, so that no two keys have one name.
    """
    if len(key) <= _LONGEST and _PLAIN.fullmatch(key) and not _DIGEST.fullmatch(key):
        return key
    readable = re.sub(r"[^a-z0-9]+", "_", key[:_LONGEST].lower()).strip("_")
    return f"{readable or 'key'}-{sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
