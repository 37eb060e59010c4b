"""Configs of ``Isaac-Groot-Lift-Named-Cube-Franka-v0`` and ``-Play-v0``: the lift with a second cube, a blue one.

The instruction says which of the two is to be lifted, and the episode's seed does not: only a policy that reads it can
know.
"""

from isaaclab.assets import RigidObjectCfg
from isaaclab.managers import EventTermCfg
from isaaclab.managers import ObservationTermCfg as ObsTerm
from isaaclab.managers import TerminationTermCfg as DoneTerm
from isaaclab.utils import configclass

from tasks.common.scene_parts import box
from tasks.lift_cube_franka import env_cfg as lift
from tasks.lift_cube_franka.geometry import CUBE_SIDE, CUBE_START
from tasks.lift_named_cube_franka.geometry import CUBE_STARTS
from tasks.lift_named_cube_franka.mdp import AboutCubes, LiftedCube, place_apart

__all__ = ["LiftNamedCubeFrankaEnvCfg", "LiftNamedCubeFrankaPlayEnvCfg"]

_CUBES = {"red": "object", "blue": "blue_cube"}
"""Names in the scene; the red one is the lift's."""

_HELD = {name: value for name, value in lift.TerminationsCfg().success.params.items() if name != "asset_cfg"}
"""What a lift is, as in the lift: height and duration."""


def _of_cube(term: ObsTerm, *, named: bool = True) -> ObsTerm:
    """The lift's term, about the cube that is named, or about the other one."""
    others = {name: value for name, value in term.params.items() if name not in ("asset_cfg", "hands_cfg")}
    params = {"cubes": _CUBES, "named": named, "term": term.func, "hands_cfg": term.params["hands_cfg"]}
    return ObsTerm(func=AboutCubes, params=params | {"params": others})


_LIFT = lift.ProgressCfg()


@configclass
class LiftNamedCubeSceneCfg(lift.LiftCubeSceneCfg):
    """The lift's scene, and a blue cube beside the red one."""

    blue_cube = RigidObjectCfg(
        prim_path="{ENV_REGEX_NS}/BlueCube",
        spawn=box((CUBE_SIDE,) * 3, (0.06, 0.10, 0.85), mass=0.1),
        # Beside the red one, which is in the middle until the first reset.
        init_state=RigidObjectCfg.InitialStateCfg(pos=(CUBE_START[0], -0.135, CUBE_START[2])),
    )


@configclass
class EventsCfg(lift.EventsCfg):
    """The robot back at its start, both cubes somewhere new."""

    place_cube = EventTermCfg(func=place_apart, mode="reset", params={"cubes": _CUBES, "ranges": CUBE_STARTS})


@configclass
class TerminationsCfg(lift.TerminationsCfg):
    """The named cube lifted is success, the other one lifted ends the episode without."""

    success = DoneTerm(func=LiftedCube, params={"cubes": _CUBES, "named": True, **_HELD})
    wrong_cube = DoneTerm(func=LiftedCube, params={"cubes": _CUBES, "named": False, **_HELD})


@configclass
class ProgressCfg(lift.ProgressCfg):
    """The lift's, of the cube that is named; and the other one in the grip."""

    progress_reached = _of_cube(_LIFT.progress_reached)
    progress_grasped = _of_cube(_LIFT.progress_grasped)
    progress_lifted = _of_cube(_LIFT.progress_lifted)
    distance_to_success = _of_cube(_LIFT.distance_to_success)
    event_dropped = _of_cube(_LIFT.event_dropped)
    event_wrong_object = _of_cube(_LIFT.progress_grasped, named=False)


@configclass
class ObservationsCfg(lift.ObservationsCfg):
    """The lift's, with stages that are about the cube that is named."""

    progress: ProgressCfg = ProgressCfg()


@configclass
class LiftNamedCubeFrankaEnvCfg(lift.LiftCubeFrankaEnvCfg):
    """``Isaac-Groot-Lift-Named-Cube-Franka-v0``: cameras, states and actions are those of the lift."""

    instruction = "pick up the red cube"

    scene: LiftNamedCubeSceneCfg = LiftNamedCubeSceneCfg(num_envs=1, env_spacing=0.0)
    observations: ObservationsCfg = ObservationsCfg()
    events: EventsCfg = EventsCfg()
    terminations: TerminationsCfg = TerminationsCfg()


@configclass
class LiftNamedCubeFrankaPlayEnvCfg(LiftNamedCubeFrankaEnvCfg):
    """``Isaac-Groot-Lift-Named-Cube-Franka-Play-v0``: the same with 16 envs."""

    scene: LiftNamedCubeSceneCfg = LiftNamedCubeSceneCfg(num_envs=16, env_spacing=0.0)
