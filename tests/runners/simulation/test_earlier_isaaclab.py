"""Where IsaacLab 2.3 is installed, the runner says so, and what works there."""

import pytest

from groot_wrappers.errors import ContractError
from runners.apps import inspect_env
from runners.apps.inspection import run_inspection
from runners.simulation import env_cfg

TOLD = (
    r"2\.3 or earlier \(it has no isaaclab_newton and no isaaclab_physx\), and the runner starts IsaacLab 3\. "
    r"Beside 2\.3 the wrappers work, .* AppLauncher, .* python -m groot_wrappers\.serve .*: docs/isaaclab2\.md "
    r".*pip install '\.\[isaaclab\]'"
)


@pytest.fixture(autouse=True)
def earlier(monkeypatch):
    monkeypatch.setattr(env_cfg, "has_isaaclab", lambda: True)
    monkeypatch.setattr(env_cfg, "has_isaaclab3", lambda: False)


def test_task_is_refused_before_anything_of_it_is_imported():
    with pytest.raises(ContractError, match=f"^task.id=Isaac-My-Task cannot be played: .*{TOLD}"):
        env_cfg.require_registered({"id": "Isaac-My-Task", "import": "no_such_module"})


def test_command_refuses_it(command, monkeypatch):
    monkeypatch.setattr(inspect_env, "inspect_env", run_inspection)
    code, _, err = command(inspect_env, "server=expert")
    assert code == 1
    assert "2.3 or earlier" in err
    assert "docs/isaaclab2.md" in err
