"""MuJoCo and MuJoCo-Warp, each as n worlds of one model, and what plays in them."""

import gc

import mujoco
import mujoco_warp
import numpy as np
import warp as wp

from tasks.libero.control.physics import mend_cones
from tests.verify.libero.osc import Arm, Osc
from tests.verify.libero.script import STEPS, PickPlace

SUBSTEPS = 25  # physics steps (500 Hz) of a control step (20 Hz)
CONTACTS, ROWS = 160, 700  # of a world; twice what the episodes were seen to need

mend_cones()


class MujocoWorlds:
    """The reference: MuJoCo itself."""

    def __init__(self, model, worlds):
        self.model, self.data = model, [mujoco.MjData(model) for _ in range(worlds)]

    def set(self, qpos, qvel):
        for data, q, v in zip(self.data, qpos, qvel, strict=True):
            mujoco.mj_resetData(self.model, data)
            data.qpos[:], data.qvel[:] = q, v

    def state(self):
        return np.stack([data.qpos for data in self.data]), np.stack([data.qvel for data in self.data])

    def step(self, control):
        for data, told in zip(self.data, control, strict=True):
            data.ctrl[:] = told
            mujoco.mj_step(self.model, data)


class WarpWorlds:
    """MuJoCo-Warp on the same model, on the CPU; its step is recorded once and replayed, as in ``newton_replay``."""

    def __init__(self, model, worlds):
        self.model = mujoco_warp.put_model(model)
        self.data = mujoco_warp.make_data(model, nworld=worlds, nconmax=CONTACTS, njmax=ROWS)
        self.steps, self.recorded = 0, None

    def set(self, qpos, qvel):
        mujoco_warp.reset_data(self.model, self.data)
        self.data.qpos.assign(qpos.astype(np.float32))
        self.data.qvel.assign(qvel.astype(np.float32))

    def state(self):
        return self.data.qpos.numpy().astype(float), self.data.qvel.numpy().astype(float)

    def step(self, control):
        self.data.ctrl.assign(control.astype(np.float32))
        self.steps += 1
        if self.steps == 1:  # what is compiled on first use must not be part of the recording
            mujoco_warp.step(self.model, self.data)
            return
        if self.recorded is None:
            gc.disable()  # arrays that die meanwhile would be freed in every replay
            try:
                with wp.ScopedCapture(device="cpu") as capture:
                    mujoco_warp.step(self.model, self.data)
            finally:
                gc.enable()
            self.recorded = capture.graph
        wp.capture_launch(self.recorded)


def follow(worlds, model, reset, start, actions):
    """Play actions (steps, 7) from a start of LIBERO's (1 + nq + nv,); return tool (steps, 3) and qpos after each."""
    worlds.set(start[None, 1 : 1 + model.nq], start[None, 1 + model.nq :])
    arm, controller = Arm(model), Osc(reset, 1, fingers=0.0)
    tools, states = [], []
    now = worlds.state()
    for number, action in enumerate(actions):
        controller.aim(arm.read(*now), action[None], from_reset=number == 0)
        now = _control_step(worlds, arm, controller, now)
        tools.append(arm.read(*now).position[0])
        states.append(now[0][0])
    return np.array(tools), np.array(states)


def pick_and_place(worlds, model, reset, starts, settings):
    """Play the script from starts at rest (n, 1 + nq + nv), the fingers open; return qpos (STEPS + 1, n, nq)."""
    scripts = [PickPlace(**settings) for _ in starts]

    def answer(state, qpos):
        seen = zip(scripts, state.position, state.rotation, *bowl_and_plate(model, qpos), strict=True)
        return np.stack([script.act(*rest) for script, *rest in seen])

    return follow_scripts(worlds, model, reset, starts, answer, steps=STEPS)


def follow_scripts(worlds, model, reset, starts, answer, *, steps):
    """Play what answers from starts at rest (n, 1 + nq + nv), the fingers open; return qpos (steps + 1, n, nq).

    ``answer`` takes the arms' ``ArmState`` and qpos (n, nq), and gives actions (n, 7).
    """
    worlds.set(starts[:, 1 : 1 + model.nq], starts[:, 1 + model.nq :])
    arm, controller = Arm(model), Osc(reset, len(starts), fingers=1.0)
    now = worlds.state()
    states = [now[0]]
    for _ in range(steps):
        state = arm.read(*now)
        controller.aim(state, answer(state, now[0]))
        now = _control_step(worlds, arm, controller, now)
        states.append(now[0])
    return np.array(states)


def bowl_and_plate(model, qpos):
    """Return the positions (n, 3) of both in qpos (n, nq)."""
    places = [model.joint(f"{name}_joint0").qposadr[0] for name in ("akita_black_bowl_1", "plate_1")]
    return [qpos[:, place : place + 3] for place in places]


def successes(model, qpos):
    """Whether the bowl is on the plate (n,), as LIBERO's ``On`` has it but for the contact, which rest implies."""
    bowls, plates = bowl_and_plate(model, qpos)
    above = bowls[:, 2] - plates[:, 2]
    return (above >= 0) & (above < 0.03) & (np.linalg.norm(bowls[:, :2] - plates[:, :2], axis=1) < 0.03)


def _control_step(worlds, arm, controller, now):
    """Play a control step from (qpos, qvel); a world that diverges stays at its last state that was one."""
    for _ in range(SUBSTEPS):
        worlds.step(controller.control(arm.read(*now)))
        after = worlds.state()
        whole = np.isfinite(after[0]).all(1) & np.isfinite(after[1]).all(1)
        now = tuple(np.where(whole[:, None], new, old) for new, old in zip(after, now, strict=True))
    return now
