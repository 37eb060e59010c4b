"""Write what robosuite 1.4 says of LIBERO's arm in some states: what its sensors tell, its goals and its torques.

Run by the interpreter of ``make libero-env``::

    MUJOCO_GL=glx .libero/bin/python tests/tasks/libero/control/record_robosuite.py robosuite.json
"""

import json
import sys
from pathlib import Path

import numpy as np
from libero.libero import benchmark, get_libero_path
from libero.libero.envs.env_wrapper import ControlEnv
from robosuite.utils.transform_utils import quat2axisangle

STATES = 12
SPREAD = 0.25  # of the joints about their rest, rad


def main(out):
    """Draw states, and ask robosuite."""
    task = benchmark.get_benchmark("libero_spatial")(task_order_index=0).get_task(0)
    bddl = Path(get_libero_path("bddl_files")) / task.problem_folder / task.bddl_file
    env = ControlEnv(bddl_file_name=str(bddl), has_offscreen_renderer=False, use_camera_obs=False)
    env.seed(0)
    env.reset()
    robot, sim = env.env.robots[0], env.sim
    controller, draw = robot.controller, np.random.default_rng(0)
    base = sim.data.get_body_xpos("robot0_base").round(6).tolist()
    rest, states = controller.initial_joint.copy(), []
    for number in range(STATES):
        q = np.float32(np.append(rest + draw.normal(0, SPREAD, 7), [draw.uniform(0, 0.04), -draw.uniform(0, 0.04)]))
        q[6] = draw.uniform(-2.8, 2.8) if number % 2 else q[6]
        qd = np.float32(np.append(draw.normal(0, 0.1, 7), draw.normal(0, 0.05, 2)))
        action = np.float32(draw.uniform(-1.2, 1.2, 6)) * np.float32([1, 1, 1] + [number % 3 > 0] * 3)
        sim.data.qpos[:9], sim.data.qvel[:9] = q, qd
        sim.forward()
        controller.reset_goal()
        controller.goal_ori = goal_at_rest(env, rest, (q, qd))
        controller.update(force=True)
        controller.set_goal(action)
        torques = np.clip(controller.run_controller(), *robot.torque_limits)
        seen = env.env._get_observations(force_update=True)
        states.append(
            {
                "q": q.tolist(),
                "qd": qd.tolist(),
                "action": action.tolist(),
                "goal_position": controller.goal_pos.tolist(),
                "goal_rotation": controller.goal_ori.tolist(),
                "torques": torques.tolist(),
                "eef_pos": seen["robot0_eef_pos"].tolist(),
                "eef_axis_angle": quat2axisangle(seen["robot0_eef_quat"]).tolist(),
                "gripper_qpos": seen["robot0_gripper_qpos"].tolist(),
            }
        )
    Path(out).write_text(json.dumps({"base": base, "states": states}, indent=None, separators=(",", ":")) + "\n")


def goal_at_rest(env, rest, now):
    """Return the tool's rotation where the arm rests."""
    env.sim.data.qpos[:7], env.sim.data.qvel[:9] = rest, 0
    env.sim.forward()
    rotation = env.sim.data.get_site_xmat("gripper0_grip_site").copy()
    env.sim.data.qpos[:9], env.sim.data.qvel[:9] = now
    env.sim.forward()
    return rotation


if __name__ == "__main__":
    main(sys.argv[1])
