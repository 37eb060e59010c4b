"""The env config of a run: whose physics and cameras are chosen, what changes it, and what is refused."""

import errno
import importlib.util
import os

import gymnasium as gym
import pytest
from omegaconf import OmegaConf

from groot_wrappers import Embodiment
from groot_wrappers.errors import ContractError
from runners.simulation import env_cfg as under_test
from runners.simulation.env_cfg import change, chosen_embodiment, load_env_cfg, use_simulator
from tests.support.composing import compose

pytestmark = pytest.mark.slow  # IsaacLab takes seconds to import

LIFT = {"id": "Isaac-Groot-Lift-Cube-Franka-v0", "import": "tasks"}
CARTPOLE = {"id": "Isaac-Cartpole-Camera-Direct", "import": "isaaclab_tasks"}


def sim(name="newton"):
    return OmegaConf.to_object(compose("play", f"sim={name}").sim)


@pytest.fixture
def with_isaac_sim(monkeypatch):
    """Let Isaac Sim seem to be installed; nothing of it is started here."""
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        under_test.importlib.util, "find_spec", lambda name: name if name == "isaacsim" else find_spec(name)
    )


def kinds(cfg):
    """Return the class names of a config's physics and of its cameras' renderers."""
    return type(cfg.sim.physics).__name__, {type(camera.renderer_cfg).__name__ for camera in under_test._cameras(cfg)}


@pytest.mark.isaaclab
@pytest.mark.slow
def test_our_task_keeps_its_own_newton():
    assert kinds(load_env_cfg(LIFT, sim())) == ("NewtonCfg", {"NewtonWarpRendererCfg"})
    solver = load_env_cfg(LIFT, sim()).sim.physics.solver_cfg
    assert type(solver).__name__ == "NewtonReplaySolverCfg"


@pytest.mark.isaaclab
def test_our_task_in_isaac_sim_gets_physx_and_rtx(with_isaac_sim):
    cfg = load_env_cfg(LIFT, sim("isaacsim"))
    assert kinds(cfg) == ("PhysxCfg", {"IsaacRtxRendererCfg"})
    assert cfg.scene.env_spacing == 3.0, "PhysX has all envs in one world"


@pytest.mark.isaaclab
def test_scene_that_a_tasks_yaml_puts_there_is_the_simulators_too(with_isaac_sim):
    task = OmegaConf.to_container(compose("play", "task=droid_table_crowded").task, resolve=True)
    cfg = load_env_cfg(task, sim("isaacsim"))
    assert hasattr(cfg.scene, "yellow_can")
    assert kinds(cfg) == ("PhysxCfg", {"IsaacRtxRendererCfg"})
    assert cfg.scene.env_spacing == 3.0


@pytest.mark.isaaclab
def test_registered_task_gets_isaaclabs_own_presets(with_isaac_sim):
    assert kinds(load_env_cfg(CARTPOLE, sim())) == ("NewtonCfg", {"NewtonWarpRendererCfg"})
    assert load_env_cfg(CARTPOLE, sim()).sim.physics.solver_cfg.njmax == 5, "the preset's solver, not the plain one"
    cfg = load_env_cfg(CARTPOLE, sim("isaacsim"))
    assert kinds(cfg) == ("PhysxCfg", {"IsaacRtxRendererCfg"})
    assert cfg.scene.env_spacing == 20.0


@pytest.mark.isaaclab
def test_registered_task_without_physics_is_not_left_to_isaac_sim():
    cfg = load_env_cfg({"id": "IsaacContrib-PickPlace-GR1T2-Abs", "import": "isaaclab_tasks"}, sim())
    assert kinds(cfg) == ("NewtonCfg", {"NewtonWarpRendererCfg"})
    assert cfg.sim.physics.solver_cfg.integrator == "implicitfast"


@pytest.mark.isaaclab
def test_missing_isaac_sim_is_told_by_the_line_that_installs_it():
    with pytest.raises(ContractError, match=r"pip install '\.\[isaacsim\]'.*sim=newton needs neither"):
        load_env_cfg(LIFT, sim("isaacsim"))


@pytest.mark.isaaclab
def test_preset_of_the_task_is_chosen_by_name():
    cfg = load_env_cfg(CARTPOLE | {"presets": ["depth"]}, sim())
    assert cfg.scene.tiled_camera.data_types == ["depth"]
    with pytest.raises(ContractError, match=r"task.presets names 'dept'.* Did you mean 'depth'"):
        load_env_cfg(CARTPOLE | {"presets": ["dept"]}, sim())


