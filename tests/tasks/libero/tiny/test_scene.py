"""A scene of LIBERO's kind, as MuJoCo's model and as USD, without LIBERO's wheels."""

import mujoco
import numpy as np
import pytest

from groot_wrappers.errors import ContractError
from tasks.assets.cache import AssetError
from tasks.libero.scene import asset
from tasks.libero.scene.rest import official_rests, settled
from tasks.libero.suites.bddl import read_bddl
from tasks.libero.suites.starts import official_starts
from tests.tasks.libero.tiny.data import SUITE

pytestmark = pytest.mark.isaaclab


@pytest.fixture(autouse=True)
def tiny_libero(monkeypatch, folder):
    monkeypatch.setenv("LIBERO_ASSETS", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    asset.libero_scene.cache_clear()  # another module's tiny LIBERO, in a folder of its own


@pytest.fixture
def scene():
    return asset.libero_scene(SUITE, 0)


def test_names_are_robosuites(scene):
    model = scene.model
    bodies = [model.body(number).name for number in range(model.nbody)]
    assert bodies[:3] == ["world", "table", "robot0_base"]
    assert bodies[-6:] == [
        "bowl_1_main", "plate_1_main", "wooden_cabinet_1_main", "wooden_cabinet_1_drawer", "flat_stove_1_main",
        "flat_stove_1_knob",
    ]  # fmt: skip
    joints = [model.joint(number).name for number in range(9, model.njnt)]
    assert joints == ["bowl_1_joint0", "plate_1_joint0", "wooden_cabinet_1_level", "flat_stove_1_button"]


def test_what_robosuite_sets_in_python_is_set(scene):
    model = scene.model
    arm = [model.joint(f"robot0_joint{number}").dofadr[0] for number in range(1, 8)]
    assert model.dof_armature[arm] == pytest.approx([5.0 / number for number in range(1, 8)])
    assert model.dof_damping[arm] == pytest.approx([0.1] * 5 + [0.01] * 2)
    assert model.dof_frictionloss[arm] == pytest.approx(0.1)
    assert (model.opt.cone, model.opt.impratio, model.opt.density) == (mujoco.mjtCone.mjCONE_ELLIPTIC, 20.0, 1.2)
    bowl = model.joint("bowl_1_joint0").dofadr[0]
    assert model.dof_damping[bowl : bowl + 6] == pytest.approx(0.0005)


def test_what_is_only_seen_weighs_nothing(scene):
    """Each of the plate's two boxes would have 78 g by its density: that which collides alone counts."""
    assert scene.model.body("plate_1_main").mass[0] == pytest.approx(0.14 * 0.14 * 0.008 * 100)


def test_table_camera_and_fixture_stand_where_libero_puts_them(scene):
    model = scene.model
    assert model.geom("table_collision").size == pytest.approx([0.5, 0.6, 0.025])
    assert model.body("table").pos == pytest.approx([0.0, 0.0, 0.875])
    assert model.camera("agentview").pos == pytest.approx([0.6586131746834771, 0.0, 1.6103500240372423])
    cabinet = model.body("wooden_cabinet_1_main")
    assert cabinet.pos == pytest.approx([0.0, -0.3, 0.9 - 0.04 + 0.05])
    assert np.abs(cabinet.quat) == pytest.approx([0.0, 0.0, 0.0, 1.0], abs=1e-5)


def test_a_scene_is_written_once_and_told_part_by_part(scene):
    kinds = {part.name: part.kind for part in scene.parts}
    assert kinds == {
        "robot0_base": "jointed", "bowl_1_main": "free", "plate_1_main": "free", "wooden_cabinet_1_main": "jointed",
        "flat_stove_1_main": "jointed", "arena": "static",
    }  # fmt: skip
    written = {part.usd: part.usd.stat().st_mtime_ns for part in scene.parts}
    asset.libero_scene.cache_clear()
    again = asset.scene_parts(asset.libero_task(SUITE, 0))
    assert {part.usd: part.usd.stat().st_mtime_ns for part in again} == written


def test_usd_has_links_joints_weights_and_pictures(scene):
    from pxr import Usd, UsdPhysics, UsdShade

    parts = {part.name: str(part.usd) for part in scene.parts}
    cabinet = Usd.Stage.Open(parts["wooden_cabinet_1_main"])
    slide = UsdPhysics.PrismaticJoint(cabinet.GetPrimAtPath("/wooden_cabinet_1_main/joints/wooden_cabinet_1_level"))
    assert slide.GetLowerLimitAttr().Get() == pytest.approx(-0.16)
    assert slide.GetPrim().GetAttribute("mjc:damping").Get() == 50.0
    assert list(slide.GetPrim().GetAttribute("mjc:solreflimit").Get()) == pytest.approx([0.02, 1.0])
    bowl = Usd.Stage.Open(parts["bowl_1_main"])
    mass = UsdPhysics.MassAPI(bowl.GetDefaultPrim()).GetMassAttr().Get()
    assert mass == pytest.approx(scene.model.body("bowl_1_main").mass[0])
    arena = Usd.Stage.Open(parts["arena"])
    pictures = [
        prim.GetAttribute("inputs:file").Get().resolvedPath
        for prim in arena.Traverse()
        if UsdShade.Shader(prim).GetIdAttr().Get() == "UsdUVTexture"
    ]
    assert len(pictures) == 3
    assert all(pictures), "paths that lead somewhere"


@pytest.mark.process  # Warp asks the system for the processor's name
def test_starts_come_to_rest_with_open_fingers(scene):
    rests, model = official_rests(scene), scene.model
    assert rests.shape == (50, model.nq)
    bowl, fingers = model.joint("bowl_1_joint0").qposadr[0], model.joint("gripper0_finger_joint1").qposadr[0]
    assert rests[:, bowl] == pytest.approx(-0.1 + 0.001 * np.arange(50), abs=2e-3)
    assert rests[:, bowl + 2] == pytest.approx(0.9, abs=2e-3)
    assert rests[:, fingers] == pytest.approx(0.04, abs=2e-3)
    assert rests[:, model.joint("wooden_cabinet_1_level").qposadr[0]] == pytest.approx(-0.1, abs=1e-3)


@pytest.mark.process
def test_a_start_comes_to_rest_alone_as_beside_others(scene):
    falling = official_starts(scene.task)[:5, 1 : 1 + scene.model.nq]
    together = settled(scene.model, scene.task.problem, falling)
    alone = [settled(scene.model, scene.task.problem, start[None])[0] for start in falling]
    assert np.array_equal(together, alone)
    assert not np.array_equal(together[0], together[1])


def test_a_problem_of_another_kind_is_refused(tmp_path, folder):
    text = next(folder.glob("bddl/*/*.bddl")).read_text()
    (tmp_path / "moon.bddl").write_text(text.replace("LIBERO_Tabletop", "LIBERO_Moon"))
    with pytest.raises(AssetError, match=r"kind 'libero_moon_manipulation'.*Did you mean"):
        asset.compose(read_bddl(tmp_path / "moon.bddl"))


def test_a_task_that_is_not_there_is_refused():
    with pytest.raises(ContractError, match=r"libero_goal has no task 10\. Set task\.index to 0 \.\.\. 9"):
        asset.libero_scene(SUITE, 10)
