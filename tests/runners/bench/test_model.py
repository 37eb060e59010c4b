"""The section ``model`` of groot-bench on a small policy, without NVIDIA's package and in this process."""

import contextlib
import json
import queue
import sys
import threading
import types
from importlib.machinery import ModuleSpec

import pytest
from omegaconf import OmegaConf

from groot_wrappers.errors import ContractError
from groot_wrappers.gr00t_model import checks, loading, policy
from groot_wrappers.gr00t_model.fallback import UnsupportedError
from groot_wrappers.gr00t_model.policy import Gr00tModel
from groot_wrappers.protocol.server import PolicyServer
from runners.bench.figures import table
from runners.bench.model import checkpoint, section, servers, timing
from runners.bench.model.section import measure_model
from runners.bench.plot import write_plot
from tests.groot_wrappers.gr00t_model.small_gr00t import EDGE, SmallPolicy

POLICY = {
    "model_path": "",
    "embodiment_tag": "toy",
    "tier": "auto",
    "device": "cpu",
    "modality_config_path": None,
    "denoising_steps": None,
}


class NvidiaServer:
    """Stands for the server of NVIDIA's package: takes its policy, and listens where it is told."""

    def __init__(self, policy, host, port):
        assert isinstance(policy, SmallPolicy)
        self._server = PolicyServer(Gr00tModel("checkpoint", "toy", "stock", device="cpu"), host=host, port=port)

    def run(self):
        self._server.serve_forever()


@contextlib.contextmanager
def in_a_thread(serve, *arguments, **_):
    """Serve as ``runners.bench.processes.serving`` does, in this process, which has the stand-ins."""
    ports = queue.Queue()
    pipe = types.SimpleNamespace(send=ports.put)
    threading.Thread(target=serve, args=(pipe, *arguments), daemon=True).start()
    yield ports.get(timeout=20)


@pytest.fixture
def config(monkeypatch, tmp_path):
    """Settings of a checkpoint of the small policy; the section runs in this process."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    whole = checks.SelfCheck.__init__
    monkeypatch.setattr(
        checks.SelfCheck, "__init__", lambda self, policy, key, size=(EDGE, EDGE): whole(self, policy, key, size)
    )
    for module in (loading, servers):
        monkeypatch.setattr(module, "load_nvidia_policy", SmallPolicy)
    monkeypatch.setattr(checkpoint, "SIDE", EDGE)
    monkeypatch.setattr(timing, "_speeds", lambda device, dtype: (1e15, 1e13))  # which take a second to measure
    monkeypatch.setattr(section, "rows_of", lambda measure, *arguments, log: measure(*arguments))
    monkeypatch.setattr(section, "serving", in_a_thread)
    for name in ("gr00t", "gr00t.policy", "gr00t.policy.server_client"):
        module = types.ModuleType(name)
        module.__spec__ = ModuleSpec(name, None, is_package=True)
        module.PolicyServer = NvidiaServer
        monkeypatch.setitem(sys.modules, name, module)
    keys = {"video": ["front", "wrist"], "state": ["arm"], "language": ["task"]}
    configs = {kind: {"delta_indices": [0], "modality_keys": names} for kind, names in keys.items()}
    (tmp_path / "processor_config.json").write_text(
        json.dumps({"processor_kwargs": {"modality_configs": {"toy": configs}}})
    )
    (tmp_path / "statistics.json").write_text(json.dumps({"toy": {"state": {"arm": {"min": [0.0] * 3}}}}))
    return OmegaConf.create(
        {"policy": POLICY | {"model_path": str(tmp_path)}, "model": {"batches": [2, 1], "seconds": 0.0}}
    )


def test_stock_stands_beside_ours_in_process_and_over_the_wire_and_the_floor_above(config, tmp_path):
    rows = {row.name: row for row in measure_model(config, tmp_path / "model.log")}
    for batch in ("B=1", "B=2"):
        stock = rows[f"model: NVIDIA's get_action, {batch}"]
        ours = rows[f"model: graphs, {batch} / NVIDIA's get_action"]
        floor = rows[f"model: floor, {batch} / graphs"]
        wire = rows[f"model: over the wire, {batch} / NVIDIA's policy and server"]
        assert ours.baseline == stock.value
        assert floor.baseline == ours.value
        assert floor.ratio > 1
        assert wire.baseline == rows[f"model: NVIDIA's policy and server, {batch}"].value
        assert {row.unit for row in (stock, ours, floor, wire)} == {"obs/s"}
    assert len(table(list(rows.values()))) == len(rows) + 1
    assert write_plot(tmp_path / "bench.png", list(rows.values()))


def test_a_tier_that_was_left_is_told(config, tmp_path, monkeypatch, capsys):
    def own_head_fails(*_, **__):
        raise UnsupportedError("another model")

    monkeypatch.setattr(policy, "Forward", own_head_fails)
    monkeypatch.setattr(timing, "Forward", own_head_fails)
    rows = [row.name for row in measure_model(config, tmp_path / "model.log")]
    assert "policy.tier=auto was left for" in capsys.readouterr().out
    assert "model: preprocess, B=1 / NVIDIA's get_action" in rows
    assert not any("floor" in name for name in rows), "work that cannot be counted has no floor"


def test_without_nvidias_package_it_is_refused(tmp_path):
    config = OmegaConf.create({"policy": POLICY, "model": {"batches": [1], "seconds": 0.0}})
    with pytest.raises(ContractError, match=r"measures NVIDIA's package gr00t, which is not installed"):
        list(measure_model(config, tmp_path / "model.log"))


def test_a_tag_that_the_checkpoint_does_not_know_is_refused(config, tmp_path):
    config.policy.embodiment_tag = "other"
    with pytest.raises(ContractError, match=r"policy\.embodiment_tag=other"):
        list(measure_model(config, tmp_path / "model.log"))
