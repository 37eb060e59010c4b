"""robosuite 1.4's OSC_POSE and Panda gripper in NumPy, for worlds side by side; kinematics by MuJoCo on the host.

Every simulator under test is driven by this one controller, so that what differs between them is their own.
"""

from dataclasses import dataclass

import mujoco
import numpy as np

STIFFNESS, DAMPING = 150.0, 2 * np.sqrt(150.0)  # critically damped
REST_STIFFNESS, REST_DAMPING = 10.0, 2 * np.sqrt(10.0)  # of the posture, in the nullspace
REACH = np.array([0.05] * 3 + [0.5] * 3)  # of an action of 1: metres, radians
TORQUES = np.array([80.0] * 5 + [12.0] * 2)  # newton metres
FINGER_SPEED = 0.01  # of the half range, a physics step


@dataclass
class ArmState:
    """What the controller sees of n worlds: the grip site, and the seven joints of the arm."""

    position: np.ndarray  # (n, 3), metres
    rotation: np.ndarray  # (n, 3, 3)
    velocity: np.ndarray  # (n, 6), linear and angular
    jacobian: np.ndarray  # (n, 6, 7)
    mass: np.ndarray  # (n, 7, 7)
    bias: np.ndarray  # (n, 7): gravity and Coriolis, of fingers and gripper too
    q: np.ndarray  # (n, 7)
    qd: np.ndarray  # (n, 7)


class Arm:
    """Reads an ``ArmState`` off states of ``model``."""

    def __init__(self, model):
        joints = [model.joint(f"robot0_joint{number}") for number in range(1, 8)]
        self.model, self.data = model, mujoco.MjData(model)
        self.site = model.site("gripper0_grip_site").id
        self.dofs = np.array([joint.dofadr[0] for joint in joints])
        self.places = np.array([joint.qposadr[0] for joint in joints])

    def read(self, qpos, qvel):
        model, data, n = self.model, self.data, len(qpos)
        position, rotation = np.zeros((n, 3)), np.zeros((n, 3, 3))
        jacobian, mass, bias = np.zeros((n, 6, 7)), np.zeros((n, 7, 7)), np.zeros((n, 7))
        whole, moves = np.zeros((model.nv, model.nv)), np.zeros((6, model.nv))
        for world in range(n):
            data.qpos[:], data.qvel[:] = qpos[world], qvel[world]
            mujoco.mj_kinematics(model, data)
            mujoco.mj_comPos(model, data)
            mujoco.mj_makeM(model, data)
            mujoco.mj_comVel(model, data)
            mujoco.mj_rne(model, data, 0, data.qfrc_bias)
            mujoco.mj_fullM(model, data, whole)
            mujoco.mj_jacSite(model, data, moves[:3], moves[3:], self.site)
            position[world] = data.site_xpos[self.site]
            rotation[world] = data.site_xmat[self.site].reshape(3, 3)
            jacobian[world], mass[world] = moves[:, self.dofs], whole[np.ix_(self.dofs, self.dofs)]
            bias[world] = data.qfrc_bias[self.dofs]
        q, qd = qpos[:, self.places], qvel[:, self.dofs]
        velocity = np.einsum("nij,nj->ni", jacobian, qd)
        return ArmState(position, rotation, velocity, jacobian, mass, bias, q, qd)


class Osc:
    """The controller of n worlds.

    Args:
        reset: ``goal_pos``, ``goal_ori`` and ``initial_joint``, which robosuite keeps from its own ``reset``.
        worlds: How many worlds.
        fingers: Where the fingers are told to be at first: 1 open, -1 closed.
    """

    def __init__(self, reset, worlds, fingers):
        self.goal_position = np.tile(reset["goal_pos"], (worlds, 1))
        self.goal_rotation = np.tile(reset["goal_ori"], (worlds, 1, 1))
        self.rest = reset["initial_joint"]
        self.fingers, self.closing = np.full(worlds, fingers), np.zeros(worlds)

    def aim(self, state, actions, *, from_reset=False):
        """Take actions (n, 7). robosuite's first one after its ``reset`` counts from where that had the hand."""
        move = np.clip(actions[:, :6], -1, 1) * REACH
        self.goal_position = (self.goal_position if from_reset else state.position) + move[:, :3]
        for world in np.flatnonzero(np.abs(move[:, 3:]).max(1) > 0):
            quaternion, turned = np.zeros(4), np.zeros(9)
            angle = np.linalg.norm(move[world, 3:])
            mujoco.mju_axisAngle2Quat(quaternion, move[world, 3:] / angle, angle)
            mujoco.mju_quat2Mat(turned, quaternion)
            self.goal_rotation[world] = turned.reshape(3, 3) @ state.rotation[world]
        self.closing = np.sign(actions[:, 6])

    def control(self, state):
        """Return what the actuators are told for a physics step, (n, 9): seven torques, two finger positions."""
        force = STIFFNESS * (self.goal_position - state.position) - DAMPING * state.velocity[:, :3]
        error = 0.5 * np.cross(state.rotation, self.goal_rotation, axis=1).sum(2)
        torque = STIFFNESS * error - DAMPING * state.velocity[:, 3:]
        jacobian, backwards = state.jacobian, np.swapaxes(state.jacobian, 1, 2)
        inverse = np.linalg.inv(state.mass)

        def inertia(part):
            return np.linalg.pinv(part @ inverse @ np.swapaxes(part, 1, 2))

        wrench = np.concatenate(
            [inertia(jacobian[:, :3]) @ force[..., None], inertia(jacobian[:, 3:]) @ torque[..., None]], 1
        )
        nullspace = np.eye(7) - inverse @ backwards @ inertia(jacobian) @ jacobian
        posture = REST_STIFFNESS * (self.rest - state.q) - REST_DAMPING * state.qd
        held = np.swapaxes(nullspace, 1, 2) @ state.mass @ posture[..., None]
        torques = (backwards @ wrench + held)[..., 0] + state.bias
        self.fingers = np.clip(self.fingers - FINGER_SPEED * self.closing, -1, 1)
        apart = 0.02 + 0.02 * self.fingers
        return np.concatenate([np.clip(torques, -TORQUES, TORQUES), np.stack([apart, -apart], 1)], 1)
