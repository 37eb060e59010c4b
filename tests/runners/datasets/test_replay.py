"""ReplayPolicy: GR00T's replay protocol, recorded rollouts played again, and data sets that cannot be replayed."""

import json
import shutil

import numpy as np
import pytest
from omegaconf import OmegaConf

from groot_wrappers.errors import ContractError, Gr00tError
from runners.config.schema import ServerReset
from runners.datasets import paths
from runners.datasets.replay import ReplayPolicy
from runners.episodes.recorded_plan import recorded_episodes, recorded_plan, require_fitting
from runners.recorders import Recorders
from tests.runners.recorders.test_lerobot import recorder
from tests.support.dataset_damage import edit_json
from tests.support.samples.datasets import FEATURES, make_dataset

LENGTHS = (5, 30, 4)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return make_dataset(tmp_path_factory.mktemp("replay") / "dataset", LENGTHS)


def observe(batch=1):
    return {
        "video": {
            "front": np.zeros((batch, 1, 48, 64, 3), np.uint8),
            "wrist": np.zeros((batch, 1, 32, 32, 3), np.uint8),
        },
        "state": {"arm": np.zeros((batch, 1, 3), np.float32), "gripper": np.zeros((batch, 1, 1), np.float32)},
        "language": {"task": [["anything"]] * batch},
    }


def first_numbers(action):
    """Return the recorded steps that a chunk holds: sample actions are 100 * episode + step + 0.5."""
    return (action["arm"][0, :, 0] - 0.5).tolist()


def test_keys_and_horizons_are_those_of_the_data_set(dataset):
    modality = ReplayPolicy(dataset).get_modality_config()
    assert {kind: (m.delta_indices, m.modality_keys) for kind, m in modality.items()} == {
        "video": ((0,), ("front", "wrist")),
        "state": ((0,), ("arm", "gripper")),
        "action": (tuple(range(16)), ("arm", "gripper")),
        "language": ((0,), ("task",)),
    }


def test_embodiments_own_annotation_is_the_language_key(tmp_path):
    features = type(FEATURES)(**{**vars(FEATURES), "languages": ("annotation.human.action.task_description",)})
    policy = ReplayPolicy(make_dataset(tmp_path / "dataset", features=features))
    assert policy.get_modality_config()["language"].modality_keys == ("annotation.human.action.task_description",)


def test_place_moves_on_by_what_is_executed_and_the_last_action_stays(dataset):
    policy = ReplayPolicy(dataset, episode=1, action_horizon=16, execution_horizon=8)
    for here in (0, 8, 16):
        action, info = policy.get_action(observe())
        assert first_numbers(action) == [100 + min(here + k, 29) for k in range(16)]
        assert info == {"current_step": here, "episode_length": 30, "episode_index": 1}
    for _ in range(3):
        action, info = policy.get_action(observe())
    assert first_numbers(action) == [129.0] * 16
    assert info["current_step"] == 40


def test_every_row_of_a_batch_gets_the_same_exact_chunk(dataset):
    action, _ = ReplayPolicy(dataset).get_action(observe(batch=3))
    assert {key: (values.shape, values.dtype) for key, values in action.items()} == {
        "arm": ((3, 16, 3), np.float32),
        "gripper": ((3, 16, 1), np.float32),
    }
    np.testing.assert_array_equal(action["arm"][0], action["arm"][2])


def test_reset_goes_to_an_episode_and_a_step(dataset):
    policy = ReplayPolicy(dataset)
    policy.get_action(observe())
    assert policy.reset() == {"episode_index": 0, "episode_length": 5, "current_step": 0}
    told = policy.reset({"episode_index": 1, "step_index": 7, "seed": 3})
    assert told == {"episode_index": 1, "episode_length": 30, "current_step": 7}
    assert first_numbers(policy.get_action(observe())[0])[0] == 107
    assert policy.reset(None)["episode_index"] == 1, "a reset keeps the episode unless it names another"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"episode_index": 3}, "Episode 3 was asked for, but .* holds 3: 0 to 2"),
        ({"episode_index": -1}, "episode_index must be a whole number from 0, got -1"),
        ({"step_index": 1.5}, "step_index must be a whole number from 0, got 1.5"),
    ],
)
def test_reset_to_nowhere_is_refused_and_changes_nothing(dataset, options, message):
    policy = ReplayPolicy(dataset, episode=1)
    with pytest.raises(Gr00tError, match=message):
        policy.reset(options)
    assert policy.get_action(observe())[1]["episode_index"] == 1


