"""The humanoid's embodiments: one env under the keys and in the joint orders of two kinds of checkpoint."""

from pathlib import Path

import mujoco
import pytest
import yaml

from groot_wrappers import Embodiment
from tasks.assets import gr1t2

CONF = Path(__file__).parents[3] / "conf" / "embodiment"


def load(name):
    return Embodiment.from_config(yaml.safe_load((CONF / f"{name}.yaml").read_text()))


@pytest.mark.parametrize(
    ("name", "video", "language"),
    [
        ("gr1", "ego_view", "task"),
        ("robocasa_gr1_tabletop", "ego_view_bg_crop_pad_res256_freq20", "task"),
    ],
)
def test_keys_are_those_of_the_checkpoints(name, video, language):
    embodiment = load(name)
    keys = ["left_arm", "right_arm", "left_hand", "right_hand", "waist"]
    assert embodiment.video[video].sensor == "ego_view"
    assert list(embodiment.video) == [video]
    assert list(embodiment.state) == list(embodiment.action) == keys
    assert embodiment.language == language


@pytest.mark.parametrize("side", ["left", "right"])
def test_robocasas_hands_are_in_the_order_of_robosuites_own(side):
    """RoboCasa passes a hand's six numbers to robosuite, whose hand spreads them over its motors in their order."""
    embodiment = load("robocasa_gr1_tabletop")
    joints = embodiment.action[f"{side}_hand"].joints
    assert joints == embodiment.state[f"{side}_hand"].joints
    hand = mujoco.MjSpec.from_file(str(gr1t2.data_folder() / "grippers" / f"fourier_{side}_hand.xml"))
    motors = [motor.target for motor in hand.actuators]
    followers = [name for name in gr1t2.FOLLOWERS if name in motors]
    assert joints == [name for name in motors if name not in followers]
    assert sorted(joints) == sorted(gr1t2.hand_joints(side))
