"""A new task costs one folder and one YAML file: nothing else of the project is touched."""

import json
import shutil

import pytest

from tests.support.processes import ROOT, finish

REGISTRATION = '''"""Reach the goal that the camera shows."""

import gymnasium as gym

gym.register(
    "Wave-v0",
    "tests.support.toys.task:make",
    disable_env_checker=True,
    kwargs={"env_cfg_entry_point": "tests.support.toys.task:ToyEnvCfg"},
)
'''
YAML = """# @package _global_
# Reach the goal that the camera shows.
defaults:
  - override /embodiment: declared

embodiment:
  video:
    camera: {sensor: camera}
  state:
    joints: {obs: policy.joints}
  language: task
  action:
    joints: {joints: [joint_b, joint_a]}

task:
  id: Wave-v0
  import: tasks
  instruction: reach the goal
  episode_steps: 7
  embodiments:
    declared:
      expert: {_target_: tests.support.toys.policy.ToyPolicy}
"""


@pytest.mark.process
def test_folder_and_yaml_are_all_that_a_task_needs(groot_play, tmp_path):
    project = tmp_path / "project"
    for name in ("conf", "tasks"):
        shutil.copytree(ROOT / name, project / name)
    (project / "tasks/wave").mkdir()
    (project / "tasks/wave/__init__.py").write_text(REGISTRATION)
    (project / "conf/task/wave.yaml").write_text(YAML)
    process = groot_play(
        "server=expert",
        "num_envs=2",
        "episodes=4",
        "recorder=[]",
        "hydra.run.dir=run",
        task="wave",
        env={"PYTHONPATH": f"{project}:{ROOT}"},
    )
    code, _, err = finish(process)
    assert code == 0, err
    assert json.loads((tmp_path / "run/summary.json").read_text())["successes"] == 4
    config = json.loads((tmp_path / "run/manifest.json").read_text())["config"]
    assert config["horizons"]["episode"] == 7
    assert config["task"]["expert"] == {"_target_": "tests.support.toys.policy.ToyPolicy"}
