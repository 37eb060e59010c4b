"""A tiny LIBERO of our own making: the folder that ``LIBERO_ASSETS`` names, with boxes for models, and one task.

A bowl, a plate, a stove and a cabinet of one drawer on a table: the bowl has to be on the plate, and the drawer closed.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from tasks.libero.suites.suites import HORIZONS
from tasks.libero.suites.wheels import WHEELS

__all__ = ["SUITE", "write_tiny_libero"]

SUITE = "libero_goal"
NAME = "put_the_bowl_on_the_plate_and_close_the_drawer"

ARENA = """
<mujoco model="arena">
  <asset>
    <texture file="../textures/tile.png" type="2d" name="texplane"/>
    <texture file="../textures/tile.png" type="2d" name="tex-wall"/>
    <texture file="../textures/tile.png" type="cube" name="tex-table"/>
    <material name="floor" texture="texplane" texrepeat="3 3" texuniform="true"/>
    <material name="wall" texture="tex-wall" texrepeat="3 3" texuniform="true"/>
    <material name="wood" texture="tex-table" specular="0.2" shininess="0"/>
  </asset>
  <worldbody>
    <geom name="floor" type="plane" size="3 3 .125" group="1" condim="3" material="floor"/>
    <geom name="wall" type="box" size="1.5 1.5 0.01" pos="-2 0 1.5" quat="0.5 0.5 0.5 0.5" group="1" contype="0"
          conaffinity="0" material="wall"/>
    <body name="table">
      <geom name="table_collision" type="box" size="0.4 0.4 0.4" group="0"/>
      <geom name="table_visual" type="box" size="0.4 0.4 0.4" group="1" contype="0" conaffinity="0" material="wood"/>
      <site name="table_top" size="0.001" rgba="0 0 0 0"/>
      LEGS
    </body>
    <light name="light1" pos="1 1 4" dir="0 -.15 -1" diffuse=".8 .8 .8" castshadow="false"/>
  </worldbody>
</mujoco>
"""

LEG = (
    '<geom name="table_leg{}_visual" type="cylinder" size="0.05 0.1" group="1" contype="0" conaffinity="0" '
    'material="wood"/>'
)

THING = """
<mujoco model="thing">
  <worldbody>
    <body>
      <body name="object">
        PARTS
      </body>
      <site name="bottom_site" pos="0 0 BOTTOM" size="0.005" rgba="0 0 0 0"/>
      <site name="top_site" pos="0 0 0.04" size="0.005" rgba="0 0 0 0"/>
      <site name="horizontal_radius_site" pos="0.02 0.02 0" size="0.005" rgba="0 0 0 0"/>
    </body>
  </worldbody>
</mujoco>
"""

DRAWER = """
<geom name="back" type="box" size="0.1 0.01 0.05" pos="0 0.1 0" group="0" density="500" contype="0"/>
<geom type="box" size="0.1 0.01 0.05" pos="0 0.1 0" group="1" contype="0" conaffinity="0" rgba="0.4 0.25 0.1 1"/>
<body name="drawer">
  <inertial pos="0 0 0" mass="0.3" diaginertia="0.001 0.001 0.001"/>
  <joint name="level" type="slide" axis="0 1 0" range="-0.16 0.01" damping="50"/>
  <geom type="box" size="0.08 0.08 0.005" pos="0 0 -0.03" group="0"/>
  <geom type="box" size="0.08 0.08 0.005" pos="0 0 -0.03" group="1" contype="0" conaffinity="0" rgba="0.6 0.4 0.2 1"/>
  <site name="middle_region" type="box" size="0.08 0.08 0.03" rgba="0 0 0 0"/>
</body>
"""

STOVE = """
<geom type="box" size="0.09 0.09 0.02" group="0" density="500"/>
<geom type="box" size="0.09 0.09 0.02" group="1" contype="0" conaffinity="0" rgba="0.8 0.8 0.8 1"/>
<site name="burner" type="cylinder" size="0.06 0.0005" pos="0 0 0.022" rgba="0.9 0.05 0.05 1"/>
<body name="knob">
  <inertial pos="0 0 0" mass="0.3" diaginertia="0.001 0.001 0.001"/>
  <joint name="button" type="hinge" axis="0 0 1" range="-0.005 2.1" damping="1"/>
