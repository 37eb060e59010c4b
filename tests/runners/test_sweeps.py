"""Sweeps: what the jobs are called, that the same command goes on with them, and that none stands in another's way."""

import os
import signal
import time
from pathlib import Path

import pytest

from groot_wrappers.errors import ContractError
from runners import play
from runners.play import play as real_play
from runners.run_lock import is_played, run_lock
from runners.sweeps.folder import JobEnd, read_jobs
from runners.sweeps.jobs import job_name, jobs_of, sweep_name
from tests.runners.conftest import ROOT
from tests.runners.test_failures import finish, wait_for_rows
from tests.runners.test_resume import require_every_episode_once
from tests.runners.wandb_reader import read_offline_run

INSTRUCTIONS = sorted(path.stem for path in (ROOT / "conf/instruction").glob("*.yaml"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["seed=1", "task=lift_cube_franka"], ["task=lift_cube_franka", "seed=1"]),
        (["instruction.text='go'"], ['instruction.text="go"']),
        (["instruction.text=[go,on]"], ["instruction.text=['go', 'on']"]),
        (
            ["seed=1"],
            ["seed=1", "server.host=10.0.0.7", "server.port=5556", "recorder=[]"],
        ),
        (["seed=1"], ["seed=1", "retries=5", "fresh=true", "sweep.name=mine", "episodes=100", "gate.min_success=0.8"]),
    ],
)
def test_name_of_a_job_is_that_of_what_it_plays(one, other):
    assert job_name(one) == job_name(other)


def test_other_settings_make_another_job():
    jobs = [
        ["seed=1"],
        ["seed=2"],
        ["seed=1", "task=any"],
        ["+seed=1"],
        ["instruction.text='1'"],
        ["instruction.text=1"],
    ]
    assert len({job_name(job) for job in jobs}) == len(jobs)


def test_what_makes_no_other_job_does_so_where_it_is_swept():
    jobs = jobs_of(["seed=1", "server.port=5555,5556", "server.host=here"], None)
    assert len({job.name for job in jobs}) == 2
    assert jobs_of(["server.port=5555,5556", "seed=1"], None)[0].name == jobs[0].name


def test_a_sweep_is_known_by_its_jobs():
    one = jobs_of(["seed=range(3)", "instruction=empty,task"], None)
    other = jobs_of(["instruction=task,empty", "seed=2,1,0", "server.port=7"], None)
    assert sweep_name(one) == sweep_name(other)
    assert sweep_name(one) != sweep_name(one[:-1])


def test_a_job_that_is_named_twice_is_refused():
    with pytest.raises(ContractError, match=r"2 jobs of the sweep are the same: seed=1\. Name each value once"):
        jobs_of(["seed=1,2,1"], None)


@pytest.fixture
def sweep(command, monkeypatch):
    """Run a sweep in this process, up to where each job would be played; return code, stdout, stderr and the jobs.

    ``ends`` says by a job's seed with which code it ends.
    """
    monkeypatch.setattr(play, "play", real_play)

    def run(*overrides, ends=None):
        played = []

        def play_job(run, config):
            folder = Path(play.HydraConfig.get().runtime.output_dir)
            code = (ends or {}).get(config.seed, 0)
            played.append((folder, config))
            if code is not None:
                JobEnd(code, "it does not fit\nat all" if code else None).write(folder)
            return code

        monkeypatch.setattr(play, "play_job", play_job)
        return *command(play, "-m", *overrides), played

    return run


def test_exit_code_is_the_worst_of_the_jobs(sweep):
    ends = {1: 2, 2: 1, 3: 0, 4: 3}
    assert sweep("seed=1,2,3", ends=ends)[0] == 1, "a job that failed is worse than one with errored episodes"
    assert sweep("seed=3,1", ends=ends)[0] == 2
    assert sweep("seed=3,4,1", ends=ends)[0] == 3
    assert sweep("seed=3,5", ends=ends)[0] == 0


def test_failed_and_lost_jobs_are_told_with_their_settings(sweep):
    code, out, _, played = sweep("seed=1,2,3", "sweep.name=mine", ends={1: 1, 2: None})
    assert code == 1
    assert len(played) == 3, "one that fails does not stop the others"
    assert "Sweep outputs/sweeps/mine: 1 of 3 jobs are done" in out
    assert f"failed: seed=1 sweep.name=mine ({played[0][0].relative_to(Path.cwd())}): it does not fit\n" in out
    assert f"failed: seed=2 sweep.name=mine ({played[1][0].relative_to(Path.cwd())}): it was cut off" in out


