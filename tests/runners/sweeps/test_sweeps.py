"""Sweeps: what the jobs are called, that the same command goes on with them, and that none stands in another's way."""

import os
import re
import signal
import time
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from groot_wrappers.errors import ContractError
from runners import load_run
from runners.apps import play
from runners.episodes.plan import make_plan, require_parts, shard_of
from runners.run_folder.run_lock import is_played, run_lock
from runners.sweeps.folder import JobEnd, read_jobs
from runners.sweeps.jobs import job_name, jobs_of, sweep_name
from tests.support.processes import (
    ROOT,
    START_S,
    finish,
    free_port,
    play_in_this_process,
    require_every_episode_once,
    rows_of,
    wait_for_rows,
    wait_until_group_is_empty,
)
from tests.support.samples.runs import make_run
from tests.support.wandb_reader import read_offline_run

INSTRUCTIONS = sorted(path.stem for path in (ROOT / "conf/instruction").glob("*.yaml"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["seed=1", "task=lift_cube_franka"], ["task=lift_cube_franka", "seed=1"]),
        (["instruction.text='go'"], ['instruction.text="go"']),
        (["task.expert.horizon=4"], ["++task.expert.horizon=4"]),
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


@pytest.mark.slow
def test_exit_code_is_the_worst_of_the_jobs(sweep):
    ends = {1: 2, 2: 1, 3: 0, 4: 3}
    assert sweep("seed=1,2,3", ends=ends)[0] == 1, "a job that failed is worse than one with errored episodes"
    assert sweep("seed=3,1", ends=ends)[0] == 2
    assert sweep("seed=3,4,1", ends=ends)[0] == 3
    assert sweep("seed=3,5", ends=ends)[0] == 0


@pytest.mark.slow
def test_failed_and_lost_jobs_are_told_with_their_settings(sweep):
    code, out, _, played = sweep("seed=1,2,3", "sweep.name=mine", ends={1: 1, 2: None})
    assert code == 1
    assert len(played) == 3, "one that fails does not stop the others"
    assert "Sweep outputs/sweeps/mine: 1 of 3 jobs are done" in out
    assert f"failed: seed=1 sweep.name=mine ({played[0][0].relative_to(Path.cwd())}): it does not fit\n" in out
    assert f"failed: seed=2 sweep.name=mine ({played[1][0].relative_to(Path.cwd())}): it was cut off" in out


@pytest.mark.slow
def test_glob_plays_every_instruction_in_a_folder_of_its_own(sweep):
    code, _, err, played = sweep("instruction=glob(*)", "recorder=[]")
    assert code == 0, err
    assert len({folder for folder, _ in played}) == len(INSTRUCTIONS)
    (sweep_folder,) = Path("outputs/sweeps").iterdir()
    assert {job.name for job in read_jobs(sweep_folder)} == {folder.name for folder, _ in played}
    assert [job.overrides[0] for job in read_jobs(sweep_folder)] == [f"instruction={name}" for name in INSTRUCTIONS]


@pytest.mark.slow
def test_free_texts_with_commas_and_quotes_reach_the_jobs(sweep):
    texts = ["go, now", "don't stop", 'say "hi"', "a=b"]
    _, _, err, played = sweep("""instruction.text='go, now',"don't stop",'say "hi"','a=b'""")
    assert [config.instruction.text for _, config in played] == texts, err


@pytest.mark.slow
def test_same_command_finds_its_folders_and_another_name_begins_others(sweep):
    folders = [
        [folder for folder, _ in sweep(*overrides)[3]]
        for overrides in (["seed=1,2"], ["seed=2,1", "recorder=[]"], ["seed=1,2", "sweep.name=mine"])
    ]
    assert folders[0] == folders[1][::-1]
    assert [folder.name for folder in folders[0]] == [folder.name for folder in folders[2]]
    assert folders[0] != folders[2]


@pytest.mark.slow
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
    make_run(Path("here"), 1)
    code, _, err, played = sweep(*overrides)
    assert (code, played) == (1, [])
    assert told in err


@pytest.mark.slow
def test_gate_of_an_evaluation_in_shards_is_judged_at_the_end_of_the_sweep(sweep, monkeypatch):
    def play_shard(run, composition):
        folder, config = composition.folder, composition.config
        shard = (config.shard.index, config.shard.count)
        make_run(folder, config.episodes, rate=0.8, shard=shard, min_success=config.gate.min_success)
        JobEnd(0).write(folder)
        return 0

    shards = ("shard.count=4", "shard.index=range(4)", "episodes=40")
    for gate, code in ((0.5, 0), (0.9, 3)):
        got, out, err, _ = sweep(*shards, f"gate.min_success={gate}", f"sweep.name=gate-{gate}", play_job=play_shard)
        assert got == code, err
        assert re.search(rf"gate.min_success={gate} is {'not ' * (code == 3)}met: \d+ of 40 episodes succeeded", out)


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["shard.count=2", "stop.ci_width=0.1"], "whether there is enough is seen from all shards together"),
        (["shard.count=2", "instruction.per=env"], "Set instruction.per=episode"),
        (["shard.count=0"], "shard.count=0 was asked for, but the least is 1"),
    ],
)
def test_shards_that_are_no_part_of_an_evaluation_are_refused_at_once(command, monkeypatch, overrides, told):
    monkeypatch.setattr(play, "play", play_in_this_process)
    code, _, err = command(play, *overrides, "server.connect_timeout_s=0.1", "hydra.run.dir=run")
    assert code == 1
    assert told in err


