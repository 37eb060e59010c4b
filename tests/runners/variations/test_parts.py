"""Which parts of a scene are what, and what is said where an env has none: before its simulator is started."""

from types import SimpleNamespace

import pytest
import torch

from groot_wrappers.episode_context import EpisodeContext, set_episode_context
from groot_wrappers.errors import ContractError
from groot_wrappers.variations.variation import EpisodeVariation
from runners.config.setting_kinds import options_of
from runners.variations import scene_variation
from runners.variations.parts import Area, SceneParts
from runners.variations.scene_variation import SceneReset
from runners.variations.settings import VariationSettings
from tests.support.composing import compose
from tests.support.toys.task import ToyEnvCfg

pytestmark = pytest.mark.isaaclab

LACKING = {
    "camera_pose": "the policy looks through no camera of the scene",
    "camera_focal": "the policy looks through no camera of the scene",
    "light": "this env's config names no light",
    "background": "this env's config names no background",
    "texture": "this env's config names no surface",
    "object_colour": "this env's config names no object",
    "object_pose": "this env's config names no object",
    "friction_mass": "this env's config names no object",
    "robot_start": "this env's config names no robot",
    "distractors": "this env's config names no area with room for things",
}


@pytest.fixture(scope="module")
def variations():
    kinds = [kind for kind in options_of("variation") if kind != "none"]
    return VariationSettings.of(compose("play", f"variation=[{','.join(kinds)}]").variation).scene


def toy(**scene):
    cfg = ToyEnvCfg()
    vars(cfg.scene).update(scene)
    cfg.events = None
    return cfg


def test_every_variation_of_the_scene_is_refused_where_there_is_no_such_part(variations):
    assert set(variations) == set(LACKING)
    for kind, told in LACKING.items():
        with pytest.raises(ContractError, match=f"variation={kind} was asked for, but {told}.*of the wire.*still work"):
            SceneReset({kind: variations[kind]}, SceneParts(toy(), {}, [], 1))


def test_parts_are_found_by_their_class_or_as_they_are_declared():
    from isaaclab.assets import ArticulationCfg, AssetBaseCfg, RigidObjectCfg
    from isaaclab.sim import DomeLightCfg

    cfg = toy(cube=RigidObjectCfg(prim_path="/Cube"), lamp=AssetBaseCfg(prim_path="/Lamp", spawn=DomeLightCfg()))
    cfg.robot_cfg = ArticulationCfg(prim_path="/Robot")  # where direct envs have theirs
    parts = SceneParts(cfg, {"background": ["wall"]}, ["front"], 1)
    found = {role: parts.require("mine", role) for role in ("objects", "robots", "lights", "background")}
    assert found == {"objects": ["cube"], "robots": ["robot_cfg"], "lights": ["lamp"], "background": ["wall"]}
    assert SceneParts(cfg, {"objects": ["bowl"]}, [], 1).require("mine", "objects") == ["bowl"]
    assert parts.require_camera("mine") == ["front"]


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ({"backgrund": ["wall"]}, r"task\.parts\.backgrund: there is no such part. Did you mean 'background'\?"),
        ({"surfaces": "table"}, r"task\.parts\.surfaces=table was given, but it takes a list of names"),
        ({"objects": [1]}, r"task\.parts\.objects=\[1\] was given, but it takes a list of names"),
    ],
)
def test_declaration_that_means_nothing_is_refused(declared, told):
    with pytest.raises(ContractError, match=told):
        SceneParts(toy(), declared, [], 1)


@pytest.mark.parametrize(
    "area", [{"x": [0, 1]}, {"x": [0, 1], "y": 2, "z": 0}, "table", {"x": ["a", 1], "y": [0, 1], "z": 0}]
)
def test_area_that_is_none_is_refused(area):
    with pytest.raises(ContractError, match=r"but task\.parts\.area=.*x: \[0\.2, 0\.6\]"):
        SceneParts(toy(), {"area": area}, [], 1).require_area("distractors")
    whole = {"area": {"x": [0, 1], "y": [-1, 1], "z": 0.5}}
    assert SceneParts(toy(), whole, [], 1).require_area("mine") == Area((0, 1), (-1, 1), 0.5)


def test_lens_of_several_envs_is_refused(variations):
    with pytest.raises(
        ContractError, match=r"num_envs=2, but Newton's renderer draws all envs through one lens\. Set num"
    ):
        SceneReset({"camera_focal": variations["camera_focal"]}, SceneParts(toy(), {}, ["front"], 2))


def test_texture_in_mujocos_look_is_refused(variations):
    from isaaclab.sensors import CameraCfg

    from tasks.common.mujoco_look import MujocoLookRendererCfg

    parts = SceneParts(toy(eye=CameraCfg(renderer_cfg=MujocoLookRendererCfg())), {"surfaces": ["table"]}, ["eye"], 1)
    with pytest.raises(ContractError, match=r"variation=texture .*MuJoCo's look.*Choose others: background"):
        SceneReset({"texture": variations["texture"]}, parts)
    SceneReset({"light": variations["light"]}, SceneParts(parts.env_cfg, {"lights": ["eye"]}, ["eye"], 1))


def test_simulator_other_than_newton_is_refused(variations):
    cfg = toy()
    cfg.sim.physics = type("PhysxCfg", (), {})()
    with pytest.raises(ContractError, match=r"variation=light .*Newton alone.*simulated by Physx\. Set sim=newton"):
        SceneReset({"light": variations["light"]}, SceneParts(cfg, {}, ["front"], 1))


@pytest.mark.parametrize("events", [None, {}, SimpleNamespace()])
def test_reset_is_an_event_of_the_env_of_whatever_workflow_that_draws_nothing_itself(variations, events):
    cfg = toy()
    cfg.actions, cfg.events = SimpleNamespace(), events
    SceneReset({"camera_pose": variations["camera_pose"]}, SceneParts(cfg, {}, ["front"], 1))
    (event,) = (cfg.events if isinstance(cfg.events, dict) else vars(cfg.events)).values()
    assert event.mode == "reset"
    assert event.func.uses_episode_generators


def test_direct_env_is_varied_after_it_has_placed_its_things(variations, monkeypatch):
    done = []
    change = SimpleNamespace(restore=lambda ids: done.append("restored"), apply=lambda envs: done.append(envs.draws))
    moved = SimpleNamespace(strength=1.0, set_up=lambda parts: None, bind=lambda scene, parts: change)
    monkeypatch.setattr(scene_variation, "VariedScene", lambda env: None)
    reset = SceneReset({"moved": moved}, SceneParts(toy(), {}, ["front"], 1))
    place = lambda env_ids: done.append("placed")  # noqa: E731  # as an attribute of the env
    env = SimpleNamespace(cfg=toy(), num_envs=2, device="cpu", _reset_idx=place)
    reset.bind(env)
    variations = {1: EpisodeVariation(5, {"moved": {"x": 1.0}}), 0: EpisodeVariation(6, {})}
    set_episode_context(env, EpisodeContext([], variations=variations))
    env._reset_idx(torch.tensor([0, 1]))
    assert done == ["placed", [{"x": 1.0}]]
    variations[1] = EpisodeVariation(7, {})
    env._reset_idx(slice(None))
    assert done[2:] == ["placed", "restored"]


def test_env_that_is_not_varied_gets_no_event():
    cfg = toy()
    cfg.actions = SimpleNamespace()
    SceneReset({}, SceneParts(cfg, {}, [], 1)).bind(None)
    assert cfg.events is None
