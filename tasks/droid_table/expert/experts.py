"""The scripted policies of DROID's table, which see what GR00T would see and speak its protocol.

* ``DroidExpert``: under ``embodiment=oxe_droid``, joints alone, as N1.6 has them.
* ``DroidPoseExpert``: under N1.7's ``oxe_droid_relative_eef_relative_joint``; the flange's pose is seen and told, too.
* ``DroidRelativePoseExpert``: under ``droid_relative_eef``, which plays that pose, relative to the state's.
* ``DroidVelocityExpert``: under ``droid_joint_velocity``, as DROID's own policies and openpi's play.

Each reads what is asked off the instruction, finds thing and target by their colours in both pictures, and plans the
hand's way: over the thing, down, grip, up, over the target, down, let go, up. It goes down only where both cameras
agree, and carries only what the wrist camera sees between the fingers.
"""

import numpy as np

from groot_wrappers.modality import ActionConfig
from tasks.common.scripted_expert import ScriptedExpert
from tasks.droid_table.expert.hand_plan import HORIZON, Seen, plan_hand
from tasks.droid_table.expert.perception import find, shows_at
from tasks.droid_table.geometry import CLOSED, EXTERIOR_CAMERA, FASTEST, START_JOINTS, STEP, TOOL_POINT, WRIST_CAMERA
from tasks.droid_table.things import THINGS, asked
from tasks.lift_cube_franka.expert.kinematics import PandaArm

__all__ = ["DroidExpert", "DroidPoseExpert", "DroidRelativePoseExpert", "DroidVelocityExpert"]

_EXTERIOR, _WRIST = "exterior_image_1_left", "wrist_image_left"
_LANGUAGE = "annotation.language.language_instruction"
_JOINTS, _GRIPPER, _POSE, _VELOCITY = "joint_position", "gripper_position", "eef_9d", "joint_velocity"

_RELATIVE_JOINTS = ActionConfig("RELATIVE", "NON_EEF", "DEFAULT", _JOINTS)
"""As NVIDIA's configuration says of the checkpoint; what comes back from a server is absolute already."""
_ABSOLUTE = ActionConfig("ABSOLUTE", "NON_EEF", "DEFAULT")
_RELATIVE_POSE = ActionConfig("RELATIVE", "EEF", "XYZ_ROT6D", _POSE)

_LAG = 0.1
"""Seconds by which a joint trails a moving target: damping over stiffness of the arm's drives."""
_FOLLOWED = 1.0 - float(np.exp(-STEP / _LAG))
"""Share of its way to a target that stands which a joint has gone after a control step."""
_APART = 0.04
"""What two cameras see at places further apart than this is not the same thing, m."""
_CLEAR = 0.7
"""Share of a thing's silhouette from which on its place is known well."""
_IN_HAND_PIXELS = 30.0
_HELD = (0.0, 0.0, TOOL_POINT[2] + 0.01)
"""About the middle of what is held, in the flange's frame."""