@pytest.mark.parametrize(
    ("index", "count", "told"),
    [
        (
            8,
            8,
            r"it counts from 0 to 7\. A sweep plays all parts: groot-play -m shard\.count=8 'shard\.index=range\(8\)'",
        ),
        (-1, 2, "it counts from 0 to 1"),
        (0, 21, r"there are 20 episodes, so that a part would be empty\. Set shard\.count=20 or less"),
    ],
)
def test_part_that_a_plan_does_not_have_is_refused(index, count, told):
    with pytest.raises(ContractError, match=told):
        shard_of(make_plan(20, 0, ["reach"]), index, count)


def test_envs_that_begin_only_together_play_no_parts():
    require_parts("per_batch", 1)
    require_parts("per_env", 2)
    with pytest.raises(ContractError, match=r"\(reset mode: per_batch\)"):
        require_parts("per_batch", 2)


def test_fresh_puts_the_folder_of_a_run_aside(command):
    command(play, "hydra.run.dir=run")
    Path("run/episodes.jsonl").touch()
    code, out, _ = command(play, "hydra.run.dir=run", "fresh=true")
    assert code == 0
    assert "fresh=true: what was in run is now in run.before-1" in out
    assert Path("run.before-1/episodes.jsonl").exists()
    assert not Path("run/episodes.jsonl").exists()
    make_run(Path("run"), 1)
    code, _, err = command(play, "resume=run", "fresh=true")
    assert code == 1
    assert f"fresh=true and resume={Path('run').resolve()} exclude each other" in err


@pytest.mark.slow
def test_of_many_jobs_none_writes_where_another_does(sweep):
    _, _, err, played = sweep("seed=range(15)", "instruction=empty,task", "recorder=[]")
    assert len({folder for folder, _ in played}) == 30, err
    (folder,) = Path("outputs/sweeps").iterdir()
    assert {path.name for path in folder.iterdir()} == {"sweep.json", "multirun.yaml", *(f.name for f, _ in played)}


def test_folder_that_is_played_into_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("runners.run_folder.run_lock.TIMEOUT_S", 0.1)
    assert not is_played(tmp_path)
    with run_lock(tmp_path):
        assert is_played(tmp_path)
        with pytest.raises(ContractError, match="Another process plays into"), run_lock(tmp_path):
            pass
    assert not is_played(tmp_path)


@pytest.mark.isaaclab
def test_killed_sweep_goes_on_side_by_side_and_a_whole_one_asks_nobody(groot_play, policy_process, tmp_path):
    """Two jobs at a time, killed in their middle together with all that belongs to them, then gone on with."""
    server = policy_process("half_solved")
    settings = ("seed=0,1", "task.id=Toy-Slow-v0", "num_envs=2", "episodes=6", "horizons.episode=40", "sweep.name=mine")
    settings += ("recorder=[wandb]", f"server.port={server.ports['half_solved']}")
    joblib = ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    begun = groot_play("-m", *settings, *joblib)
    sweep = tmp_path / "outputs/sweeps/mine"
    folders = [sweep / job.name for job in wait_for_jobs(sweep, begun)]
    for folder in folders:
        wait_for_rows(folder, 1, begun)
    assert all(is_played(folder) for folder in folders)
    os.killpg(begun.pid, signal.SIGKILL)
    begun.wait(10)
    assert not wait_until_group_is_empty(begun.pid)
    deadline = time.monotonic() + START_S
    while any(is_played(folder) for folder in folders):  # a job whose parent was killed ends by itself
        assert time.monotonic() < deadline, "a job goes on although its sweep is gone"
        time.sleep(0.1)
    with (folders[1] / "episodes.jsonl").open("ab") as log:
        log.write(b'{"index": 5, "seed"')  # what a kill in the middle of a row leaves
    before = [rows_of(folder) for folder in folders]
    code, out, err = finish(groot_play("-m", *settings, *joblib), 2 * START_S)
    assert code == 0, err
    assert "Rollout" not in out + err, "bars of jobs side by side would be drawn over one another"
    assert "Sweep outputs/sweeps/mine: 2 of 2 jobs are done" in out
    for folder, rows in zip(folders, before, strict=True):
        assert require_every_episode_once(folder, 6)[: len(rows)] == rows, "what had ended is kept"
        if len(rows) < 6:
            assert "Going on after" in (folder / "output.log").read_text()
        assert (folder / "report.html").exists()
        logged = [read_offline_run(path) for path in folder.glob("wandb/offline-run-*/*.wandb")]
        assert {run.group for run in logged if run.project} == {"mine"}, (
            "but of what was killed before its first record"
        )
    # Whatever is written lies in the folder of one job, or is the sweep's own.
    assert {path.name for path in tmp_path.iterdir()} == {"outputs"}
    assert {path.name for path in sweep.iterdir()} == {"sweep.json", "multirun.yaml", *(f.name for f in folders)}
    # Whole, it is played by nobody, neither as a sweep nor as a run, and asks no server.
    server.kill()
    code, out, err = finish(groot_play("-m", *settings))
    assert code == 0, err
    assert out.count("is whole") == 2
    code, out, err = finish(groot_play(f"resume={folders[1]}"))
    assert code == 0, err
    assert "is whole" in out


