"""How a run starts: refusals before a server is asked, the server before what takes seconds to import."""

import subprocess
import sys

import numpy as np
import pytest

from runners.apps import bench as bench_app
from runners.apps import play
from runners.bench import run as bench_run
from runners.experiment import start
from tests.support.processes import ROOT, play_in_this_process
from tests.support.samples.datasets import make_dataset


@pytest.fixture
def refusal(command, monkeypatch):
    """Return what a run is refused with, before its server is asked or started."""

    def asked(*arguments, **options):
        raise AssertionError("a server was asked")

    monkeypatch.setattr(play, "play", play_in_this_process)
    monkeypatch.setattr(start, "policy_client", asked)

    def told(*overrides):
        code, _, err = command(play, *overrides, "hydra.run.dir=run")
        assert code == 1
        return err

    return told


@pytest.mark.isaaclab
@pytest.mark.process
def test_server_that_is_not_there_is_told_before_torch_and_the_simulator_are_imported(tmp_path):
    """Through the real entry point, with a look at what was imported as the process ends."""
    watch = (
        "import atexit, sys\n"
        "heavy = {'torch', 'scipy.stats', 'isaaclab', 'wandb', 'warp', 'av', 'matplotlib'}\n"
        "atexit.register(lambda: print('imported:', sorted(heavy & set(sys.modules))))\n"
        "from runners.apps.play import main\n"
        "sys.argv = ['groot-play', 'server.port=1', 'server.connect_timeout_s=0.1']\n"
        "main()\n"
    )
    command = [sys.executable, "-c", watch]
    ended = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 1
    assert "Failed to connect to Gr00t server" in ended.stderr
    assert "imported: []" in ended.stdout


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("seed=4294967296", "the most is 4294967295. Set seed to 0 ... 4294967295"),
        ("seed=99999999999999999999999", "the most is 4294967295"),
        ("num_envs=100000", "the most is 65536"),
        ("episodes=100000000", "the most is 1000000"),
        ("retries=1000000", "the most is 1000"),
        ("server.port=65536", "the most is 65535"),
        ("server.timeout_s=inf", "the most is 604800"),
        ("server.timeout_s=nan", "the least is 0"),
        ("server.connect_timeout_s=-1.5", "the least is 0"),
    ],
)
def test_number_beyond_what_there_is_is_refused_where_it_is_read(refusal, override, told):
    err = refusal(override)
    assert f"{override} was asked for, but " in err
    assert told in err


def test_largest_seed_is_the_one_that_numpy_takes(refusal):
    """IsaacLab seeds numpy by it, which takes the fewest of all."""
    np.random.RandomState(2**32 - 1)
    with pytest.raises(ValueError, match="Seed must be between"):
        np.random.RandomState(2**32)


@pytest.mark.isaaclab
@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["episodes=0"], "episodes=0 was asked for, but the least is 1"),
        (["instruction.text=[]"], "it takes a text or a list of texts"),
        (["instruction.text=[lift it, 3]"], "it takes a text or a list of texts"),
        (["shard.count=3", "shard.index=2", "episodes=2"], "a part would be empty. Set shard.count=2 or less"),
        (["shard.count=3", "shard.index=3", "episodes=9"], "it counts from 0 to 2"),
        (["dataset=empty"], "holds no episode, so that there is nothing to play"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_nothing_to_play_is_refused(refusal, tmp_path, overrides, told):
    (make_dataset(tmp_path / "empty") / "meta/episodes.jsonl").write_text("")
    assert told in refusal(*overrides)


@pytest.mark.isaaclab
@pytest.mark.parametrize("policy", ["3", "[a]", "{horizon: 4}"])
def test_policy_without_a_class_is_refused(command, monkeypatch, policy):
    monkeypatch.setattr(play, "play", play_in_this_process)
    code, _, err = command(play, f"server.policy={policy}", "hydra.run.dir=run")
    assert code == 1
    assert "a policy is a mapping whose _target_ names its class" in err


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("bench=[]", 'Name a section: "bench=[wire]"'),
        ("wire.batches=[]", "then nothing is left. Name at least one"),
        ("wire.batches=[4,0]", "the least is 1"),
        ("steps.shortest=300", "Set steps.shortest=195"),
        ("seed=4294967296", "the most is 4294967295"),
        ("sim.device=gpu", "sim.device=gpu was asked for, but it is cpu, or cuda:0"),
    ],
)
def test_nothing_to_measure_is_refused(command, monkeypatch, override, told):
    monkeypatch.setattr(bench_run, "_measure", lambda *_: pytest.fail("it was measured"))
    code, _, err = command(bench_app, override, "hydra.run.dir=run")
    assert code == 1
    assert told in err
