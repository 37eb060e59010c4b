"""What IsaacLab 2.3 does otherwise than 3.0: the order of a quaternion's numbers, and when cameras are drawn.

Both are stand-ins here; ``make verify-isaaclab2`` has 2.3's own env classes.
"""

import sys
from types import SimpleNamespace

import pytest
import torch

from groot_wrappers import Embodiment, Gr00tActionWrapper, Gr00tObservationWrapper
from groot_wrappers.embodiment.affine_map import NumberMap
from groot_wrappers.embodiment.isaaclab2 import drawn_at_resets, from_xyzw, to_xyzw
from groot_wrappers.embodiment.poses import PoseColumns
from tests.support.toys.env import EMBODIMENT, ToyCamera, ToyEnv, toy_embodiment

W_FIRST, W_LAST = (3, 0, 1, 2), (0, 1, 2, 3)
HALF = 0.5**0.5


class Maths:
    """What is asked of ``isaaclab.utils.math``, for quaternions in this order of x, y, z and w."""

    def __init__(self, order):
        self.order = list(order)
        self.back = torch.tensor(self.order).argsort().tolist()

    def quat_from_euler_xyz(self, roll, pitch, yaw):
        assert not any((roll, pitch, yaw)), "asked for no turn alone"
        return torch.tensor([[0.0, 0.0, 0.0, 1.0]])[:, self.order]

    def subtract_frame_transforms(self, root, root_turn, body, body_turn):
        no_turn = torch.tensor([0.0, 0.0, 0.0, 1.0])[self.order]
        assert (root_turn == no_turn).all(), "roots are not turned here"
        return body - root, body_turn

    def axis_angle_from_quat(self, quaternion):
        x, y, z, w = quaternion[:, self.back].T
        axis = torch.stack([x, y, z], dim=-1)
        return axis / axis.norm(dim=-1, keepdim=True) * 2 * w.arccos()[:, None]

    def euler_xyz_from_quat(self, quaternion):
        """For turns about one axis alone, whose angle is that of the axis; between 0 and two pi, as in 2.3."""
        return tuple(self.axis_angle_from_quat(quaternion).remainder(2 * torch.pi).T)

    def wrap_to_pi(self, angles):
        return (angles + torch.pi).remainder(2 * torch.pi) - torch.pi


@pytest.fixture
def speak(monkeypatch):
    """Let the IsaacLab that is installed write quaternions in an order."""

    def install(order):
        maths = Maths(order)
        monkeypatch.setitem(sys.modules, "isaaclab.utils", SimpleNamespace(math=maths))
        monkeypatch.setitem(sys.modules, "isaaclab.utils.math", maths)

    return install


@pytest.mark.parametrize("order", [W_FIRST, W_LAST])
def test_quaternions_are_written_in_isaaclabs_order_and_read_from_it(speak, order):
    speak(order)
    xyzw = torch.tensor([[[0.1, 0.2, 0.3, 0.9], [0.5, 0.6, 0.7, 0.8]]])
    assert from_xyzw(xyzw).tolist() == xyzw[..., list(order)].tolist()
    assert to_xyzw(from_xyzw(xyzw)).tolist() == xyzw.tolist()


@pytest.mark.parametrize("order", [W_FIRST, W_LAST])
@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("quaternion", [0.0, 0.0, HALF, HALF]),
        ("axis_angle", [0.0, 0.0, torch.pi / 2]),
        ("rpy", [0.0, 0.0, torch.pi / 2]),
    ],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_policy_sees_the_same_pose_of_a_body_in_either_order(speak, order, written, expected, sign):
    speak(order)
    env = ToyEnv(2)
    quarter = sign * torch.tensor([0.0, 0.0, HALF, HALF])  # about z; q and -q are one turn
    none = torch.tensor([0.0, 0.0, 0.0, 1.0])
    poses = [
        torch.cat([torch.tensor(place), turn[list(order)]])
        for place, turn in [((1.0, 0, 0), none), ((1.0, 2, 3), quarter)]
    ]
    data = env.scene.articulations["robot"].data
    data.root_link_pose_w, data.body_link_pose_w = poses[0].repeat(2, 1), torch.stack(poses).repeat(2, 1, 1)
    embodiment = Embodiment.from_config(EMBODIMENT | {"state": {"hand": {"body": "hand", "rotation": written}}})
    pose = Gr00tObservationWrapper(env, embodiment).present_state("hand")
    torch.testing.assert_close(pose, torch.tensor([[0.0, 2.0, 3.0, *expected]] * 2))


@pytest.mark.parametrize("order", [W_FIRST, W_LAST])
def test_pose_targets_are_given_in_isaaclabs_order(speak, order):
    speak(order)
    nowhere = torch.tensor([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0])
    columns = PoseColumns("robot", "hand", nowhere, NumberMap(torch.ones(1), torch.zeros(1)))
    pose = torch.tensor([1.0, 2.0, 3.0, 0.5, 0.1, 0.7, 0.5])
    numbers = columns.to_env(pose)
    assert numbers[3:].tolist() == pose[3:][list(order)].tolist()
    assert columns.from_env(numbers).tolist() == pose.tolist()


class FilmCamera(ToyCamera):
    """As IsaacLab 2.3's: it reads what the simulation drew last, and each env's picture once after a step or reset."""

    def __init__(self, env):
        super().__init__(env)
        self.film = torch.zeros(env.num_envs, dtype=torch.uint8)
        self.is_outdated = torch.ones(env.num_envs, dtype=torch.bool)

    @property
    def data(self):
        self._rgba[self.is_outdated, :, :, 0] = self.film[self.is_outdated, None, None]
        self.is_outdated[:] = False
        return SimpleNamespace(output={"rgb": self._rgba[..., :3]})

    def reset(self, env_ids):
        self.is_outdated[env_ids] = True


