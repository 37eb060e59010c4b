"""Runs of the toy env that keep their actions."""

import pytest

from runners.again.action_log import ActionLog
from runners.recorders.recorder import RunInfo

SHAPES = {"action": {"joints": (2,)}, "state": {"joints": (2,)}}


@pytest.fixture
def action_log(tmp_path):
    """An ActionLog that keeps in ``tmp_path``, as a run begins it."""
    log = ActionLog()
    log.on_run_start(RunInfo(folder=tmp_path, config={}, fps=20.0, task="Toy-v0", shapes=SHAPES))
    return log
