"""LIBERO's predicates on numbers made by hand."""

import mujoco
import numpy as np
import pytest
import torch

from groot_wrappers.errors import ContractError
from tasks.libero.goals.predicates import InRegion, Joints, OnRegion, OnThing, Region, goal_tests, predicate_test
from tasks.libero.suites.bddl import Predicate, read_bddl
from tests.tasks.libero.tiny.data import BDDL

pytestmark = pytest.mark.isaaclab

SCENE = """
<mujoco>
  <worldbody>
    <body name="bowl_1_main"><freejoint/><geom size="0.01"/></body>
    <body name="plate_1_main"><freejoint/><geom size="0.01"/></body>
    <body name="wooden_cabinet_1_main" pos="0.1 0 1" quat="0 0 0 1">
      <body name="frame" pos="0 0 0.1">
        <body name="drawer" pos="0 0.05 0">
          <joint name="level" type="slide" axis="0 1 0"/>
          <geom size="0.01"/>
          <site name="wooden_cabinet_1_middle_region" type="box" size="0.08 0.06 0.03" pos="0.01 0 0"/>
        </body>
        <site name="wooden_cabinet_1_top_side" type="box" size="0.1 0.1 0.01" pos="0 0 0.2"/>
      </body>
    </body>
    <site name="main_table_plate_region" type="box" size="0.01 0.01 0.007" pos="0.05 0.15 0.92"/>
  </worldbody>
</mujoco>
"""


class Moment:
    """Poses, joints and contacts as they are said."""

    def __init__(self, joints=None, touching=(), **positions):
        self.positions, self.joints, self.touched = positions, joints or {}, {frozenset(pair) for pair in touching}
        self.turns = {}

    def pose(self, body):
        position = torch.tensor(self.positions[body.removesuffix("_main")])
        turn = torch.tensor(self.turns.get(body, np.eye(3)), dtype=torch.float32)
        return position, turn.expand(len(position), 3, 3)

    def joint(self, name):
        return torch.tensor(self.joints[name])

    def touching(self, first, second):
        count = len(next(iter(self.positions.values())))
        return torch.full((count,), frozenset((first, second)) in self.touched)


@pytest.fixture
def problem(tmp_path):
    (tmp_path / "task.bddl").write_text(
        BDDL.replace("(middle_region", "(top_side (:target wooden_cabinet_1)) (middle_region")
    )
    return read_bddl(tmp_path / "task.bddl")


@pytest.fixture
def model():
    return mujoco.MjModel.from_xml_string(SCENE)


def test_on_a_thing_is_above_near_its_axis_and_in_contact():
    bowls = [[0.0, 0.0, 0.1], [0.029, 0.0, 0.1], [0.031, 0.0, 0.1], [0.0, 0.0, -0.01]]
    plates = [[0.0, 0.0, 0.0]] * 4
    test = OnThing("bowl_1", "plate_1")
    touching = Moment(bowl_1=bowls, plate_1=plates, touching=[("plate_1", "bowl_1")])
    assert test(touching).tolist() == [True, True, False, False]
    assert not test(Moment(bowl_1=bowls, plate_1=plates)).any()


def test_on_a_region_is_over_it_within_a_hand_and_in_contact():
    region = Region("shelf_top", "shelf", None, np.zeros(3), np.eye(3), np.array([0.1, 0.05, 0.01]))
    things = [
        [0.0, 0.0, 0.02],
        [0.0, 0.0, 0.006],
        [0.0, 0.0, 0.004],
        [0.0, 0.0, 0.111],
        [0.09, 0.0, 0.02],
        [0.0, 0.06, 0.02],
    ]
    test = OnRegion("cup", region)
    moment = Moment(cup=things, touching=[("shelf", "cup")])
    assert test(moment).tolist() == [True, True, False, False, True, False]
    assert not test(Moment(cup=things)).any()


def test_on_a_place_of_the_table_needs_no_contact():
    region = Region("table_place", None, None, np.zeros(3), np.eye(3), np.array([0.1, 0.05, 0.01]))
    assert OnRegion("cup", region)(Moment(cup=[[0.0, 0.0, 0.02]])).tolist() == [True]


