"""The examples of docs/ do what is said of them, copied from the pages as they stand."""

import runpy
import shlex
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf

from groot_wrappers.embodiment.embodiment import Embodiment
from groot_wrappers.protocol.batch import take_rows
from groot_wrappers.protocol.offer import ROW_NOISE, PolicyOffer, offer_in
from groot_wrappers.protocol.server import PolicyServer
from tests.docs.pages import BLOCK, EXAMPLE, PAGES, commands, example_folder, run_in
from tests.support.servers.policies import observation


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


class StandIn:
    """Of NVIDIA's policy, what the script of the page uses: a chunk is drawn from torch's generator."""

    def __init__(self, embodiment_tag, model_path, device):
        self.built_with = (embodiment_tag, model_path, device)

    def get_action(self, observation, options=None):
        state = observation["state"]["arm"]
        return {"arm": state + torch.randn((len(state), 1, 7)).numpy()}, {"rows": len(state)}


class StandInServer:
    """Of NVIDIA's server, what the script of the page uses."""

    def __init__(self, policy, host, port):
        self.policy, self.address, self.endpoints = policy, (host, port), {}
        StandInServer.made = self

    def register_endpoint(self, name, handler, requires_input=True):
        self.endpoints[name] = handler

    def run(self):
        """Return at once."""


def test_seeded_server_answers_a_row_by_its_episode_alone(monkeypatch, tmp_path):
    page = PAGES["docs/policies.md"]
    (script,) = [block for kind, block in BLOCK.findall(page) if kind == "python"]
    (tmp_path / "seeded_server.py").write_text(script)
    for name, members in {
        "gr00t": {},
        "gr00t.data": {},
        "gr00t.data.embodiment_tags": {"EmbodimentTag": {"NEW_EMBODIMENT": "new_embodiment"}},
        "gr00t.policy": {},
        "gr00t.policy.gr00t_policy": {"Gr00tPolicy": StandIn},
        "gr00t.policy.server_client": {"PolicyServer": StandInServer},
    }.items():
        monkeypatch.setitem(sys.modules, name, SimpleNamespace(__path__=[], **members))
    monkeypatch.setattr(sys, "argv", ["seeded_server.py", "/path/to/checkpoint", "NEW_EMBODIMENT", "5555"])
    runpy.run_path(str(tmp_path / "seeded_server.py"))
    server = StandInServer.made
    assert server.address == ("127.0.0.1", 5555)
    assert server.policy.built_with == ("new_embodiment", "/path/to/checkpoint", "cuda")
    assert offer_in(server.endpoints["ping"]()) == PolicyOffer({"checkpoint": "/path/to/checkpoint"}, (ROW_NOISE,))
    seen = observation(3)
    noise = np.array([[7, 0], [7, 1], [2**32 - 1, 0]])
    together, _ = server.policy.get_action(seen, {ROW_NOISE: noise})
    assert len(np.unique(together["arm"][:, 0, 0])) == 3
    for rows in ([2], [1, 0]):
        some, _ = server.policy.get_action(take_rows(seen, rows), {ROW_NOISE: noise[rows]})
        assert (some["arm"] == together["arm"][rows]).all()
    assert server.policy.get_action(seen)[1] == {"rows": 3}, "another client asks as ever"


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