</body>
"""

BDDL = """
(define (problem LIBERO_Tabletop_Manipulation)
  (:domain robosuite)
  (:language put the bowl on the plate and close the drawer)
  (:regions
    (bowl_region (:target main_table) (:ranges ((-0.11 -0.01 -0.09 0.01))))
    (plate_region (:target main_table) (:ranges ((0.04 0.14 0.06 0.16))))
    (cabinet_region (:target main_table) (:ranges ((-0.01 -0.31 0.01 -0.29))) (:yaw_rotation ((3.14159 3.14159))))
    (middle_region (:target wooden_cabinet_1)) (stove_region (:target main_table) (:ranges ((-0.31 0.29 -0.29 0.31)))))
  (:fixtures main_table - table wooden_cabinet_1 - wooden_cabinet flat_stove_1 - flat_stove)
  (:objects bowl_1 - bowl plate_1 - plate)
  (:obj_of_interest bowl_1 plate_1)
  (:init
    (On bowl_1 main_table_bowl_region)
    (On plate_1 main_table_plate_region)
    (On wooden_cabinet_1 main_table_cabinet_region) (On flat_stove_1 main_table_stove_region))
  (:goal (And (On bowl_1 plate_1) (Close wooden_cabinet_1_middle_region))))
"""

ARM = [0.0, -0.16, 0.0, -2.44, 0.0, 2.23, 0.785]
FINGERS = [0.0208, -0.0208]
BOWL, PLATE = (-0.1, 0.0, 0.96), (0.05, 0.15, 0.93)  # they hang above the table, whose top is at 0.90
OPEN, OFF = -0.1, 0.0  # of the drawer and of the stove's knob


def write_tiny_libero(folder: Path) -> None:
    """Fill a folder as ``make libero-assets`` fills one."""
    assets = folder / "assets"
    legs = "".join(LEG.format(number) for number in range(1, 5))
    _write(assets / "scenes" / "libero_tabletop_base_style.xml", ARENA.replace("LEGS", legs))
    bowl = _parts([((0.04, 0.04, 0.004), (0, 0, 0.004)), *_walls(0.04, 0.02)], "0.2 0.2 0.8")
    plate = _parts([((0.07, 0.07, 0.004), (0, 0, 0.004))], "0.9 0.9 0.9")
    for name, parts in (("bowl", bowl), ("plate", plate)):
        _write(assets / "stable_scanned_objects" / name / f"{name}.xml", _thing(parts, "0"))
    _write(assets / "articulated_objects" / "wooden_cabinet.xml", _thing(DRAWER, "-0.05"))
    _write(assets / "articulated_objects" / "flat_stove.xml", _thing(STOVE, "-0.02"))
    (assets / "textures").mkdir()
    pixels = np.indices((8, 8)).sum(0)[..., None] % 2 * np.array([40, 30, 20]) + 150
    for name in ("tile", "light-gray-floor-tile", "light-gray-plaster"):
        Image.fromarray(pixels.astype(np.uint8)).save(assets / "textures" / f"{name}.png")
    _write(folder / "bddl" / SUITE / f"{NAME}.bddl", BDDL)
    (folder / "starts" / SUITE).mkdir(parents=True)
    np.savez(folder / "starts" / SUITE / f"{NAME}.npz", states=_starts())
    sizes = {suite: 90 if suite == "libero_90" else 10 for suite in HORIZONS}
    names = {suite: [f"task_{number}" for number in range(size)] for suite, size in sizes.items()}
    names[SUITE][0] = NAME
    _write(folder / "suites.txt", f"libero_task_map = {names!r}\n")
    (folder / "wheels.txt").write_bytes(WHEELS.read_bytes())


def _starts() -> np.ndarray:
    """Return fifty starts, in which the bowl stands a millimetre further on each time."""
    rows = []
    for number in range(50):
        bowl = (BOWL[0] + 0.001 * number, *BOWL[1:])
        qpos = [*ARM, *FINGERS, *bowl, 1.0, 0.0, 0.0, 0.0, *PLATE, 1.0, 0.0, 0.0, 0.0, OPEN, OFF]
        rows.append([0.0, *qpos, *np.zeros(len(qpos) - 2)])
    return np.array(rows)


def _walls(radius: float, half: float) -> list[tuple[tuple[float, ...], tuple[float, ...]]]:
    across = [((0.004, radius, half), (x * radius, 0, half)) for x in (-1, 1)]
    along = [((radius, 0.004, half), (0, y * radius, half)) for y in (-1, 1)]
    return [*across, *along]


def _parts(boxes: list[tuple[tuple[float, ...], tuple[float, ...]]], colour: str) -> str:
    lines = []
    for size, place in boxes:
        box = f'<geom type="box" size="{" ".join(map(str, size))}" pos="{" ".join(map(str, place))}"'
        lines.append(f'{box} group="0" density="100" friction="0.95 0.3 0.1" solref="0.001 1"/>')
        lines.append(f'{box} group="1" contype="0" conaffinity="0" rgba="{colour} 1"/>')
    return "\n".join(lines)


def _thing(parts: str, bottom: str) -> str:
    return THING.replace("PARTS", parts).replace("BOTTOM", bottom)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
