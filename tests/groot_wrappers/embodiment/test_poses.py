"""Poses as states and action targets on the toy: frames, turned axes, points, and relative ones composed as poses."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation as Scipy

from groot_wrappers import Embodiment, Gr00tActionWrapper, Gr00tObservationWrapper
from groot_wrappers.embodiment.action_map import ActionLayout
from groot_wrappers.embodiment.isaaclab_env import IsaacLabEnv
from groot_wrappers.errors import ContractError
from tests.support.toys.variants import DifferentialInverseKinematicsAction, ManyThingsEnv

pytest.importorskip("isaaclab", reason="the poses are turned by its maths")

DROID = [[0, 0, -1], [-1, 0, 0], [0, 1, 0]]
POINT = [0.0, 0.0, 0.1]
EEF_9D = {"body": "hand", "rotation": "rot6d", "order": "rows", "turned": DROID}
ORIGINS = [[5.0, 0.0, 0.0], [0.0, 7.0, 0.0]]


class PoseEnv(ManyThingsEnv):
    """Has a hand somewhere, and one action term that takes its pose."""

    def __init__(self, **controller):
        super().__init__()
        term = DifferentialInverseKinematicsAction("ha.d", **controller)
        width = 6 if controller else 7
        self.action_manager = SimpleNamespace(
            active_terms=["arm"], action_term_dim=[width], total_action_dim=width, get_term={"arm": term}.get
        )
        self.scene.env_origins = torch.tensor(ORIGINS)
        rng = np.random.default_rng(0)
        self.world = np.stack([homogeneous(rng.normal(size=3), Scipy.random(rng=rng)) for _ in range(4)])
        self.place()

    def place(self):
        """Tell IsaacLab's poses: of the root and the hand of each env, in the world with its origin."""
        origins = np.repeat(np.asarray(ORIGINS), 2, axis=0)
        turns = Scipy.from_matrix(self.world[:, :3, :3]).as_quat()
        poses = torch.tensor(np.concatenate([self.world[:, :3, 3] + origins, turns], axis=-1)).float().reshape(2, 2, 7)
        self.robot.data.root_link_pose_w, self.robot.data.body_link_pose_w = poses[:, 0], poses

    @property
    def root(self):
        return self.world[::2]

    @property
    def hand(self):
        return self.world[1::2]

    def step(self, action):
        return super().step(action[:, :3])


def homogeneous(position, turn):
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = turn.as_matrix(), position
    return pose


def nine(pose):
    """Position, then the first two rows."""
    return np.concatenate([pose[:3, 3], pose[:2, :3].reshape(-1)])


def told(toy, **source):
    env = Gr00tObservationWrapper(toy, Embodiment.from_config({"state": {"hand": EEF_9D | source}}))
    return env.present_state("hand").numpy()


def layout(toy, state=EEF_9D, **target):
    action = {"hand": {"term": "arm", "rotation": "rot6d", "order": "rows"} | target}
    return ActionLayout(IsaacLabEnv(toy), Embodiment.from_config({"state": {"hand": state}, "action": action}))


def played(toy, laid_out, poses, bases=None):
    """The homogeneous poses of the hand in its root link that chunks of one pose an env bring it to."""
    chunk = {"hand": np.stack([nine(pose) for pose in poses])[:, None].astype(np.float32)}
    bases = laid_out.bases(None) if bases is None else bases
    return in_root(laid_out.to_env(chunk, bases)[:, 0])


def in_root(numbers):
    """The homogeneous poses of the hand that the env's numbers bring it to."""
    numbers = numbers.double().numpy() * 2.0 + 0.5
    moved = [homogeneous(n[:3], Scipy.from_quat(n[3:])) for n in numbers]
    held = homogeneous([0, 0, 0.2], Scipy.from_euler("x", 1.0))
    np.testing.assert_allclose(np.linalg.norm(numbers[:, 3:], axis=-1), 1, atol=1e-5)
    return np.stack(moved) @ np.linalg.inv(held)


def test_known_pose_gives_droids_known_nine_numbers():
    toy = PoseEnv()
    toy.world = np.stack([np.eye(4), homogeneous([0.4, 0.1, 0.3], Scipy.from_euler("x", 180, degrees=True))] * 2)
    toy.place()
    # diag(1, -1, -1) times DROID's turn: its first two rows are (0, 0, -1) and (1, 0, 0).
    np.testing.assert_allclose(told(toy), [[0.4, 0.1, 0.3, 0, 0, -1, 1, 0, 0]] * 2, atol=1e-6)


@pytest.mark.parametrize("frame", ["base", "world", "base_link"])
def test_state_is_in_the_frame_that_is_asked_for(frame):
    toy = PoseEnv()
    toy.robot.body_names[0] = "base_link"
    turn = np.eye(4)
    turn[:3, :3] = DROID
    place = homogeneous(POINT, Scipy.identity())
    seen_from = np.eye(4) if frame == "world" else np.linalg.inv(toy.root)
    expected = seen_from @ toy.hand @ place @ turn
    got = told(toy, frame=frame, point=POINT)
    np.testing.assert_allclose(got, [nine(pose) for pose in expected], atol=1e-5)


def test_angles_turn_as_their_matrix_does():
    toy = PoseEnv()
    angles = Scipy.from_matrix(DROID).as_euler("xyz").tolist()
    np.testing.assert_allclose(told(toy, turned=angles), told(toy), atol=1e-5)


