"""Newton set up as robosuite sets MuJoCo up: what IsaacLab's config and USD have no place for is put in here."""

from typing import Any

import newton
import numpy as np
from isaaclab.utils import configclass
from isaaclab_newton.physics import MJWarpSolverCfg
from mujoco_warp._src import types as mujoco_warp_types
from newton import Model
from newton.solvers import SolverMuJoCo

from tasks.common.newton_replay import NewtonReplayManager, NewtonReplaySolverCfg
from tasks.libero.scene.compose import FREE_DAMPING

__all__ = ["CONTROL_RATE", "PHYSICS_RATE", "NewtonLiberoManager", "NewtonLiberoSolverCfg", "mend_cones"]

PHYSICS_RATE, CONTROL_RATE = 500, 20  # steps a second, as robosuite takes them

_ONE_MODEL = 0
"""Where shapes' ``contype`` and ``conaffinity`` come from. Newton heeds both if all shapes' are from one model, which
only MJCF tells it; else finger tips and microwaves (0 and 1) would collide with each other."""


def mend_cones() -> None:
    """Mend MuJoCo-Warp's elliptic cones, for the kernels that are compiled from here on.

    MuJoCo-Warp 3.12 floors t^3 in the curvature of a cone at 1e-15, but not t: within 1e-5 of the cone's apex its
    matrix turns indefinite, and the world NaN in one step (google-deepmind/mujoco_warp, issue 1657). A floor that is
    small even for t^3, and that single precision still holds, leaves no such gap.
    """
    mujoco_warp_types.MJ_MINVAL = 1e-30


class NewtonLiberoManager(NewtonReplayManager):
    """Damps free bodies, keeps apart what MuJoCo keeps apart, and mends a fault of MuJoCo-Warp's.

    IsaacLab tells backends apart by how its name begins.
    """

    @classmethod
    def _create_solver(cls, model: Model, solver_cfg: MJWarpSolverCfg) -> SolverMuJoCo:
        mend_cones()
        made: Any = model  # whose arrays are declared as if they might be missing
        damping, first = made.joint_damping.numpy(), made.joint_qd_start.numpy()
        for joint in np.flatnonzero(made.joint_type.numpy() == int(newton.JointType.FREE)):
            damping[first[joint] : first[joint] + 6] = FREE_DAMPING  # else none: a bowl of 5.6 g is to stop in 20 ms
        made.joint_damping.assign(damping)
        made.mujoco.collision_mask_domain.fill_(_ONE_MODEL)
        return super()._create_solver(model, solver_cfg)


@configclass
class NewtonLiberoSolverCfg(NewtonReplaySolverCfg):
    """robosuite's settings. IsaacLab hands on whatever field has the name of an argument of the solver's, as of air."""

    class_type: type | str = "tasks.libero.control.physics:NewtonLiberoManager"
    integrator: str = "euler"
    cone: str = "elliptic"
    impratio: float = 20.0
    enable_multiccd: bool = True
    density: float = 1.2
    viscosity: float = 2e-5
    nconmax: int = 400  # contacts of an env; four in five of those that Newton's gaps give are inactive
    njmax: int = 1200
