"""The examples of docs/ do what is said of them, copied from the pages as they stand."""

import shlex
import sys
import threading
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from groot_wrappers.embodiment.embodiment import Embodiment
from groot_wrappers.protocol.server import PolicyServer
from tests.docs.pages import BLOCK, EXAMPLE, PAGES, commands, example_folder, run_in


@pytest.mark.process
def test_example_has_a_policy_whose_keys_its_embodiment_knows():
    folder = example_folder()
    code = (
        "from my_reach.policy import RaiseHand; from groot_wrappers.protocol.server import PolicyServer; "
        "s = PolicyServer(RaiseHand(), port=0); s.close()"
    )
    run_in(folder, sys.executable, "-c", code)
    embodiment = Embodiment.from_config(
        OmegaConf.to_container(OmegaConf.load(folder / "my_conf/embodiment/my_panda.yaml"))
    )
    assert list(embodiment.video) == ["front"]


@pytest.mark.simulator
def test_example_runs_and_succeeds():
    (command,) = [c for c in commands() if "--config-dir" in c and "server=expert" in c]
    app, *words = shlex.split(command)
    out = run_in(example_folder(), Path(sys.executable).with_name(app), *words, "recorder=[]")
    (line,) = [block.strip() for kind, block in BLOCK.findall(EXAMPLE) if kind == "text" and "succeeded" in block]
    assert line in out


@pytest.mark.simulator
def test_recipe_of_an_env_of_ones_own_runs_and_succeeds(tmp_path):
    (recipe,) = [b for kind, b in BLOCK.findall(EXAMPLE) if kind == "python" and "Isaac-My-Lift-v0" in b]
    (command,) = [c for c in commands() if "task.import=my_lift" in c]
    (tmp_path / "my_lift.py").write_text(recipe)
    app, *words = shlex.split(command)
    out = run_in(tmp_path, Path(sys.executable).with_name(app), *words, "recorder=[]")
    assert "1 succeeded" in out
    (plan,) = tmp_path.glob("outputs/*/*/plan.json")
    assert "pick up the heavy cube" in plan.read_text()


@pytest.mark.simulator
def test_wrappers_run_from_python(tmp_path):
    from tasks.lift_cube_franka.expert.joint_expert import LiftCubeExpert

    page = PAGES["docs/tutorials/from_python.md"]
    (block,) = [b for kind, b in BLOCK.findall(page) if kind == "python" and "PolicyClient" in b]
    with PolicyServer(LiftCubeExpert(), port=0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            script = tmp_path / "script.py"
            script.write_text(block.replace('"localhost", 5555', f'"127.0.0.1", {server.port}'))
            out = run_in(tmp_path, sys.executable, script)
        finally:
            server.stop()
            thread.join()
    assert "succeeded [True, True]" in out
