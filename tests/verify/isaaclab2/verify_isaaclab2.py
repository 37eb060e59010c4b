"""Both wrappers around IsaacLab 2.3's own env classes and managers: `make verify-isaaclab2`, half a minute.

Kit and the scene are the stand-ins beside this file: no Isaac Sim, no physics and no pixels of RTX are here.
It runs in an environment of its own, in which neither the runner nor IsaacLab 3 is installed.
"""

import contextlib
import re
import sys
import threading
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import gymnasium as gym
import numpy as np
import pytest
import torch

from groot_wrappers import (
    Embodiment,
    Gr00tActionWrapper,
    Gr00tObservationWrapper,
    ModalityConfig,
    PolicyClient,
    PolicyServer,
)
from groot_wrappers.episode_context import episode_context
from groot_wrappers.installation.extras import MissingExtraError
from tests.verify.isaaclab2 import scene
from tests.verify.isaaclab2.envs import CONFIGS, EPISODE_STEPS, SCALES

NUM_ENVS, HORIZON = 3, 8
SENSOR, TERM = {"sensor": "camera"}, {"obs": "policy.picture"}
ORDER = ["joint_b", "joint_a"]  # the server's, which is not the env's
EMBODIMENT = {
    "video": {"camera": SENSOR},
    "state": {"joints": {"joints": ORDER}, "told": {"obs": "policy.joints"}},
    "language": "task",
    "action": {"joints": {"joints": ORDER}},
}
DIRECT = EMBODIMENT | {
    "state": {"joints": {"joints": ORDER}, "told": {"obs": "policy"}},
    "action": {"joint_a": {"slice": [0, 1]}, "joint_b": {"slice": [1, 2]}},
}

scene.stand_in()


@pytest.fixture
def wrap():
    """Return what makes an env and wraps it; each is closed after the test, as there can be one at a time."""
    made = []

    def make(env_id="Managed-v0", embodiment=None, num_envs=NUM_ENVS, execution=1, **config):
        cfg = CONFIGS[env_id]()
        cfg.scene.num_envs = num_envs
        for name, value in config.items():
            setattr(cfg, name, value)
        made.append(gym.make(env_id, cfg=cfg))
        embodiment = Embodiment.from_config(embodiment or {"Managed-v0": EMBODIMENT, "Direct-v0": DIRECT}[env_id])
        observed = Gr00tObservationWrapper(made[-1], embodiment, instruction="reach")
        return Gr00tActionWrapper(observed, embodiment, execution, horizon=HORIZON)

    yield make
    for env in made:
        env.close()


def chunk_to(*goals, joint_b=0.0):
    """Return a chunk that sends each env's joint_a to its goal at once, and keeps it there."""
    rows = np.float32([[joint_b, goal] for goal in goals])
    return {"joints": np.repeat(rows[:, None], HORIZON, axis=1)}


def direct_chunk_to(*goals):
    rows = np.float32(goals)[:, None, None].repeat(HORIZON, axis=1)
    return {"joint_a": rows, "joint_b": np.zeros_like(rows)}


def begin(env, *seeds, env_ids=None, **options):
    """Begin episodes with these seeds, and return the observation and joint_a of each env."""
    env_ids = list(range(len(seeds))) if env_ids is None else env_ids
    observation, _ = env.reset(options={"env_ids": env_ids, "seeds": list(seeds)} | options)
    return observation, observation["state"]["joints"][:, -1, 1]


def shown(observation):
    """Return where the pictures show joint_a of each env, in hundredths of a radian."""
    return observation["video"]["camera"][:, -1, 0, 0, 0].tolist()


def pictured(joint_a):
    """Return what the pictures of joints at these positions show."""
    return (np.float32(joint_a) * scene.LEVELS).astype(np.uint8).tolist()


