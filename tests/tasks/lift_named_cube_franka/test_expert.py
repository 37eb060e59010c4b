"""The expert for two cubes: which one it takes is said by the text of its row alone."""

import numpy as np
import pytest

from tasks.lift_cube_franka.expert.joint_expert import LiftCubeExpert
from tasks.lift_cube_franka.expert.kinematics import PandaArm
from tasks.lift_cube_franka.geometry import START_JOINTS
from tasks.lift_named_cube_franka.expert import NamedCubeExpert
from tasks.lift_named_cube_franka.geometry import named_cube
from tests.tasks.lift_cube_franka.pictures import observation, scene_picture, wrist_picture

START = np.array(START_JOINTS)
RED, BLUE = np.array([0.5, 0.12, 0.025]), np.array([0.55, -0.15, 0.025])
COLOURS = {(200, 40, 35): RED, (35, 40, 200): BLUE}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("pick up the red cube", "red"),
        ("Lift the Blue block!", "blue"),
        ("", None),
        ("pick up the cube", None),
        ("put the red cube onto the blue one", None),
        ("the cube that is reddish, or covered in bluebells", None),
    ],
)
def test_instruction_names_one_cube_or_none(text, named):
    assert named_cube(text) == named


def both(draw):
    """One picture with what `draw(position, colour)` draws for each cube."""
    red, blue = (draw(position, colour).astype(int) for colour, position in COLOURS.items())
    return np.where((red != 150).any(axis=-1, keepdims=True), red, blue).astype(np.uint8)


def two_cubes(texts):
    """The observation of both cubes, once for each text."""
    arm = PandaArm()
    scene = both(lambda position, colour: scene_picture(position, colour=colour))
    wrist = both(lambda position, colour: wrist_picture(arm, START[:7], position, colour=colour))
    told = observation([scene] * len(texts), [wrist] * len(texts), [START] * len(texts))
    return told | {"language": {"task": [[text] for text in texts]}}


def where_to(chunk):
    """Middle between the finger tips at the end of a chunk, (x, y)."""
    return PandaArm().hand_pose(chunk[-1, :7].astype(float))[0][:2]


def test_each_row_goes_to_the_cube_that_its_text_names():
    texts = ["lift the blue cube", "lift the red cube", "", "lift the cube", "lift red and blue"]
    chunks = NamedCubeExpert().get_action(two_cubes(texts))[0]["joint_positions"]
    begin = where_to(START[None])
    for chunk, aim in ((chunks[0], BLUE), (chunks[1], RED)):
        assert np.linalg.norm(where_to(chunk) - aim[:2]) < np.linalg.norm(begin - aim[:2]) / 2
    for chunk in chunks[2:]:
        np.testing.assert_array_equal(chunk, np.tile(START.astype(np.float32), (16, 1)))


def test_with_red_named_it_is_the_lifts_expert():
    observed = two_cubes(["lift the red cube"])
    expected, _ = LiftCubeExpert().get_action(observed)
    np.testing.assert_array_equal(
        NamedCubeExpert().get_action(observed)[0]["joint_positions"], expected["joint_positions"]
    )