def test_in_a_region_is_in_its_box_or_a_centimetre_below():
    region = Region("basket_in", "basket", None, np.zeros(3), np.eye(3), np.array([0.1, 0.05, 0.02]))
    things = [
        [0.0, 0.0, 0.0],
        [0.0, 0.0, 0.019],
        [0.0, 0.0, 0.021],
        [0.0, 0.0, -0.029],
        [0.0, 0.0, -0.031],
        [0.0, 0.051, 0.0],
    ]
    assert InRegion("cup", region)(Moment(cup=things)).tolist() == [True, True, False, True, False, False]


def test_a_region_turns_with_what_carries_it():
    """A quarter about z: what was long in x is long in y."""
    region = Region("basket_in", "basket", "basket_main", np.zeros(3), np.eye(3), np.array([0.1, 0.05, 0.02]))
    moment = Moment(cup=[[1.0, 0.09, 0.0], [1.09, 0.0, 0.0]], basket=[[1.0, 0.0, 0.0]] * 2)
    moment.turns["basket_main"] = [[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    assert InRegion("cup", region)(moment).tolist() == [True, False]
    moment.turns.clear()
    assert InRegion("cup", region)(moment).tolist() == [False, True]


@pytest.mark.parametrize(
    ("compare", "limit", "one", "expected"),
    [
        ("<", 0.5, True, [True, True, False]),
        ("<", 0.5, False, [True, False, False]),
        (">", 0.5, False, [False, False, False]),
        (">=", 0.5, False, [False, False, True]),
    ],
)
def test_joints_are_beyond_a_limit(compare, limit, one, expected):
    moment = Moment(joints={"a": [0.4, 0.4, 0.5], "b": [0.4, 0.6, 0.5]})
    assert Joints("stove", ("a", "b"), compare, limit, one)(moment).tolist() == expected


def test_a_region_is_placed_by_the_nearest_body_that_moves(problem, model):
    inside = predicate_test(Predicate("in", ("bowl_1", "wooden_cabinet_1_middle_region")), problem, model).region
    assert (inside.body, inside.owner) == ("drawer", "wooden_cabinet_1")
    assert inside.position.tolist() == [0.01, 0.0, 0.0]
    side = predicate_test(Predicate("on", ("bowl_1", "wooden_cabinet_1_top_side")), problem, model).region
    assert side.body is None
    assert side.position == pytest.approx([0.1, 0.0, 1.3])
    assert side.rotation == pytest.approx(np.diag([-1.0, -1.0, 1.0]))
    place = predicate_test(Predicate("on", ("bowl_1", "main_table_plate_region")), problem, model).region
    assert (place.body, place.owner) == (None, None)


def test_the_goal_is_its_predicates_in_order(problem, model):
    placed, closed = goal_tests(problem, model)
    assert placed == OnThing("bowl_1", "plate_1")
    assert closed == Joints("wooden_cabinet_1", ("level",), ">", 0.0, one=False)
    assert closed(Moment(joints={"level": [0.001, -0.001]})).tolist() == [True, False]


def test_the_way_that_a_joint_has_left_ends_at_its_limit():
    opened = Joints("cabinet", ("level",), "<", -0.14, one=True)
    assert opened.way(Moment(joints={"level": [0.0, -0.15]})).tolist() == pytest.approx([0.14, 0.0])


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("in", ("bowl_1", "plate_1"), "plate_1 is no region"),
        ("on", ("wooden_cabinet_1", "plate_1"), "wooden_cabinet_1 is no object"),
        ("turnon", ("wooden_cabinet_1_middle_region",), "about wooden_cabinet"),
        ("on", ("bowl_1", "main_table_bowl_region"), "no site 'main_table_bowl_region'"),
    ],
)
def test_what_liberos_classes_do_not_decide_is_refused(problem, model, name, arguments, message):
    with pytest.raises(ContractError, match=message):
        predicate_test(Predicate(name, arguments), problem, model)
