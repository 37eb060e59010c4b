"""The scripted expert without a simulator: what it sees, where it sends hand and fingers, and that it forgets."""

import numpy as np
import pytest

from groot_wrappers.errors import ContractError
from groot_wrappers.observation_checks import check_action
from tasks.assets.steering_wheel import CAP_HEIGHT, CAP_RADIUS
from tasks.pick_place_gr1t2 import geometry
from tasks.pick_place_gr1t2.expert.hand_plan import HAND_ROTATION, HORIZON
from tasks.pick_place_gr1t2.expert.joint_expert import PickPlaceExpert
from tasks.pick_place_gr1t2.expert.kinematics import RightArm
from tasks.pick_place_gr1t2.expert.perception import find_cap

STILL = {
    "left_arm": geometry.START_ARM,
    "right_arm": geometry.START_ARM,
    "left_hand": (0.0,) * 6,
    "right_hand": (0.0,) * 6,
    "waist": (0.0,) * 3,
}


@pytest.fixture(scope="module")
def arm():
    return RightArm()


@pytest.fixture(scope="module")
def expert():
    return PickPlaceExpert()


@pytest.fixture(scope="module")
def eyes(arm):
    _, head = arm.poses(np.zeros(3), np.array(geometry.START_ARM))
    return geometry.EYES.carried_by(head)


def picture(eyes, cap):
    """Paint the cap of a wheel at ``cap`` (x, y, z of its middle) into an empty picture."""
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    ring = np.stack([np.cos(angles), np.sin(angles), np.zeros_like(angles)], axis=1) * CAP_RADIUS
    corners = eyes.project(np.asarray(cap) + ring)
    v, u = np.indices((geometry.IMAGE_SIZE, geometry.IMAGE_SIZE)) + 0.5
    edges = np.roll(corners, -1, axis=0) - corners
    inside = edges[:, 1] * (u[..., None] - corners[:, 0]) - edges[:, 0] * (v[..., None] - corners[:, 1]) >= 0
    image = np.full((geometry.IMAGE_SIZE, geometry.IMAGE_SIZE, 3), 120, np.uint8)
    image[inside.all(axis=-1)] = (190, 20, 15)
    return image


def standing(x, y):
    return (x, y, geometry.TABLE_HEIGHT + CAP_HEIGHT)


def observation(*pictures, **states):
    batch = len(pictures)
    return {
        "video": {"ego_view": np.stack(pictures)[:, None]},
        "state": {
            key: np.tile(np.asarray(value, np.float32), (batch, 1, 1)) for key, value in (STILL | states).items()
        },
        "language": {"task": [["pick up the steering wheel"]] * batch},
    }


def reach(arm, position):
    """Return arm angles with the grasping hand at a position."""
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = HAND_ROTATION, position
    return arm.follow(np.zeros(3), np.array(geometry.START_ARM), [pose] * 30)[-1]


def hand_way(arm, action):
    return np.array([arm.poses(np.zeros(3), joints.astype(float))[0][:3, 3] for joints in action["right_arm"][0]])


@pytest.mark.parametrize("x", [0.05, 0.15, 0.40])
@pytest.mark.parametrize("y", [0.41, 0.51])
def test_cap_is_found_where_it_is(eyes, x, y):
    seen = eyes.point_at_height(find_cap(picture(eyes, standing(x, y))), geometry.TABLE_HEIGHT + CAP_HEIGHT)
    assert seen[:2] == pytest.approx([x, y], abs=0.004)


def test_nothing_red_is_no_cap():
    assert find_cap(np.full((256, 256, 3), 128, np.uint8)) is None


def test_eyes_turn_with_the_waist(arm, eyes):
    _, head = arm.poses(np.array([0.3, 0.0, 0.0]), np.array(geometry.START_ARM))
    point = np.array(standing(0.1, 0.46))
    assert np.linalg.norm(geometry.EYES.carried_by(head).project(point) - eyes.project(point)) > 20


@pytest.mark.parametrize("x", [0.05, 0.15, 0.40])
@pytest.mark.parametrize("y", [0.41, 0.51])
@pytest.mark.parametrize("z", [1.09, 1.23])
def test_grasping_hand_reaches_every_start_and_the_zone(arm, x, y, z):
    wanted = np.array([x, y - 0.227, z])
    pose, _ = arm.poses(np.zeros(3), reach(arm, wanted))
    assert pose[:3, 3] == pytest.approx(wanted, abs=0.002)
    assert pose[:3, :3] == pytest.approx(HAND_ROTATION, abs=0.01)


