"""Data sets of both tasks in LeRobot's own reader: `make verify-dataset`, about five minutes on two cores.

DATASETS names data sets to look at, parted by commas; without it, two episodes of each task are recorded.
LEROBOT_PYTHON is a Python that has LeRobot 0.3.3, the last that reads v2.1.
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from runners.datasets.checks import check_dataset
from runners.datasets.metadata import Info, read_episodes
from runners.datasets.rows import EpisodeRows

LEVELS = 1.0
"""By how much the mean of a channel may differ between two decoders, of 255."""


@pytest.fixture(scope="module", params=os.environ.get("DATASETS", "lift_cube_franka,pick_place_gr1t2").split(","))
def dataset(request, tmp_path_factory):
    if "DATASETS" in os.environ:
        return Path(request.param)
    folder = tmp_path_factory.mktemp(request.param)
    command = [
        Path(sys.executable).with_name("groot-play"),
        f"task={request.param}",
        "server=expert",
        "horizons=chunked",
    ]
    settings = ["num_envs=2", "episodes=2", "recorder=[lerobot]", f"hydra.run.dir={folder}"]
    subprocess.run([*command, *settings], check=True, timeout=3600)
    return folder / "dataset"


@pytest.fixture(scope="module")
def read(dataset, tmp_path_factory):
    script = Path(__file__).with_name("support") / "read_with_lerobot.py"
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path_factory.mktemp("hf")), "PYTHONPATH": ""}
    command = [os.environ["LEROBOT_PYTHON"], "-W", "ignore", script, dataset.resolve()]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=3600, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_check_finds_nothing(dataset):
    assert check_dataset(dataset) == []


def test_lerobot_reads_the_same_numbers(dataset, read):
    info, episodes = Info.read(dataset), read_episodes(dataset)
    assert (read["fps"], len(read["episodes"])) == (info.fps, len(episodes))
    for episode, theirs in zip(episodes, read["episodes"], strict=True):
        assert (theirs["length"], tuple(theirs["tasks"])) == (episode.length, episode.tasks)
        with EpisodeRows(dataset, info.rows_file(episode.index)) as rows:
            numbers = {name: rows.column(name) for name in theirs["numbers"]}
        for name, digest in theirs["numbers"].items():
            values = numbers[name]
            assert hashlib.sha256(values.astype("<f4").tobytes()).hexdigest() == digest, (episode.index, name)
    frames = sum(episode.length for episode in episodes)
    print(f"{dataset}: LeRobot {read['lerobot']} read {len(episodes)} episodes, {frames} frames; numbers the same")


def test_lerobot_decodes_the_same_pictures(dataset, read):
    info = Info.read(dataset)
    furthest = 0.0
    for index, theirs in enumerate(read["episodes"]):
        assert set(theirs["means"]) == set(info.cameras)
        for camera, means in theirs["means"].items():
            with av.open(str(dataset / info.video_file(index, camera))) as container:
                ours = [frame.to_ndarray(format="rgb24").mean(axis=(0, 1)) for frame in container.decode(video=0)]
            furthest = max(furthest, float(np.abs(np.array(means) - np.array(ours)).max()))
    print(f"{dataset}: pictures differ by at most {furthest:.2f} levels of 255 in the mean of a channel")
    assert furthest <= LEVELS


def test_lerobot_gathers_the_same_statistics(dataset, read):
    stats = json.loads((dataset / "meta/stats.json").read_text())
    for name in ("observation.state", "action"):
        for kind in ("min", "max", "mean", "std"):
            np.testing.assert_allclose(read["stats"][name][kind], np.ravel(stats[name][kind]), rtol=1e-3, atol=1e-4)
