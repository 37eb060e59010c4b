"""Small data sets: two state keys, two action keys, two cameras of different sizes, numbers that say where they are."""

import shutil

import numpy as np
import pytest

from runners.apps import dataset as dataset_app
from runners.datasets.features import Features
from runners.datasets.recording import Frame
from runners.datasets.writer import DatasetWriter

FEATURES = Features(
    fps=20.0,
    state={"arm": 3, "gripper": 1},
    action={"arm": 3, "gripper": 1},
    video={"front": (48, 64), "wrist": (32, 32)},
    robot_type="toy",
    has_rewards=True,
    has_success=True,
)


def make_frame(episode, k, *, last=False, features=FEATURES):
    """Return frame k of an episode: state 100 * episode + k, action 0.5 more, pixels that grow brighter with k."""
    here = 100.0 * episode + k
    return Frame(
        state={key: np.full(width, here, np.float32) for key, width in features.state.items()},
        action={key: np.full(width, here + 0.5, np.float32) for key, width in features.action.items()},
        video={
            key: np.full((*size, 3), (20 + 10 * episode, 10 * (k % 20), 128), np.uint8)
            for key, size in features.video.items()
        },
        reward=float(last) if features.has_rewards else None,
        success=last if features.has_success else None,
    )


def record(writer, length, task="reach", **facts):
    """Record one episode of a data set and make it part of it."""
    episode = len(writer.episodes)
    recording = writer.begin()
    for k in range(length):
        recording.add(make_frame(episode, k, last=k == length - 1, features=writer.features))
    writer.finish(recording, task, **facts)


def make_dataset(folder, lengths=(5, 7, 4), tasks=("reach", "grasp", "reach"), features=FEATURES):
    """Write a data set with an episode for each length; seeds are 1000 and up."""
    with DatasetWriter(folder, features) as writer:
        for index, (length, task) in enumerate(zip(lengths, tasks, strict=True)):
            record(writer, length, task, plan_index=index, seed=1000 + index, success=True)
    return folder


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    """Return a data set of three episodes, which no test may change."""
    return make_dataset(tmp_path_factory.mktemp("made") / "set")


@pytest.fixture
def dataset(made_once, tmp_path):
    """Return a data set of three episodes, 5, 7 and 4 rows long."""
    return shutil.copytree(made_once, tmp_path / "set")


@pytest.fixture
def groot_dataset(monkeypatch, capsys, made_once, tmp_path):
    """Run groot-dataset beside ``lift``, a data set of three episodes; return exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(made_once, tmp_path / "lift")

    def run(*arguments):
        with pytest.raises(SystemExit) as exit_:
            dataset_app.main([str(argument) for argument in arguments])
        return exit_.value.code, *capsys.readouterr()

    return run