def test_isaaclab_is_the_release_that_is_meant(wrap):
    from isaaclab.utils.math import quat_from_euler_xyz

    assert version("isaaclab").startswith("2.3.")
    assert (gym.__version__, np.__version__[:2]) == ("1.2.0", "1.")
    base = wrap().unwrapped
    code = {name: getattr(type(base), name).__code__.co_filename for name in ("reset", "step")}
    assert all("isaaclab/source/isaaclab/isaaclab/envs/manager_based" in file for file in code.values()), "the wheel's"
    assert type(base.observation_manager).__module__ == "isaaclab.managers.observation_manager"
    assert quat_from_euler_xyz(*torch.zeros(3, 1)).tolist() == [[1, 0, 0, 0]]


def test_env_is_read_by_its_names(wrap):
    env = wrap()
    isaaclab = env.env._isaaclab
    assert isaaclab.observations == {"policy.joints": (2,), "policy.picture": (6, 8, 3)}
    assert {name: term.kind for name, term in isaaclab.action_terms.items()} == {"arm": "JointPositionAction"}
    assert {name: (c.scale, c.offset) for name, c in isaaclab.joint_columns.items()} == {
        "joint_a": (SCALES["joint_a"], scene.DEFAULTS[0]),
        "joint_b": (SCALES["joint_b"], scene.DEFAULTS[1]),
    }
    assert (env.reset_mode, isaaclab.has_success, env.has_rewards) == ("per_env", True, True)


def test_space_contains_what_reset_and_step_return(wrap):
    env = wrap()
    observation, _ = begin(env, 1, 2, 3)
    assert env.env.observation_space.contains(observation)
    observation, reward, terminated, truncated, _ = env.step(chunk_to(0.5, 0.6, 0.7))
    assert env.env.observation_space.contains(observation)
    assert [values.shape for values in (reward, terminated, truncated)] == [(NUM_ENVS,)] * 3


def test_chunk_moves_the_joints_where_it_says(wrap):
    env = wrap(execution=3)
    begin(env, 1, 2, 3)
    chunk = chunk_to(0.5, 0.6, 0.7, joint_b=-0.5)
    chunk["joints"][:, :2] = 0.125  # of which the third control step says something else
    observation, reward, *_, info = env.step(chunk)
    there = np.array([[-0.5, 0.5], [-0.5, 0.6], [-0.5, 0.7]])
    np.testing.assert_allclose(observation["state"]["joints"][:, -1], there, atol=1e-6)
    np.testing.assert_allclose(observation["state"]["told"][:, -1], there[:, ::-1], atol=1e-6)
    assert info["steps"].tolist() == [3] * NUM_ENVS
    np.testing.assert_allclose(reward, 3 * env.unwrapped.step_dt, rtol=1e-5)


@pytest.mark.parametrize("num_envs", [1, 3])
def test_start_depends_on_its_seed_alone(wrap, num_envs):
    env = wrap(num_envs=num_envs)
    starts = {seed: begin(env, *[seed] * num_envs)[1][-1] for seed in (7, 8)}
    assert starts[7] != starts[8]
    if num_envs > 1:
        _, mixed = begin(env, 8, 9, 7)
        assert (mixed[0], mixed[2]) == (starts[8], starts[7])
    expected = torch.rand((1, 2), generator=torch.Generator().manual_seed(7))[0, 0] * 0.5
    assert starts[7] == expected, "the same for any number of envs"


def test_env_whose_episode_ended_within_a_beat_idles(wrap):
    env = wrap(execution=4)
    begin(env, 1, 2, 3)
    chunk = chunk_to(0.5, 0.6, 0.7)
    chunk["joints"][1, 1:, 1] = 1.0  # there at the second of four control steps
    observation, reward, terminated, truncated, info = env.step(chunk)
    assert info["steps"].tolist() == [4, 2, 4]
    assert info["success"].tolist() == terminated.tolist() == env.parked.tolist() == [False, True, False]
    assert not truncated.any()
    np.testing.assert_allclose(reward, torch.tensor([4, 2, 4]) * env.unwrapped.step_dt, rtol=1e-5)
    np.testing.assert_allclose(observation["state"]["joints"][1, -1, 1], 1.0, atol=1e-6)  # it stands where it ended
    assert shown(observation) == pictured([0.5, 1.0, 0.7])

    _, starts = begin(env, 5, env_ids=[1])
    assert not env.parked.any()
    np.testing.assert_allclose(starts[[0, 2]], [0.5, 0.7], atol=1e-6)


