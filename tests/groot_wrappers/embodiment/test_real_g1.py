"""The keys of N1.7's ``real_g1_relative_eef_relative_joints``, read off a toy of the robot by the YAML, and played."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from scipy.spatial.transform import Rotation

from groot_wrappers import Embodiment, Gr00tActionWrapper, Gr00tObservationWrapper
from groot_wrappers.embodiment.action_map import ActionLayout
from groot_wrappers.embodiment.isaaclab_env import IsaacLabEnv
from groot_wrappers.embodiment.matching import match_embodiment
from tests.support.toys.g1 import GROUPS, REAL_G1, SIDES, WIDTHS, WRISTS, G1Env, homogeneous, nine

pytest.importorskip("isaaclab", reason="the poses are turned by its maths")

SHIPPED = yaml.safe_load(
    (Path(__file__).parents[3] / "conf/embodiment/real_g1_relative_eef_relative_joints.yaml").read_text()
)
DELTAS = {kind: REAL_G1[kind].delta_indices for kind in ("video", "state")}
WRIST_TARGET = {"rotation": "rot6d", "order": "rows"}


def shipped(**action):
    """The embodiment that ships; None in the place of an action key takes it out."""
    config = copy.deepcopy(SHIPPED)
    config["action"] = {key: target for key, target in (config["action"] | action).items() if target is not None}
    return Embodiment.from_config(config)


def by_wrists(**target):
    """The embodiment with the wrists' poses in the place of the arms' joints."""
    arms = {f"{side}_arm": None for side in SIDES}
    return shipped(**arms, **{f"{s}_wrist_eef_9d": {"term": f"{s}_arm"} | WRIST_TARGET | target for s in SIDES})


def spread_out(toy):
    """Every joint of every env somewhere else."""
    toy.joints[:] = torch.linspace(-1, 1, toy.joints.numel()).reshape(toy.joints.shape)
    return toy


def observed(toy):
    env = Gr00tObservationWrapper(toy, match_embodiment(shipped(), REAL_G1, execution=40), delta_indices=DELTAS)
    env.reset(seed=0)
    spread_out(toy)
    return {key: env.present_state(key).numpy() for key in WIDTHS}


def test_what_a_server_of_the_base_model_asks_for_is_there():
    embodiment = match_embodiment(shipped(), REAL_G1, execution=40)
    observation, _ = Gr00tObservationWrapper(G1Env(), embodiment, delta_indices=DELTAS).reset(seed=0)
    assert {key: state.shape for key, state in observation["state"].items()} == {
        key: (2, 1, width) for key, width in WIDTHS.items()
    }
    assert observation["video"]["ego_view"].shape == (2, 2, 8, 8, 3)
    assert list(observation["language"]) == ["annotation.human.task_description"]


def test_joints_are_in_the_order_of_nvidias_data_whatever_the_robots():
    toy = G1Env()
    states = observed(toy)
    for key, names in GROUPS.items():
        columns = [toy.robot.joint_names.index(name) for name in names]
        np.testing.assert_array_equal(states[key], toy.joints[:, columns])


def test_wrists_are_in_the_pelvis_by_rows():
    toy = G1Env()
    states = observed(toy)
    for key in WRISTS:
        np.testing.assert_allclose(states[key], nine(toy.wrists(key)), atol=1e-5)


def test_states_that_are_sent_back_move_nothing_and_wrists_are_not_played():
    toy, embodiment = G1Env(), shipped()
    env = Gr00tActionWrapper(Gr00tObservationWrapper(toy, embodiment, delta_indices=DELTAS), embodiment, 1, horizon=40)
    env.reset(seed=0)
    before = spread_out(toy).joints.clone()
    chunk = {key: np.repeat(env.env.present_state(key).numpy()[:, None], 40, axis=1) for key in WIDTHS}
    chunk |= {key: chunk[key] + 1 for key in WRISTS}
    env.step(chunk)
    torch.testing.assert_close(toy.played[0], before)
    torch.testing.assert_close(toy.joints, before)


def brought(toy, embodiment, poses):
    """Where the terms bring each wrist in the pelvis, for poses (num_envs, 4, 4) by key."""
    env = IsaacLabEnv(toy)
    laid_out = ActionLayout(env, embodiment)
    chunk = {key: np.zeros((2, 1, width), np.float32) for key, width in laid_out.widths.items()}
    chunk |= {key: nine(pose)[:, None].astype(np.float32) for key, pose in poses.items()}
    bases = laid_out.bases(Gr00tObservationWrapper(toy, embodiment).present_state)
    numbers = laid_out.to_env(chunk, bases)[:, 0]
    back = laid_out.from_env(numbers[:, None], bases)
    for key, pose in poses.items():
        np.testing.assert_allclose(back[key][:, 0], nine(pose), atol=1e-4, err_msg="there and back")
    place = {key: env.action_terms[key.replace("_wrist_eef_9d", "_arm")] for key in poses}
    taken = {key: numbers[:, term.start : term.start + 7] for key, term in place.items()}
    return {
        key: homogeneous(env.pose_columns[key.replace("_wrist_eef_9d", "_arm")].from_env(taken[key]).double().numpy())
        for key in poses
    }


CHANGES = {
    key: np.stack(
        [
            homogeneous(np.array([0.1, -0.2, sign * 0.3, *Rotation.from_euler("xyz", [sign, -0.2, 0.9]).as_quat()]))
            for sign in signs
        ]
    )
    for key, signs in zip(WRISTS, [(1, 0.5), (-1, -0.5)], strict=True)
}
"""Another one for each wrist and env."""


def test_wrists_that_come_back_absolute_bring_each_wrist_there():
    toy = G1Env(takes_poses=True)
    there = brought(toy, by_wrists(), {key: toy.wrists(key) @ CHANGES[key] for key in WRISTS})
    for key in WRISTS:
        np.testing.assert_allclose(there[key], toy.wrists(key) @ CHANGES[key], atol=1e-4)


def test_relative_wrists_are_composed_as_poses_each_with_its_own_state():
    toy = G1Env(takes_poses=True)
    relative = by_wrists()
    for key in WRISTS:
        relative.action[key].relative_to = key
    there = brought(toy, relative, CHANGES)
    for key in WRISTS:
        np.testing.assert_allclose(there[key], toy.wrists(key) @ CHANGES[key], atol=1e-4)


def test_relative_arms_are_added_to_their_state():
    toy = spread_out(G1Env())
    embodiment = shipped(**{f"{s}_arm": {"joints": GROUPS[f"{s}_arm"], "relative_to": f"{s}_arm"} for s in SIDES})
    laid_out = ActionLayout(IsaacLabEnv(toy), embodiment)
    present = Gr00tObservationWrapper(toy, embodiment).present_state
    chunk = {key: np.repeat(present(key).numpy()[:, None], 1, axis=1) for key in GROUPS}
    chunk |= {"left_arm": np.full((2, 1, 7), 0.5, np.float32), "right_arm": np.full((2, 1, 7), -0.5, np.float32)}
    moved = laid_out.to_env(chunk, laid_out.bases(present))[:, 0] - toy.joints
    for name, change in zip(toy.robot.joint_names, moved.T, strict=True):
        expected = next((c for side, c in zip(SIDES, (0.5, -0.5), strict=True) if name in GROUPS[f"{side}_arm"]), 0.0)
        np.testing.assert_allclose(change, expected, atol=1e-6, err_msg=name)


def test_walking_goes_to_a_term_of_the_envs():
    walking = {
        "navigate_command": {"term": "lower_body_joint_pos", "slice": [0, 3]},
        "base_height_command": {"term": "lower_body_joint_pos", "slice": [3, 4]},
    }
    laid_out = ActionLayout(IsaacLabEnv(G1Env(walks=True)), shipped(**walking))
    assert set(laid_out.widths) == set(REAL_G1["action"].modality_keys) - set(WRISTS)
    chunk = {key: np.zeros((2, 1, width), np.float32) for key, width in laid_out.widths.items()}
    chunk |= {"navigate_command": np.array([[[1, 2, 3]]] * 2), "base_height_command": np.array([[[4]]] * 2)}
    assert laid_out.to_env(chunk, {})[0, 0, -4:].tolist() == [1, 2, 3, 4]
