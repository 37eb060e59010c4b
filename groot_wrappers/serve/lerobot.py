"""The door to ``groot_wrappers.lerobot_model``: a checkpoint of LeRobot by options of the command line.

Importing it imports neither torch nor LeRobot; those are needed where a checkpoint is served alone.
"""

import argparse
from importlib.util import find_spec

from groot_wrappers.errors import ContractError
from groot_wrappers.protocol.server import Policy

__all__ = ["LEROBOT", "add_lerobot_options", "load_lerobot"]

LEROBOT = "lerobot"
"""What stands for a checkpoint of LeRobot in place of ``module:factory``."""


def add_lerobot_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a checkpoint; ``--device`` is shared with GR00T's."""
    group = parser.add_argument_group("lerobot", "of a checkpoint of LeRobot, with --device")
    group.add_argument("--checkpoint", help="folder of the checkpoint: pretrained_model of a training's")
    group.add_argument("--threads", type=int, help="of torch on the CPU; torch's own number unless given")


def load_lerobot(asked: argparse.Namespace) -> Policy:
    """Return the policy of the options.

    Raises:
        ContractError: PyTorch, LeRobot, the checkpoint or the device is not there.
    """
    if find_spec("torch") is None:
        raise ContractError(
            "policy=lerobot needs PyTorch and LeRobot, which are not installed here. Make their environment and start "
            "the server there: make learned-env, then .learned/bin/python -m groot_wrappers.serve lerobot "
            f"--checkpoint {asked.checkpoint}"
        )
    from groot_wrappers.lerobot_model.policy import LeRobotModel  # noqa: PLC0415  # heavy

    return LeRobotModel(asked.checkpoint, device=asked.device or "cpu", threads=asked.threads)
