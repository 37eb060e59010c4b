"""The device of a simulation is looked for before anything is started."""

import pytest
import torch

from groot_wrappers.errors import ContractError
from runners.apps import inspect_env, play
from runners.apps.inspection import run_inspection
from runners.config.schema import SimConfig
from runners.simulation.devices import require_device, require_simulator


@pytest.fixture
def gpus(monkeypatch):
    """Let PyTorch see so many GPUs; None for one that is built without CUDA."""

    def see(number, visible=None):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: bool(number))
        monkeypatch.setattr(torch.cuda, "device_count", lambda: number or 0)
        monkeypatch.setattr(torch.version, "cuda", None if number is None else "12.8")
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        if visible is not None:
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)

    return see


@pytest.mark.parametrize(
    ("device", "number", "told"),
    [
        ("cuda:0", 0, "PyTorch sees no GPU here. sim.device=cpu needs none; nvidia-smi lists the GPUs"),
        ("cuda", 0, "PyTorch sees no GPU here"),
        ("cuda:5", 2, "PyTorch sees 2 GPUs here. sim.device=cuda:1 is the last of them"),
        ("cuda:1", 1, "PyTorch sees 1 GPU here. sim.device=cuda:0 is the last of them"),
        ("cuda:0", None, "the PyTorch that is installed is built without CUDA"),
    ],
)
def test_missing_gpu_is_told_as_that(gpus, device, number, told):
    gpus(number)
    with pytest.raises(ContractError) as refused:
        require_device(device)
    assert f"sim.device={device} was asked for, but {told}" in str(refused.value)


def test_gpus_that_are_hidden_are_told(gpus):
    gpus(0, visible="")
    with pytest.raises(ContractError, match=r"sees no GPU here \(CUDA_VISIBLE_DEVICES=\)"):
        require_device("cuda:0")


@pytest.mark.parametrize(
    "device", ["gpu", "CUDA:0", "mps", "cuda:-1", "cuda:", "cuda:x", "cpu:0", "", "0", "cuda:12345"]
)
def test_what_is_no_device_is_refused_with_those_there_are(gpus, device):
    gpus(2)
    with pytest.raises(ContractError, match=r"it is cpu, or cuda:0 for the first GPU") as refused:
        require_device(device)
    assert ("Is sim.device=cuda:0 meant?" in str(refused.value)) == (device == "CUDA:0")


@pytest.mark.parametrize("device", ["cpu", "cuda", "cuda:0", "cuda:1"])
def test_device_that_is_there_is_taken(gpus, device):
    gpus(2)
    require_device(device)


def test_missing_isaac_sim_is_told_before_its_missing_gpu(gpus):
    gpus(0)
    with pytest.raises(ContractError, match="Isaac Sim is not installed here"):
        require_simulator(SimConfig(requires="isaacsim", device="cuda:0"))


def test_inspection_refuses_a_missing_gpu_before_it_asks_a_server(command, monkeypatch, gpus):
    gpus(0)
    monkeypatch.setattr(inspect_env, "inspect_env", run_inspection)
    code, _, err = command(inspect_env, "sim.device=cuda:0", "server=expert")
    assert code == 1
    assert "PyTorch sees no GPU here" in err


def test_run_refuses_a_missing_gpu_before_it_starts_a_server(command, monkeypatch, gpus):
    from tests.support.processes import play_in_this_process

    gpus(1)
    monkeypatch.setattr(play, "play", play_in_this_process)
    code, out, err = command(play, "sim.device=cuda:1", "server=expert", "hydra.run.dir=run")
    assert (code, out) == (1, "")
    assert "sim.device=cuda:0 is the last of them" in err