def test_episode_that_lasts_too_long_is_truncated(wrap):
    env = wrap(execution=HORIZON)
    begin(env, 1, 2, 3)
    env.step(chunk_to(0.5, 0.6, 0.7))
    *_, terminated, truncated, info = env.step(chunk_to(0.5, 0.6, 0.7))
    assert info["steps"].tolist() == [EPISODE_STEPS - HORIZON] * NUM_ENVS
    assert truncated.all()
    assert not terminated.any()


def test_instructions_are_given_per_env(wrap):
    env = wrap()
    observation, _ = begin(env, 1, 2, 3, instructions=["one", "two", "three"])
    assert observation["language"] == {"task": [["one"], ["two"], ["three"]]}
    observation, _ = begin(env, 4, env_ids=[1], instructions=["four"])
    assert observation["language"] == {"task": [["one"], ["four"], ["three"]]}
    assert episode_context(env.unwrapped).instructions == ["one", "four", "three"]


def test_isaaclab_alone_shows_the_last_episode_after_a_reset(wrap):
    """Were it not so, the tests of pictures below would prove nothing."""
    env = wrap().unwrapped
    env.reset(seed=1)
    env.step(torch.ones(NUM_ENVS, 2))
    before = env.scene.robot.data.joint_pos[:, 0].clone()
    observation, _ = env.reset(seed=2)
    assert observation["policy"]["picture"][:, 0, 0, 0].tolist() == pictured(before)


@pytest.mark.parametrize("source", [SENSOR, TERM], ids=["sensor", "term"])
@pytest.mark.parametrize("configured", [0, 2])
def test_first_picture_of_an_episode_shows_its_start(wrap, source, configured):
    env = wrap(embodiment=EMBODIMENT | {"video": {"camera": source}}, num_rerenders_on_reset=configured)
    observation, starts = begin(env, 1, 2, 3)
    assert shown(observation) == pictured(starts)
    env.step(chunk_to(0.5, 0.6, 0.7))

    before = env.unwrapped.sim.drawn
    observation, starts = begin(env, 4, 5, 6)
    assert shown(observation) == pictured(starts)
    assert env.unwrapped.sim.drawn - before == max(1, configured), "one drawing for three resets, or as configured"
    assert env.unwrapped.cfg.num_rerenders_on_reset == configured, "as its owner has set it"


@pytest.mark.parametrize("source", [SENSOR, TERM], ids=["sensor", "term"])
def test_first_picture_shows_the_start_beside_envs_that_go_on(wrap, source):
    env = wrap(embodiment=EMBODIMENT | {"video": {"camera": source}})
    begin(env, 1, 2, 3)
    observation, *_ = env.step(chunk_to(0.5, 0.6, 0.7))
    assert shown(observation) == pictured([0.5, 0.6, 0.7])
    observation, starts = begin(env, 4, 5, env_ids=[2, 0])
    assert shown(observation) == pictured(starts)
    np.testing.assert_allclose(starts[1], 0.6, atol=1e-6)


def test_env_without_cameras_draws_nothing(wrap):
    env = wrap(embodiment=EMBODIMENT | {"video": {}})
    env.unwrapped.sim.has_rtx_sensors = lambda: False
    begin(env, 1, 2, 3)
    env.step(chunk_to(0.5, 0.6, 0.7))
    begin(env, 4, 5, 6)
    assert env.unwrapped.sim.drawn == 0


