"""The gripper's linkage: our closed form against the kinematics of robosuite's model, from which it is built."""

import mujoco
import numpy as np
import pytest

from tasks.assets.franka_robotiq import FINGER_JOINT, FOLLOWERS
from tasks.assets.gr1t2 import data_folder
from tasks.droid_table.geometry import finger_angle, finger_opening, pad_height


@pytest.fixture(scope="module")
def model():
    spec = mujoco.MjSpec.from_file(str(data_folder() / "grippers/robotiq_gripper_85.xml"))
    return spec.compile()


@pytest.mark.parametrize("angle", [0.0, 0.2, 0.5, 0.8])
def test_opening_and_height_of_the_pads_are_those_of_the_model(model, angle):
    data = mujoco.MjData(model)
    for joint, factor in {FINGER_JOINT: 1, **FOLLOWERS}.items():
        data.joint(joint).qpos[0] = factor * angle
    mujoco.mj_kinematics(model, data)
    pads = [data.geom(f"{side}_fingertip_collision").xpos for side in ("left", "right")]
    apart = abs(pads[0][1] - pads[1][1]) - 2 * 0.003175
    assert finger_opening(angle) == pytest.approx(apart, abs=1e-4)
    assert pad_height(angle) == pytest.approx(pads[0][2], abs=1e-4)
    turned = data.geom("left_fingertip_collision").xmat.reshape(3, 3)[:, 2]
    assert turned == pytest.approx([0.0, 0.0, 1.0], abs=1e-6), "the pads stay parallel"


@pytest.mark.parametrize("opening", [0.002, 0.03, 0.08])
def test_angle_of_an_opening_opens_so_far(opening):
    assert finger_opening(finger_angle(opening)) == pytest.approx(opening, abs=1e-9)


@pytest.mark.parametrize("side", ["left", "right"])
def test_bars_are_parallelograms(model, side):
    """What the two knuckles carry stays as far apart as their pivots are, at every angle, on each side."""
    data = mujoco.MjData(model)
    between = []
    for angle in np.linspace(0.0, 0.8, 5):
        for joint, factor in {FINGER_JOINT: 1, **FOLLOWERS}.items():
            data.joint(joint).qpos[0] = factor * angle
        mujoco.mj_kinematics(model, data)
        outer, finger, inner = (
            data.body(f"{side}_{part}") for part in ("outer_knuckle", "inner_finger", "inner_knuckle")
        )
        tip = inner.xpos + (finger.xpos - outer.xpos)
        between.append(np.linalg.norm(tip - finger.xpos))
    assert between == pytest.approx([between[0]] * 5, abs=1e-9)
