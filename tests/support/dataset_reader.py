"""A strict reader of data sets, apart from the code that writes them: what cannot be read, or does not fit, fails."""

import json
from types import SimpleNamespace

import av
import numpy as np
import pyarrow.parquet as pq


def lines(path):
    text = path.read_text()
    assert not text or text.endswith("\n"), f"{path} ends in half a line"
    return [json.loads(line) for line in text.splitlines()]


def decode(path):
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = [(float(frame.time), frame.to_ndarray(format="rgb24")) for frame in container.decode(stream)]
    return np.array([time for time, _ in frames]), np.stack([pixels for _, pixels in frames])


def read_listed(folder):
    """Return the episodes that the list names, each read whole, as GR00T reads them: nothing else is looked at."""
    info = json.loads((folder / "meta/info.json").read_text())
    modality = json.loads((folder / "meta/modality.json").read_text())
    tasks = {row["task_index"]: row["task"] for row in lines(folder / "meta/tasks.jsonl")}
    statistics = {row["episode_index"]: row["stats"] for row in lines(folder / "meta/episodes_stats.jsonl")}
    listed = lines(folder / "meta/episodes.jsonl")
    if listed:
        stats = json.loads((folder / "meta/stats.json").read_text())
        assert {"observation.state", "action", "timestamp"} <= set(stats)
    episodes, frames = [], 0
    for index, row in enumerate(listed):
        assert row["episode_index"] == index
        place = {"episode_index": index, "episode_chunk": index // info["chunks_size"]}
        table = pq.ParquetFile(folder / info["data_path"].format(**place)).read()
        columns = {name: np.array(table[name].to_pylist()) for name in table.column_names}
        assert set(columns) == {name for name, what in info["features"].items() if what["dtype"] != "video"}
        length = row["length"]
        assert table.num_rows == length > 0
        assert columns["frame_index"].tolist() == list(range(length))
        assert columns["index"].tolist() == list(range(frames, frames + length))
        assert set(columns["episode_index"].tolist()) == {index}
        assert {tasks[number] for number in columns["task_index"].tolist()} == set(row["tasks"])
        assert columns["next.done"].tolist() == [False] * (length - 1) + [True]
        assert statistics[index]["action"]["count"] == [length]
        videos = {}
        for key, video in modality["video"].items():
            times, videos[key] = decode(folder / info["video_path"].format(video_key=video["original_key"], **place))
            assert list(videos[key].shape) == [length, *info["features"][video["original_key"]]["shape"]]
            assert np.abs(times - columns["timestamp"]).max() < 1e-4, "LeRobot finds frames by their times"
        frames += length
        episodes.append(SimpleNamespace(row=row, columns=columns, videos=videos))
    return episodes


def read_whole(folder):
    """Return all episodes of a data set in which every file fits every other, as LeRobot wants it."""
    episodes = read_listed(folder)
    info = json.loads((folder / "meta/info.json").read_text())
    cameras = [name for name, what in info["features"].items() if what["dtype"] == "video"]
    assert info["total_episodes"] == len(episodes)
    assert info["total_frames"] == sum(episode.row["length"] for episode in episodes)
    assert info["total_tasks"] == len(lines(folder / "meta/tasks.jsonl"))
    assert info["total_videos"] == len(episodes) * len(cameras)
    assert info["splits"] == {"train": f"0:{len(episodes)}"}
    assert len(lines(folder / "meta/episodes_stats.jsonl")) == len(episodes)
    assert len(numbers_there(folder)) == len(episodes), "LeRobot loads whatever lies in data/"
    assert len(list(folder.glob("videos/*/*/*.mp4"))) == info["total_videos"]
    assert not (folder / ".unfinished").exists()
    return episodes


def numbers_there(folder):
    return [path for path in (folder / "data").rglob("*") if path.is_file() and not path.name.startswith(".")]