def test_history_of_pictures_begins_with_the_start(wrap):
    env = wrap().env
    env = Gr00tObservationWrapper(env.env, env.embodiment, delta_indices={"video": [-1, 0]})
    begin(env, 1, 2, 3)
    env.step(torch.full((NUM_ENVS, 2), 0.5))
    observation, starts = begin(env, 4, 5, 6)
    pictures = observation["video"]["camera"][:, :, 0, 0, 0]
    assert pictures[:, 0].tolist() == pictures[:, 1].tolist() == pictured(starts)


def test_direct_env_is_played(wrap):
    env = wrap("Direct-v0", execution=4)
    assert (env.reset_mode, env.has_rewards) == ("per_batch", True)
    observation, starts = begin(env, 1, 2, 3)
    assert shown(observation) == pictured(starts)
    chunk = direct_chunk_to(0.5, 0.6, 0.7)
    chunk["joint_a"][1, 1:] = 1.0
    observation, _, terminated, _, info = env.step(chunk)
    assert info["steps"].tolist() == [4, 2, 4]
    assert terminated.tolist() == env.parked.tolist() == [False, True, False]
    assert info["success"] is None
    np.testing.assert_allclose(observation["state"]["told"][[0, 2], -1, 0], [0.5, 0.7], atol=1e-6)

    chunk["joint_a"][:] = 1.0
    env.step(chunk)
    assert env.parked.all()
    observation, starts = begin(env, 4, 5, 6)
    assert shown(observation) == pictured(starts)
    again = begin(env, 4, 9, 9)[1]
    np.testing.assert_array_equal(again, starts)  # the first seed is that of the batch


def test_picture_of_a_direct_env_that_isaaclab_reset_itself_shows_the_next_start(wrap):
    env = wrap("Direct-v0").env
    begin(env, 1, 2, 3)
    observation, _, terminated, *_ = env.step(torch.tensor([[0.5, 0.0], [1.0, 0.0], [0.7, 0.0]]))
    assert terminated.tolist() == [False, True, False]
    assert shown(observation) == pictured(observation["state"]["joints"][:, -1, 1])
    assert observation["state"]["joints"][1, -1, 1] < 0.5, "begun anew"


def turn(axis, angle):
    """Return the quaternion x, y, z, w of a turn by an angle about an axis."""
    return np.array([*(np.array(axis) / np.linalg.norm(axis) * np.sin(angle / 2)), np.cos(angle / 2)])


def product(a, b):
    """Return the turn by b, then by a; both x, y, z, w."""
    (ax, ay, az, aw), (bx, by, bz, bw) = a, b
    return np.array(
        [
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
            aw * bw - ax * bx - ay * by - az * bz,
        ]
    )


def matrix(quaternion):
    """Return the rotation matrix of x, y, z, w."""
    columns = [product(product(quaternion, [*axis, 0]), quaternion * [-1, -1, -1, 1])[:3] for axis in np.eye(3)]
    return np.stack(columns, axis=1)


def rpy(rotation):
    """Return the angles about the fixed x, y and z axes of a rotation matrix."""
    pitch = -np.arcsin(rotation[2, 0])
    return [np.arctan2(rotation[2, 1], rotation[2, 2]), pitch, np.arctan2(rotation[1, 0], rotation[0, 0])]


@pytest.mark.parametrize("angle", [1.2, -2.0, 4.0], ids=lambda angle: f"{angle} rad")
@pytest.mark.parametrize("written", ["quaternion", "axis_angle", "rpy"])
def test_body_pose_is_that_of_a_known_turn(wrap, written, angle):
    axis, position = np.array([1.0, 2.0, -3.0]) / 14**0.5, np.array([0.3, -0.2, 0.5])
    root_turn, root_position = turn([0, 1, 1], 0.7), np.array([1.0, 2.0, 3.0])
    in_root = turn(axis, angle)
    env = wrap(embodiment=EMBODIMENT | {"state": {"hand": {"body": "hand", "rotation": written}}})
    data = env.unwrapped.scene.robot.data
    for pose, place, quaternion in [
        (data.root_link_pose_w, root_position, root_turn),
        (data.body_link_pose_w[:, 1], root_position + matrix(root_turn) @ position, product(root_turn, in_root)),
    ]:
        x, y, z, w = quaternion
        pose[:] = torch.tensor([*place, w, x, y, z])

    nearest = (angle + np.pi) % (2 * np.pi) - np.pi  # the same turn by pi at most
    expected = {
        "quaternion": turn(axis, nearest),
        "axis_angle": axis * nearest,
        "rpy": rpy(matrix(in_root)),
    }[written]
    pose = env.env.present_state("hand")
    np.testing.assert_allclose(pose, [[*position, *expected]] * NUM_ENVS, atol=1e-5)