class FilmEnv(ToyEnv):
    """As an env of IsaacLab 2.3: it draws on every control step, and at resets where its config says so."""

    def __init__(self, num_envs=3, look_at_resets=False, **cfg):
        super().__init__(num_envs)
        self.camera = self.scene.sensors["camera"] = FilmCamera(self)
        self.cfg = SimpleNamespace(**cfg or {"num_rerenders_on_reset": 0})
        self.sim = SimpleNamespace(has_rtx_sensors=lambda: True)
        self.drawn, self.begun, self.look_at_resets = 0, False, look_at_resets

    def draw(self, times=1):
        self.drawn += times
        if times:
            self.camera.film[:] = self.goal.to(torch.uint8)

    def draw_as_configured(self):
        self.draw(int(next(iter(vars(self.cfg).values()))))

    def _reset_idx(self, env_ids):
        super()._reset_idx(env_ids)
        self.camera.reset(env_ids)
        self.begun = True

    def reset(self, env_ids=None, *, seed=None, options=None):
        returned = super().reset(env_ids, seed=seed, options=options)
        self.draw_as_configured()
        if self.look_at_resets:  # as an observation term with a picture does
            self.camera.data  # noqa: B018
        return returned

    def step(self, action):
        self.draw()
        self.camera.reset(slice(None))
        self.begun = False
        returned = super().step(action)
        if self.begun:
            self.draw_as_configured()
        return returned


def shown(observation):
    return observation["video"]["camera"][:, -1, 0, 0, 0].tolist()


@pytest.mark.parametrize("look_at_resets", [False, True])
@pytest.mark.parametrize(
    ("configured", "drawn"),
    [
        ({"num_rerenders_on_reset": 0}, 1),
        ({"num_rerenders_on_reset": 3}, 3),
        ({"rerender_on_reset": False}, 1),
        ({"rerender_on_reset": True}, 1),
    ],
    ids=str,
)
def test_first_picture_shows_the_start_and_is_drawn_once_for_all_resets(look_at_resets, configured, drawn):
    env = FilmEnv(3, look_at_resets, **configured)
    wrapped = Gr00tObservationWrapper(env, toy_embodiment())
    for seeds in ([1, 2, 3], [4, 5, 6]):
        env.drawn = 0
        observation, _ = wrapped.reset(options={"env_ids": [2, 0, 1], "seeds": seeds})
        assert shown(observation) == env.goal.tolist()
    assert env.drawn == drawn
    assert vars(env.cfg) == configured


def test_picture_of_an_env_that_isaaclab_reset_itself_shows_the_next_start():
    env = FilmEnv(2)
    wrapped = Gr00tObservationWrapper(env, toy_embodiment())
    wrapped.reset(seed=0)
    goals = env.goal.clone()
    for _ in range(3):
        observation, _, terminated, *_ = wrapped.step(torch.stack([goals, goals], dim=1) * torch.tensor([[1.0], [0.0]]))
    assert terminated.tolist() == [True, False]
    assert env.goal[0] != goals[0]
    assert shown(observation) == env.goal.tolist()


def test_parked_envs_cost_no_drawing_beside_that_of_each_step():
    env = FilmEnv(2)
    wrapped = Gr00tActionWrapper(Gr00tObservationWrapper(env, toy_embodiment()), toy_embodiment(), execution=6)
    wrapped.reset(options={"seeds": [1, 2]})
    goals = env.goal.tolist()
    env.drawn = 0
    chunk = {"joints": torch.tensor([[[0.0, goals[0]]] * 6, [[0.0, 0.0]] * 6])}
    *_, info = wrapped.step(chunk)
    assert info["steps"].tolist() == [3, 6]
    assert env.drawn == 6


def test_camera_that_casts_rays_is_not_reset_by_another_seed():
    env = FilmEnv(2)
    caster = FilmCamera(env)
    caster.drift, caster.reset = torch.zeros(2, 3), lambda env_ids: pytest.fail("reset")
    env.scene.sensors["caster"] = caster
    observation, _ = Gr00tObservationWrapper(env, toy_embodiment()).reset(options={"seeds": [1, 2]})
    assert shown(observation) == env.goal.tolist()


def test_config_is_as_it_was_where_a_reset_fails():
    cfg = SimpleNamespace(num_rerenders_on_reset=0)
    base = SimpleNamespace(cfg=cfg, sim=SimpleNamespace(has_rtx_sensors=lambda: True))
    with pytest.raises(ZeroDivisionError), drawn_at_resets(base):
        cfg.num_rerenders_on_reset //= cfg.num_rerenders_on_reset - 1
    assert cfg.num_rerenders_on_reset == 0


class Sealed:
    """A config, which refuses to be changed; IsaacLab 3's has the same setting."""

    num_rerenders_on_reset = 0

    def __setattr__(self, name, value):
        raise AssertionError(name)


@pytest.mark.parametrize(
    "parts", [{}, {"cfg": Sealed()}, {"cfg": Sealed(), "sim": SimpleNamespace(has_rtx_sensors=True)}]
)
def test_env_whose_cameras_draw_themselves_is_left_alone(parts):
    env = ToyEnv(2)
    vars(env).update(parts)  # its camera has no reset
    wrapped = Gr00tObservationWrapper(env, toy_embodiment())
    for seeds in ([1, 2], [3, 4]):
        observation, _ = wrapped.reset(options={"seeds": seeds})
        assert shown(observation) == env.goal.tolist()
        wrapped.step(torch.zeros(2, 2))
