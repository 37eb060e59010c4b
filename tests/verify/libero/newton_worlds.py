"""A task's scene in IsaacLab on Newton, as n worlds that take and give MuJoCo's states.

python -m tests.verify.libero.newton_worlds TASK_FOLDER OUT.npz free|pick
"""

import sys
from pathlib import Path

import mujoco
import numpy as np
import torch
from isaaclab.actuators import ImplicitActuatorCfg
from isaaclab.app import launch_simulation
from isaaclab.assets import ArticulationCfg, AssetBaseCfg, RigidObjectCfg
from isaaclab.scene import InteractiveScene, InteractiveSceneCfg
from isaaclab.sim import SimulationContext, UsdFileCfg
from isaaclab.utils import configclass
from isaaclab_newton.physics import NewtonCfg, NewtonManager
from isaaclab_newton.sim.schemas import NewtonArticulationCfg

from tasks.gr00t_env_cfg import Gr00tEnvCfg
from tasks.libero.control.physics import PHYSICS_RATE, NewtonLiberoSolverCfg
from tasks.libero.scene.cfg import FINGERS, robot_actuators
from tasks.libero.scene.usd.export import export
from tests.verify.libero.script import free_path
from tests.verify.libero.task_files import read_task
from tests.verify.libero.worlds import follow, pick_and_place


class NewtonWorlds:
    """Worlds of ``scene``; states and controls are those of ``model``, MuJoCo's of the same task."""

    def __init__(self, model, sim, scene, robot="robot0_base"):
        self.model, self.sim, self.scene = model, sim, scene
        self.robot, self.fresh = scene[robot], None
        self.arm = self.robot.find_joints("robot0_joint.*", preserve_order=True)[0]
        self.fingers = self.robot.find_joints(list(FINGERS), preserve_order=True)[0]
        self.data = NewtonManager._solver.mjw_data
        self.qpos, self.qvel = self._columns(NewtonManager._solver.mj_model)

    def set(self, qpos, qvel):
        for name, body in self.scene.rigid_objects.items():
            first = self.model.joint(_free_joint(name)).qposadr[0]
            pose = qpos[:, first + np.array([0, 1, 2, 4, 5, 6, 3])]  # MuJoCo's quaternions begin with w
            body.write_root_link_pose_to_sim_index(root_pose=_tensor(pose))
            body.write_root_com_velocity_to_sim_index(root_velocity=torch.zeros(len(qpos), 6))
        for thing in self.scene.articulations.values():
            joints = [self.model.joint(name) for name in thing.joint_names]
            position = _tensor(qpos[:, [joint.qposadr[0] for joint in joints]])
            thing.write_joint_position_to_sim_index(position=position)
            thing.write_joint_velocity_to_sim_index(velocity=_tensor(qvel[:, [joint.dofadr[0] for joint in joints]]))
            thing.set_joint_position_target_index(target=position)
        self.fresh = (qpos, qvel)

    def state(self):
        if self.fresh is not None:  # the solver hears of it with the next step
            return self.fresh
        return self.data.qpos.numpy()[:, self.qpos].astype(float), self.data.qvel.numpy()[:, self.qvel].astype(float)

    def step(self, control):
        self.robot.set_joint_effort_target_index(target=_tensor(control[:, :7]), joint_ids=self.arm)
        self.robot.set_joint_position_target_index(target=_tensor(control[:, 7:]), joint_ids=self.fingers)
        self.scene.write_data_to_sim()
        self.sim.step(render=False)
        self.scene.update(1 / PHYSICS_RATE)
        self.fresh = None

    def _columns(self, theirs):
        """Columns of Newton's qpos and qvel in the order of ours."""
        qpos, qvel = np.zeros(self.model.nq, int), np.zeros(self.model.nv, int)
        labels = {theirs.joint(number).name: theirs.joint(number) for number in range(theirs.njnt)}
        for number in range(self.model.njnt):
            ours = self.model.joint(number)
            free = ours.type[0] == mujoco.mjtJoint.mjJNT_FREE
            end = f"{_body_of(ours.name)}_free_joint" if free else ours.name
            (label,) = (label for label in labels if label.endswith(end))
            wide = (7, 6) if free else (1, 1)
            qpos[ours.qposadr[0] + np.arange(wide[0])] = labels[label].qposadr[0] + np.arange(wide[0])
            qvel[ours.dofadr[0] + np.arange(wide[1])] = labels[label].dofadr[0] + np.arange(wide[1])
        return qpos, qvel


def _free_joint(body):
    return body.removesuffix("_main") + "_joint0"


def _body_of(free_joint):
    return free_joint.removesuffix("_joint0") + "_main"


def _tensor(values):
    return torch.tensor(np.ascontiguousarray(values), dtype=torch.float32)


def scene_cfg(model, folder, num_envs):
    """Return the scene of what is exported into a folder."""
    folder.mkdir(exist_ok=True)
    fields = {}
    for name, asset in export(model, folder).items():
        spawn, path = UsdFileCfg(usd_path=str(folder / asset.file)), "{ENV_REGEX_NS}/" + name
        at = {"pos": asset.position, "rot": asset.quaternion}
        if asset.kind == "static":
            fields[name] = AssetBaseCfg(prim_path=path, spawn=spawn)
        elif asset.kind == "free":
            fields[name] = RigidObjectCfg(prim_path=path, spawn=spawn, init_state=RigidObjectCfg.InitialStateCfg(**at))
        else:
            spawn = spawn.replace(articulation_props=[NewtonArticulationCfg(self_collision_enabled=True)])
            actuators = robot_actuators(model) if name == "robot0_base" else _passive()
            start = ArticulationCfg.InitialStateCfg(**at, joint_pos=_within_limits(model, name))
            fields[name] = ArticulationCfg(prim_path=path, spawn=spawn, init_state=start, actuators=actuators)
    types = {"__annotations__": {name: type(cfg) for name, cfg in fields.items()}}
    return configclass(type("LiberoSceneCfg", (InteractiveSceneCfg,), types | fields))(
        num_envs=num_envs, env_spacing=0.0
    )


def _within_limits(model, name):
    """Any position of an asset's joints that IsaacLab takes; each start sets them."""
    root = model.body(name).id
    joints = [number for number in range(model.njnt) if model.body_rootid[model.jnt_bodyid[number]] == root]
    return {model.joint(number).name: float(np.clip(0.0, *model.jnt_range[number])) for number in joints}


def _passive():
    return {"all": ImplicitActuatorCfg(joint_names_expr=[".*"], stiffness=0.0, damping=None)}


def main(folder, out, what):
    """Play the free path from the first start, or the script from all starts, and write qpos."""
    task = read_task(folder)
    starts = task.starts[:1] if what == "free" else task.rest
    cfg = Gr00tEnvCfg(scene=scene_cfg(task.model, Path(folder) / "usd", len(starts)))
    cfg.sim.dt = 1 / PHYSICS_RATE
    cfg.sim.physics = NewtonCfg(solver_cfg=NewtonLiberoSolverCfg(), num_substeps=1)
    with launch_simulation(cfg, {"device": "cpu", "livestream": 0}):
        sim = SimulationContext(cfg.sim)
        scene = InteractiveScene(cfg.scene)
        sim.reset()
        worlds = NewtonWorlds(task.model, sim, scene)
        if what == "free":
            tool, states = follow(worlds, task.model, task.reset, starts[0], free_path())
            np.savez(out, tool=tool, states=states)
        else:
            np.savez(out, states=pick_and_place(worlds, task.model, task.reset, starts, task.settings))


if __name__ == "__main__":
    main(*sys.argv[1:])
