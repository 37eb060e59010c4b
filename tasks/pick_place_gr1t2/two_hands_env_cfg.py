"""Config of ``Isaac-Groot-PickPlace-GR1T2-TwoHands-v0``: the start and the success term that IsaacLab registers."""

from isaaclab.managers import TerminationTermCfg as DoneTerm
from isaaclab.utils import configclass
from isaaclab_tasks.contrib.pick_place.mdp.terminations import task_done_pick_place

from tasks.pick_place_gr1t2 import geometry
from tasks.pick_place_gr1t2.env_cfg import PickPlaceGR1T2EnvCfg, TerminationsCfg

__all__ = ["PickPlaceGR1T2TwoHandsEnvCfg"]


@configclass
class _RegisteredTerminationsCfg(TerminationsCfg):
    """Success as IsaacLab's registered task has it: the wheel low and slow in a larger zone, the right wrist back."""

    success = DoneTerm(func=task_done_pick_place, params={"task_link_name": "right_hand_roll_link"})


@configclass
class PickPlaceGR1T2TwoHandsEnvCfg(PickPlaceGR1T2EnvCfg):
    """``Isaac-Groot-PickPlace-GR1T2-TwoHands-v0``: start and success of ``IsaacContrib-PickPlace-GR1T2-Abs``.

    The wheel starts to the robot's left, out of the right hand's reach, and is to come to its far right: one hand
    passes it on to the other. There is no scripted expert for it.
    """

    instruction = "pick up the steering wheel with the left hand, pass it on and place it on the blue square"
    terminations: _RegisteredTerminationsCfg = _RegisteredTerminationsCfg()

    def __post_init__(self) -> None:
        """Move the wheel's start and the marked zone."""
        self.scene.object.init_state.pos = (*geometry.TWO_HANDS_START, geometry.TABLE_HEIGHT)
        self.scene.zone.init_state.pos = (*geometry.TWO_HANDS_ZONE_CENTRE, geometry.TABLE_HEIGHT)
        self.scene.zone.spawn.size = (*geometry.TWO_HANDS_ZONE_SIZE, geometry.ZONE_THICKNESS)
        self.observations.progress = None  # whose stages are those of one hand, and of the other zone
        super().__post_init__()
