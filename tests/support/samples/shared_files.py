"""Small data sets of v3.0, made of ones of v2.1 apart from the code that converts: two episodes a file."""

import json
import shutil
from fractions import Fraction

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

EPISODES_A_FILE = 2
DATA = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
VIDEO = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
EPISODES, TASKS = "meta/episodes/chunk-000/file-000.parquet", "meta/tasks.parquet"


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def make_shared_files(v21, folder):
    """Write what a data set of v2.1 holds as v3.0 into a folder, and return it; GR00T's own files are left out."""
    info = json.loads((v21 / "meta/info.json").read_text())
    listed = lines(v21 / "meta/episodes.jsonl")
    stats = [line["stats"] for line in lines(v21 / "meta/episodes_stats.jsonl")]
    cameras = [name for name, what in info["features"].items() if what["dtype"] == "video"]
    rows, frames = [], 0
    for row, statistics in zip(listed, stats, strict=True):
        index = row["episode_index"]
        file = {"chunk_index": 0, "file_index": index // EPISODES_A_FILE}
        place = {f"data/{name}": value for name, value in file.items()}
        place |= {"dataset_from_index": frames, "dataset_to_index": frames + row["length"]}
        begin = sum(other["length"] for other in listed[index - index % EPISODES_A_FILE : index])
        for camera in cameras:
            place |= {f"videos/{camera}/{name}": value for name, value in file.items()}
            place[f"videos/{camera}/from_timestamp"] = begin / info["fps"]
            place[f"videos/{camera}/to_timestamp"] = (begin + row["length"]) / info["fps"]
        flat = {f"stats/{name}/{kind}": value for name, of in statistics.items() for kind, value in of.items()}
        rows.append(row | place | flat | {"meta/episodes/chunk_index": 0, "meta/episodes/file_index": 0})
        frames += row["length"]
    write_table(folder / EPISODES, pa.Table.from_pylist(rows))
    write_table(folder / TASKS, pa.Table.from_pylist(lines(v21 / "meta/tasks.jsonl")).select(["task_index", "task"]))
    for begin in range(0, len(listed), EPISODES_A_FILE):
        indices = range(begin, min(len(listed), begin + EPISODES_A_FILE))
        file = {"chunk_index": 0, "file_index": begin // EPISODES_A_FILE}
        episode = "chunk-000/{}episode_{:06d}.{}".format
        parts = [pq.read_table(v21 / "data" / episode("", index, "parquet")) for index in indices]
        write_table(folder / DATA.format(**file), pa.concat_tables(parts))
        for camera in cameras:
            videos = [v21 / "videos" / episode(f"{camera}/", index, "mp4") for index in indices]
            join_videos(videos, folder / VIDEO.format(video_key=camera, **file), info["fps"])
    write_info(folder, info)
    names = [name for name, of in stats[0].items() if name not in cameras]
    (folder / "meta/stats.json").write_text(json.dumps({name: joint([of[name] for of in stats]) for name in names}))
    return folder


def joint(parts):
    """Return the statistics of all episodes from those of each, which is all that LeRobot looks at."""
    counts, means, stds, low, high = (
        np.array([of[kind] for of in parts]) for kind in ("count", "mean", "std", "min", "max")
    )
    mean = (counts * means).sum(0) / counts.sum()
    std = np.sqrt((counts * (stds**2 + (means - mean) ** 2)).sum(0) / counts.sum())
    found = {"mean": mean, "std": std, "min": low.min(0), "max": high.max(0)}
    return {kind: values.tolist() for kind, values in found.items()}


def write_info(folder, info):
    rate = {"fps": info["fps"]}
    features = {name: what if what["dtype"] == "video" else what | rate for name, what in info["features"].items()}
    told = {name: value for name, value in info.items() if name not in ("total_chunks", "total_videos")}
    told |= {"codebase_version": "v3.0", "data_path": DATA, "video_path": VIDEO, "features": features}
    (folder / "meta/info.json").write_text(json.dumps(told | {"data_files_size_in_mb": 100}))


def write_table(path, table):
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)


def join_videos(videos, path, fps):
    """Put videos one after the other, packet by packet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as made:
        target, begin = None, Fraction(0)
        for video in videos:
            with av.open(str(video)) as container:
                (stream,) = container.streams.video
                if target is None:
                    target = made.add_stream_from_template(stream)
                    target.time_base = stream.time_base
                count, shift = 0, int(begin / stream.time_base)
                for packet in container.demux(stream):
                    if packet.pts is not None:
                        packet.pts, packet.dts, packet.stream = packet.pts + shift, packet.dts + shift, target
                        made.mux(packet)
                        count += 1
            begin += Fraction(count) / Fraction(fps).limit_denominator(1000)


def pixels_of(path):
    """Return the times and pixels of a video's frames."""
    with av.open(str(path)) as container:
        frames = [(float(frame.time), frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]
    return [time for time, _ in frames], np.stack([pixels for _, pixels in frames])


@pytest.fixture(scope="session")
def shared_once(made_once, tmp_path_factory):
    """Return the data set of three episodes as v3.0, which no test may change."""
    return make_shared_files(made_once, tmp_path_factory.mktemp("shared") / "set")


@pytest.fixture
def shared(shared_once, tmp_path):
    """Return the data set of three episodes as v3.0: 5 and 7 rows in one file, 4 in another."""
    return shutil.copytree(shared_once, tmp_path / "shared")
