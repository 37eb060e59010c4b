"""Variations of the scene in a lift on Newton: each is measured, in several envs at once that drew differently."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from tasks.lift_cube_franka import geometry
from tests.runners.variations.kinds import KINDS

pytestmark = [pytest.mark.simulator, pytest.mark.timeout(280)]

FREE_FALL = 9.81


@pytest.fixture(scope="module")
def facts(tmp_path_factory):
    """What was gathered in one start of the simulator, in a process of its own."""
    path = tmp_path_factory.mktemp("variations") / "facts.json"
    command = [sys.executable, "-m", "tests.runners.variations.simulate_scene", str(path)]
    root = Path(__file__).parents[3]
    run = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=270, check=False)
    assert path.exists(), run.stdout[-2000:] + run.stderr[-4000:]
    return json.loads(path.read_text())


@pytest.mark.parametrize("kind", KINDS)
def test_episode_is_the_same_in_another_env_and_its_neighbours_and_what_comes_after_are_as_ever(facts, kind):
    told = facts["kinds"][kind]
    assert told["changed"] == [kind != "friction_mass"] * 3 + [False]
    assert told["elsewhere"]
    assert told["gone"]


def test_stacked_variations_are_the_same_in_another_order(facts):
    assert facts["kinds"]["stacked"] == {"other_order": True, "gone": True}


def seen_by(draw, point):
    """Where a point is seen by the scene's camera once it is turned and shifted by what was drawn."""
    camera = geometry.SCENE_CAMERA
    axes = np.asarray(camera.rotation)  # right, down, forward
    turned = Rotation.from_rotvec([0, draw["yaw"], 0]) * Rotation.from_rotvec([draw["pitch"], 0, 0])
    turned *= Rotation.from_rotvec([0, 0, draw["roll"]])
    place = np.asarray(camera.position) + axes @ [draw["x"], draw["y"], draw["z"]]
    moved = replace(camera, position=tuple(place), rotation=tuple(map(tuple, axes @ turned.as_matrix())))
    return moved.project(np.asarray(point))


@pytest.mark.parametrize("env", range(3))
def test_camera_that_is_turned_and_shifted_sees_the_cube_where_geometry_says(facts, env):
    told = facts["cameras"]
    cube, draw = told["cube"][env], told["draws"][env]
    expected = seen_by(draw, cube) - geometry.SCENE_CAMERA.project(np.asarray(cube))
    assert np.hypot(*expected) > 8, "or nothing is tested"
    assert np.subtract(told["after"][env], told["before"][env]) == pytest.approx(expected, abs=1.5)
    assert told["after"][3] == told["before"][3]


def test_camera_on_the_hand_is_turned_there_and_goes_along(facts):
    assert facts["cameras"]["wrist"] == {"turned": True, "goes_along": True}


def test_longer_lens_shows_all_farther_from_the_middle(facts):
    told, middle = facts["cameras"], geometry.IMAGE_SIZE / 2
    for before, zoomed in zip(told["before"], told["zoomed"], strict=True):
        assert zoomed == pytest.approx(middle + 1.25 * (np.array(before) - middle), abs=1.5)
    assert told["lens_is_back"]


def linear(levels):
    return ((np.array(levels) / 255 + 0.055) / 1.055) ** 2.4


@pytest.mark.parametrize("part", ["table", "floor"])
def test_light_multiplies_what_is_lit_by_two_to_the_stops_and_tints_it(facts, part):
    lit, plain = (linear(facts["looks"][name][part]["mean"]) for name in ("light", "plain"))
    ratio = lit / plain
    assert ratio[0] == pytest.approx([0.5] * 3, rel=0.05)
    assert ratio[1] == pytest.approx([0.25] * 3, rel=0.05)
    assert ratio[2] == pytest.approx([0.5 * 1.3, 0.5, 0.5 * 0.7], rel=0.05)
    assert ratio[3].tolist() == [1] * 3
    assert facts["looks"]["light"]["sky"] == facts["looks"]["plain"]["sky"], "nothing is there to be lit"


def test_background_is_painted_by_the_share_and_nothing_else_is(facts):
    painted, plain = facts["looks"]["background"], facts["looks"]["plain"]
    green = [channel[1] - channel[0] for channel in painted["floor"]["mean"]]
    assert green[0] > 1.5 * green[1] > 100
    assert painted["floor"]["mean"][2:] == plain["floor"]["mean"][2:]
    assert (painted["table"], painted["sky"]) == (plain["table"], plain["sky"])
    assert painted["cubes"][1:] == plain["cubes"][1:]


