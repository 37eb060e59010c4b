"""Runs of the toy env for recovery data: noise on what is played, and labels of the expert on what a policy meets."""

import json
import threading
from contextlib import contextmanager

import numpy as np
import pytest

from groot_wrappers.errors import ContractError
from groot_wrappers.protocol.server import PolicyServer
from runners import evaluate
from runners.again.comparison import COMPARISON
from runners.again.kept_episodes import kept_episode
from tests.support.dataset_reader import read_whole
from tests.support.processes import ROOT
from tests.support.toys.policy import ToyPolicy

pytestmark = [pytest.mark.isaaclab, pytest.mark.process]

CONF = ROOT / "tests/support/toys/conf"
NOISE = 0.002  # half a unit of the toy's joints, as much as its goal allows


class Lost(ToyPolicy):
    """Drives to half the way, and never succeeds."""

    def get_action(self, observation, options=None):
        action, info = super().get_action(observation, options)
        return {"joints": action["joints"] / 2}, info


@contextmanager
def served(policy):
    with PolicyServer(policy, port=0) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.port
        server.stop()
        thread.join(10)


@pytest.fixture(scope="module")
def port():
    with served(ToyPolicy()) as port:
        yield port


@pytest.fixture(scope="module")
def lost_port():
    with served(Lost()) as port:
        yield port


def toy(*overrides):
    return evaluate(["task=toy", "horizons.episode=12", *overrides], config_dir=CONF)


def rows_of(folder):
    return {row["index"]: row for row in map(json.loads, (folder / "episodes.jsonl").read_text().splitlines())}


@pytest.fixture(scope="module")
def noisy(port, tmp_path_factory):
    folder = tmp_path_factory.mktemp("noisy") / "run"
    settings = [f"server.port={port}", "num_envs=3", "episodes=5", "horizons.execution=2", f"action_noise={NOISE}"]
    toy(*settings, "recorder=[lerobot]", f"hydra.run.dir={folder}")
    return folder


def test_the_data_set_has_clean_actions_and_states_that_noise_has_led_to(noisy):
    for episode in read_whole(noisy / "dataset"):
        action, state = episode.columns["action"], episode.columns["observation.state"]
        assert len({tuple(row) for row in action.tolist()}) == 1, "the policy asks for its goal, all the time"
        off = state[1:] - action[:-1, ::-1]
        assert 0 < np.abs(off).max() < 8 * NOISE * 250


@pytest.mark.parametrize("num_envs", [1, 4])
def test_it_is_the_same_for_any_number_of_envs_and_played_again(noisy, port, tmp_path, num_envs):
    evaluate([f"again={noisy}", f"num_envs={num_envs}", "recorder=[]", f"hydra.run.dir={tmp_path}"], config_dir=CONF)
    found = json.loads((tmp_path / COMPARISON).read_text())["episodes"]
    assert len(found) == 5
    assert all(each["then"] == each["now"] and each["difference"] is None for each in found)
    assert any(kept_episode(tmp_path, index).states["joints"][1:].any() for index in range(5))


def test_a_run_goes_on_with_its_own_noise_alone(noisy, port):
    with pytest.raises(ContractError, match=r"action_noise: 0\.002 then, 0\.01 now"):
        evaluate([f"resume={noisy}", "action_noise=0.01", "recorder=[]"])
    before = rows_of(noisy)
    evaluate([f"resume={noisy}", "episodes=6", "recorder=[]"])
    assert {index: row for index, row in rows_of(noisy).items() if index < 5} == before


def test_a_run_of_a_version_without_it_goes_on(port, tmp_path):
    settings = [f"server.port={port}", "num_envs=2", "recorder=[]", f"hydra.run.dir={tmp_path}"]
    toy(*settings, "episodes=2")
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    del manifest["config"]["action_noise"], manifest["config"]["label"]
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    assert evaluate([f"resume={tmp_path}", "episodes=3"]).episodes == 3
    with pytest.raises(ContractError, match=r"action_noise: 0\.0 then, 0\.01 now"):
        evaluate([f"resume={tmp_path}", "action_noise=0.01"])


@pytest.mark.parametrize("execution", [1, 4])
def test_the_expert_labels_what_the_policy_meets(lost_port, tmp_path, execution):
    settings = [f"server.port={lost_port}", "num_envs=3", "episodes=5", f"horizons.execution={execution}"]
    toy(*settings, "label=expert", "recorder=[lerobot]", f"hydra.run.dir={tmp_path}")
    episodes = read_whole(tmp_path / "dataset")
    assert [episode.row["success"] for episode in episodes] == [False] * 5, "all are kept, and failures are the point"
    for episode in episodes:
        label, state = episode.columns["action"], episode.columns["observation.state"]
        played = kept_episode(tmp_path, episode.row["plan_index"]).action["joints"]
        np.testing.assert_array_equal(label, 2 * played)
        np.testing.assert_array_equal(state[1:], played[:-1, ::-1])
        goal = np.round(episode.videos["camera"][..., 0].mean())
        assert abs(label[0, 1] - goal) < 16
    evaluate([f"again={tmp_path}", "recorder=[]", f"hydra.run.dir={tmp_path / 'again'}"], config_dir=CONF)
    found = json.loads((tmp_path / "again" / COMPARISON).read_text())["episodes"]
    assert all(each["difference"] is None for each in found)


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["label=expert", "recorder=[video]"], r"nothing records what the expert says\. Set recorder=\[lerobot\]"),
        (["label=expert", "recorder=[lerobot]", "task.expert=null"], "label=expert was asked for, but task=toy has no"),
        (["action_noise=-0.1"], "the least is 0"),
        (["action_noise=2"], "the most is 1"),
    ],
)
def test_what_makes_no_such_run_is_refused_before_the_first_step(lost_port, tmp_path, overrides, told):
    with pytest.raises(ContractError, match=told):
        toy(f"server.port={lost_port}", f"hydra.run.dir={tmp_path}", *overrides)
    assert not (tmp_path / "episodes.jsonl").exists()
