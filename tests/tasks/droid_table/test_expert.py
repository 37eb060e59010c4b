"""The scripted policies of DROID's table: what they ask for and send, beside what NVIDIA's configurations say."""

import numpy as np
import pytest
import yaml
from scipy.spatial.transform import Rotation

from groot_wrappers import Embodiment
from tasks.droid_table.expert.experts import (
    DroidExpert,
    DroidPoseExpert,
    DroidRelativePoseExpert,
    DroidVelocityExpert,
    _nine,
    _pose,
)
from tasks.droid_table.geometry import FASTEST, START_JOINTS
from tasks.droid_table.things import asked
from tests.support.composing import compose
from tests.support.processes import ROOT

KEYS = ("exterior_image_1_left", "wrist_image_left")
NINE = [0.3597, 0.0, 0.4899, 0, 0, -1, 1, 0, 0]
STATE = {"eef_9d": NINE, "gripper_position": [0.0], "joint_position": START_JOINTS}


def observation(expert, text, batch=2):
    """An observation of black pictures at the start pose, as the expert asks for it."""
    modality = expert.get_modality_config()
    moments = len(modality["video"].delta_indices)
    return {
        "video": {key: np.zeros((batch, moments, 180, 320, 3), np.uint8) for key in KEYS},
        "state": {key: np.tile(np.float32(STATE[key]), (batch, 1, 1)) for key in modality["state"].modality_keys},
        "language": {modality["language"].modality_keys[0]: [[text]] * batch},
    }


def test_n17s_expert_asks_for_what_n17s_configuration_says():
    modality = DroidPoseExpert().get_modality_config()
    assert modality["video"].delta_indices == (-15, 0)
    assert modality["video"].modality_keys == KEYS
    assert modality["state"].modality_keys == modality["action"].modality_keys
    assert modality["action"].modality_keys == ("eef_9d", "gripper_position", "joint_position")
    assert modality["action"].delta_indices == tuple(range(40))
    told = [(config.rep, config.type, config.format) for config in modality["action"].action_configs]
    assert told == [
        ("RELATIVE", "EEF", "XYZ_ROT6D"),
        ("ABSOLUTE", "NON_EEF", "DEFAULT"),
        ("RELATIVE", "NON_EEF", "DEFAULT"),
    ]


def test_n16s_expert_has_n16s_keys():
    modality = DroidExpert().get_modality_config()
    assert modality["state"].modality_keys == modality["action"].modality_keys == ("joint_position", "gripper_position")


@pytest.mark.parametrize("expert", [DroidExpert, DroidPoseExpert, DroidRelativePoseExpert, DroidVelocityExpert])
def test_an_expert_that_sees_nothing_of_what_is_asked_stays_away_from_the_table(expert):
    chunk, _ = (made := expert()).get_action(observation(made, "put the red mug on the plate"))
    assert (chunk["gripper_position"] == 0).all()
    if "joint_position" in chunk:
        heights = [made._arm.pose(joints)[2, 3] for joints in chunk["joint_position"][0].astype(float)]
        assert min(heights) > 0.43


def test_an_instruction_without_a_task_keeps_the_arm_still():
    chunk, _ = (made := DroidExpert()).get_action(observation(made, "dance"))
    assert chunk["joint_position"] == pytest.approx(np.tile(np.float32(START_JOINTS), (2, 40, 1)), abs=1e-3)


def test_velocities_go_the_way_of_the_joint_targets_and_are_at_most_one():
    text = "put the red mug on the plate"
    chunk, _ = (made := DroidVelocityExpert()).get_action(observation(made, text))
    targets, _ = (other := DroidExpert()).get_action(observation(other, text))
    velocities = chunk["joint_velocity"]
    assert velocities.shape == (2, 40, 7)
    assert 0.05 < np.abs(velocities).max() <= 1
    # A joint comes half as far in a control step as its target is beyond it.
    way = np.cumsum(velocities, axis=1)[:, -1] * FASTEST * 0.487
    assert START_JOINTS + way == pytest.approx(targets["joint_position"][:, -1], abs=0.05)


def test_relative_poses_composed_with_the_state_are_absolute_ones_that_point_down():
    chunk, _ = (made := DroidRelativePoseExpert()).get_action(observation(made, "put the red mug on the plate"))
    target = _pose(np.array(NINE, float)) @ _pose(chunk["eef_9d"][0, -1].astype(float))
    assert target[:3, :3] == pytest.approx(_pose(np.array(NINE, float))[:3, :3], abs=1e-5)
    assert target[:2, 3] == pytest.approx(NINE[:2], abs=1e-4)


def test_nine_numbers_are_the_first_two_rows_of_the_turned_rotation():
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = Rotation.from_euler("xyz", [3.0, 0.2, 0.7]).as_matrix(), (0.5, 0.1, 0.3)
    rows = (pose[:3, :3] @ [[0, 0, -1], [-1, 0, 0], [0, 1, 0]])[:2]
    assert _nine(pose) == pytest.approx([0.5, 0.1, 0.3, *rows.ravel()])
    assert _pose(_nine(pose))[:3, :3] == pytest.approx(pose[:3, :3] @ [[0, 0, -1], [-1, 0, 0], [0, 1, 0]])


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("put the red mug on the plate", ("red_mug", "plate")),
        ("Put the Blue Mug in the bowl", ("blue_mug", "bowl")),
        ("put the mug on the plate", (None, "plate")),
        ("put the red mug and the blue mug on the plate", (None, "plate")),
        ("put the red mug away", ("red_mug", None)),
    ],
)
def test_an_instruction_names_one_thing_and_one_target_or_none(text, named):
    assert asked(text, ("red_mug", "blue_mug", "plate", "bowl")) == named


SCENES = sorted(path.stem for path in (ROOT / "conf/task").glob("droid_table*.yaml"))


def test_there_are_six_scenes():
    assert len(SCENES) >= 6


@pytest.mark.isaaclab
@pytest.mark.parametrize("scene", SCENES)
def test_a_scene_has_what_its_instruction_names_and_something_else(scene):
    task = compose("play", f"task={scene}", "server=expert").task
    things = tuple(task.env.scene.things)
    assert None not in asked(task.instruction, things)
    assert len(things) >= 4
    assert task.expert._target_.endswith("DroidPoseExpert")


def test_joint_targets_of_droids_embodiments_are_absolute():
    for name in ("oxe_droid", "oxe_droid_relative_eef_relative_joint"):
        embodiment = Embodiment.from_config(yaml.safe_load((ROOT / f"conf/embodiment/{name}.yaml").read_text()))
        assert embodiment.action["joint_position"].relative_to is None
