"""Which things touch, of contacts as MuJoCo-Warp keeps them."""

from types import SimpleNamespace

import numpy as np
import pytest
import warp as wp

from tasks.libero.goals.contacts import Contacts, things_of_shapes

pytestmark = pytest.mark.isaaclab

wp.init()  # here, as it starts a process to learn of the machine

OWNERS = [None, "bowl", "bowl", "plate", "stove"]
PAIRS = [("bowl", "plate"), ("stove", "bowl"), ("plate", "bowl")]


def data(contacts, worlds=2, room=6):
    """Contacts (world, geom, geom, distance); what is behind them is left over from before."""
    rows = [*contacts, *[(0, 1, 3, -0.001)] * (room - len(contacts))]
    world, first, second, distance = zip(*rows, strict=True)
    return SimpleNamespace(
        nworld=worlds,
        nacon=wp.array([len(contacts)], dtype=wp.int32, device="cpu"),
        contact=SimpleNamespace(
            geom=wp.array(np.stack([first, second], axis=1), dtype=wp.vec2i, device="cpu"),
            dist=wp.array(distance, dtype=wp.float32, device="cpu"),
            worldid=wp.array(world, dtype=wp.int32, device="cpu"),
        ),
    )


def touching(contacts, first, second):
    found = Contacts(data(contacts), OWNERS, PAIRS)
    return found.touching()[:, found.column(first, second)].tolist()


@pytest.mark.parametrize(
    ("contacts", "expected"),
    [
        ([], [False, False]),
        ([(1, 2, 3, -0.001)], [False, True]),
        ([(0, 3, 1, 0.0), (1, 3, 2, 0.005)], [True, False]),
        ([(0, 1, 2, -0.001), (0, 0, 3, -0.001), (0, 1, 4, -0.001)], [False, False]),
        ([(0, -1, 3, -0.001)], [False, False]),
    ],
)
def test_those_touch_whose_shapes_are_not_apart(contacts, expected):
    assert touching(contacts, "bowl", "plate") == expected
    assert touching(contacts, "plate", "bowl") == expected


def test_each_pair_has_its_own_column():
    assert touching([(1, 4, 1, -0.001)], "bowl", "stove") == [False, True]
    assert touching([(1, 4, 1, -0.001)], "bowl", "plate") == [False, False]


def test_a_thing_without_a_shape_is_refused():
    with pytest.raises(ValueError, match="cup has no shape"):
        Contacts(data([]), OWNERS, [("cup", "bowl")])


def test_a_shape_belongs_to_the_thing_whose_body_is_in_its_path():
    labels = ["/W/env_0/plate_1_main/g1", "/W/env_0/arena/rack_1_main/g2", "/W/env_0/plate_10_main/g3", ""]
    assert things_of_shapes(labels, ["plate_1", "rack_1"]) == ["plate_1", "rack_1", None, None]
