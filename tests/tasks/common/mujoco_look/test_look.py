"""What a look is made of, read off a compiled MuJoCo model."""

import pytest

from groot_wrappers.errors import ContractError
from tasks.common.mujoco_look import Material, MujocoLook, geom_colour, look_of, material_name
from tests.tasks.common.mujoco_look.scene import MODEL, model_of

pytestmark = pytest.mark.isaaclab


@pytest.fixture(scope="module")
def model():
    return model_of()


def test_lights_are_the_models(model):
    look = look_of(model)
    sun, spot = look.lights
    assert look.headlight.diffuse == pytest.approx((0.3, 0.3, 0.35))
    assert sun.position is None
    assert sun.direction == pytest.approx((0.2822, 0.1881, -0.9407), abs=1e-4)
    assert spot.position == pytest.approx((0.3, -0.4, 1.2))
    assert (spot.cutoff, spot.exponent) == (20, 8)
    assert spot.attenuation == pytest.approx((0.6, 0.2, 0.1))


def test_model_without_any_light_is_lit_from_everywhere():
    dark = model_of('<mujoco><visual><headlight active="0"/></visual><worldbody><geom size="1"/></worldbody></mujoco>')
    assert look_of(dark).headlight is None
    assert look_of(dark).ambient == 0.3
    assert MujocoLook().ambient == 0


def test_material_of_a_geom_is_found_by_its_name(model):
    materials = look_of(model).materials
    floor = materials[material_name(model, model.geom("floor").id)]
    assert floor.tint == pytest.approx((0.9, 1, 0.8))
    assert (floor.specular, floor.shininess) == pytest.approx((0.4, 0.1))
    assert materials[material_name(model, model.geom("pane").id)].alpha == pytest.approx(0.4)
    assert materials[material_name(model, model.geom("lamp").id)].emission == 0.5
    assert materials[material_name(model, model.geom("ball").id)] == Material(), "MuJoCo's default"


def test_first_flat_geom_alone_mirrors(model):
    materials = look_of(model).materials
    mirror, box = (material_name(model, model.geom(name).id) for name in ("mirror", "box"))
    assert (mirror, box) == ("mirror_steel", "material_also_mirror")
    assert (materials[mirror].reflectance, materials[box].reflectance) == (pytest.approx(0.6), 0)


def test_colour_of_its_own_beats_that_of_the_material():
    painted = model_of(MODEL.replace('material="glass"', 'material="glass" rgba="1 0 0 1"'))
    pane = painted.geom("pane").id
    assert geom_colour(painted, pane).tolist() == [1, 0, 0, 1]
    assert material_name(painted, pane) == "material_glass_255_0_0_255"
    assert look_of(painted).materials["material_glass_255_0_0_255"].alpha == 1


@pytest.mark.parametrize(
    ("light", "told"),
    [
        ('<body><geom size="0.1"/><light name="lamp"/></body>', r"light 'lamp' \(0\) moves with a body"),
        ('<light name="lamp" mode="trackcom"/>', r"light 'lamp' \(0\) moves with a body"),
        ('<light name="lamp" type="point"/>', r"light 'lamp' \(0\) is of type 2"),
    ],
)
def test_light_that_mujoco_does_not_draw_so_is_refused(light, told):
    with pytest.raises(ContractError, match=told):
        look_of(model_of(f"<mujoco><worldbody>{light}</worldbody></mujoco>"))
