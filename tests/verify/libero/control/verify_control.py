"""robosuite's controller as an action term: part of `make verify-libero`, ten minutes.

The kernels are held against the same controller in NumPy on states of a path, the whole env against MuJoCo under that
controller, and what it sends against NVIDIA's own checks. What was measured is kept in ``docs/tasks/libero.md``.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import mujoco
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from tasks.libero.scene.asset import libero_scene
from tasks.libero.scene.compose import REST_JOINTS
from tasks.libero.scene.rest import official_rests
from tests.tasks.libero.control.arm_worlds import ArmWorlds
from tests.verify.libero.osc import Arm, Osc
from tests.verify.libero.script import free_path
from tests.verify.libero.worlds import SUBSTEPS, MujocoWorlds

pytestmark = [pytest.mark.simulator, pytest.mark.process]

ROOT = Path(__file__).parents[4]
REACH = np.array([0.05] * 3 + [0.5] * 3)
ARM = slice(0, 9)  # of qpos and qvel: seven joints and two fingers


@pytest.fixture(scope="session")
def model():
    return libero_scene("libero_spatial", 0).model


@pytest.fixture(scope="session")
def path(model):
    """MuJoCo's own path from the first start, under the NumPy controller: tool, fingers; and every tenth state."""
    start, worlds = official_rests(libero_scene("libero_spatial", 0))[0], MujocoWorlds(model, 1)
    worlds.set(start[None], np.zeros((1, model.nv)))
    arm, controller = Arm(model), Osc(goals_at_rest(model), 1, fingers=1.0)
    tool, fingers, kept, now = [], [], [], worlds.state()
    for action in free_path():
        controller.aim(arm.read(*now), action[None])
        for substep in range(SUBSTEPS):
            told = controller.control(arm.read(*now))
            if substep % 10 == 0:
                kept.append((now, controller.goal_position[0], controller.goal_rotation[0].copy(), told[0, :7]))
            worlds.step(told)
            now = worlds.state()
        tool.append(arm.read(*now).position[0])
        fingers.append(now[0][0, 7:9])
    return np.array(tool), np.array(fingers), kept


def goals_at_rest(model):
    """What robosuite's controller keeps from its reset, which has the arm at rest."""
    data = mujoco.MjData(model)
    data.qpos[:7] = REST_JOINTS
    mujoco.mj_kinematics(model, data)
    site = data.site("gripper0_grip_site")
    goals = {"goal_pos": site.xpos.copy(), "goal_ori": site.xmat.reshape(3, 3).copy()}
    return goals | {"initial_joint": np.array(REST_JOINTS)}


def test_torques_are_those_of_double_precision_numpy_on_a_whole_path(model, path):
    _, _, kept = path
    q, qd = (np.stack([state[which][0, ARM] for state, *_ in kept]) for which in (0, 1))
    worlds = ArmWorlds(model, q, qd)
    worlds.goals[0].assign(np.array([position for _, position, _, _ in kept]))
    worlds.goals[1].assign(Rotation.from_matrix([rotation for _, _, rotation, _ in kept]).as_quat())
    away = np.abs(worlds.torques() - np.array([torques for *_, torques in kept]))
    print(f"\n{len(kept)} states: torques differ by {away.max():.1e} N m at most, median {np.median(away):.1e}")
    assert away.max() < 1e-3


def played(folder, num_envs, rate, how="whole"):
    """Play in a process of its own; return what was seen, and the steps a second of all envs."""
    out = folder / f"{num_envs}_{rate}_{how}.npz"
    command = [sys.executable, "-m", "tests.verify.libero.control.play_env", out, str(num_envs), str(rate), how]
    subprocess.run(command, check=True, timeout=1200, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})
    return np.load(out)


@pytest.fixture(scope="session")
def env(tmp_path_factory):
    folder, known = tmp_path_factory.mktemp("control"), {}

    def of(*settings):
        if settings not in known:
            known[settings] = played(folder, *settings)
        return known[settings]

    return of


@pytest.mark.parametrize(("rate", "within"), [(500, 0.5), (260, 6.0), (100, 25.0)])
def test_free_path_is_mujocos(path, env, rate, within):
    tool, fingers, _ = path
    seen = env(1, rate)
    away = np.linalg.norm(seen["tool_pose"][:, 0, :3] - tool, axis=1) * 1000
    apart = np.abs(seen["gripper"][:, 0] - fingers).max() * 1000
    print(f"\n{rate} Hz: mm at each second {np.round(away[19::20], 3).tolist()}, fingers {apart:.3f} mm")
    assert away.max() < within
    assert apart < 1


def test_states_are_what_robosuites_sensors_would_tell(model, env):
    seen, data = env(1, 500), mujoco.MjData(model)
    for pose, joints in zip(seen["tool_pose"][:, 0], seen["arm_joints"][:, 0], strict=True):
        data.qpos[:7] = joints
        mujoco.mj_kinematics(model, data)
        w, *axis = data.body("robot0_right_hand").xquat
        axis_angle = np.array(axis) / np.sqrt(1 - w * w) * 2 * np.arccos(w)
        assert pose == pytest.approx([*data.site("gripper0_grip_site").xpos, *axis_angle], abs=1e-5)


@pytest.mark.parametrize("how", ["single", "unrecorded"])
def test_whole_control_steps_are_bit_for_bit_their_physics_steps(env, how):
    whole, other = env(1, 500), env(1, 500, how)
    for name in ("tool_pose", "gripper", "arm_joints"):
        np.testing.assert_array_equal(whole[name], other[name])


def test_worlds_are_the_same_for_any_number_of_envs(env):
    one, four = env(1, 500), env(4, 500)
    np.testing.assert_array_equal(one["arm_joints"][:, 0], four["arm_joints"][:, 0])


def test_recorded_steps_are_faster(env):
    for num_envs in (1, 4):
        told = {how: float(env(num_envs, 500, how)["steps_per_s"]) for how in ("whole", "single", "unrecorded")}
        print(f"\n{num_envs} envs, control steps a second over all: " + str({k: round(v, 1) for k, v in told.items()}))
        assert told["whole"] > told["unrecorded"]


@pytest.mark.parametrize(("release", "embodiment"), [("N1D7", "libero_sim"), ("N1D6", "libero_panda")])
def test_nvidias_own_classes_accept_every_observation_and_chunk(tmp_path, release, embodiment):
    if f"GR00T_{release}" not in os.environ:
        pytest.skip(f"GR00T_{release} names no folder of NVIDIA's Isaac-GR00T")
    checked = f"+task.expert._target_=tests.verify.libero.control.nvidia_configuration.Checked{release}"
    settings = ["server=expert", checked, "num_envs=2", "episodes=2", "horizons=chunked", "horizons.episode=32"]
    command = [sys.executable, "-m", "runners.apps.play", "task=libero_spatial", f"embodiment={embodiment}", *settings]
    command += ["retries=0", "recorder=[]", f"hydra.run.dir={tmp_path}"]
    subprocess.run(command, check=True, timeout=1200, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})
    assert json.loads((tmp_path / "summary.json").read_text())["errors"] == 0