def test_action_is_what_the_modality_promises(expert, eyes):
    action, _ = expert.get_action(observation(*[picture(eyes, standing(0.1, 0.46))] * 2))
    check_action(action, expert.get_modality_config(), 2)
    assert action["right_arm"].shape == (2, HORIZON, 7)
    assert not action["waist"].any()
    assert (action["left_arm"] == np.float32(geometry.START_ARM)).all()


def test_hand_goes_to_the_wheel_first(expert, eyes, arm):
    start = arm.poses(np.zeros(3), np.array(geometry.START_ARM))[0][:3, 3]
    for x in (0.05, 0.15):
        action, _ = expert.get_action(observation(picture(eyes, standing(x, 0.46))))
        target = np.array([x, 0.46 - 0.227])
        end = hand_way(arm, action)[-1]
        assert np.linalg.norm(end[:2] - target) < 0.3 * np.linalg.norm(start[:2] - target)
        assert not action["right_hand"].any()


def test_fingers_curl_once_they_lie_over_the_rim(expert, eyes, arm):
    over_rim = reach(arm, [0.1, 0.46 - 0.227, 1.09])
    action, _ = expert.get_action(observation(picture(eyes, standing(0.1, 0.46)), right_arm=over_rim))
    assert (np.diff(action["right_hand"][0, :, 0]) >= 0).all()
    assert action["right_hand"][0, -1, 0] == pytest.approx(1.5, abs=0.01)


def test_held_wheel_is_lifted_but_one_left_behind_is_not(expert, eyes, arm):
    hand = np.array([0.1, 0.24, 1.12])
    state = {"right_arm": reach(arm, hand), "right_hand": [1.35, 1.35, 1.35, 1.35, 1.5, 0.9]}
    held, _ = expert.get_action(observation(picture(eyes, hand + np.array([0, 0.178, -0.07])), **state))
    assert hand_way(arm, held)[-1, 2] > hand[2] + 0.04
    assert held["right_hand"][0, :, :4] == pytest.approx(1.5)
    left, _ = expert.get_action(observation(picture(eyes, standing(0.0, 0.5)), **state))
    assert left["right_hand"][0, -1, 0] < 0.5


def test_closed_hand_that_hides_the_cap_carries_on(expert, arm):
    """A wheel that has swung about the fingers is seen from its edge."""
    hand = np.array([0.2, 0.24, 1.23])
    state = {"right_arm": reach(arm, hand), "right_hand": [1.35, 1.35, 1.35, 1.35, 1.5, 0.9]}
    nothing_red = np.full((256, 256, 3), 128, np.uint8)
    action, _ = expert.get_action(observation(nothing_red, **state))
    assert hand_way(arm, action)[-1, 0] > hand[0] + 0.08, "on to the zone"
    assert action["right_hand"][0, :, :4] == pytest.approx(1.5)


def test_wheel_over_the_zone_is_let_go_and_left(expert, eyes, arm):
    hand = np.array([geometry.ZONE_CENTRE[0], geometry.ZONE_CENTRE[1] - 0.19, 1.10])
    state = {"right_arm": reach(arm, hand), "right_hand": [1.35, 1.35, 1.35, 1.35, 1.5, 0.9]}
    action, _ = expert.get_action(observation(picture(eyes, standing(*geometry.ZONE_CENTRE)), **state))
    assert action["right_hand"][0, -1, 0] < 0.2
    assert hand_way(arm, action)[-1, 2] > hand[2]


def test_robot_holds_still_where_it_sees_no_wheel(expert):
    action, _ = expert.get_action(observation(np.full((256, 256, 3), 128, np.uint8)))
    for key, values in STILL.items():
        assert action[key][0] == pytest.approx(np.tile(values, (HORIZON, 1)))


def test_rows_do_not_depend_on_each_other_or_on_the_past(expert, eyes):
    pictures = [picture(eyes, standing(x, 0.45)) for x in (0.06, 0.1, 0.14)]
    together, _ = expert.get_action(observation(*pictures))
    for row in (2, 0, 1):
        alone, _ = expert.get_action(observation(pictures[row]))
        for key, values in alone.items():
            assert (values[0] == together[key][row]).all(), key


def test_arm_beyond_its_limits_is_no_error(expert, eyes):
    beyond = np.array([0.0, 0.01, 0.0, 0.02, 0.0, 1.52, 0.0])
    action, _ = expert.get_action(observation(picture(eyes, standing(0.1, 0.46)), right_arm=beyond))
    assert np.isfinite(action["right_arm"]).all()


def test_observation_without_the_ego_view_is_refused(expert, eyes):
    wrong = observation(picture(eyes, standing(0.1, 0.46)))
    wrong["video"] = {"front": wrong["video"]["ego_view"]}
    with pytest.raises(ContractError, match="ego_view"):
        expert.get_action(wrong)