def test_step_far_beyond_the_end_is_the_last_action(dataset):
    policy = ReplayPolicy(dataset)
    policy.reset({"step_index": 2**64 - 1})
    assert first_numbers(policy.get_action(observe())[0]) == [4.0] * 16


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"dataset": None}, "Write dataset=DIR"),
        ({"dataset": "nowhere"}, "nowhere: is no folder"),
        ({"execution_horizon": 17}, "execution_horizon=17 was asked for, but chunks hold 16"),
        ({"episode": 3}, "Episode 3 was asked for"),
    ],
)
def test_settings_that_do_not_fit_are_refused(dataset, settings, message):
    with pytest.raises(Gr00tError, match=message):
        ReplayPolicy(**{"dataset": dataset} | settings)


@pytest.mark.parametrize("language", ["task", "annotation.human.coarse_action", "my instruction/é"])
def test_instruction_may_come_under_any_key_as_nobody_looks_at_it(dataset, language):
    policy = ReplayPolicy(dataset, language=language)
    assert policy.get_modality_config()["language"].modality_keys == (language,)
    assert first_numbers(policy.get_action({"language": {language: [["anything"]]}})[0])[0] == 0


@pytest.mark.parametrize(("without", "left"), [("state", ["video", "action"]), ("video", ["state", "action"])])
def test_data_set_without_keys_of_a_modality_is_played_without_it(dataset, tmp_path, without, left):
    shutil.copytree(dataset, tmp_path / "set")
    edit_json(paths.MODALITY, lambda modality: modality.pop(without))(tmp_path / "set")
    policy = ReplayPolicy(tmp_path / "set")
    assert list(policy.get_modality_config()) == [*left, "language"]
    seen = {kind: values for kind, values in observe(batch=2).items() if kind != without}
    assert policy.get_action(seen)[0]["arm"].shape == (2, 16, 3)


def test_data_set_without_actions_cannot_be_played(dataset, tmp_path):
    shutil.copytree(dataset, tmp_path / "set")
    edit_json(paths.MODALITY, lambda modality: modality.pop("action"))(tmp_path / "set")
    with pytest.raises(Gr00tError, match="names no key of action, but a replay plays some"):
        ReplayPolicy(tmp_path / "set")


FITTING = {"task": "toy", "fps": 20.0, "action": {"arm": 3, "gripper": 1}}


@pytest.mark.parametrize(
    ("recorded", "played", "messages"),
    [
        ({"robot_type": "Lift-v0"}, {"task": "Reach-v0"}, ["It was recorded in Lift-v0, but Reach-v0 is played"]),
        ({"robot_type": "Lift-v0"}, {"task": "Lift-Play-v0"}, ["It was recorded in Lift-v0, but Lift-Play-v0 is"]),
        ({}, {"fps": 50.0}, ["It holds 20 control steps a second (meta/info.json), but 50 are played"]),
        ({}, {"action": {"arm": 7, "gripper": 1}}, ["Its action arm holds 3 numbers", "but 7 are played"]),
        ({}, {"action": {"arm": 7, "gripper": 2}}, ["Its action arm holds 3", "Its action gripper holds 1"]),
        (
            {"robot_type": "Lift-v0"},
            {"task": "Reach-v0", "fps": 50.0, "action": {"arm": 2}},
            ["It was recorded in", "control steps a second", "Its action arm"],
        ),
    ],
)
def test_recording_from_elsewhere_is_refused_with_all_differences(dataset, tmp_path, recorded, played, messages):
    shutil.copytree(dataset, tmp_path / "set")
    edit_json(paths.INFO, lambda info: info.update(recorded))(tmp_path / "set")
    with pytest.raises(ContractError) as refused:
        require_fitting(tmp_path / "set", **FITTING | played)
    assert all(message in str(refused.value) for message in messages)
    assert len(refused.value.problems) == str(refused.value).count("\n- ")


@pytest.mark.parametrize(
    ("recorded", "played"),
    [
        ({}, {}),
        ({"robot_type": "so100"}, {"task": "Lift-v0"}),
        ({"robot_type": None}, {"task": "Lift-v0"}),
        ({"robot_type": "Lift-v0"}, {"task": "Lift-v0"}),
        ({"fps": 1 / 0.06}, {"fps": 16.6667}),
        ({}, {"action": {"arm": 3}}),
        ({}, {"action": {"arm": 3, "gripper": 1, "waist": 3}}),
    ],
)
def test_recording_that_may_be_played_is_not_refused_for_a_name(dataset, tmp_path, recorded, played):
    shutil.copytree(dataset, tmp_path / "set")
    edit_json(paths.INFO, lambda info: info.update(recorded))(tmp_path / "set")
    require_fitting(tmp_path / "set", **FITTING | played)


