"""The state of an env whose episode ended in an error: written without pickles, and loaded as IsaacLab takes it."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from runners.episodes.plan import PlannedEpisode
from runners.reports.text import format_end
from runners.rollout.state_dump import MOST, StateDump
from tests.support.samples.rows import make_row, summary_of
from tests.support.toys.policy import ToyPolicy

STATE = {
    "articulation": {"robot": {"joint_position": torch.tensor([[0.0, 1.0], [2.0, torch.nan]])}},
    "rigid_object": {"cube": {"root_pose": torch.arange(14.0).reshape(2, 7)}},
}


class Scene:
    """What a scene of IsaacLab's says of its state."""

    def get_state(self, is_relative=False):
        assert is_relative, "an env's own frame, so that any env can be put into it"
        return STATE


@pytest.fixture
def dump(tmp_path):
    return StateDump(SimpleNamespace(unwrapped=SimpleNamespace(scene=Scene())), tmp_path)


def test_state_of_one_env_is_kept_with_its_episode_and_how_it_is_loaded(dump, tmp_path):
    path = dump.write(PlannedEpisode(3, 7, "reach"), 1, "The simulator diverged")
    assert path == tmp_path / "errors/episode_000003.npz"
    with np.load(path, allow_pickle=False) as file:
        assert (int(file["episode"]), int(file["seed"]), str(file["instruction"])) == (3, 7, "reach")
        assert str(file["error"]) == "The simulator diverged"
        how = str(file["how_to_load"])
    loaded = {}
    scene = SimpleNamespace(reset_to=lambda state, is_relative: loaded.update(state))
    exec(how, {"env": SimpleNamespace(unwrapped=SimpleNamespace(scene=scene, num_envs=3))})  # noqa: S102  # its own words
    for kind, name, part in [("articulation", "robot", "joint_position"), ("rigid_object", "cube", "root_pose")]:
        wanted = STATE[kind][name][part][1].expand(3, -1)
        torch.testing.assert_close(loaded[kind][name][part], wanted, equal_nan=True)


def test_there_are_no_more_files_than_a_person_looks_at(dump, tmp_path):
    written = [dump.write(PlannedEpisode(index, 7, ""), 0, "") for index in range(MOST + 3)]
    assert written.count(None) == 3
    assert len(list((tmp_path / "errors").iterdir())) == MOST
    lines = format_end(tmp_path, summary_of([make_row()]), [make_row()], 8)
    assert any(line.startswith(f"States:     {tmp_path}/errors: ") and "20 of its episodes" in line for line in lines)


def test_env_without_a_state_and_one_that_cannot_be_written_cost_no_row(tmp_path, dump, caplog):
    assert (
        StateDump(SimpleNamespace(unwrapped=SimpleNamespace()), tmp_path).write(PlannedEpisode(0, 7, ""), 0, "") is None
    )
    (tmp_path / "errors").write_text("in the way")
    assert dump.write(PlannedEpisode(0, 7, ""), 0, "") is None
    assert "could not be written" in caplog.text


class NotANumber(ToyPolicy):
    """Spoils the first row of its second answer."""

    def __init__(self, watcher, **options):
        super().__init__(**options)

    def get_action(self, observation, options=None):
        action, info = super().get_action(observation, options)
        if len(self.calls) == 2:
            action["joints"][0, 0, 0] = np.nan
        return action, info


def test_rollout_tells_of_the_env_s_own_errors_alone(play):
    told = []
    run = play(
        2, 4, policy_class=NotANumber, on_error=lambda planned, env_id, error: told.append((planned.index, error))
    )
    failed = [(row.index, row.error) for row in run.rows if row.ended == "error"]
    assert told == failed
    assert len(failed) == 1
