"""The server of a run that plays a checkpoint: its command, and what says only half of it."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from groot_wrappers.errors import ContractError
from runners.checkpoints.found import Checkpoint
from runners.checkpoints.served import require_served_checkpoint, with_checkpoint

COMMAND = "serve {checkpoint} {port}"


def settings(checkpoints=None, checkpoint=None, command=None, again=None):
    return SimpleNamespace(
        checkpoints=checkpoints, checkpoint=checkpoint, again=again, server=SimpleNamespace(command=command)
    )


def test_command_names_the_folder_that_is_loaded_in_the_quotes_of_a_shell():
    checkpoint = Checkpoint("005000", 5000, Path("/a training/it's/005000"))
    assert with_checkpoint(f"{COMMAND} {{checkpoint}}", checkpoint) == (
        """serve '/a training/it'"'"'s/005000' {port} '/a training/it'"'"'s/005000'"""
    )
    assert with_checkpoint("serve", checkpoint) == "serve"


@pytest.mark.parametrize(
    "config",
    [
        settings(),
        settings(command="serve {port}"),
        settings("train", "005000", COMMAND),
        settings("train", "005000", again="run"),  # which asks no server
    ],
)
def test_what_says_all_of_it_is_taken(config):
    require_served_checkpoint(config)


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (
            settings("train", None, COMMAND),
            "checkpoints=train was asked for, but a run plays one checkpoint. Each in turn",
        ),
        (
            settings("train", "005000", "serve {port}"),
            "Set server=started, and write {checkpoint} where its folder belongs",
        ),
        (settings("train", "005000"), "so that all would be played alike"),
        (settings(None, "005000", COMMAND), "checkpoint=005000 was asked for, but not in which folder"),
        (settings(command=COMMAND), f"server.command={COMMAND!r} was asked for, but not in which folder"),
    ],
)
def test_what_says_half_of_it_is_refused(config, told):
    with pytest.raises(ContractError, match=re.escape(told)):
        require_served_checkpoint(config)
