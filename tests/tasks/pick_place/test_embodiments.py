"""The humanoid's embodiments: one env under the keys and in the joint orders of two kinds of checkpoint."""

from pathlib import Path

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
        ("robocasa_gr1_tabletop", "ego_view_bg_crop_pad_res256_freq20", "annotation.human.coarse_action"),
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
def test_robocasas_hands_come_thumb_first(side):
    embodiment = load("robocasa_gr1_tabletop")
    joints = embodiment.action[f"{side}_hand"].joints
    assert joints == embodiment.state[f"{side}_hand"].joints
    pinky, ring, middle, index, thumb_yaw, thumb_pitch = gr1t2.hand_joints(side)
    assert joints == [thumb_pitch, thumb_yaw, pinky, ring, middle, index]
