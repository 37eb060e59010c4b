"""Recorded lifts converted to v3.0 by LeRobot and back: `make verify-conversion`, about four minutes on two cores.

DATASET names a data set to take instead of recording one. LEROBOT_PYTHON is a Python that has LeRobot 0.6.1.
"""

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from runners.datasets.checks import check_dataset
from runners.datasets.layouts import open_layout
from tests.support.samples.shared_files import pixels_of

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[3]
TINY = [
    "--policy.type=act", "--policy.device=cpu", "--policy.push_to_hub=false",
    "--policy.pretrained_backbone_weights=null", "--policy.dim_model=32", "--policy.n_heads=2",
    "--policy.dim_feedforward=32", "--policy.n_encoder_layers=1",
    "--policy.n_vae_encoder_layers=1", "--policy.latent_dim=8", "--policy.chunk_size=8", "--policy.n_action_steps=8",
    "--steps=4", "--batch_size=4", "--num_workers=0", "--log_freq=1", "--save_freq=4", "--wandb.enable=false",
]  # fmt: skip
"""The smallest policy, and a training of four steps."""


def run(*command, **options):
    begun = time.monotonic()
    subprocess.run([str(part) for part in command], cwd=ROOT, check=True, timeout=3000, **options)
    print(f"{' '.join(map(str, command[1:6]))} ...: {time.monotonic() - begun:.0f} s")


@pytest.fixture(scope="module")
def lerobot(tmp_path_factory):
    """Return a Python that has LeRobot, and an environment in which it asks no server for anything."""
    away = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path_factory.mktemp("hub")), "PYTHONPATH": ""}
    return Path(os.environ["LEROBOT_PYTHON"]), os.environ | away


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    if "DATASET" in os.environ:
        return Path(os.environ["DATASET"]).resolve()
    folder = tmp_path_factory.mktemp("run")
    settings = ["server=expert", "horizons=chunked", "num_envs=4", "episodes=4", "recorder=[lerobot]"]
    run(sys.executable, "-m", "runners.apps.play", *settings, f"hydra.run.dir={folder}")
    return folder / "dataset"


@pytest.fixture(scope="module")
def converted(recorded, lerobot, tmp_path_factory):
    """Return the data set as v3.0, and what came back."""
    folder = tmp_path_factory.mktemp("converted")
    command = [sys.executable, "-m", "runners.apps.dataset", "convert"]
    run(*command, recorded, "--to", "v3.0", folder / "new", "--lerobot-python", lerobot[0])
    run(*command, folder / "new", "--to", "v2.1", folder / "back")
    return folder / "new", folder / "back"


def test_what_comes_back_is_what_was_recorded_bit_for_bit(recorded, converted):
    back = converted[1]
    assert json.loads((back / "meta/info.json").read_text()) == json.loads((recorded / "meta/info.json").read_text())
    files = [path.relative_to(recorded) for path in recorded.rglob("*") if path.is_file()]
    assert sorted(files) == sorted(path.relative_to(back) for path in back.rglob("*") if path.is_file())
    frames = 0
    for file in files:
        if file.suffix == ".mp4":
            (times, pixels), (same_times, same_pixels) = pixels_of(recorded / file), pixels_of(back / file)
            assert times == same_times
            np.testing.assert_array_equal(pixels, same_pixels)
            frames += len(times)
        elif file.name != "info.json":
            assert (recorded / file).read_bytes() == (back / file).read_bytes(), file
    print(f"{len(files)} files: {frames} frames the same, pixel by pixel, and all else byte by byte")


def test_check_finds_nothing(converted):
    assert [check_dataset(folder) for folder in converted] == [[], []]


def test_lerobot_reads_the_same_numbers_and_pixels(recorded, converted, lerobot):
    script = ROOT / "tests/verify/support/read_with_lerobot.py"
    command = [lerobot[0], "-W", "ignore", script, converted[0]]
    done = subprocess.run(command, env=lerobot[1], capture_output=True, text=True, timeout=3000, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    told = json.loads(done.stdout.splitlines()[-1])
    layout = open_layout(recorded)
    assert len(told["episodes"]) == len(layout.episodes())
    for episode, theirs in zip(layout.episodes(), told["episodes"], strict=True):
        assert (theirs["length"], tuple(theirs["tasks"])) == (episode.length, episode.tasks)
        with layout.rows(episode.index) as rows:
            for name, digest in theirs["numbers"].items():
                assert hashlib.sha256(rows.column(name).astype("<f4").tobytes()).hexdigest() == digest
        for camera, digest in theirs["pixels"].items():
            _, pixels = pixels_of(recorded / layout.video_file(episode.index, camera))
            assert hashlib.sha256(pixels.transpose(0, 3, 1, 2).tobytes()).hexdigest() == digest
    print(f"LeRobot {told['lerobot']} read {len(told['episodes'])} episodes of v3.0: numbers and pixels the same")


def test_lerobot_trains_on_it(converted, lerobot, tmp_path):
    data = ["--dataset.repo_id=local/data", f"--dataset.root={converted[0]}", f"--output_dir={tmp_path / 'train'}"]
    environment = lerobot[1] | {"OMP_NUM_THREADS": "2"}
    run(lerobot[0], "-W", "ignore", "-m", "lerobot.scripts.lerobot_train", *data, *TINY, env=environment)
    checkpoint = tmp_path / "train/checkpoints/000004/pretrained_model"
    assert (checkpoint / "model.safetensors").stat().st_size > 1_000_000
    keys = json.loads((checkpoint / "config.json").read_text())["input_features"]
    assert set(open_layout(converted[0]).info.cameras) < set(keys)


def test_recorded_episodes_succeed_again_from_v30(converted, tmp_path):
    settings = ["server=replay", f"dataset={converted[0]}", "horizons=chunked", "episodes=2", "recorder=[]"]
    run(sys.executable, "-m", "runners.apps.play", *settings, f"hydra.run.dir={tmp_path / 'again'}")
    rows = [json.loads(line) for line in (tmp_path / "again/episodes.jsonl").read_text().splitlines()]
    then = [(episode.success, episode.length) for episode in open_layout(converted[0]).episodes()[:2]]
    assert [(row["success"], row["steps"]) for row in rows] == then
