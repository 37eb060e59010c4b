"""A task's scene in IsaacLab on Newton, as n worlds that take and give MuJoCo's states.

python -m tests.verify.libero.newton_worlds TASK_FOLDER OUT.npz free|pick
"""

import sys
from pathlib import Path

import mujoco
import newton
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

from tasks.common.newton_replay import NewtonReplayManager, NewtonReplaySolverCfg
from tasks.gr00t_env_cfg import Gr00tEnvCfg
from tests.verify.libero.physics_usd import export
from tests.verify.libero.script import free_path
from tests.verify.libero.task_files import read_task
from tests.verify.libero.worlds import follow, pick_and_place

RATE = 500  # physics steps a second, as robosuite takes them
FREE_DAMPING = 0.0005  # of every free joint in LIBERO; a rigid body in USD has no place for it
FINGERS = ["gripper0_finger_joint1", "gripper0_finger_joint2"]


class NewtonLiberoManager(NewtonReplayManager):
    """IsaacLab's manager of MuJoCo-Warp, with damped free bodies; its name has to begin as it does."""

    @classmethod
    def _create_solver(cls, model, solver_cfg):
        damping, first = model.joint_damping.numpy(), model.joint_qd_start.numpy()
        for joint in np.flatnonzero(model.joint_type.numpy() == int(newton.JointType.FREE)):
            damping[first[joint] : first[joint] + 6] = FREE_DAMPING
        model.joint_damping.assign(damping)
        return super()._create_solver(model, solver_cfg)


@configclass
class NewtonLiberoSolverCfg(NewtonReplaySolverCfg):
    """robosuite's settings. IsaacLab hands on whatever field has the name of an argument of the solver's, as of air."""

    class_type: type | str = "tests.verify.libero.newton_worlds:NewtonLiberoManager"
    integrator: str = "euler"
    cone: str = "elliptic"
    impratio: float = 20.0
    enable_multiccd: bool = True
    density: float = 1.2
    viscosity: float = 2e-5
    nconmax: int = 400
    njmax: int = 1200


class NewtonWorlds:
    """Worlds of ``scene``; states and controls are those of ``model``, MuJoCo's of the same task."""

    def __init__(self, model, sim, scene):
        self.model, self.sim, self.scene = model, sim, scene
        self.robot, self.fresh = scene["robot0_base"], None
        self.arm = self.robot.find_joints("robot0_joint.*", preserve_order=True)[0]
        self.fingers = self.robot.find_joints(FINGERS, preserve_order=True)[0]
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
        self.scene.update(1 / RATE)
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


def scene_cfg(model, assets, num_envs):
    """Return the scene of the exported ``assets``."""
    fields = {}
    for name, asset in assets.items():
        spawn, path = UsdFileCfg(usd_path=asset.path), "{ENV_REGEX_NS}/" + name
        at = {"pos": tuple(asset.pos), "rot": (*asset.quat[1:], asset.quat[0])}
        if asset.kind == "static":
            fields[name] = AssetBaseCfg(prim_path=path, spawn=spawn)
        elif asset.kind == "free":
            fields[name] = RigidObjectCfg(prim_path=path, spawn=spawn, init_state=RigidObjectCfg.InitialStateCfg(**at))
        else:
            spawn = spawn.replace(articulation_props=[NewtonArticulationCfg(self_collision_enabled=True)])
            actuators = _robot_actuators(model) if name == "robot0_base" else _passive()
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


def _robot_actuators(model):
    """What MuJoCo's actuators and joints have; joint damping is in the USD, as the actuators' would come on top."""
    arm = [model.joint(f"robot0_joint{number}") for number in range(1, 8)]
    fingers = [model.joint(name) for name in FINGERS]
    return {
        "arm": ImplicitActuatorCfg(
            joint_names_expr=["robot0_joint.*"], stiffness=0.0, damping=0.0, effort_limit_sim=80.0,
            armature=_by_name(arm, "armature"), friction=_by_name(arm, "frictionloss"),
        ),
        "fingers": ImplicitActuatorCfg(
            joint_names_expr=["gripper0_finger.*"], stiffness=1000.0, damping=0.0, effort_limit_sim=20.0,
            armature=_by_name(fingers, "armature"), friction=_by_name(fingers, "frictionloss"),
        ),
    }  # fmt: skip


def _by_name(joints, what):
    return {joint.name: float(getattr(joint, what)[0]) for joint in joints}


def _passive():
    return {"all": ImplicitActuatorCfg(joint_names_expr=[".*"], stiffness=0.0, damping=None)}


def main(folder, out, what):
    """Play the free path from the first start, or the script from all starts, and write qpos."""
    task = read_task(folder)
    starts = task.starts[:1] if what == "free" else task.rest
    cfg = Gr00tEnvCfg(scene=scene_cfg(task.model, export(task.model, Path(folder) / "usd"), len(starts)))
    cfg.sim.dt = 1 / RATE
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
