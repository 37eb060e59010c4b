"""The server of a run that plays a checkpoint of a training: its command, and what is refused of it.

* ``with_checkpoint``: the command that is to be run.
* ``require_served_checkpoint``: refuses what says only half of it.
"""

import shlex
from typing import Any

from groot_wrappers.errors import ContractError
from runners.checkpoints.found import Checkpoint

__all__ = ["require_served_checkpoint", "with_checkpoint"]

PLACE = "{checkpoint}"
"""Where the checkpoint's folder belongs in ``server.command``."""


def with_checkpoint(command: str, checkpoint: Checkpoint) -> str:
    """Return a line for a shell in which the folder of a checkpoint, quoted, stands for ``{checkpoint}``."""
    return command.replace(PLACE, shlex.quote(str(checkpoint.folder)))


def require_served_checkpoint(config: Any) -> None:
    """Check that a run whose server loads a checkpoint of a training says which, and tells the server.

    Args:
        config: Settings, typed or composed.

    Raises:
        ContractError: One of both is missing; the message names what mends it.
    """
    command = config.server.command or ""
    if config.again is not None:  # which asks no server
        return
    if config.checkpoints is None:
        if config.checkpoint is not None or PLACE in command:
            name = config.checkpoint
            asked = f"server.command={command!r}" if name is None else f"checkpoint={name}"
            raise ContractError(
                f"{asked} was asked for, but not in which folder the checkpoint is. Set checkpoints=DIR, which holds "
                "the checkpoints of the training."
            )
        return
    if config.checkpoint is None:
        raise ContractError(
            f"checkpoints={config.checkpoints} was asked for, but a run plays one checkpoint. Each in turn is a sweep "
            "over one such folder: groot-play -m checkpoints=DIR ...; one alone is named: checkpoint=005000."
        )
    if PLACE not in command:
        raise ContractError(
            f"checkpoints={config.checkpoints} was asked for, but server.command={command!r} does not say where the "
            f"checkpoint goes, so that all would be played alike. Set server=started, and write {PLACE} where its "
            f"folder belongs: server.command='... --checkpoint {PLACE} --port {{port}}'."
        )
