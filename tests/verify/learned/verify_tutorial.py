"""The scripts of docs/tutorials/learned_policy: twelve steps on the CPU from a small recording, then served.

In the environment of ``make learned-env``.
"""

import json
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from groot_wrappers.lerobot_model.policy import LeRobotModel

TRAIN = Path(__file__).parents[3] / "docs/tutorials/learned_policy/train.py"
CAMERAS, SIZE, JOINTS = ("scene_camera", "wrist_camera"), 64, 9
SPLIT = {kind: {"joint_positions": {"start": 0, "end": JOINTS}} for kind in ("state", "action")}


def record(folder, instructions, steps=20):
    """Write a data set in the recorder's layout: an episode for each instruction."""
    names = [f"observation.images.{camera}" for camera in CAMERAS]
    info = {
        "chunks_size": 1000,
        "data_path": "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet",
        "video_path": "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4",
        "features": {name: {"dtype": "video"} for name in names} | {"action": {"dtype": "float32"}},
    }
    draw, episodes = np.random.default_rng(0), []
    for index, instruction in enumerate(instructions):
        places = {"episode_chunk": 0, "episode_index": index}
        rows = folder / info["data_path"].format(**places)
        rows.parent.mkdir(parents=True, exist_ok=True)
        numbers = {
            name: list(draw.normal(size=(steps, JOINTS)).astype("f4")) for name in ("observation.state", "action")
        }
        pq.write_table(pa.table(numbers), rows)
        for name in names:
            file = folder / info["video_path"].format(video_key=name, **places)
            file.parent.mkdir(parents=True, exist_ok=True)
            film(file, draw.integers(0, 256, (steps, SIZE, SIZE, 3), dtype=np.uint8))
        episodes.append(json.dumps({"episode_index": index, "tasks": [instruction], "length": steps}))
    (folder / "meta").mkdir()
    (folder / "meta/info.json").write_text(json.dumps(info))
    (folder / "meta/episodes.jsonl").write_text("\n".join(episodes))
    (folder / "meta/modality.json").write_text(json.dumps(SPLIT))


def film(file, frames):
    with av.open(str(file), "w") as video:
        stream = video.add_stream("libx264", rate=30, options={"crf": "18"})
        stream.width = stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            video.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        video.mux(stream.encode())


def train(*arguments):
    command = [sys.executable, str(TRAIN), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)


@pytest.mark.parametrize(
    "instructions", [["lift"] * 3, ["take the red cube", "take the blue cube"] * 2], ids=["one", "two"]
)
def test_twelve_steps_make_checkpoints_that_are_served(tmp_path, instructions):
    record(tmp_path / "dataset", instructions)
    out = tmp_path / "act"
    asked = ["--steps", 12, "--save-every", 6, "--batch", 4, "--held-out", 1, "--device", "cpu"]
    done = train(tmp_path / "dataset", "--out", out, *asked)
    assert done.returncode == 0, done.stderr
    assert f"{len(instructions) - 1} episodes, {20 * (len(instructions) - 1)} frames" in done.stdout
    assert sorted(path.parent.name for path in out.glob("checkpoints/*/pretrained_model")) == ["000006", "000012"]
    policy = LeRobotModel(str(out / "checkpoints/000012/pretrained_model"), threads=1)
    assert policy.get_modality_config()["video"].modality_keys == CAMERAS
    observation = {
        "video": {camera: np.zeros((2, 1, SIZE, SIZE, 3), np.uint8) for camera in CAMERAS},
        "state": {"joint_positions": np.zeros((2, 1, JOINTS), np.float32)},
        "language": {"task": [[instructions[0]], [instructions[1]]]},
    }
    chunk = policy.get_action(observation)[0]["joint_positions"]
    assert chunk.shape == (2, 16, JOINTS)
    # One picture, one state: only what was asked for can make a difference.
    assert np.allclose(chunk[0], chunk[1], atol=1e-5) == (len(set(instructions)) == 1)


def test_beginnings_are_drawn_more_often_than_the_rest(monkeypatch):
    monkeypatch.syspath_prepend(TRAIN.parent)
    from frames import Episode, Frames

    lengths = (3, 5)
    drawn = iter(torch.arange(sum(lengths), dtype=torch.uint8)[:, None, None, None].split(lengths))
    episodes = [Episode(torch.zeros(n, 2), torch.zeros(n, 2), {"camera": next(drawn)}, "lift") for n in lengths]
    frames = Frames(episodes, ["lift"], "cpu")
    assert frames.pictures["camera"].flatten().tolist() == list(range(8))
    assert frames.drawn(first=2, times=3).bincount().tolist() == [3, 3, 1, 3, 3, 1, 1, 1]
    assert frames.drawn(first=2, times=1).tolist() == list(range(8))


def test_refuses_what_is_no_data_set(tmp_path):
    done = train(tmp_path, "--out", tmp_path / "act")
    assert done.returncode == 1
    assert "no data set in the LeRobot v2.1 format" in done.stderr
    assert not (tmp_path / "act").exists()
