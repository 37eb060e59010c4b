"""The door to ``groot_wrappers.gr00t_model``: a checkpoint of GR00T by options of the command line.

Importing it imports neither torch nor NVIDIA's package; those are needed where a checkpoint is served alone.
"""

import argparse
from importlib.util import find_spec

from groot_wrappers.errors import ContractError
from groot_wrappers.protocol.server import Policy

__all__ = ["GR00T", "add_gr00t_options", "load_gr00t"]

GR00T = "gr00t"
"""What stands for a checkpoint of GR00T in place of ``module:factory``."""


def add_gr00t_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a checkpoint."""
    group = parser.add_argument_group("gr00t", "of a checkpoint of Isaac-GR00T")
    group.add_argument("--model-path", help="folder of the checkpoint, or its name on Hugging Face's hub")
    group.add_argument("--embodiment-tag", help="NVIDIA's tag of the robot, for instance libero_panda")
    group.add_argument(
        "--tier",
        default="auto",
        help="stock, preprocess, head, graphs or compile: how much of the way is ours; auto is graphs",
    )
    group.add_argument("--batch-sizes", type=_sizes, help="rows that graphs are captured for, for instance 1,4,16")
    group.add_argument("--device", help="where the model runs; cuda:0, of LeRobot cpu, unless given")
    group.add_argument("--modality-config-path", help="a Python file that registers modality configs")
    group.add_argument("--denoising-steps", type=int, help="of a chunk; the checkpoint's own unless given")


def load_gr00t(asked: argparse.Namespace) -> Policy:
    """Return the policy of the options.

    Raises:
        ContractError: PyTorch, NVIDIA's package or the checkpoint is not there, or an option is none.
    """
    if find_spec("torch") is None:
        raise ContractError(
            "policy=gr00t needs PyTorch, which is not installed here. Start the server in the environment of NVIDIA's "
            "Isaac-GR00T: uv run python -m groot_wrappers.serve gr00t ..."
        )
    from groot_wrappers.gr00t_model.policy import BATCH_SIZES, Gr00tModel  # noqa: PLC0415  # heavy

    return Gr00tModel(
        asked.model_path,
        asked.embodiment_tag,
        tier=asked.tier,
        batch_sizes=asked.batch_sizes or BATCH_SIZES,
        device=asked.device or "cuda:0",
        modality_config_path=asked.modality_config_path,
        denoising_steps=asked.denoising_steps,
    )


def _sizes(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(size) for size in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"numbers of rows with commas between, for instance 1,4,16, got {text}"
        ) from None
