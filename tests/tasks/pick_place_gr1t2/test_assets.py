"""The humanoid and the wheel as they are built, and what is said where a package is missing."""

import xml.etree.ElementTree as ET
from importlib import metadata

import numpy as np
import pytest

from tasks.assets import gr1t2
from tasks.assets.cache import AssetError
from tasks.assets.steering_wheel import RIM_HEIGHT, RIM_RADIUS, TUBE_RADIUS, steering_wheel_usd


@pytest.fixture(scope="module")
def urdf():
    return ET.parse(gr1t2.gr1t2_urdf()).getroot()  # noqa: S314, our own file


def test_joints_are_waist_head_arms_and_hands_by_isaaclabs_names(urdf):
    named = {joint.get("name") for joint in urdf.iter("joint")}
    expected = {*gr1t2.WAIST_JOINTS, *gr1t2.HEAD_JOINTS, *gr1t2.FOLLOWERS}
    for side in ("left", "right"):
        expected |= {*gr1t2.arm_joints(side), *gr1t2.hand_joints(side)}
    assert named == expected
    assert len(named) == 42


def test_every_finger_joint_leads_or_follows_one_that_leads():
    leaders = {*gr1t2.hand_joints("left"), *gr1t2.hand_joints("right")}
    assert len(gr1t2.FOLLOWERS) == 10
    for follower, leader in gr1t2.FOLLOWERS.items():
        assert leader in leaders
        assert follower not in leaders
        assert follower.split("_")[:2] == leader.split("_")[:2]


def test_masses_are_those_of_a_person_sized_robot_with_light_fingers(urdf):
    masses = {link.get("name"): float(link.find("inertial/mass").get("value")) for link in urdf.iter("link")}
    assert 40 < sum(masses.values()) < 60
    fingers = [mass for name, mass in masses.items() if name[:2] in ("L_", "R_")]
    assert len(fingers) == 22
    assert 0.003 < min(fingers) <= max(fingers) < 0.05


def test_inertias_are_physical(urdf):
    for inertia in urdf.iter("inertia"):
        xx, xy, xz, yy, yz, zz = (float(inertia.get(name)) for name in ("ixx", "ixy", "ixz", "iyy", "iyz", "izz"))
        moments = np.linalg.eigvalsh([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
        assert moments[0] > 0
        assert moments[2] <= moments[0] + moments[1] + 1e-9


def test_only_hands_and_forearms_collide(urdf):
    colliding = {link.get("name") for link in urdf.iter("link") if link.find("collision") is not None}
    for side, letter in (("left", "L_"), ("right", "R_")):
        assert f"{side}_hand_yaw_link" in colliding
        assert sum(name.startswith(letter) for name in colliding) == 11
    assert len(colliding) == 2 * (11 + 2)


def test_second_call_builds_nothing():
    usd = gr1t2.gr1t2_usd()
    before = usd.stat().st_mtime_ns
    assert gr1t2.gr1t2_usd() == usd
    assert usd.stat().st_mtime_ns == before


def test_missing_robosuite_is_told_with_what_installs_it(monkeypatch):
    version = metadata.version

    def without_robosuite(name):
        if name == "robosuite":
            raise metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(metadata, "version", without_robosuite)
    with pytest.raises(AssetError, match=r"robosuite package, which is missing. Run `make setup`.*--no-deps"):
        gr1t2.gr1t2_usd()


def test_wheel_stands_on_its_hub_and_its_rim_can_be_held():
    from pxr import Usd, UsdGeom

    stage = Usd.Stage.Open(str(steering_wheel_usd()))
    boxes = UsdGeom.BBoxCache(Usd.TimeCode.Default(), [UsdGeom.Tokens.default_, UsdGeom.Tokens.guide])
    extent = boxes.ComputeWorldBound(stage.GetDefaultPrim()).ComputeAlignedRange()
    radius = RIM_RADIUS + TUBE_RADIUS
    assert np.allclose(extent.GetMin(), [-radius, -radius, 0.0], atol=0.007)
    assert np.allclose(extent.GetMax(), [radius, radius, RIM_HEIGHT + TUBE_RADIUS], atol=0.007)
