"""Newton on a CPU without its Python: ``NewtonReplaySolverCfg`` records a physics step once and replays it.

A step launches about 150 small kernels, and on a CPU nearly all of its time goes into launching them from Python. Warp
records launches on a CPU as it does on a GPU and replays them natively; IsaacLab 3.0.0 uses that on GPUs only. The
kernels and their order are the same, and so are the results, bit for bit.
"""

import gc
from collections.abc import Callable
from typing import ClassVar

import warp as wp
from isaaclab.physics import PhysicsManager
from isaaclab.utils import configclass
from isaaclab_newton.physics import MJWarpSolverCfg
from isaaclab_newton.physics.mjwarp_manager import NewtonMJWarpManager
from mujoco_warp._src import solver as mujoco_warp_solver
from newton import Model
from newton.solvers import SolverMuJoCo

__all__ = ["NewtonReplayManager", "NewtonReplaySolverCfg"]


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
        to be computed between the steps; IsaacLab has been told of the number of steps by ``set_decimation``.
        """
        cls._whole = True
        cls._invalidate_graph()

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
