"""``write_v21``: v3.0 to v2.1, which GR00T reads: a parquet file an episode, and videos cut without encoding anew."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from runners.datasets import paths
from runners.datasets.conversion.cutting import cut_video
from runners.datasets.files import write_json, write_lines, write_rows
from runners.datasets.layouts.shared_files import SharedFiles, is_of_places, is_of_statistics
from runners.datasets.reading import DatasetError, path_of, read_json
from runners.datasets.schema import RecordedEpisode
from runners.datasets.statistics import dataset_statistics

__all__ = ["write_v21"]

ONLY_V30 = ("data_files_size_in_mb", "video_files_size_in_mb")
"""What ``meta/info.json`` has in v3.0 alone, beside the rate of each feature."""


def write_v21(source: SharedFiles, output: Path, episodes: Iterable[RecordedEpisode]) -> None:
    """Write a data set of v2.1; ``meta/info.json`` comes last.

    Args:
        source: The data set.
        output: A folder that is not there.
        episodes: Its episodes, in the order of its table.

    Raises:
        DatasetError: It holds what is not converted here, or cannot be read, or cut.
    """
    _require_convertible(source)
    (output / paths.INFO).parent.mkdir(parents=True)
    listed, statistics, frames = [], [], 0
    for episode, row in zip(episodes, source.table(lambda name: not is_of_places(name)), strict=True):
        _write_episode(source, output, episode)
        listed.append({name: value for name, value in row.items() if not is_of_statistics(name)})
        statistics.append({"episode_index": episode.index, "stats": _nested(row)})
        frames += episode.length
    tasks = [{"task_index": index, "task": task} for index, task in source.tasks().items()]
    for file, rows in ((paths.EPISODES, listed), (paths.TASKS, tasks), (paths.EPISODES_STATS, statistics)):
        write_lines(output / file, rows)
    files = [paths.data_path(row["episode_index"]) for row in listed]
    floats = {name: f.width for name, f in source.info.features.items() if f.is_numbers and "float" in f.dtype}
    write_json(output / paths.STATS, dataset_statistics(output, files, frames, floats))
    write_json(output / paths.INFO, _info(source, len(listed), frames, len(tasks)))


def _require_convertible(source: SharedFiles) -> None:
    for name, feature in source.info.features.items():
        if feature.dtype != "video" and not feature.is_numbers:
            what = f"the feature {name!r:.80} holds {feature.dtype} of shape {list(feature.shape)}"
            remedy = (
                "Numbers, vectors and videos are converted here. Isaac-GR00T's "
                "scripts/lerobot_conversion/convert_v3_to_v2.py takes others, in an environment of its own."
            )
            raise DatasetError(paths.INFO, what, remedy)


def _write_episode(source: SharedFiles, output: Path, episode: RecordedEpisode) -> None:
    data = output / paths.data_path(episode.index)
    data.parent.mkdir(parents=True, exist_ok=True)
    with source.rows(episode.index) as rows:
        write_rows(data, {name: rows.column(name) for name in rows.names})
    fields = {"episode_chunk": episode.index // paths.CHUNK_SIZE, "episode_index": episode.index}
    for camera in source.info.cameras:
        video = output / path_of(paths.VIDEO_PATH, **fields, video_key=camera)
        video.parent.mkdir(parents=True, exist_ok=True)
        cut_video(source, episode, camera, video)


def _nested(row: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the statistics of an episode by feature and kind, of columns named ``stats/feature/kind``."""
    nested: dict[str, dict[str, Any]] = {}
    for column, value in row.items():
        if is_of_statistics(column):
            feature, _, kind = column.removeprefix("stats/").rpartition("/")
            nested.setdefault(feature, {})[kind] = value
    return nested


def _info(source: SharedFiles, episodes: int, frames: int, tasks: int) -> dict[str, Any]:
    there = read_json(source.folder, paths.INFO, dict[str, Any])
    videos = episodes * len(source.info.cameras)
    features = {
        name: {key: value for key, value in feature.items() if key != "fps" or feature["dtype"] == "video"}
        for name, feature in there["features"].items()
    }
    return {key: value for key, value in there.items() if key not in ONLY_V30} | {
        "codebase_version": "v2.1",
        "total_episodes": episodes,
        "total_frames": frames,
        "total_tasks": tasks,
        "total_videos": videos,
        "total_chunks": -(-episodes // paths.CHUNK_SIZE),
        "chunks_size": paths.CHUNK_SIZE,
        "data_path": paths.DATA_PATH,
        "video_path": paths.VIDEO_PATH if videos else None,
        "features": features,
    }
