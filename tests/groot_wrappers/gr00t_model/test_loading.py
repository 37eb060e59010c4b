"""Loading: what is missing is told with what mends it, before gigabytes are read."""

import importlib.util
import json
import sys
import types

import pytest

from groot_wrappers.errors import ContractError
from groot_wrappers.gr00t_model import loading
from groot_wrappers.serve.__main__ import main
from tests.groot_wrappers.gr00t_model.small_gr00t import SmallPolicy, Tag


@pytest.fixture
def nvidia(monkeypatch):
    """Stand in for NVIDIA's package."""
    modules = {name: types.ModuleType(name) for name in ("gr00t", "gr00t.data", "gr00t.data.embodiment_tags")}
    modules |= {name: types.ModuleType(name) for name in ("gr00t.policy", "gr00t.policy.gr00t_policy")}
    modules["gr00t.data.embodiment_tags"].EmbodimentTag = Tag
    modules["gr00t.policy.gr00t_policy"].Gr00tPolicy = SmallPolicy
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: True if name == "gr00t" else find(name, *more))
    return modules["gr00t.policy.gr00t_policy"]


@pytest.fixture
def checkpoint(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    configs = {"processor_kwargs": {"modality_configs": {"toy": {}}}}
    (tmp_path / "processor_config.json").write_text(json.dumps(configs))
    return tmp_path


class TestLoading:
    def test_gives_what_nvidias_loader_gives(self, nvidia, checkpoint):
        for tag in ("toy", "TOY"):
            assert isinstance(loading.load_nvidia_policy(str(checkpoint), tag, "cpu"), SmallPolicy)

    def test_of_a_package_that_is_not_there_is_refused(self, monkeypatch):
        monkeypatch.setattr(importlib.util, "find_spec", lambda name, *_: None)
        with pytest.raises(
            ContractError, match=r"needs NVIDIA's package gr00t, which .* git clone .*uv sync.*serve gr00t"
        ):
            loading.load_nvidia_policy("x", "toy", "cpu")

    def test_of_a_package_that_lacks_something_is_refused(self, nvidia, checkpoint):
        def lacking(*_, **__):
            raise ImportError("No module named 'flash_attn'")

        nvidia.Gr00tPolicy = lacking
        with pytest.raises(
            ContractError, match=r"not all that it needs: No module named 'flash_attn'.*own environment"
        ):
            loading.load_nvidia_policy(str(checkpoint), "toy", "cpu")
        del nvidia.Gr00tPolicy
        with pytest.raises(ContractError, match="importing it failed"):
            loading.load_nvidia_policy(str(checkpoint), "toy", "cpu")

    def test_of_an_unknown_embodiment_is_refused(self, nvidia, checkpoint):
        with pytest.raises(
            ContractError, match=r"embodiment_tag=libero_pand is none .*: toy, libero_panda.*libero_panda"
        ):
            loading.load_nvidia_policy(str(checkpoint), "libero_pand", "cpu")
        with pytest.raises(ContractError, match=r"libero_panda is not in the checkpoint .*, which knows toy"):
            loading.load_nvidia_policy(str(checkpoint), "libero_panda", "cpu")

    def test_of_a_folder_that_is_no_checkpoint_is_refused(self, nvidia, tmp_path):
        with pytest.raises(ContractError, match=r"is not there .*hf download nvidia/GR00T-N1.6-3B"):
            loading.load_nvidia_policy(str(tmp_path / "none"), "toy", "cpu")
        with pytest.raises(ContractError, match=r"has no config.json and no processor_config.json.*Give the folder"):
            loading.load_nvidia_policy(str(tmp_path), "toy", "cpu")
        (tmp_path / "checkpoint-2000").mkdir()
        with pytest.raises(ContractError, match=r"no checkpoint of GR00T. policy.model_path=.*checkpoint-2000"):
            loading.load_nvidia_policy(str(tmp_path), "toy", "cpu")

    def test_of_a_name_that_the_hub_does_not_give_is_refused(self, nvidia):
        def offline(*_, **__):
            raise OSError("offline")

        nvidia.Gr00tPolicy = offline
        with pytest.raises(ContractError, match=r"could not be loaded: offline.*hf download nvidia/GR00T --local-dir"):
            loading.load_nvidia_policy("nvidia/GR00T", "toy", "cpu")

    def test_runs_the_file_that_registers_modality_configs(self, nvidia, checkpoint):
        own = checkpoint / "own.py"
        own.write_text("import sys\nsys.modules['gr00t'].registered = True\n")
        loading.load_nvidia_policy(str(checkpoint), "toy", "cpu", str(own))
        assert sys.modules["gr00t"].registered
        with pytest.raises(ContractError, match=r"modality_config_path=own.json is no Python file"):
            loading.load_nvidia_policy(str(checkpoint), "toy", "cpu", "own.json")


class TestDigest:
    def test_tells_checkpoints_of_one_training_apart(self, checkpoint):
        weights = checkpoint / "model.safetensors"
        weights.write_bytes(bytes(1 << 20))
        first = loading.checkpoint_digest(checkpoint)
        assert first == loading.checkpoint_digest(checkpoint)
        weights.write_bytes(b"\1" + bytes((1 << 20) - 1))
        assert loading.checkpoint_digest(checkpoint) != first

    def test_of_what_is_not_on_disk_is_unknown(self, tmp_path):
        assert loading.checkpoint_folder(str(tmp_path)) == tmp_path
        assert loading.checkpoint_digest(loading.checkpoint_folder(str(tmp_path / "none"))) == "unknown"


class TestCommand:
    def test_refuses_what_cannot_be_loaded(self, capsys, monkeypatch):
        monkeypatch.setattr(importlib.util, "find_spec", lambda name, *_: None if name == "gr00t" else True)
        arguments = ["gr00t", "--model-path", "x", "--embodiment-tag", "toy", "--device", "cpu", "--batch-sizes", "1,4"]
        assert main(arguments) == 1
        assert "needs NVIDIA's package gr00t" in capsys.readouterr().err
        assert main([*arguments, "--tier", "fast"]) == 1
        assert "policy.tier is auto or one of stock" in capsys.readouterr().err

    def test_says_what_is_missing_on_its_line(self, capsys):
        for arguments, told in (
            (["gr00t", "--model-path", "x"], "gr00t needs --model-path and --embodiment-tag"),
            (["gr00t", "--batch-sizes", "many"], "numbers of rows with commas between, for instance 1,4,16, got many"),
        ):
            with pytest.raises(SystemExit):
                main(arguments)
            assert told in capsys.readouterr().err

    def test_needs_pytorch_for_a_checkpoint_alone(self, capsys, monkeypatch):
        monkeypatch.setattr("groot_wrappers.serve.gr00t.find_spec", lambda name: None)
        assert main(["gr00t", "--model-path", "x", "--embodiment-tag", "toy"]) == 1
        assert "policy=gr00t needs PyTorch" in capsys.readouterr().err
