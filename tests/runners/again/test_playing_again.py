"""``again=RUN``: episodes of the toy env played again in this process, and what is refused of them."""

import json
import shutil
import threading
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from groot_wrappers.errors import ContractError
from groot_wrappers.protocol.server import PolicyServer
from runners import evaluate
from runners.again.comparison import COMPARISON
from runners.again.kept_episodes import FOLDER, JOINED, kept_episode, kept_episodes, write_kept
from runners.apps import play
from runners.utils.exit_codes import DONE, PLAYED_OTHERWISE
from tests.support.processes import ROOT
from tests.support.toys.env import ToyEnv
from tests.support.toys.policy import ToyPolicy

pytestmark = [pytest.mark.isaaclab, pytest.mark.process]  # a manifest asks git for its revision

CONF = ROOT / "tests/support/toys/conf"
EPISODES = 9


class Wandering(ToyPolicy):
    """Solves two goals of three, by a way that no other request is answered with."""

    def __init__(self):
        super().__init__(solves=lambda goal: goal % 3)

    def get_action(self, observation, options=None):
        action, info = super().get_action(observation, options)
        steps = np.arange(self.horizon)[:, None] / 64
        action["joints"][:, :, :1] = len(self.calls) + steps + observation["state"]["joints"][:, -1, None, :1] / 3
        return action, info


@pytest.fixture(scope="module")
def port():
    with PolicyServer(Wandering(), port=0) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.port
        server.stop()
        thread.join(10)


def toy(*overrides):
    return evaluate(["task=toy", "horizons.episode=20", *overrides], config_dir=CONF)


@pytest.fixture(scope="module")
def runs(port, tmp_path_factory):
    """A run with the paused clock, and one in which the world goes on meanwhile."""
    folder = tmp_path_factory.mktemp("runs")
    settings = [f"server.port={port}", "num_envs=3", f"episodes={EPISODES}", "horizons.execution=4", "recorder=[]"]
    toy(*settings, f"hydra.run.dir={folder / 'paused'}")
    toy(*settings, "clock=real", "horizons.delay=3", f"hydra.run.dir={folder / 'real'}")
    return SimpleNamespace(paused=folder / "paused", real=folder / "real")


@pytest.fixture
def again(tmp_path, monkeypatch):
    """Play a run again; return the exit code with the folder, its rows by index and what is compared of each."""
    codes = []
    compared = play.compared

    def keeping(*arguments):
        end = compared(*arguments)
        codes.append(end.code)
        return end

    monkeypatch.setattr(play, "compared", keeping)

    def run(folder, *overrides):
        evaluate([f"again={folder}", f"hydra.run.dir={tmp_path / 'again'}", *overrides], config_dir=CONF)
        rows = [json.loads(line) for line in (tmp_path / "again/episodes.jsonl").read_text().splitlines()]
        found = json.loads((tmp_path / "again" / COMPARISON).read_text())
        return SimpleNamespace(
            code=codes[-1],
            folder=tmp_path / "again",
            rows={row["index"]: row for row in rows},
            found={each["index"]: each for each in found["episodes"]},
            manifest=json.loads((tmp_path / "again/manifest.json").read_text()),
        )

    return run


def rows_of(folder):
    return {row["index"]: row for row in map(json.loads, (folder / "episodes.jsonl").read_text().splitlines())}


def failed_in(folder):
    return [index for index, row in rows_of(folder).items() if row["success"] is False]


@pytest.mark.parametrize("clock", ["paused", "real"])
@pytest.mark.parametrize("num_envs", [1, 4])
def test_each_episode_goes_as_it_did(runs, again, clock, num_envs):
    before = rows_of(getattr(runs, clock))
    assert {row["ended"] for row in before.values()} == {"success", "time_out"}
    played = again(getattr(runs, clock), f"num_envs={num_envs}", "recorder=[]")
    assert played.code == DONE
    for index, row in before.items():
        for key in ("seed", "instruction", "ended", "success", "steps", "return"):
            assert played.rows[index][key] == row[key], key
        kept, once_more = kept_episode(getattr(runs, clock), index), kept_episode(played.folder, index)
        np.testing.assert_array_equal(once_more.action["joints"], kept.action["joints"])
        assert played.found[index]["requests"] == len(kept.beats)
    assert played.manifest["config"]["again"] == str(getattr(runs, clock))


