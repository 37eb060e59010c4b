"""The cube is found where it is, and nothing is found where there is none."""

import numpy as np
import pytest

from tasks.lift_cube_franka.expert.perception import fit_cube, shows_red_about
from tasks.lift_cube_franka.geometry import CUBE_SIDE, CUBE_START, CUBE_START_RANGE, IMAGE_SIZE
from tests.tasks.lift_cube_franka.pictures import draw, scene_picture

CORNERS_OF_THE_STARTS = [(x, y) for x in CUBE_START_RANGE["x"] for y in CUBE_START_RANGE["y"]]


@pytest.mark.parametrize("yaw", np.radians([-30, -12, 0, 17, 30]))
@pytest.mark.parametrize("offset", [(0.0, 0.0), *CORNERS_OF_THE_STARTS])
def test_a_cube_is_found_where_it_lies(offset, yaw):
    position = np.add(CUBE_START, (*offset, 0.0))
    cube = fit_cube(scene_picture(position, yaw))
    assert cube.position == pytest.approx(position, abs=0.005)
    error = (cube.yaw - yaw + np.pi / 4) % (np.pi / 2) - np.pi / 4
    assert abs(error) < np.radians(9)


@pytest.mark.parametrize("colour", [(35, 40, 200), (40, 200, 35), (200, 190, 180), (20, 4, 3)])
def test_a_cube_that_is_not_red_is_not_found(colour):
    assert fit_cube(scene_picture(np.array(CUBE_START), colour=colour)) is None


def test_a_constant_picture_holds_no_cube():
    assert fit_cube(np.full((IMAGE_SIZE, IMAGE_SIZE, 3), 128, np.uint8)) is None


def test_a_cube_cut_by_the_edge_of_the_picture_does_not_break_anything():
    edge = np.array([(0.0, 0.0), (12.0, 0.0), (12.0, 9.0), (0.0, 9.0)])
    assert fit_cube(draw(edge)).position.shape == (3,)


def test_starts_are_as_wide_as_promised():
    widths = {axis: high - low for axis, (low, high) in CUBE_START_RANGE.items()}
    assert widths["x"] >= 0.2 - 1e-9
    assert widths["y"] >= 0.4 - 1e-9
    assert widths["yaw"] >= np.radians(60) - 1e-9
    assert CUBE_START[2] == CUBE_SIDE / 2


@pytest.mark.parametrize(
    ("pixel", "agrees"),
    [((110.0, 110.0), True), ((60.0, 110.0), False), ((5.0, 110.0), True), ((110.0, 400.0), True)],
)
def test_the_wrist_camera_agrees_unless_red_should_be_there_and_is_not(pixel, agrees):
    square = draw(np.array([(90.0, 90.0), (130.0, 90.0), (130.0, 130.0), (90.0, 130.0)]))
    assert shows_red_about(square, np.array(pixel)) is agrees


def test_the_wrist_camera_disagrees_when_it_sees_no_red():
    assert not shows_red_about(np.full((IMAGE_SIZE, IMAGE_SIZE, 3), 128, np.uint8), np.array([110.0, 110.0]))