def test_texture_gives_the_table_alone_a_pattern_of_the_contrast(facts):
    patterned, plain = facts["looks"]["texture"], facts["looks"]["plain"]
    deviation = patterned["table"]["deviation"]
    assert deviation[0] == pytest.approx(2 * deviation[1], rel=0.05)
    assert deviation[1] > 30
    assert deviation[2:] == plain["table"]["deviation"][2:]
    assert (patterned["floor"], patterned["cubes"]) == (plain["floor"], plain["cubes"])


def test_object_of_another_colour_is_red_no_longer(facts):
    coloured, plain = facts["looks"]["object_colour"], facts["looks"]["plain"]
    assert coloured["cubes"] == [0, plain["cubes"][1], 0, plain["cubes"][3]]
    assert min(plain["cubes"]) > 100
    assert [coloured[part] for part in ("table", "floor", "sky")] == [plain[part] for part in ("table", "floor", "sky")]


def test_camera_in_mujocos_look_is_varied_as_the_others(facts):
    told, middle = facts["in_mujocos_look"], geometry.IMAGE_SIZE / 2
    assert told["shape"] == [4, *geometry.SCENE_CAMERA.image_size, 3]
    assert told["spot"] > 120, "or the lamp stands somewhere else"
    assert told["elsewhere"] < 1, "the lamp stands in each env"
    assert told["ratio"] == pytest.approx([0.5 ** (1 / 2.2), 1, 1, 1], abs=0.02)
    assert told["gone"]
    assert 0.5 < told["distance"] < 1.5
    for before, zoomed in zip(told["cube"], told["zoomed"], strict=True):
        assert zoomed == pytest.approx(middle + 1.25 * (np.array(before) - middle), abs=1.5)


def test_object_begins_as_far_from_where_the_task_puts_it_as_was_drawn(facts):
    moved = np.array(facts["starts"]["cube"])
    assert moved[0, :3] == pytest.approx([0.05, -0.03, 0], abs=1e-6)
    assert moved[1] == pytest.approx([-0.1, 0, 0, 0, 0, 0, 0], abs=1e-6)
    before, after = map(Rotation.from_quat, facts["starts"]["cube_quaternion"])
    assert (after * before.inv()).as_rotvec() == pytest.approx([0, 0, 0.4], abs=1e-5)
    assert not moved[2:].any()


def test_robot_begins_in_another_posture_within_the_share_of_each_joints_range(facts):
    starts = facts["starts"]
    shares = np.abs(starts["joints"]) / starts["ranges"]
    for env, spread in enumerate((0.1, 0.02, 0.0, 0.0)):
        assert shares[env].max() <= spread + 1e-6
        assert len({round(share, 4) for share in shares[env]}) > 5 or spread == 0, "each joint its own way"
    assert shares[0].max() > 0.05
    assert starts["target"] == 0, "and is not driven back"


def test_pushed_cube_slides_farther_the_less_friction_there_is(facts):
    expected = [0.8**2 / (2 * FREE_FALL * friction) for friction in (0.25, 0.5, 1.0, 1.0)]
    assert facts["matter"]["slid"] == pytest.approx(expected, rel=0.08)
    assert facts["matter"]["slid_after"] == [facts["matter"]["slid"][3]] * 4, "as ever, bit for bit"


def test_pulled_cube_rises_by_its_mass(facts):
    usual, heavy, light, own = facts["matter"]["rose"]
    expected = [0.5 * (1.5 / mass - FREE_FALL) * (4 / 30) ** 2 for mass in (0.1, 0.05)]
    assert [usual, light] == pytest.approx(expected, rel=0.08)
    assert abs(heavy) < 1e-3, "1.5 N do not lift 200 g"
    assert own == usual


def test_distractors_lie_apart_from_the_object_and_do_not_touch_it(facts):
    clutter = facts["clutter"]
    assert min(clutter["distances"]) > 0.1199
    assert max(clutter["distances"]) > 0.3
    assert clutter["heights"][0] == pytest.approx([0.025] * 6)
    assert max(clutter["heights"][1]) < -10, "none where none were drawn"
    assert clutter["cube_moves_as_before"]


def test_parts_that_the_started_scene_has_not_are_refused_by_name(facts):
    told = facts["refused"]
    assert "no part 'grund'. Did you mean 'ground'?" in told["part"]
    assert "'light' has no shape in each env" in told["light"]
    assert "no 'front' of that kind. It has: scene_camera, mujoco_camera, wrist_camera" in told["camera"]