def test_starts_of_a_recording_are_played_without_its_modality_json(dataset, tmp_path):
    shutil.copytree(dataset, tmp_path / "set")
    (tmp_path / "set" / paths.MODALITY).unlink()
    require_fitting(tmp_path / "set", **FITTING | {"action": {"arm": 7}})
    with pytest.raises(Gr00tError, match="20 control steps a second"):
        require_fitting(tmp_path / "set", **FITTING | {"fps": 30.0})


def test_path_that_leads_out_of_the_data_set_is_refused(tmp_path):
    folder = make_dataset(tmp_path / "dataset")
    info = json.loads((folder / paths.INFO).read_text())
    (folder / paths.INFO).write_text(json.dumps(info | {"data_path": "/etc/{episode_index:06d}"}))
    with pytest.raises(Gr00tError, match="leads out of the data set"):
        ReplayPolicy(folder)


class ToyReplay(ReplayPolicy):
    """Replays the toy env's own recording, in the place of the policy that the fixture would build."""

    folder = None
    horizon = 16

    def __init__(self, watcher, solves):
        super().__init__(self.folder, execution_horizon=4)


@pytest.fixture
def recorded(play, tmp_path, monkeypatch):
    """Record six toy episodes; return the folder and how each ended."""
    made = recorder(tmp_path)
    run = play(1, 6, execution=4, recorders=[made])
    Recorders([made]).on_run_end(None)
    monkeypatch.setattr(ToyReplay, "folder", tmp_path / "dataset")
    return tmp_path / "dataset", run


def test_recorded_episodes_end_as_they_did_from_their_own_seeds_and_not_from_others(play, recorded):
    _, before = recorded
    settings = {"execution": 4, "policy_class": ToyReplay, "server_reset": ServerReset.per_episode}
    again, elsewhere = play(1, 6, **settings), play(1, 6, seed=1, **settings)
    assert [(row.seed, row.success, row.steps) for row in again.rows] == [
        (row.seed, row.success, row.steps) for row in before.rows
    ]
    assert sum(row.success for row in before.rows) >= 3
    assert not any(row.success for row in elsewhere.rows)


def test_plan_is_that_of_the_recording(recorded):
    folder, before = recorded
    assert recorded_plan(folder, 0, 6) == before.plan
    assert recorded_plan(folder, 2, 3) == before.plan[2:5]
    with pytest.raises(Gr00tError, match=r"episode=2 episodes=5 was asked for, but .* holds 6 .* Set episodes=4"):
        recorded_plan(folder, 2, 5)


def test_recording_without_seeds_cannot_be_planned_again(dataset, tmp_path):
    folder = make_dataset(tmp_path / "dataset")
    rows = [json.loads(line) for line in (folder / paths.EPISODES).read_text().splitlines()]
    (folder / paths.EPISODES).write_text("".join(json.dumps(row | {"seed": None}) + "\n" for row in rows))
    with pytest.raises(Gr00tError, match="names no seed for episode 0"):
        recorded_plan(folder, 0, 1)


def test_several_envs_are_refused_where_the_server_is_told_the_episode(dataset):
    config = {"dataset": str(dataset), "episode": 0, "episodes": 2, "num_envs": 2}
    with pytest.raises(Gr00tError, match="Set num_envs=1"):
        recorded_episodes(OmegaConf.create(config | {"server": {"reset": ServerReset.per_episode}}))
    assert len(recorded_episodes(OmegaConf.create(config | {"server": {"reset": ServerReset.per_run}}))) == 2


@pytest.mark.isaaclab
def test_groot_play_replays_a_data_set(groot_play, recorded, tmp_path):
    folder, before = recorded
    overrides = ["server=replay", f"dataset={folder}", "episode=1", "episodes=3", "recorder=[]", "hydra.run.dir=again"]
    refused = groot_play("server=replay", f"dataset={folder}", "hydra.run.dir=refused", "task.id=Toy-Slow-v0")
    process = groot_play(*overrides, "horizons.execution=4", "horizons.episode=7")
    out, err = refused.communicate(timeout=240)
    assert refused.returncode == 1, out + err
    assert "It was recorded in Toy-v0, but Toy-Slow-v0 is played." in err
    assert (tmp_path / "refused/episodes.jsonl").read_text() == ""
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, out + err
    rows = [json.loads(line) for line in (tmp_path / "again/episodes.jsonl").read_text().splitlines()]
    assert [(row["index"], row["seed"], row["success"]) for row in rows] == [
        (row.index, row.seed, row.success) for row in before.rows[1:4]
    ]
