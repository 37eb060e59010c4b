"""What a simulation needs of this machine, looked for before anything is started: the simulator, and its device."""

import importlib.util
import os
import re

from groot_wrappers.errors import ContractError
from runners.config.schema import SimConfig

__all__ = ["require_device", "require_installed", "require_simulator"]


def require_simulator(sim: SimConfig) -> None:
    """Check that this machine has what ``conf/sim`` asks for.

    Raises:
        ContractError: It has not.
    """
    require_installed(sim)
    require_device(sim.device)


def require_installed(sim: SimConfig) -> None:
    """Check that the module is there that ``conf/sim`` requires.

    Raises:
        ContractError: It is not.
    """
    if sim.requires and importlib.util.find_spec(sim.requires) is None:
        raise ContractError(
            "sim=isaacsim was asked for, but Isaac Sim is not installed here. Install it with: "
            "pip install '.[isaacsim]' (Linux, Python 3.12, an RTX GPU). "
            "Or leave it out: sim=newton needs neither Isaac Sim nor a GPU."
        )


def require_device(device: str) -> None:
    """Check that ``sim.device`` names a device of this machine. PyTorch is imported only where that is a GPU.

    Raises:
        ContractError: It names no device, or a GPU that is not here.
    """
    named = re.fullmatch(r"cpu|cuda(?::(\d{1,4}))?", device)
    if named is None:
        meant = f" Is sim.device={device.lower()} meant?" if re.fullmatch(r"cpu|cuda(:\d+)?", device.lower()) else ""
        raise ContractError(
            f"sim.device={device} was asked for, but it is cpu, or cuda:0 for the first GPU and so on.{meant}"
        )
    if device == "cpu":
        return
    import torch  # noqa: PLC0415  # takes seconds

    there = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if int(named[1] or 0) < there:
        return
    why = f"PyTorch sees {there or 'no'} GPU{'s' if there > 1 else ''} here"
    if torch.version.cuda is None:
        why = "the PyTorch that is installed is built without CUDA"
    if (visible := os.environ.get("CUDA_VISIBLE_DEVICES")) is not None:
        why += f" (CUDA_VISIBLE_DEVICES={visible})"
    remedy = f"sim.device=cuda:{there - 1} is the last of them" if there else "sim.device=cpu needs none"
    raise ContractError(
        f"sim.device={device} was asked for, but {why}. {remedy}; nvidia-smi lists the GPUs of a machine."
    )
