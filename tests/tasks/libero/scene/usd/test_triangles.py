"""What is seen of a geom: the triangles that MuJoCo draws, and where its pictures lie on them."""

import mujoco
import numpy as np
import pytest

from tasks.libero.scene.usd.triangles import triangles_of

pytestmark = pytest.mark.isaaclab

MODEL = """
<mujoco>
  <visual><quality numslices="40" numstacks="30" numquads="3"/></visual>
  <asset>
    <texture name="flat" type="2d" builtin="checker" width="8" height="8"/>
    <material name="flat" texture="flat" texrepeat="2 3"/>
    <mesh name="wedge" vertex="0 0 0  1 0 0  0 1 0  0 0 1" face="0 2 1  0 1 3  0 3 2  1 2 3"/>
    <mesh name="laid" vertex="0 0 0  1 0 0  0 1 0  0 0 1" face="0 2 1  0 1 3  0 3 2  1 2 3"
          texcoord="0 0  1 0  0 1  1 1"/>
  </asset>
  <worldbody>
    <geom name="box" type="box" size="1 2 3" material="flat"/>
    <geom name="plane" type="plane" size="2 1 0.5"/>
    <geom name="cylinder" type="cylinder" size="0.5 2"/>
    <geom name="capsule" type="capsule" size="0.5 2"/>
    <geom name="sphere" type="sphere" size="0.5"/>
    <geom name="wedge" type="mesh" mesh="wedge"/>
    <geom name="laid" type="mesh" mesh="laid" material="flat"/>
  </worldbody>
</mujoco>
"""
AREAS = {
    "box": 88,
    "plane": 8,
    "cylinder": 2 * np.pi * 0.25 + 8 * np.pi * 0.5,
    "capsule": 4 * np.pi * 0.25 + 8 * np.pi * 0.5,
    "sphere": 4 * np.pi * 0.25,
    "wedge": 1.5 + 3**0.5 / 2,
}


@pytest.fixture(scope="module")
def model():
    return mujoco.MjModel.from_xml_string(MODEL)


@pytest.fixture
def shape(model, request):
    return triangles_of(model, model.geom(request.param).id)


def outwards(shape):
    """Twice the area of each triangle along its normal, (m, 3)."""
    a, b, c = (shape.points[shape.faces[:, corner]] for corner in range(3))
    return np.cross(b - a, c - a)


@pytest.mark.parametrize(("shape", "area"), AREAS.items(), indirect=["shape"])
def test_surface_is_whole_and_its_front_is_outside(shape, area):
    twice = outwards(shape)
    assert np.linalg.norm(twice, axis=1).sum() / 2 == pytest.approx(area, rel=0.01)
    assert np.linalg.norm(shape.normals, axis=1) == pytest.approx(np.ones(len(shape.points)), abs=1e-5)
    facing = (twice[:, None] * shape.normals[shape.faces]).sum(-1)
    assert facing[np.linalg.norm(twice, axis=1) > 1e-9].min() > 0


@pytest.mark.parametrize(("shape", "count"), [("box", 6 * 3 * 3), ("plane", 4 * 2)], indirect=["shape"])
def test_flat_sides_are_the_grids_whose_corners_mujoco_lights(shape, count):
    assert len(shape.faces) == 2 * count


@pytest.mark.parametrize("shape", ["wedge"], indirect=True)
def test_mesh_without_places_of_its_own_has_sharp_edges(shape):
    twice = outwards(shape)
    flat = twice / np.linalg.norm(twice, axis=1, keepdims=True)
    assert shape.normals[shape.faces] == pytest.approx(np.repeat(flat[:, None], 3, axis=1), abs=1e-5)


@pytest.mark.parametrize("shape", ["laid"], indirect=True)
def test_mesh_with_places_of_its_own_is_smooth_and_its_picture_is_not_repeated(shape):
    assert len(shape.points) == 4
    assert {tuple(place) for place in shape.places.tolist()} == {(0, 1), (1, 1), (0, 0), (1, 0)}


@pytest.mark.parametrize("shape", ["box"], indirect=True)
def test_picture_lies_along_x_and_y_as_often_as_the_material_says(shape):
    assert np.ptp(shape.places, axis=0) == pytest.approx([2, 3])
