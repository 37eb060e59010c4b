"""Envs of both workflows of IsaacLab are understood, and those without episodes of one policy refused by name."""

import numpy as np
import pytest
import torch
from gymnasium import spaces

from groot_wrappers import Embodiment, Gr00tActionWrapper, Gr00tObservationWrapper
from groot_wrappers.embodiment.env_checks import check_env
from groot_wrappers.embodiment.isaaclab_env import IsaacLabEnv
from groot_wrappers.errors import ContractError
from tests.support.toys.env import ToyEnv, toy_embodiment
from tests.support.toys.variants import DEFAULTS, SCALE, DirectRLEnv, ManyThingsEnv

DIRECT = {
    "video": {"camera": {"sensor": "camera"}},
    "state": {"first": {"obs": "policy", "slice": [0, 1], "scale": 2.0, "offset": 1.0}},
    "action": {"both": {"slice": [0, 2]}},
}


def wrap_direct(num_envs=3, **options):
    embodiment = Embodiment.from_config(DIRECT)
    return Gr00tActionWrapper(Gr00tObservationWrapper(DirectRLEnv(num_envs, **options), embodiment), embodiment)


def test_manager_based_env_is_read_by_its_names():
    env = IsaacLabEnv(ManyThingsEnv())
    assert list(env.cameras) == ["camera", "depth_camera"]
    assert env.observations["policy.joints"] == (2,)
    assert env.observations["others.channels_first"] == (3, 4, 6)
    assert [(name, term.start, term.width) for name, term in env.action_terms.items()] == [
        ("arm", 0, 2),
        ("gripper", 2, 1),
    ]
    assert {name: (c.column, c.scale, c.offset) for name, c in env.joint_columns.items()} == {
        "joint_a": (0, SCALE, DEFAULTS[0]),
        "joint_b": (1, SCALE, DEFAULTS[1]),
    }
    assert (env.reset_mode, env.has_success) == ("per_env", True)


def test_envs_stand_where_they_ended_within_the_block_and_are_reset_after_it_again():
    env = ToyEnv(2, episode_steps=1)
    env.reset(seed=0)
    action = torch.ones((2, 2))
    with IsaacLabEnv(env).without_autoreset():
        for steps in (1, 2):
            _, _, _, truncated, _ = env.step(action)
            assert truncated.all()
            assert env.episode_length_buf.tolist() == [steps] * 2
            assert env.joints.tolist() == [[1, 1]] * 2
    env.step(action)
    assert env.episode_length_buf.tolist() == [0, 0]


def test_wrapping_of_an_instance_is_there_again_after_the_block():
    env = ToyEnv(2, episode_steps=1)
    manager, plain = env.termination_manager, env.termination_manager.compute

    def counted():
        counted.calls += 1
        return plain()

    counted.calls, manager.compute = 0, counted
    isaaclab = IsaacLabEnv(env)
    with isaaclab.without_autoreset(), isaaclab.without_autoreset():
        env.step(torch.ones((2, 2)))
        assert env.episode_length_buf.tolist() == [1, 1]
    with pytest.raises(RuntimeError), isaaclab.without_autoreset():
        env.step(torch.ones((2, 3)))
    assert manager.compute is counted
    env.step(torch.ones((2, 2)))
    assert counted.calls == 2, "once within the block, once after it"
    assert env.episode_length_buf.tolist() == [0, 0]


def test_wrapping_made_within_the_block_stays_and_resets_envs_after_it():
    env = ToyEnv(2, episode_steps=1)
    manager = env.termination_manager
    with IsaacLabEnv(env).without_autoreset():
        within = manager.compute
        manager.compute = lambda: within() & torch.ones(2, dtype=torch.bool)
        env.step(torch.ones((2, 2)))
        assert env.episode_length_buf.tolist() == [1, 1]
    env.step(torch.ones((2, 2)))
    assert env.episode_length_buf.tolist() == [0, 0]
    del manager.compute
    assert manager.compute().tolist() == [False, False]


class ProxyArray:
    """As IsaacLab 3's: a tensor by one of its attributes."""

    def __init__(self, values):
        self.torch = torch.tensor(values)


def succeeding(term):
    """Return the env whose success term is this."""
    env = ToyEnv(2)
    env.termination_manager.get_term = lambda name: term
    return IsaacLabEnv(env)


@pytest.mark.parametrize(
    "term",
    [
        torch.tensor([True, False]),
        torch.tensor([1.0, 0.0]),
        torch.tensor([1, 0], dtype=torch.uint8),
        np.array([True, False]),
        np.array([1.0, 0.0]),
        [True, False],
        ProxyArray([True, False]),
    ],
    ids=lambda term: f"{type(term).__name__} of {getattr(term, 'dtype', 'bool')}",
)
def test_success_is_one_bool_an_env_whatever_array_it_comes_in(term):
    success = succeeding(term).succeeded()
    assert (success.dtype, success.tolist()) == (torch.bool, [True, False])


