"""Newton on a CPU without its Python: ``NewtonReplaySolverCfg`` records a physics step once and replays it.

A step launches about 150 small kernels, and on a CPU nearly all of its time goes into launching them from Python. Warp
records launches on a CPU as it does on a GPU and replays them natively; IsaacLab 3.0.0 uses that on GPUs only. The
kernels and their order are the same, and so are the results, bit for bit.
"""

import gc
from collections.abc import Callable
from typing import ClassVar, Protocol, runtime_checkable

import mujoco
import warp as wp
from isaaclab.physics import PhysicsManager
from isaaclab.utils import configclass
from isaaclab_newton.physics import MJWarpSolverCfg
from isaaclab_newton.physics.mjwarp_manager import NewtonMJWarpManager
from mujoco_warp._src import solver as mujoco_warp_solver
from newton import Model
from newton.solvers import SolverMuJoCo

__all__ = ["NewtonReplayManager", "NewtonReplaySolverCfg", "PhysicsStepTerm"]


@runtime_checkable
class PhysicsStepTerm(Protocol):
    """An action term that tells the actuators something new at each physics step, by kernels on the device alone.

    They become part of what is recorded: no Python runs between the physics steps of a control step.
    """

    def launch_physics_step(self) -> None:
        """Launch the kernels of a physics step, before the solver's.

        It is called while steps are recorded, and then no more: what changes is read from arrays that stay where they
        are. Newton's state is the present one; what is written into its control stands until the next physics step.
        """


class NewtonReplayManager(NewtonMJWarpManager):
    """IsaacLab's manager of MuJoCo-Warp, which on a CPU replays its steps. On a GPU it is IsaacLab's unchanged.

    IsaacLab tells backends apart by how the name of this class begins.
    """

    _recorded: ClassVar[wp.Graph | None] = None
    _warm: ClassVar[bool] = False
    _whole: ClassVar[bool] = False

    @classmethod
    def step_whole_control_steps(cls) -> None:
        """Take all physics steps of a control step in one call from here on: on a GPU they are one graph.

        IsaacLab does so by itself only for actuators that are Newton's own. Whoever calls this vouches that nothing is
        to be computed between the steps but what ``add_physics_step_term`` was told of; IsaacLab has been told of the
        number of steps by ``set_decimation``.
        """
        cls._whole = True
        cls._invalidate_graph()

    @classmethod
    def add_physics_step_term(cls, term: PhysicsStepTerm) -> None:
        """Launch the kernels of ``term`` before each physics step from here on, taken whole or not."""
        cls.register_post_actuator_callback(term.launch_physics_step)
        cls._invalidate_graph()

    @classmethod
    def mujoco_model(cls) -> mujoco.MjModel:
        """Return what the solver made of the first env; its names end with those of bodies and joints in USD."""
        return cls._solver.mj_model

    @classmethod
    def _is_all_graphable(cls) -> bool:
        return cls._whole or super()._is_all_graphable()

    @classmethod
    def _solver_specific_clear(cls) -> None:
        super()._solver_specific_clear()
        cls._whole = False

    @classmethod
    def _create_solver(cls, model: Model, solver_cfg: MJWarpSolverCfg) -> SolverMuJoCo:
        if PhysicsManager._device == "cpu":
            # Above 32 degrees of freedom MuJoCo-Warp adds up a world's constraints in groups, the more the fewer worlds
            # there are, to keep a GPU busy. On a CPU that gains nothing, and the same episode would differ in its last
            # bits, and in the end, between numbers of envs. (Its dense constraints have no groups, but take 20 times
            # as long for a humanoid.)
            mujoco_warp_solver._jtdaj_groups_per_world = lambda nworld, njmax: 1
        return super()._create_solver(model, solver_cfg)

    @classmethod
    def _invalidate_graph(cls) -> None:
        """Forget the recording wherever IsaacLab forgets its own: the steps to come differ from it."""
        super()._invalidate_graph()
        cls._recorded, cls._warm = None, False

    @classmethod
    def _simulate_physics_only(cls) -> None:
        cls._replay(super()._simulate_physics_only)

    @classmethod
    def _simulate_full(cls) -> None:
        cls._replay(super()._simulate_full)

    @classmethod
    def _replay(cls, simulate: Callable[[], None]) -> None:
        if PhysicsManager._device != "cpu":
            simulate()
            return
        if not cls._warm:
            # What is compiled or allocated on first use must not be part of the recording.
            simulate()
            cls._warm = True
            return
        if cls._recorded is None:
            collecting = gc.isenabled()
            gc.disable()  # arrays that die meanwhile would be freed in every replay
            try:
                with wp.ScopedCapture(device="cpu") as capture:
                    simulate()
            finally:
                if collecting:
                    gc.enable()
            cls._recorded = capture.graph
        wp.capture_launch(cls._recorded)


@configclass
class NewtonReplaySolverCfg(MJWarpSolverCfg):
    """``MJWarpSolverCfg`` run by ``NewtonReplayManager``."""

    class_type: type | str = "tasks.common.newton_replay:NewtonReplayManager"