@pytest.mark.parametrize("frame", ["base", "world", "base_link"])
def test_absolute_target_brings_the_hand_to_where_the_state_tells_it(frame):
    toy = PoseEnv()
    toy.robot.body_names[0] = "base_link"
    settings = {"frame": frame, "turned": DROID, "point": POINT}
    env = Gr00tObservationWrapper(toy, Embodiment.from_config({"state": {"hand": EEF_9D | settings}}))
    laid_out = layout(toy, **settings)
    bases = laid_out.bases(env.present_state)
    numbers = laid_out.to_env({"hand": env.present_state("hand")[:, None]}, bases)
    there = np.linalg.inv(toy.root) @ toy.hand
    np.testing.assert_allclose(in_root(numbers[:, 0]), there, atol=1e-5)
    np.testing.assert_allclose(in_root(laid_out.standing_still()), there, atol=1e-5)
    back = laid_out.from_env(numbers, bases)["hand"][:, 0]
    torch.testing.assert_close(back, env.present_state("hand"), atol=1e-4, rtol=0)


def test_relative_poses_are_composed_as_poses_in_what_the_state_tells():
    toy = PoseEnv()
    state = EEF_9D | {"frame": "world", "point": POINT}
    laid_out = layout(toy, state, relative_to="hand")
    change = homogeneous([0.1, -0.2, 0.3], Scipy.from_euler("xyz", [0.5, -0.2, 0.9]))
    tool = homogeneous(POINT, Scipy.from_matrix(DROID))
    got = played(toy, laid_out, [change, np.eye(4)])
    hand = np.linalg.inv(toy.root) @ toy.hand
    np.testing.assert_allclose(got[0], hand[0] @ tool @ change @ np.linalg.inv(tool), atol=1e-5)
    np.testing.assert_allclose(got[1], hand[1], atol=1e-5, err_msg="no change keeps the hand where it is")


def test_relative_poses_are_those_of_the_moment_that_was_observed():
    toy = PoseEnv()
    laid_out = layout(toy, relative_to="hand")
    bases = laid_out.bases(None)
    before = np.linalg.inv(toy.root) @ toy.hand
    toy.world[1::2, :3, 3] += 1.0
    toy.robot.data.body_link_pose_w[:, 1, :3] += 1.0
    np.testing.assert_allclose(played(toy, laid_out, [np.eye(4)] * 2, bases), before, atol=1e-5)


def test_wrapper_stands_still_by_the_present_pose_and_takes_relative_chunks():
    toy = PoseEnv()
    embodiment = Embodiment.from_config(
        {
            "state": {"hand": EEF_9D},
            "action": {"hand": {"term": "arm", "rotation": "rot6d", "order": "rows", "relative_to": "hand"}},
        }
    )
    env = Gr00tActionWrapper(Gr00tObservationWrapper(toy, embodiment), embodiment, 2)
    env.reset(seed=0)
    still = env.standing_still()["hand"]
    np.testing.assert_allclose(still, np.tile(nine(np.eye(4)), (2, 2, 1)), atol=1e-5)


REFUSED_STATES = [
    ({"order": None}, "order: rows"),
    ({"frame": "bose"}, "frame is 'bose'.*Did you mean 'base'.*Bodies: base, hand"),
    ({"turned": [[0, 0, 1], [-1, 0, 0], [0, 1, 0]]}, "turned is .* no rotation matrix"),
    ({"turned": [0, 1]}, "turned is .* three angles"),
    ({"point": [0, 1]}, "point is .* takes \\[x, y, z\\]"),
    ({"rotation": "rot6"}, "rotation is 'rot6'.*Did you mean 'rot6d'"),
    ({"body": None, "rotation": "quaternion", "obs": "policy.joints"}, "order and turned belong to a pose.*no body"),
]


@pytest.mark.parametrize(("change", "message"), REFUSED_STATES)
def test_states_that_are_no_pose_are_refused(change, message):
    with pytest.raises(ContractError, match=f"embodiment.state.hand: .*{message}"):
        told(PoseEnv(), **change)


REFUSED_TARGETS = [
    ({"order": None}, "order: rows"),
    ({"rotation": None}, "order belong to a pose.*no rotation"),
    ({"term": None, "joints": ["joint_.*"]}, "a pose goes to a term"),
    ({"scale": 2.0, "clip": [0, 1]}, "scale and clip change numbers one by one"),
    ({"relative_to": "hand", "frame": "world"}, "frame are given beside relative_to"),
    ({"relative_to": "hnad"}, "no state of that name.*Did you mean 'hand'"),
    ({"term": "amr"}, "no action term 'amr' that takes the absolute pose.*Did you mean 'arm'"),
    ({"frame": "wrld"}, "Did you mean 'world'"),
]


@pytest.mark.parametrize(("change", "message"), REFUSED_TARGETS)
def test_targets_that_are_no_pose_are_refused(change, message):
    with pytest.raises(ContractError, match=f"embodiment.action.hand: .*{message}"):
        layout(PoseEnv(), **change)


def test_term_that_takes_changes_of_a_pose_is_refused():
    with pytest.raises(ContractError, match="use_relative_mode false"):
        layout(PoseEnv(use_relative_mode=True))


@pytest.mark.parametrize("state", [{"joints": ["joint_.*"]}, EEF_9D | {"slice": [0, 3]}, EEF_9D | {"scale": 2.0}])
def test_pose_relative_to_what_is_no_whole_pose_of_its_body_is_refused(state):
    with pytest.raises(ContractError, match="whole pose of the body that its term moves"):
        layout(PoseEnv(), state, relative_to="hand")
