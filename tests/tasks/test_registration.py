"""Importing `tasks` registers its ids and loads nothing else."""

import subprocess
import sys

import gymnasium as gym
import pytest
from omegaconf import OmegaConf

import tasks
from tests.support.processes import ROOT


@pytest.mark.process
def test_importing_tasks_loads_no_simulator():
    code = "import sys, tasks; print([m for m in sys.modules if m.split('.')[0] in ('isaaclab', 'torch', 'newton')])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"


@pytest.mark.parametrize("task_id", tasks.TASK_IDS)
def test_an_id_names_its_config(task_id):
    spec = gym.spec(task_id)
    assert spec.entry_point == "tasks.gr00t_env:Gr00tEnv"
    assert spec.kwargs["env_cfg_entry_point"] == tasks.TASK_IDS[task_id]


@pytest.mark.parametrize("name", ["Lift-Cube-Franka", "Lift-Named-Cube-Franka", "PickPlace-GR1T2"])
def test_a_task_has_a_play_variant(name):
    assert {f"Isaac-Groot-{name}-v0", f"Isaac-Groot-{name}-Play-v0"} <= set(tasks.TASK_IDS)


def test_each_task_has_a_folder_that_registers_it_and_a_yaml_an_id():
    paths = [path for path in (ROOT / "conf/task").glob("*.yaml") if path.stem != "any"]
    named = {path.stem: OmegaConf.load(path).task.id for path in paths}
    assert set(named.values()) == set(tasks.TASK_IDS), "several YAMLs may be scenes of one id"
    for entry_point in tasks.TASK_IDS.values():
        folder = entry_point.split(".")[1]
        of_it = [name for name in named if name == folder or name.startswith(f"{folder}_")]
        assert of_it, f"tasks/{folder} has no YAML whose name begins with its own"