@pytest.mark.isaaclab
def test_job_that_crashes_or_fails_stops_no_other(groot_play, policy_process, tmp_path):
    """The first job's server is none, the second's process ends by a signal, the third is played."""
    (port,) = policy_process("half_solved").ports.values()
    process = groot_play(
        "-m",
        f"server.port={free_port()},{port}",
        "task.id=Toy-Crashing-v0,Toy-v0",
        "server.connect_timeout_s=1",
        "recorder=[]",
        "sweep.name=mine",
    )
    code, out, err = finish(process, 2 * START_S)
    assert code == 1, err
    assert "Sweep outputs/sweeps/mine: 1 of 4 jobs are done" in out
    assert out.count("Failed to connect to Gr00t server") == 2
    assert "its process ended with code -11" in out
    assert "1 succeeded" in out


@pytest.mark.isaaclab
def test_jobs_keep_to_what_hydra_is_told_of_folders_and_logs(groot_play, tmp_path):
    """``hydra.job.chdir`` is each job's own folder, and what is switched off is written for none of them."""
    process = groot_play(
        "-m",
        "server=expert",
        "task.expert={_target_: tests.support.toys.policy.ToyPolicy, horizon: 4}",
        "seed=0,1",
        "recorder=[]",
        "+recorder.where._target_=tests.support.toys.task.WhereRecorder",
        "hydra.job.chdir=true",
        "hydra/job_logging=disabled",
        "hydra.output_subdir=null",
        "sweep.name=mine",
    )
    code, _, err = finish(process, 2 * START_S)
    assert code == 0, err
    sweep = tmp_path / "outputs/sweeps/mine"
    folders = [sweep / job.name for job in read_jobs(sweep)]
    assert [Path((folder / "where.txt").read_text()) for folder in folders] == folders
    for folder in folders:
        assert {".hydra", "groot-play.log"}.isdisjoint(path.name for path in folder.iterdir())
    assert {path.name for path in tmp_path.iterdir()} == {"outputs"}


@pytest.mark.isaaclab
def test_sweeper_that_optimises_gets_the_success_rate(groot_play, tmp_path):
    """Optuna's own sweeper, which chooses the next job by what the last has shown."""
    policies = "tests.support.servers.policy_servers.Reaching", "tests.support.toys.policy.ToyPolicy"
    process = groot_play(
        "-m",
        "server=expert",
        f"task.expert._target_=choice({','.join(policies)})",
        "episodes=6",
        "num_envs=2",
        "recorder=[]",
        "hydra/sweeper=optuna",
        "hydra.sweeper.n_trials=4",
        "hydra.sweeper.n_jobs=1",
        "hydra.sweeper.direction=maximize",
        "hydra.sweeper.sampler.seed=1",
        "sweep.name=best",
    )
    code, out, err = finish(process, 2 * START_S)
    assert code == 0, err
    sweep = tmp_path / "outputs/sweeps/best"
    best = OmegaConf.load(sweep / "optimization_results.yaml")
    assert best.best_params == {"++task.expert._target_": policies[1]}, "++: the key may be new"
    assert best.best_value == 1.0
    rates = {load_run(sweep / job.name).summary.success_rate for job in read_jobs(sweep)}
    assert max(rates) == 1.0 > min(rates), "each job is played once, in a folder of its own"
    assert len(read_jobs(sweep)) == 2
    assert f"Sweep {sweep.relative_to(tmp_path)}: 2 of 2 jobs are done" in out


def wait_for_jobs(sweep, process):
    deadline = time.monotonic() + START_S
    while not (jobs := read_jobs(sweep)):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline, "no sweep has begun"
        time.sleep(0.1)
    return jobs
