"""The gripper's linkage: our closed form against the kinematics of robosuite's model, from which it is built."""

import xml.etree.ElementTree as ET

import mujoco
import numpy as np
import pytest

from tasks.assets.franka_robotiq import FINGER_JOINT, FOLLOWERS
from tasks.assets.gr1t2 import data_folder
from tasks.droid_table.geometry import finger_angle, finger_opening, pad_height


@pytest.fixture(scope="module")
def model():
    """The gripper of robosuite without its meshes, two of which have one name."""
    source = data_folder() / "grippers/robotiq_gripper_85.xml"
    root = ET.parse(source).getroot()  # noqa: S314, a file of an installed package
    root.find("asset").clear()
    for body in root.iter("body"):
        for geom in [geom for geom in body.findall("geom") if geom.get("type") == "mesh"]:
            body.remove(geom)
    return mujoco.MjModel.from_xml_string(ET.tostring(root, encoding="unicode"))


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
def test_bars_meet_where_the_finger_is_hinged_to_both_at_every_angle(model, side):
    """The end of the inner knuckle's bar, and the point of the finger that it is hinged to, are one."""
    data = mujoco.MjData(model)
    outer, finger, inner = (data.body(f"{side}_{part}") for part in ("outer_knuckle", "inner_finger", "inner_knuckle"))
    ends = None
    for angle in np.linspace(0.0, 0.8, 5):
        for joint, factor in {FINGER_JOINT: 1, **FOLLOWERS}.items():
            data.joint(joint).qpos[0] = factor * angle
        mujoco.mj_kinematics(model, data)
        turns = [body.xmat.reshape(3, 3) for body in (inner, finger)]
        if ends is None:
            bar, between = finger.xpos - outer.xpos, inner.xpos - outer.xpos
            ends = turns[0].T @ bar, turns[1].T @ between
        knuckle, hinge = inner.xpos + turns[0] @ ends[0], finger.xpos + turns[1] @ ends[1]
        assert knuckle == pytest.approx(hinge, abs=1e-6)
