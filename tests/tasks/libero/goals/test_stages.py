"""Stages of LIBERO's goals, on numbers made by hand."""

import numpy as np
import pytest

from tasks.libero.goals.contacts import LEFT_FINGER, RIGHT_FINGER
from tasks.libero.goals.predicates import InRegion, Joints, OnThing, Region
from tasks.libero.goals.stages import Level, Levels, stages_of_goal
from tasks.libero.suites.bddl import Predicate
from tests.tasks.libero.goals.test_predicates import Moment

pytestmark = pytest.mark.isaaclab

PLACED = OnThing("bowl", "plate")
BOX = InRegion("can", Region("box_in", "box", None, np.array([1.0, 0.0, 0.0]), np.eye(3), np.array([0.1, 0.1, 0.05])))
CLOSED = Joints("cabinet", ("level",), ">", 0.0, one=False)
FINGERS = [(LEFT_FINGER, "bowl"), (RIGHT_FINGER, "bowl")]


class Film:
    """Levels of one env, moment by moment."""

    def __init__(self, *tests):
        self.now = Moment(
            bowl=[[0.0, 0.0, 0.0]], plate=[[0.3, 0.0, 0.0]], can=[[0.0, 0.5, 0.0]], joints={"level": [-0.1]}
        )
        self.levels = Levels(tests, self.now, 1, "cpu")

    def look(self, touching=(), joint=-0.1, **positions):
        self.now.positions |= {name: [list(place)] for name, place in positions.items()}
        self.now.joints["level"] = [joint]
        self.now.touched = {frozenset(pair) for pair in touching}
        return self.levels.look()[0].tolist()


def test_a_thing_is_reached_grasped_lifted_over_its_place_and_put_there():
    film = Film(PLACED)
    assert film.look(FINGERS) == [0], "contacts at a start are those from before it"
    assert film.look() == [0]
    assert film.look(FINGERS[:1]) == [Level.REACHED]
    assert film.look(FINGERS) == [Level.HELD]
    assert film.look(FINGERS, bowl=(0.0, 0.0, 0.02)) == [Level.HELD]
    assert film.look(FINGERS, bowl=(0.0, 0.0, 0.04)) == [Level.LIFTED]
    assert film.look(FINGERS, bowl=(0.3, 0.0, 0.1)) == [Level.OVER]
    assert film.look(bowl=(0.3, 0.0, 0.01)) == [Level.OVER]
    assert film.look([("bowl", "plate")]) == [Level.DONE]


def test_what_was_reached_stays_so_until_an_episode_begins():
    film = Film(PLACED)
    film.look()
    assert film.look(FINGERS) == [Level.HELD]
    assert film.look() == [Level.HELD]
    film.levels.begin(None)
    assert film.look() == [0]


def test_a_lift_is_above_where_the_episode_began():
    film = Film(PLACED)
    film.look(bowl=(0.0, 0.0, 0.2))
    assert film.look(FINGERS, bowl=(0.0, 0.0, 0.22)) == [Level.HELD]
    assert film.look(FINGERS, bowl=(0.0, 0.0, 0.24)) == [Level.LIFTED]


def test_joints_have_moved_by_a_third_of_their_way():
    film = Film(CLOSED)
    film.look()
    assert film.look([(LEFT_FINGER, "cabinet")]) == [Level.REACHED]
    assert film.look(joint=-0.07) == [Level.REACHED]
    assert film.look(joint=-0.06) == [Level.HELD]
    assert film.look(joint=0.001) == [Level.DONE]


def test_the_furthest_predicate_comes_first():
    film = Film(PLACED, BOX)
    film.look()
    assert film.look([(LEFT_FINGER, "can")]) == [Level.REACHED, 0]
    assert film.look(FINGERS) == [Level.HELD, Level.REACHED]
    assert film.look(can=(1.0, 0.0, 0.0)) == [Level.DONE, Level.HELD]


def test_a_held_thing_high_over_a_region_is_over_it():
    film = Film(BOX)
    film.look()
    fingers = [(LEFT_FINGER, "can"), (RIGHT_FINGER, "can")]
    assert film.look(fingers, can=(1.0, 0.0, 0.4)) == [Level.LIFTED]
    assert film.look(fingers, can=(1.0, 0.0, 0.3)) == [Level.OVER]


@pytest.mark.parametrize(
    ("goal", "names"),
    [
        (["in"], ["reached", "grasped", "lifted", "over_target", "placed"]),
        (["turnon"], ["reached", "moved", "turned_on"]),
        (["close", "in"], [f"{rank}_{what}" for rank in ("first", "second") for what in ("reached", "held", "done")]),
    ],
)
def test_stages_are_named_after_the_goal(goal, names):
    stages = stages_of_goal(tuple(Predicate(name, ("a", "b")) for name in goal))
    assert list(stages) == names
    assert list(stages.values()) == sorted(stages.values())