_TURNED = np.array([[0.0, 0.0, -1.0], [-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
"""The axes of ``eef_9d``: R of the flange becomes R * this."""


class DroidExpert(ScriptedExpert):
    """Policy that puts one thing onto another as the instruction says, under ``embodiment=oxe_droid``.

    Observation: video ``exterior_image_1_left`` and ``wrist_image_left`` uint8 (B, T, 180, 320, 3) RGB; state
    ``joint_position`` float32 (B, 1, 7), rad, and ``gripper_position`` float32 (B, 1, 1), 0 open, 1 closed. Action: the
    same keys, float32 (B, 40, ...): absolute joint targets, one a control step of 1/15 s.

    Args:
        state, action: The keys.
        action_configs: How the action keys are to be read.
        moments: Control steps of the pictures that are asked for.
        language: Key of the instruction.
    """

    def __init__(
        self,
        state: tuple[str, ...] = (_JOINTS, _GRIPPER),
        action: tuple[str, ...] = (_JOINTS, _GRIPPER),
        action_configs: tuple[ActionConfig, ...] = (_RELATIVE_JOINTS, _ABSOLUTE),
        moments: tuple[int, ...] = (0,),
        language: str = _LANGUAGE,
    ):
        super().__init__(
            (_EXTERIOR, _WRIST),
            state,
            action,
            HORIZON,
            language=language,
            action_config=action_configs,
            moments=moments,
        )
        self._arm = PandaArm("panda_link8", START_JOINTS)

    def plan(
        self, images: dict[str, np.ndarray], states: dict[str, np.ndarray], instruction: str
    ) -> dict[str, np.ndarray]:
        """Plan ``joint_position`` (40, 7) and ``gripper_position`` (40, 1)."""
        path, closes = self._way(images, states, instruction)
        speeds = np.diff(path, axis=0) / STEP
        return {_JOINTS: path[1:] + speeds * _LAG, _GRIPPER: closes[:, None]}

    def _way(
        self, images: dict[str, np.ndarray], states: dict[str, np.ndarray], instruction: str
    ) -> tuple[np.ndarray, np.ndarray]:
        """Plan where the joints are to be, rad (41, 7), from now on, and whether the gripper closes, (40,)."""
        joints = states[_JOINTS]
        flange, yaw = self._arm.hand_pose(joints)
        positions, closes = _plan_flange(images, flange, yaw, float(states[_GRIPPER][0]), instruction)
        return self._arm.follow(joints, np.vstack([flange, positions]), np.linspace(yaw, 0.0, HORIZON + 1)), closes


class DroidPoseExpert(DroidExpert):
    """The same for N1.7's tag: ``eef_9d`` float32 (B, 1, 9), the flange's pose, is another state, and another action.

    The pictures of 15 control steps ago come along, and are not looked at.
    """

    def __init__(self) -> None:
        keys = (_POSE, _GRIPPER, _JOINTS)
        super().__init__(keys, keys, (_RELATIVE_POSE, _ABSOLUTE, _RELATIVE_JOINTS), (-15, 0))

    def plan(
        self, images: dict[str, np.ndarray], states: dict[str, np.ndarray], instruction: str
    ) -> dict[str, np.ndarray]:
        """Plan the three keys; ``eef_9d`` (40, 9) is absolute, as N1.7's servers return it."""
        planned = super().plan(images, states, instruction)
        return planned | {_POSE: np.stack([_nine(self._arm.pose(joints)) for joints in planned[_JOINTS]])}


class DroidVelocityExpert(DroidExpert):
    """The same for ``droid_joint_velocity``: ``joint_velocity`` float32 (B, 40, 7) in the place of joint targets."""

    def __init__(self) -> None:
        configs = (_ABSOLUTE, _ABSOLUTE)
        super().__init__(action=(_VELOCITY, _GRIPPER), action_configs=configs, language="task")

    def plan(
        self, images: dict[str, np.ndarray], states: dict[str, np.ndarray], instruction: str
    ) -> dict[str, np.ndarray]:
        """Plan ``joint_velocity`` (40, 7), each in [-1, 1], and ``gripper_position`` (40, 1)."""
        path, closes = self._way(images, states, instruction)
        # The first takes the joints onto the way, too: what the hand is tilted by would stay otherwise.
        velocities = np.diff(np.vstack([states[_JOINTS], path[1:]]), axis=0) / (_FOLLOWED * FASTEST)
        beyond = np.abs(velocities).max(axis=1, keepdims=True).clip(min=1.0)
        return {_VELOCITY: velocities / beyond, _GRIPPER: closes[:, None]}


class DroidRelativePoseExpert(ScriptedExpert):
    """The same for ``droid_relative_eef``: poses of the flange, each relative to the state's, and the gripper."""

    def __init__(self) -> None:
        super().__init__(
            (_EXTERIOR, _WRIST),
            (_POSE, _GRIPPER),
            (_POSE, _GRIPPER),
            HORIZON,
            language=_LANGUAGE,
            action_config=(_RELATIVE_POSE, _ABSOLUTE),
            moments=(-15, 0),
        )

    def plan(
        self, images: dict[str, np.ndarray], states: dict[str, np.ndarray], instruction: str
    ) -> dict[str, np.ndarray]:
        """Plan ``eef_9d`` (40, 9) and ``gripper_position`` (40, 1)."""
        now = _pose(states[_POSE])
        flange, rotation = now[:3, 3], now[:3, :3] @ _TURNED.T
        yaw = float(np.arctan2(rotation[1, 0], rotation[0, 0]))
        positions, closes = _plan_flange(images, flange, yaw, float(states[_GRIPPER][0]), instruction)
        speeds = np.diff(np.vstack([flange, positions]), axis=0) / STEP
        target = np.eye(4)
        target[:3, :3] = np.diag([1.0, -1.0, -1.0]) @ _TURNED
        chunk = np.empty((HORIZON, 9))
        for step, position in enumerate(positions + speeds * _LAG):
            target[:3, 3] = position
            chunk[step] = _nine(np.linalg.inv(now) @ target, turned=np.eye(3))
        return {_POSE: chunk, _GRIPPER: closes[:, None]}


def _plan_flange(
    images: dict[str, np.ndarray], flange: np.ndarray, yaw: float, gripper: float, instruction: str
) -> tuple[np.ndarray, np.ndarray]:
    """Plan where the flange is to be, (40, 3), and whether the gripper closes, (40,); without a task, both stay."""
    name, target = asked(instruction, tuple(THINGS))
    if name is None or target is None:
        return np.tile(flange, (HORIZON, 1)), np.full(HORIZON, float(gripper > 0.5))
    turn = np.array([[np.cos(yaw), np.sin(yaw), 0.0], [np.sin(yaw), -np.cos(yaw), 0.0], [0.0, 0.0, -1.0]])
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = turn, flange
    return plan_hand(flange, gripper * CLOSED, _look(images[_EXTERIOR], images[_WRIST], pose, name, target))


def _look(exterior: np.ndarray, wrist: np.ndarray, flange: np.ndarray, name: str, target: str) -> Seen:
    """Find thing and target in both pictures, for the flange's pose (4, 4)."""
    mounted = WRIST_CAMERA.carried_by(flange)
    found = {}
    for what in (name, target):
        sights = [sight for sight in (find(exterior, what, EXTERIOR_CAMERA), find(wrist, what, mounted)) if sight]
        best = max(sights, key=lambda sight: sight.share, default=None)
        clear = [sight.position for sight in sights if sight.share > _CLEAR]
        agreed = len(sights) == 2 and (len(clear) < 2 or float(np.linalg.norm(clear[0] - clear[1])) < _APART)
        found[what] = None if best is None else best.position, agreed
    thing, agreed = found[name]
    in_hand = shows_at(wrist, name, WRIST_CAMERA.project(np.array(_HELD)), _IN_HAND_PIXELS)
    return Seen(name, target, thing, found[target][0], in_hand, agreed)


def _nine(pose: np.ndarray, turned: np.ndarray = _TURNED) -> np.ndarray:
    """A pose (4, 4) as x, y, z and the first two rows of its rotation, which ``turned`` follows."""
    return np.concatenate([pose[:3, 3], (pose[:3, :3] @ turned)[:2].ravel()])


def _pose(nine: np.ndarray) -> np.ndarray:
    """The pose (4, 4) that nine numbers mean."""
    first, second = nine[3:6], nine[6:9]
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = [first, second, np.cross(first, second)], nine[:3]
    return pose