def test_chosen_episodes_are_played_with_videos_and_nobody_is_asked(runs, again):
    played = again(runs.paused, "only=[4,1]", "recorder.video.frames=control_steps")
    assert sorted(played.rows) == [1, 4]
    assert played.manifest["config"]["num_envs"] == 2, "no more envs than episodes"
    assert (played.folder / "videos/episode_000004.mp4").exists()
    assert json.loads((played.folder / "summary.json").read_text())["server"]["calls"] == 0


def test_what_is_cut_off_is_gone_on_with_and_compared_whole(runs, again, tmp_path, monkeypatch):
    """The second control step of the first two episodes fails for good; the others are then played by resume=."""
    steps = iter(range(10**6))
    step = ToyEnv.step

    def interrupted(self, action):
        if next(steps) == 15:
            raise KeyboardInterrupt
        return step(self, action)

    with monkeypatch.context() as patch:
        patch.setattr(ToyEnv, "step", interrupted)
        with pytest.raises(KeyboardInterrupt):
            again(runs.paused, "num_envs=2", "recorder=[]")
    ended = rows_of(tmp_path / "again")
    assert 0 < len(ended) < EPISODES
    evaluate([f"resume={tmp_path / 'again'}"], config_dir=CONF)
    found = json.loads((tmp_path / "again" / COMPARISON).read_text())["episodes"]
    assert [each["index"] for each in found] == list(range(EPISODES))
    assert all(each["then"] == each["now"] and each["difference"] is None for each in found)


def test_another_course_is_told_by_step_and_by_how_much(runs, again, monkeypatch, capsys):
    """Another machine's physics: from control step 5 of an episode on, its joints go a little too far."""
    step = ToyEnv.step

    def elsewhere(self, action):
        late = (self.episode_length_buf >= 5).float()[:, None]
        return step(self, action + late * 0.25)

    monkeypatch.setattr(ToyEnv, "step", elsewhere)
    played = again(runs.paused, f"only={failed_in(runs.paused)[:2]}", "recorder=[]")
    assert played.code == PLAYED_OTHERWISE
    for each in played.found.values():
        assert each["difference"] == {"request": 2, "control_step": 8, "key": "joints", "largest": 0.25}
    told = capsys.readouterr().out
    assert "Played again: 2 of 2 ended as they did; the states of 0 of 2 were the same, bit for bit." in told
    assert "the state differs from control step 8 on (request 2): joints by up to 0.25" in told


def test_episode_that_goes_on_after_all_that_it_played_ends_as_an_error(runs, again, monkeypatch):
    solved = next(index for index, row in rows_of(runs.paused).items() if row["success"])
    monkeypatch.setattr("tests.support.toys.env.NEEDED_STEPS", 99)
    played = again(runs.paused, f"only=[{solved}]", "recorder=[]")
    assert played.code == PLAYED_OTHERWISE
    assert played.found[solved]["now"]["ended"] == "error"
    assert "all that it had played was played again" in played.rows[solved]["error"]


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["only=[99]"], r"only=\[99\] was asked for, but there is no episode 99: there are 9, from 0 to 8"),
        (["seed=3", "server=expert"], r"may differ\. Leave out:\n- seed=3\n- server=expert"),
        (["sim=isaacsim"], r"Leave out:\n- sim=isaacsim"),
        (["only=[]"], "nothing is left"),
    ],
)
def test_what_would_be_another_run_is_refused(runs, tmp_path, overrides, told):
    with pytest.raises(ContractError, match=told):
        evaluate([f"again={runs.paused}", f"hydra.run.dir={tmp_path}", *overrides], config_dir=CONF)


def test_the_run_itself_is_not_put_aside_by_fresh(runs):
    with pytest.raises(ContractError, match="in the folder of that run, which would be put aside"):
        evaluate([f"again={runs.paused}", f"hydra.run.dir={runs.paused}", "fresh=true"], config_dir=CONF)
    assert (runs.paused / "manifest.json").exists()


def change_manifest(folder, change):
    content = json.loads((folder / "manifest.json").read_text())
    change(content)
    (folder / "manifest.json").write_text(json.dumps(content))


