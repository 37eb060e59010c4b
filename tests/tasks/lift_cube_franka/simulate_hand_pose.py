"""Run the lift with absolute poses of the hand as actions and write what happened as JSON: ``python -m ... FILE``.

A process of its own, as the embodiment changes the env's config.
"""

import json
import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import yaml
from isaaclab.app import launch_simulation

import tasks  # noqa: F401, registers the ids
from groot_wrappers import Gr00tActionWrapper, Gr00tObservationWrapper
from groot_wrappers.embodiment.embodiment import Embodiment
from groot_wrappers.embodiment.env_checks import check_env
from groot_wrappers.embodiment.isaaclab_env import IsaacLabEnv
from runners.simulation.env_cfg import change
from tasks.lift_cube_franka.env_cfg import LiftCubeFrankaEnvCfg

TASK = Path(__file__).parents[3] / "conf/task/lift_cube_franka.yaml"
DROID = [[0, 0, -1], [-1, 0, 0], [0, 1, 0]]
FORM = {"rotation": "rot6d", "order": "rows"}
HAND = {"body": "panda_hand", "turned": DROID, **FORM}
EMBODIMENT = {
    "state": {
        "eef_9d": HAND,
        "world": HAND | {"frame": "world"},
        "link0": HAND | {"frame": "panda_link0"},
        "tool": HAND | {"point": [0.0, 0.0, 0.1034], "rotation": "quaternion", "order": "xyzw", "turned": None},
    },
}
ABSOLUTE = {"term": "arm_action", "turned": DROID, **FORM}
GRIPPER = {"gripper": {"term": "gripper_action", "hold": 1.0}}
TARGETS = {
    "absolute": ABSOLUTE,
    "world": ABSOLUTE | {"frame": "world"},
    "relative": {"term": "arm_action", "relative_to": "eef_9d", **FORM},
}
CHANGE = [0.0, 0.03, 0.05, *np.cos([0.3]), -np.sin(0.3), 0.0, np.sin(0.3), np.cos(0.3), 0.0]
"""In the hand's axes as they are told: 3 and 5 cm, and 0.3 rad about the third axis."""


def moved(made, target):
    """States before and after 60 control steps with one target, of both envs."""
    embodiment = Embodiment.from_config(EMBODIMENT | {"action": {"pose": TARGETS[target], **GRIPPER}})
    check_env(IsaacLabEnv(made), embodiment)
    env = Gr00tActionWrapper(Gr00tObservationWrapper(made, embodiment), embodiment, execution=60)
    observation, _ = env.reset(seed=3)
    before = {key: values[:, 0].tolist() for key, values in observation["state"].items()}
    still = env.standing_still()["pose"]
    if target == "relative":
        chunk = np.tile(np.array(CHANGE, np.float32), (2, 60, 1))
    else:
        key = "eef_9d" if target == "absolute" else "world"
        chunk = np.repeat(observation["state"][key], 60, axis=1)
        chunk[:, :, :3] += np.array([0.05, 0.1, -0.05], np.float32)
    observation, *_ = env.step({"pose": chunk})
    after = {key: values[:, 0].tolist() for key, values in observation["state"].items()}
    return {"before": before, "still": still[:, 0].tolist(), "asked": chunk[:, 0].tolist(), "after": after}


def main(path):
    """Gather the facts."""
    cfg = LiftCubeFrankaEnvCfg()
    cfg.scene.num_envs = 2
    change(cfg, yaml.safe_load(TASK.read_text())["task"]["embodiments"]["libero_panda"]["env"], "task.env")
    cfg.actions.arm_action.controller.use_relative_mode = False
    with launch_simulation(cfg, {"device": "cpu", "livestream": 0}):
        made = gym.make("Isaac-Groot-Lift-Cube-Franka-v0", cfg=cfg)
        facts = {target: moved(made, target) for target in TARGETS}
        Path(path).write_text(json.dumps(facts))
        made.close()


if __name__ == "__main__":
    main(sys.argv[1])