@pytest.mark.parametrize(
    ("term", "message"),
    [
        (
            torch.tensor([0.3, 0.0]),
            r"'success': one true or false for each of 2 envs .* such as \[0.3",
        ),
        (torch.tensor([float("nan"), 0.0]), "such as .nan"),
        (torch.tensor([[True], [False]]), r"gives torch.bool of shape \(2, 1\)\. Let it return bool .num_envs"),
        (torch.tensor(True), r"of shape \(\)"),
        (None, "gives a NoneType, which cannot become a tensor"),
    ],
    ids=["between", "NaN", "column", "of all envs together", "nothing"],
)
def test_success_that_is_neither_true_nor_false_is_refused_before_the_first_step(term, message):
    with pytest.raises(ContractError, match=message):
        check_env(succeeding(term), toy_embodiment())


def test_direct_env_is_read_by_its_spaces():
    env = IsaacLabEnv(DirectRLEnv())
    assert (env.action_dim, env.action_terms, env.joint_columns) == (2, {}, {})
    assert env.observations == {"policy": (2,)}
    assert (env.reset_mode, env.has_success, env.has_rewards) == ("per_batch", False, True)


def test_direct_env_is_played_by_slices():
    env = wrap_direct()
    observation, _ = env.reset(seed=0)
    action = np.array([[[1.0, 2.0]], [[3.0, 4.0]], [[5.0, 6.0]]], np.float32)
    assert env.unwrapped.episode_length_buf.tolist() == [0, 0, 0], "episodes begin at age 0"
    observation, _, _, _, info = env.step({"both": action})
    assert env.unwrapped.joints.tolist() == [[1, 2], [3, 4], [5, 6]]
    assert observation["state"]["first"][:, 0, 0].tolist() == [3, 7, 11]
    assert info["success"] is None


def test_direct_env_begins_episodes_only_all_together():
    env = wrap_direct(episode_steps=1)
    env.reset(seed=7)
    assert env.unwrapped.resets == [7]
    with pytest.raises(ContractError, match=r"begins episodes in all its envs together.* while \[0, 2\] still run"):
        env.reset(options={"env_ids": [1], "seeds": [3]})
    env.step({"both": np.zeros((3, 1, 2), np.float32)})
    assert env.parked.all()
    env.reset(options={"env_ids": [1], "seeds": [3], "instructions": ["lift"]})
    assert env.unwrapped.resets == [7, 3]
    assert env.parked.tolist() == [True, False, True], "what nobody asked for is not played"


def test_observation_wrapper_alone_refuses_to_reset_a_part_of_a_direct_env():
    env = Gr00tObservationWrapper(DirectRLEnv(), Embodiment.from_config(DIRECT))
    with pytest.raises(ContractError, match=r"asked for \[0\] alone"):
        env.reset(options={"env_ids": [0], "seeds": [1]})


@pytest.mark.parametrize(
    ("bases", "message"),
    [
        (("DirectMARLEnv",), "MyEnv is a DirectMARLEnv: it has several agents"),
        (("ManagerBasedEnv",), "MyEnv is a ManagerBasedEnv: it has no terminations"),
    ],
)
def test_workflow_without_episodes_of_one_policy_is_refused_by_name(bases, message):
    kind = ToyEnv
    for name in (*bases, "MyEnv"):
        kind = type(name, (kind,), {})
    with pytest.raises(ContractError, match=message):
        IsaacLabEnv(kind())


def test_manager_based_rl_env_is_not_taken_for_its_base():
    kind = type("ManagerBasedRLEnv", (type("ManagerBasedEnv", (ToyEnv,), {}),), {})
    assert IsaacLabEnv(kind()).has_success


def test_env_whose_action_is_no_vector_is_refused():
    toy = DirectRLEnv()
    toy.single_action_space = spaces.Discrete(3)
    with pytest.raises(ContractError, match=r"no vector of numbers.*Discrete\(3\)"):
        IsaacLabEnv(toy)


def test_body_pose_is_in_the_frame_of_the_robots_root():
    pytest.importorskip("isaaclab", reason="the poses are turned by its maths")
    toy = ManyThingsEnv(1)
    half = 2**-0.5
    # The root stands at (1, 0, 0), turned by 90 degrees about z; the hand is 1 m in front of it, turned back.
    root = torch.tensor([[1.0, 0.0, 0.0, 0.0, 0.0, half, half]])
    hand = torch.tensor([[1.0, 1.0, 0.5, 0.0, 0.0, 0.0, -1.0]])
    toy.robot.data.root_link_pose_w = root
    toy.robot.data.body_link_pose_w = torch.stack([root, hand], dim=1)
    poses = {rotation: {"body": "hand", "rotation": rotation} for rotation in ("quaternion", "axis_angle", "rpy")} | {
        "yaw": {"body": "hand", "rotation": "rpy", "slice": [5, 6]}
    }
    env = Gr00tObservationWrapper(toy, Embodiment.from_config({"state": poses}))
    observation, _ = env.reset(seed=0)
    state = {key: values[0, 0].tolist() for key, values in observation["state"].items()}
    assert state["quaternion"] == pytest.approx([1, 0, 0.5, 0, 0, -half, half], abs=1e-6)
    assert state["axis_angle"] == pytest.approx([1, 0, 0.5, 0, 0, -np.pi / 2], abs=1e-5)
    assert state["rpy"] == pytest.approx([1, 0, 0.5, 0, 0, -np.pi / 2], abs=1e-5)
    assert state["yaw"] == [state["rpy"][5]]