def test_runs_that_cannot_be_played_again_are_refused_by_name(runs, tmp_path):
    def refused(told):
        with pytest.raises(ContractError, match=told):
            evaluate([f"again={tmp_path / 'run'}", f"hydra.run.dir={tmp_path / 'again'}"], config_dir=CONF)

    refused(r"was to be played again, but there is no run: .*manifest\.json is not there")
    shutil.copytree(runs.real, tmp_path / "run")
    whole = (tmp_path / "run" / JOINED).read_bytes()
    for length in (100, len(whole) // 2, len(whole) - 1):
        (tmp_path / "run" / JOINED).write_bytes(whole[:length])
        refused(r"actions\.zip is not what groot-play writes")
    (tmp_path / "run" / JOINED).unlink()
    refused(r"keeps no actions of 9 episodes \(0, 1, 2, 3, 4, \.\.\.\).*the run is of an earlier version")
    change_manifest(tmp_path / "run", lambda content: content.update(reset_mode="per_batch"))
    refused("its env begins them in all envs together")
    change_manifest(tmp_path / "run", lambda content: content.update(reset_mode="per_env"))
    change_manifest(
        tmp_path / "run",
        lambda content: content["config"]["embodiment"]["action"]["joints"].update(relative_to="joints"),
    )
    refused("clock=real, and joints is relative to the state")


@pytest.fixture
def changed(runs, tmp_path):
    """Return a function that copies the run with something else kept of each episode."""

    def copy(change):
        shutil.copytree(runs.paused, tmp_path / "run")
        found = list(kept_episodes(tmp_path / "run", [(index, 0) for index in range(EPISODES)]))
        (tmp_path / "run" / JOINED).unlink()
        for kept in found:
            write_kept(tmp_path / "run", change(kept))
        return tmp_path / "run"

    return copy


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda kept: replace(kept, seed=kept.seed + 1), r"episode 0 with the seed \d+ in place of \d+"),
        (
            lambda kept: replace(kept, action={"arm": kept.action["joints"]}) if kept.index == 3 else kept,
            r"episode 3 with the action keys \{'arm': 2\} in place of \{'joints': 2\}",
        ),
        (
            lambda kept: replace(kept, action={"joints": kept.action["joints"][:, :1]}) if kept.index else kept,
            r"episode 1 with the action keys \{'joints': 1\} in place of \{'joints': 2\}",
        ),
        (
            lambda kept: replace(kept, beats=np.ones(1, int), states={}, action={"joints": kept.action["joints"][:1]}),
            r"with the steps 1 in place of \d+",
        ),
    ],
    ids=["seed", "key", "width", "steps"],
)
def test_actions_of_another_run_are_refused_before_anything_is_played(changed, tmp_path, change, told):
    with pytest.raises(ContractError, match=told):
        evaluate([f"again={changed(change)}", f"hydra.run.dir={tmp_path / 'again'}"], config_dir=CONF)


def test_states_of_another_width_differ_and_are_told(changed, again, capsys):
    folder = changed(lambda kept: replace(kept, states={"joints": np.zeros((len(kept.beats), 5), np.float32)}))
    played = again(folder, "only=[1]", "recorder=[]")
    assert played.code == PLAYED_OTHERWISE
    assert played.found[1]["difference"] == {"request": 0, "control_step": 0, "key": "joints", "largest": None}
    assert "(request 0): joints\n" in capsys.readouterr().out


def test_chosen_episodes_of_a_plan_are_those_of_the_whole(runs, port, tmp_path):
    settings = [f"server.port={port}", "num_envs=2", f"episodes={EPISODES}", "horizons.execution=4", "recorder=[]"]
    folder = tmp_path / "chosen"
    assert toy(*settings, "only=[7,3]", f"hydra.run.dir={folder}").episodes == 2
    whole, chosen = rows_of(runs.paused), rows_of(folder)
    assert sorted(chosen) == [3, 7]
    assert all(chosen[index][key] == whole[index][key] for index in chosen for key in ("seed", "ended", "steps"))
    assert json.loads((folder / "manifest.json").read_text())["config"]["only"] == [7, 3]
    assert toy(*settings, "only=[7,3]", f"resume={folder}").episodes == 2, "nothing is left of it"
    assert not (folder / FOLDER).exists()
    with pytest.raises(ContractError, match=r"only: \[7, 3\] then, \[2\] now"):
        evaluate([f"resume={folder}", "only=[2]"])
    with pytest.raises(ContractError, match=r"both say which part of the plan"):
        toy(*settings, "only=[7]", "shard.count=2")