def test_glob_plays_every_instruction_in_a_folder_of_its_own(sweep):
    code, _, err, played = sweep("instruction=glob(*)", "recorder=[]")
    assert code == 0, err
    assert len({folder for folder, _ in played}) == len(INSTRUCTIONS)
    (sweep_folder,) = Path("outputs/sweeps").iterdir()
    assert {job.name for job in read_jobs(sweep_folder)} == {folder.name for folder, _ in played}
    assert [job.overrides[0] for job in read_jobs(sweep_folder)] == [f"instruction={name}" for name in INSTRUCTIONS]


def test_free_texts_with_commas_and_quotes_reach_the_jobs(sweep):
    texts = ["go, now", "don't stop", 'say "hi"', "a=b"]
    _, _, err, played = sweep("""instruction.text='go, now',"don't stop",'say "hi"','a=b'""")
    assert [config.instruction.text for _, config in played] == texts, err


def test_same_command_finds_its_folders_and_another_name_begins_others(sweep):
    folders = [
        [folder for folder, _ in sweep(*overrides)[3]]
        for overrides in (["seed=1,2"], ["seed=2,1", "recorder=[]"], ["seed=1,2", "sweep.name=mine"])
    ]
    assert folders[0] == folders[1][::-1]
    assert [folder.name for folder in folders[0]] == [folder.name for folder in folders[2]]
    assert folders[0] != folders[2]


def test_named_sweep_grows_and_fresh_puts_it_aside(sweep):
    sweep("seed=1,2", "sweep.name=mine")
    sweep("seed=3", "sweep.name=mine")
    assert len(read_jobs(Path("outputs/sweeps/mine"))) == 3
    for number in (1, 2):
        code, out, _, _ = sweep("seed=1,2", "sweep.name=mine", "fresh=true")
        assert code == 0
        assert f"what was in outputs/sweeps/mine is now in outputs/sweeps/mine.before-{number}" in out
    assert len(read_jobs(Path("outputs/sweeps/mine.before-1"))) == 3
    assert len(read_jobs(Path("outputs/sweeps/mine"))) == 2


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["resume=here", "fresh=true", "seed=1,2"], "A sweep goes on when the same command is given again"),
        (["sweep.name=../there", "seed=1,2"], "sweep.name=../there was asked for, but it names a folder"),
        (["seed=1,1"], "2 jobs of the sweep are the same"),
    ],
)
def test_sweep_that_cannot_be_is_refused_before_a_job_begins(sweep, overrides, told):
    Path("here").mkdir()
    Path("here/manifest.json").write_text("{}")
    code, _, err, played = sweep(*overrides)
    assert (code, played) == (1, [])
    assert told in err


def test_folder_that_is_played_into_is_refused(tmp_path):
    assert not is_played(tmp_path)
    with run_lock(tmp_path):
        assert is_played(tmp_path)
        with pytest.raises(ContractError, match="Another process plays into"), run_lock(tmp_path):
            pass
    assert not is_played(tmp_path)


def test_killed_sweep_goes_on_and_a_whole_one_asks_nobody(groot_play, policy_process, tmp_path):
    """Two jobs, of which the second is killed in its middle together with all that belongs to it."""
    server = policy_process("half_solved")
    port = server.ports["half_solved"]
    settings = (
        "seed=0,1",
        "task.id=Toy-Slow-v0",
        "num_envs=2",
        "episodes=6",
        "horizons.episode=20",
        "recorder=[wandb]",
        "sweep.name=mine",
    )
    begun = groot_play("-m", *settings, f"server.port={port}")
    first, second = (tmp_path / "outputs/sweeps/mine" / job.name for job in wait_for_jobs(tmp_path, begun))
    wait_for_rows(first, 6, begun)
    wait_for_rows(second, 1, begun)
    os.killpg(begun.pid, signal.SIGKILL)
    begun.wait(10)
    with (second / "episodes.jsonl").open("ab") as log:
        log.write(b'{"index": 5, "seed"')  # what a kill in the middle of a row leaves
    of_first = (first / "episodes.jsonl").read_bytes()
    code, out, err = finish(groot_play("-m", *settings, f"server.port={port}"))
    assert code == 0, err
    assert f"{first} is whole" in out
    assert "Going on after" in out
    assert (first / "episodes.jsonl").read_bytes() == of_first
    for folder in (first, second):
        require_every_episode_once(folder, 6)
        (logged, *_) = sorted(folder.glob("wandb/offline-run-*/*.wandb"))
        assert read_offline_run(logged).group == "mine"
    server.kill()
    code, out, err = finish(groot_play("-m", *settings, f"server.port={port}"))
    assert code == 0, err
    assert out.count("is whole") == 2
    code, out, err = finish(groot_play(f"resume={second}"))
    assert code == 0, err
    assert "is whole" in out


def wait_for_jobs(folder, process):
    for _ in range(600):
        (jobs,) = [read_jobs(path) for path in folder.glob("outputs/sweeps/*")] or [[]]
        if jobs or process.poll() is not None:
            return jobs
        time.sleep(0.1)
    raise AssertionError("no sweep has begun")
