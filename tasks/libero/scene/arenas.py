"""What LIBERO's Python adds to its arenas, by kind of problem: table, robot, cameras, pictures; ``arena_of``."""

from collections.abc import Mapping
from dataclasses import dataclass

from groot_wrappers.errors import did_you_mean
from tasks.assets.cache import AssetError

__all__ = ["Arena", "Table", "View", "arena_of"]

Triple = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]


@dataclass(frozen=True)
class View:
    """Where a camera stands: position, m, and quaternion w, x, y, z."""

    position: Triple
    quaternion: Quaternion


@dataclass(frozen=True)
class Table:
    """A table whose size LIBERO sets: full size, centre of its top, and friction (sliding, torsional, rolling)."""

    size: Triple
    top: Triple
    friction: Triple


@dataclass(frozen=True)
class Arena:
    """An arena.

    Attributes:
        scene: Its model, a file of ``scenes/``.
        floor, wall: Pictures, files of ``textures/``.
        workspace: The name of what regions lie on, in the BDDL and in the model.
        offset: Of the workspace's middle, m.
        fixture_height: Of a fixture's bottom above that, m.
        region_offset: Of regions in the frame of the workspace's body, m.
        table: Its size, where LIBERO sets it.
        robot: Where the robot's base would stand without a mount, m.
        is_mounted: Whether the robot stands on a mount, or on the floor or table.
        cameras: By name.
    """

    scene: str
    floor: str
    wall: str
    workspace: tuple[str, str]
    offset: Triple
    fixture_height: float
    region_offset: Triple
    table: Table | None
    robot: Triple
    is_mounted: bool
    cameras: Mapping[str, View]


_ABOVE: Quaternion = (0.6380177736282349, 0.3048497438430786, 0.30484986305236816, 0.6380177736282349)
_ASLANT: Quaternion = (0.6182166934013367, 0.3432307541370392, 0.3432314395904541, 0.6182177066802979)
_UPRIGHT: Quaternion = (0.56, 0.43, 0.43, 0.56)
_PAPER: Quaternion = (0.513, 0.353, 0.443, 0.645)
_GALLERY = View(
    (2.844547668904445, 2.1279684793440667, 3.128616846013882),
    (0.42261379957199097, 0.23374411463737488, 0.41646939516067505, 0.7702690958976746),
)
_TABLE_SIZE: Triple = (1.0, 1.2, 0.05)
_LOW_TABLE = 0.024
"""Thickness of the living room's, m."""
_GAP = 0.01
"""Between a fixture and what it stands on, as LIBERO's placing has it, m."""

_ARENAS = {
    "libero_tabletop_manipulation": Arena(
        scene="libero_tabletop_base_style.xml",
        floor="light-gray-floor-tile.png",
        wall="light-gray-plaster.png",
        workspace=("main_table", "table"),
        offset=(0.0, 0.0, 0.90),
        fixture_height=_GAP - _TABLE_SIZE[2],
        region_offset=(0.0, 0.0, 0.02),
        table=Table(_TABLE_SIZE, (0.0, 0.0, 0.90), (0.6, 0.005, 0.0001)),
        robot=(-0.66, 0.0, 0.0),
        is_mounted=True,
        cameras={
            "agentview": View((0.6586131746834771, 0.0, 1.6103500240372423), _ABOVE),
            "frontview": View((1.0, 0.0, 1.48), _UPRIGHT),
            "galleryview": _GALLERY,
        },
    ),
    "libero_kitchen_tabletop_manipulation": Arena(
        scene="libero_kitchen_tabletop_base_style.xml",
        floor="gray_ceramic_tile.png",
        wall="yellow_linen_wall_texture.png",
        workspace=("kitchen_table", "table"),
        offset=(0.0, 0.0, 0.90),
        fixture_height=_GAP - _TABLE_SIZE[2],
        region_offset=(0.0, 0.0, 0.0),
        table=Table(_TABLE_SIZE, (0.0, 0.0, 0.90), (1.0, 0.005, 0.0001)),
        robot=(-0.66, 0.0, 0.0),
        is_mounted=True,
        cameras={
            "agentview": View((0.6586131746834771, 0.0, 1.6103500240372423), _ABOVE),
            "frontview": View((1.0, 0.0, 1.48), _UPRIGHT),
            "galleryview": _GALLERY,
            "paperview": View((2.1, 0.535, 2.075), _PAPER),
        },
    ),
    "libero_living_room_tabletop_manipulation": Arena(
        scene="libero_living_room_tabletop_base_style.xml",
        floor="seamless_wood_planks_floor.png",
        wall="light-gray-plaster.png",
        workspace=("living_room_table", "living_room_table"),
        offset=(0.0, 0.0, 0.41),
        fixture_height=_GAP - _LOW_TABLE,
        region_offset=(0.0, 0.0, 0.41),
        table=None,
        robot=(-0.51, 0.0, 0.42),
        is_mounted=False,
        cameras={
            "agentview": View((0.6065773716836134, 0.0, 0.96), _ASLANT),
            "frontview": View((1.5, 0.0, 0.9), _UPRIGHT),
            "galleryview": _GALLERY,
            "paperview": View((2.1, 0.735, 1.875), _PAPER),
        },
    ),
    "libero_study_tabletop_manipulation": Arena(
        scene="libero_study_base_style.xml",
        floor="light-gray-floor-tile.png",
        wall="light-gray-plaster.png",
        workspace=("study_table", "study_table"),
        offset=(-0.2, 0.0, 0.867),
        fixture_height=_GAP - _TABLE_SIZE[2],
        region_offset=(-0.2, 0.0, 0.867),
        table=None,
        robot=(-0.75, 0.0, 0.0),
        is_mounted=True,
        cameras={
            "agentview": View((0.4586131746834771, 0.0, 1.6103500240372423), _ABOVE),
            "frontview": View((1.0, 0.0, 1.48), _UPRIGHT),
            "galleryview": _GALLERY,
            "paperview": View((2.1, 0.535, 2.075), _PAPER),
        },
    ),
    "libero_floor_manipulation": Arena(
        scene="libero_floor_base_style.xml",
        floor="light-gray-floor-tile.png",
        wall="light-gray-plaster.png",
        workspace=("floor", "floor"),
        offset=(0.0, 0.0, -0.035),
        fixture_height=-0.025,
        region_offset=(0.0, 0.0, 0.02),
        table=None,
        robot=(-0.6, 0.0, 0.0),
        is_mounted=False,
        cameras={
            "agentview": View((0.8965773716836134, 5.216182733499864e-07, 0.65), _ASLANT),
            "frontview": View((1.0, 0.0, 0.65), _UPRIGHT),
            "galleryview": _GALLERY,
        },
    ),
}


def arena_of(kind: str) -> Arena:
    """Return the arena of a kind of problem, as the BDDL names it.

    Raises:
        AssetError: LIBERO's five suites have no such kind.
    """
    if kind not in _ARENAS:
        raise AssetError(
            f"There is no scene for a problem of the kind {kind!r}, only for {', '.join(_ARENAS)}."
            f"{did_you_mean(kind, _ARENAS)}"
        )
    return _ARENAS[kind]
