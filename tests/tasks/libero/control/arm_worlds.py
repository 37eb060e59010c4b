"""robosuite's Panda as LIBERO has it, without LIBERO: its ``MjModel``, and worlds of it that only the kernels see."""

import mujoco
import numpy as np
import warp as wp

from tasks.assets.gr1t2 import data_folder
from tasks.libero.control.arm_model import PANDA, arm_model, links_of
from tasks.libero.control.kernels import Quat, Vec3, aim, control, read_tool

COLUMNS = [*PANDA.joints, "gripper0_finger_joint1", "gripper0_finger_joint2"]


def panda(base):
    """Return arm and gripper at ``base``, with the armature that robosuite's Python gives it."""
    world = mujoco.MjSpec()
    folder = data_folder()
    arm = mujoco.MjSpec.from_file(str(folder / "robots" / "panda" / "robot.xml"))
    gripper = mujoco.MjSpec.from_file(str(folder / "grippers" / "panda_gripper.xml"))
    for number, joint in enumerate(arm.joints):
        joint.armature = 5.0 / (number + 1)
    arm.body("base").pos = base
    world.worldbody.add_frame().attach_body(arm.body("base"), "robot0_", "")
    world.body("robot0_right_hand").add_frame().attach_body(gripper.body("right_gripper"), "gripper0_", "")
    return world.compile()


class ArmWorlds:
    """States (n, 9) and (n, 9) of the arm and its fingers, and the kernels."""

    def __init__(self, model, q, qd):
        self.count, self.arm = len(q), arm_model(model, COLUMNS)
        self.links, self.q, self.qd = links_of(self.arm, self.count), array(q), array(qd)
        self.rest = array(np.tile([*PANDA.rest, 0, 0], (self.count, 1)))
        self.fresh = wp.ones(self.count, dtype=wp.int32)
        self.goals = wp.zeros(self.count, dtype=Vec3), wp.zeros(self.count, dtype=Quat)
        self.effort = wp.zeros((self.count, 9), dtype=wp.float32)

    def aim(self, changes):
        """Set goals from changes (n, 6), m and rad; return positions (n, 3) and quaternions (n, 4)."""
        inputs = [self.arm, self.q, self.rest, array(changes), self.links, self.fresh]
        wp.launch(aim, self.count, [*inputs, *self.goals])
        return tuple(goal.numpy() for goal in self.goals)

    def torques(self):
        """Return the torques of a physics step, (n, 7)."""
        wp.launch(control, self.count, [self.arm, self.q, self.qd, self.links, *self.goals, self.effort])
        assert (self.effort.numpy()[:, 7:] == 0).all(), "the fingers are the gripper's"
        return self.effort.numpy()[:, :7]

    def tool(self):
        """Return the tool's position (n, 3) and the hand's quaternion (n, 4)."""
        told = wp.zeros(self.count, dtype=wp.vec3), wp.zeros(self.count, dtype=wp.quat)
        wp.launch(read_tool, self.count, [self.arm, self.q, self.links, *told])
        return tuple(one.numpy() for one in told)


def array(values):
    """Return a single precision array of the device's."""
    return wp.array(np.asarray(values, np.float32))