@pytest.mark.isaaclab
@pytest.mark.parametrize(
    ("task", "message"),
    [
        ({"id": "???", "import": "???"}, "task.id is not set. Say which env: task.id="),
        ({"id": "Isaac-Lift"}, "task.import is not set"),
        ({"id": "Isaac-Lift", "import": "my_pakage"}, "task.import=my_pakage could not be imported"),
        ({"id": "Isaac-Groot-Lift-Cube-Frank-v0", "import": "tasks"}, "Did you mean 'Isaac-Groot-Lift-Cube-Franka-v0'"),
        ({"id": "CartPole-v1", "import": "gymnasium"}, "is no env of IsaacLab"),
        ({"id": "Isaac-Pendulum-MARL-Direct", "import": "isaaclab_tasks"}, "PendulumMARLEnv is a DirectMARLEnv"),
        (LIFT | {"assets": "nukleus"}, "task.assets=nukleus"),
    ],
)
def test_task_that_cannot_be_played_is_refused(task, message):
    with pytest.raises(ContractError, match=message):
        load_env_cfg(task, sim())


@pytest.mark.isaaclab
def test_manager_based_env_without_episodes_is_refused_by_name():
    gym.register("Toy-No-Episodes-v0", "isaaclab.envs:ManagerBasedEnv", kwargs={"env_cfg_entry_point": "x:y"})
    with pytest.raises(ContractError, match="is a ManagerBasedEnv: it has no terminations"):
        load_env_cfg({"id": "Toy-No-Episodes-v0", "import": "tasks"}, sim())


@pytest.mark.isaaclab
def test_changes_reach_any_depth():
    cfg = load_env_cfg(LIFT, sim())
    change(
        cfg,
        {
            "decimation": 2,
            "scene": {"ground": None, "robot": {"init_state": {"joint_pos": {"panda_joint1": 0.5}}}},
            "events": {"_target_": "tasks.lift_cube_franka.env_cfg.EventsCfg"},
        },
        "task.env",
    )
    assert (cfg.decimation, cfg.scene.ground) == (2, None)
    assert cfg.scene.robot.init_state.joint_pos["panda_joint1"] == 0.5
    assert type(cfg.events).__name__ == "EventsCfg"


@pytest.mark.isaaclab
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scene": {"grond": None}}, r"task.env.scene.grond: \w+ has no 'grond'. Did you mean 'ground'"),
        ({"events": {"_target_": "tasks.no_such.Thing"}}, "task.env.events: tasks.no_such.Thing could not be built"),
    ],
)
def test_change_of_what_is_not_there_is_refused(changes, message):
    with pytest.raises(ContractError, match=message):
        change(load_env_cfg(LIFT, sim()), changes, "task.env")


@pytest.mark.isaaclab
def test_empty_embodiment_is_the_one_that_the_env_declares():
    cfg = load_env_cfg(LIFT, sim())
    assert chosen_embodiment(Embodiment.from_config({"video": {}}), cfg) == Embodiment.from_env_cfg(cfg)
    with pytest.raises(ContractError, match="declares no camera_keys"):
        chosen_embodiment(Embodiment(), load_env_cfg(CARTPOLE, sim()))


@pytest.mark.isaaclab
def test_embodiment_changes_the_env():
    cfg = load_env_cfg(LIFT, sim())
    embodiment = {"action": {"arm": {"term": "arm_action"}}, "env": {"scene": {"wrist_camera": None}}}
    assert chosen_embodiment(Embodiment.from_config(embodiment), cfg).action["arm"].term == "arm_action"
    assert cfg.scene.wrist_camera is None


@pytest.mark.isaaclab
def test_simulator_of_a_plain_config_is_replaced_by_kind(with_isaac_sim):
    """A config without presets that names the right kind keeps its own settings; any other gets the plain one."""
    cfg = load_env_cfg(LIFT, sim())
    own = cfg.sim.physics
    assert use_simulator(cfg, sim()).sim.physics is own
    assert use_simulator(cfg, sim("isaacsim")).sim.physics is not own


@pytest.mark.isaaclab
@pytest.mark.parametrize("called", ["could not be imported", "cannot be had"])
def test_cache_that_cannot_be_written_while_a_task_is_loaded_is_told_with_its_variable(monkeypatch, tmp_path, called):
    """Of Warp, which makes its folder when it is imported."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    monkeypatch.delenv("WARP_CACHE_PATH", raising=False)

    def import_module(name):
        if called == "cannot be had" and name == CARTPOLE["import"]:
            return importlib_import(name)
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(tmp_path / "caches"))

    importlib_import, newton = importlib.import_module, sim()
    importlib_import(CARTPOLE["import"])  # which imports its parts by the same function
    monkeypatch.setattr(importlib, "import_module", import_module)
    with pytest.raises(ContractError, match=rf"(?s){called}.*Read-only file system.*WARP_CACHE_PATH=FOLDER moves"):
        load_env_cfg(CARTPOLE, newton)