class Reach:
    """A policy that goes to one radian with joint_a, in two chunks, whatever it sees."""

    def get_modality_config(self):
        return {
            "video": ModalityConfig((0,), ("camera",)),
            "state": ModalityConfig((0,), ("joints", "told")),
            "language": ModalityConfig((0,), ("task",)),
            "action": ModalityConfig(range(HORIZON), ("joints",)),
        }

    def get_action(self, observation, options):
        joint_a = observation["state"]["joints"][:, -1, 1]
        return chunk_to(*np.where(joint_a > 0.5, 1.0, 0.75)), {}

    def reset(self, options):
        return {}


@contextlib.contextmanager
def serving(policy):
    """Serve a policy within the block, on the port that it is given."""
    with PolicyServer(policy, port=0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.port
        finally:
            server.stop()
            thread.join()


def test_policy_behind_a_server_plays_episodes(wrap):
    with serving(Reach()) as port, PolicyClient("127.0.0.1", port) as client:
        env = wrap(execution=2)
        assert client.get_modality_config()["action"].horizon == HORIZON
        for seeds in ([1, 2, 3], [4, 5, 6]):
            observation, _ = begin(env, *seeds)
            succeeded = np.zeros(NUM_ENVS, bool)
            while not env.parked.all():
                chunk, _ = client.get_action(observation)
                observation, *_, info = env.step(chunk)
                succeeded |= info["success"].numpy()
            assert succeeded.all()


class Arrive(Reach):
    """A policy for the page's keys, which is there at once."""

    def get_modality_config(self):
        keys = {"video": ("front",), "state": ("arm", "hand"), "language": ("what to do",), "action": ("arm",)}
        horizons = {"action": range(HORIZON)}
        return {kind: ModalityConfig(horizons.get(kind, (0,)), names) for kind, names in keys.items()}

    def get_action(self, observation, options):
        assert observation["language"] == {"what to do": [["pick up the cube"]] * len(observation["state"]["arm"])}
        return {"arm": np.ones((len(observation["state"]["arm"]), HORIZON, 2), np.float32)}, {}


class PlainAppLauncher:
    """Stands in for what starts Kit."""

    app = SimpleNamespace(close=lambda: None)

    def __init__(self, args):
        assert args.enable_cameras

    @staticmethod
    def add_app_launcher_args(parser):
        parser.add_argument("--device", default="cpu")


def test_script_of_the_page_plays_its_episodes(monkeypatch, capsys):
    page = (Path(__file__).parents[3] / "docs/isaaclab2.md").read_text()
    (script,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    monkeypatch.setattr(sys, "argv", ["script.py"])
    monkeypatch.setitem(sys.modules, "isaaclab.app", SimpleNamespace(AppLauncher=PlainAppLauncher))
    monkeypatch.setitem(sys.modules, "my_package", SimpleNamespace(MyEnvCfg=CONFIGS["Managed-v0"]))
    with serving(Arrive()) as port:
        exec(compile(script.replace("Isaac-My-Task-v0", "Managed-v0").replace("5555", str(port)), "script", "exec"), {})  # noqa: S102
    assert capsys.readouterr().out.splitlines()[-1] == "20 of 20 succeeded"


def test_runner_that_is_not_installed_is_not_offered():
    with pytest.raises(MissingExtraError, match=r"The runner cannot be used here: .* 2\.3 or earlier"):
        import runners  # noqa: F401
