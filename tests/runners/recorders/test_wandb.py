"""WandbRecorder, with the real library: what it leaves on disk, and that an absent W&B stops nothing."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from groot_wrappers.errors import ContractError
from runners.episodes.plan import make_plan
from runners.recorders import Recorders
from runners.recorders.recorder import RunInfo
from runners.recorders.video import VideoRecorder
from runners.recorders.wandb import FINISH_TIMEOUT_S, INIT_TIMEOUT_S, WandbRecorder
from runners.statistics.intervals import success_interval
from runners.statistics.stop_rule import StopRule
from runners.statistics.summary import Cost, Endpoint, ServerCost
from tests.support.samples.rows import make_row, make_staged_row, summary_of
from tests.support.wandb_reader import read_offline_run, records

ROOT = Path(__file__).parents[3]

CONFIG = {"seed": 3, "server": {"host": "localhost", "port": 5555}, "instruction": {"text": "reach"}}


def run_info(folder, **settings):
    return RunInfo(**{"folder": folder, "config": CONFIG, "fps": 20.0, "task": "Toy-v0"} | settings)


def offline_run(folder):
    """Return the one offline run in a run folder; W&B's service writes its end a moment after the run is over."""
    (path,) = folder.glob("wandb/offline-run-*/*.wandb")
    deadline = time.monotonic() + 10
    while (run := read_offline_run(path)).exit_code is None and time.monotonic() < deadline:
        time.sleep(0.05)
    return path, run


def artifacts_of(path):
    """Yield type and files of each artifact of a run: path within it to where W&B keeps it."""
    for record in records(path):
        if record.WhichOneof("record_type") == "artifact":
            contents = record.artifact.manifest.contents
            yield record.artifact.type, {entry.path: Path(entry.local_path) for entry in contents}


def videos_of_table(path):
    """Return the videos that play in the tables of a run."""
    tables = [files for kind, files in artifacts_of(path) if kind == "run_table"]
    return [file.read_bytes() for files in tables for name, file in files.items() if name.endswith(".mp4")]


def episode_rows(run):
    return [entry for entry in run.history if "episode/index" in entry]


@pytest.mark.process
def test_offline_run_holds_config_rows_success_rate_and_videos(play, tmp_path, clean_environment):
    recorders = Recorders([VideoRecorder(), WandbRecorder("offline", "groot-tests")])
    recorders.on_run_start(run_info(tmp_path))
    rolled = play(2, 6, recorders=[recorders])
    endpoint = Endpoint(endpoint="h:1", calls=1, observations=1, p50_ms=1.5)
    server = ServerCost(calls=rolled.stats.calls, observations=rolled.stats.observations, endpoints=[endpoint])
    summary = summary_of(rolled.rows, cost=Cost(server=server))
    recorders.on_run_end(summary)
    path, run = offline_run(tmp_path)

    assert (run.project, run.tags, run.job_type) == ("groot-tests", ["Toy-v0"], "rollout")
    assert {key: run.config[key] for key in CONFIG} == CONFIG
    entries = episode_rows(run)
    assert [entry["episode/index"] for entry in entries] == [row.index for row in rolled.rows]
    for entry, row in zip(entries, rolled.rows, strict=True):
        logged = {key.removeprefix("episode/"): value for key, value in entry.items() if key.startswith("episode/")}
        video = logged.pop("video")
        expected = {k: v for k, v in row.to_json().items() if v is not None and k != "video"}
        assert logged == expected
        kept = path.parent / "files" / video["path"]
        assert kept.read_bytes() == (tmp_path / row.video).read_bytes()
    assert run.summary["success_rate"] == summary.success_rate
    assert not [key for key in run.summary if key.startswith("episode") and key != "episodes"], "the last one's"
    latencies = [(entry["requests"], entry["latency_ms"]) for entry in run.history if "latency_ms" in entry]
    assert latencies[-1][0] == rolled.stats.calls
    assert all(value > 0 for _, value in latencies)
    assert run.summary["server"] == msgspec.to_builtins(server)
    (table,) = [entry["tables/servers"] for entry in run.history if "tables/servers" in entry]
    kept = json.loads((path.parent / "files" / table["path"]).read_text())
    assert [dict(zip(kept["columns"], row, strict=True)) for row in kept["data"]] == [msgspec.to_builtins(endpoint)]
    (table,) = [entry["tables/episodes"] for entry in run.history if "tables/episodes" in entry]
    kept = json.loads((path.parent / "files" / table["path"]).read_text())
    assert kept["columns"] == list(rolled.rows[0].to_json())
    for values, row in zip(kept["data"], rolled.rows, strict=True):
        assert dict(zip(kept["columns"], values, strict=True)) == row.to_json() | {"video": "Video"}
    assert sorted(videos_of_table(path)) == sorted((tmp_path / row.video).read_bytes() for row in rolled.rows)
    assert run.exit_code == 0, "the run is closed"


@pytest.mark.process
def test_rate_over_time_is_that_of_the_plan_in_its_order_with_its_interval(tmp_path, clean_environment):
    recorder = WandbRecorder("offline", "groot-tests")
    recorder.on_run_start(run_info(tmp_path, stop=StopRule(make_plan(4, 0, ["reach"]), None)))
    rows = []
    for index, success in ((1, True), (3, True), (0, False), (2, True)):  # long ones end last, and fail
        rows.append(make_row(index, success=success, ended="success" if success else "time_out"))
        recorder.on_row_written(rows[-1], rows)
    recorder.on_run_end(summary_of(rows))
    logged = [entry for entry in offline_run(tmp_path)[1].history if "counted" in entry]
    assert [(entry["counted"], entry["success_rate"]) for entry in logged] == [
        (1, 0.0), (2, 0.5), (3, pytest.approx(2 / 3)), (4, 0.75)
    ]  # fmt: skip
    assert [(entry["ci_low"], entry["ci_high"]) for entry in logged] == [
        success_interval(successes, count) for count, successes in ((1, 0), (2, 1), (3, 2), (4, 3))
    ]


@pytest.mark.process
def test_mean_progress_is_logged_over_the_plan_and_rows_of_other_stages_are_of_one_table(tmp_path, clean_environment):
    recorder = WandbRecorder("offline", "groot-tests")
    recorder.on_run_start(run_info(tmp_path, stop=StopRule(make_plan(3, 0, ["reach"]), None)))
    rows = []
    for index, stage in ((0, 0), (2, 3), (1, 1)):
        rows.append(make_staged_row(index, stage, events={"dropped": 5} if stage else {}))
        recorder.on_row_written(rows[-1], rows)
    recorder.on_run_end(summary_of(rows))
    run = offline_run(tmp_path)[1]
    logged = [(entry["counted"], entry["progress"]) for entry in run.history if "progress" in entry]
    assert logged == [(1, 0), (2, 0.125), (3, pytest.approx(1 / 3))]
    assert all(
        entry["progress_ci_low"] <= 1 / 3 <= entry["progress_ci_high"] for entry in run.history if "progress" in entry
    )
    assert run.summary["funnel"]["episodes"] == 3
    assert run.summary["tables/episodes"]["nrows"] == 3


@pytest.mark.process
def test_number_of_episodes_is_kept_beside_their_table(tmp_path, clean_environment):
    recorder = WandbRecorder("offline", "groot-tests")
    recorder.on_run_start(run_info(tmp_path))
    recorder.on_row_written(make_row(), [make_row()])
    recorder.on_run_end(summary_of([make_row()]))
    run = offline_run(tmp_path)[1]
    assert run.summary["episodes"] == 1
    names = [name for entry in run.history for name in entry]
    assert {"tables/episodes", "tables/instructions"} <= set(names)
    assert not {"episodes", "instructions"} & set(names), "a table would take the place of a figure"


@pytest.mark.process
@pytest.mark.parametrize("task", ["Isaac-" + "Kitchen-" * 20 + "v0", "箱" * 70])
def test_name_of_a_task_that_is_longer_than_a_tag_costs_no_record(tmp_path, clean_environment, task):
    recorders = Recorders([WandbRecorder("offline", "groot-tests")])
    recorders.on_run_start(run_info(tmp_path, task=task))
    recorders.on_run_end(summary_of([]))
    assert recorders.failures == []
    assert offline_run(tmp_path)[1].tags == [task[:64]]


@pytest.mark.process
def test_folders_of_wandb_are_the_runs_where_home_cannot_be_written(tmp_path, clean_environment, monkeypatch):
    monkeypatch.setenv("HOME", "/proc/nobody")
    for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    before = dict(os.environ)
    for folder in (tmp_path / "one", tmp_path / "two"):  # as two jobs of one process
        folder.mkdir()
        recorders = Recorders([WandbRecorder("offline", "groot-tests")])
        recorders.on_run_start(run_info(folder))
        recorders.on_row_written(make_row(), [make_row()])
        recorders.on_run_end(summary_of([make_row()]))
        assert recorders.failures == []
        assert (folder / "wandb/artifacts/staging").is_dir()
    assert dict(os.environ) == before


@pytest.mark.parametrize("project", ["a/b", "50%", "x" * 129])
def test_project_that_wandb_refuses_is_refused_before_the_run(project):
    with pytest.raises(ContractError, match=r"recorder\.wandb\.project=.* was asked for, but W&B does not take it"):
        WandbRecorder("offline", project).check({})


def test_mode_that_is_none_is_refused():
    with pytest.raises(ContractError, match=r"mode=onlin was asked for\. Set it to one of offline, online"):
        WandbRecorder("onlin", "groot-tests")


@pytest.mark.process
def test_run_without_an_episode_is_closed_too(tmp_path, clean_environment):
    recorder = WandbRecorder("offline", "groot-tests")
    recorder.on_run_start(run_info(tmp_path))
    recorder.on_run_end(summary_of([]))
    assert offline_run(tmp_path)[1].exit_code == 0


@pytest.mark.process
def test_run_is_closed_though_its_last_words_cannot_be_sent(tmp_path, clean_environment, monkeypatch):
    """As when W&B goes away in the middle of a run: a run left open would keep the process from ending."""
    recorder = WandbRecorder("offline", "groot-tests")
    recorder.on_run_start(run_info(tmp_path))
    assert recorder._run.settings.finish_timeout == FINISH_TIMEOUT_S, "uploads must not hold up the end for good"
    recorder.on_row_written(make_row(), [make_row()])

    def broken(*arguments, **options):
        raise ConnectionError("W&B went away")

    monkeypatch.setattr("runners.recorders.wandb.wandb.Table", broken)
    with pytest.raises(ConnectionError):
        recorder.on_run_end(summary_of([make_row()]))
    run = offline_run(tmp_path)[1]
    assert run.exit_code == 0
    assert len(episode_rows(run)) == 1


ONLINE = """
import logging, sys, time
from pathlib import Path
from runners.recorders import Recorders
import runners.recorders.wandb
from runners.recorders.wandb import WandbRecorder
from tests.support.samples.rows import make_row, summary_of
from tests.runners.recorders.test_wandb import run_info
logging.basicConfig()
runners.recorders.wandb.INIT_TIMEOUT_S = 4.0
recorders = Recorders([WandbRecorder("online", "groot-tests")])
recorders.on_run_start(run_info(Path(sys.argv[1])))
row = make_row()
recorders.on_episode_end(row)
recorders.on_row_written(row, [row])
recorders.on_run_end(summary_of([row]))
print("over", flush=True)
"""


@pytest.mark.process
@pytest.mark.timing
@pytest.mark.parametrize("key", ["0123456789" * 4, None], ids=["unreachable", "no account"])
def test_run_goes_on_offline_where_wandb_cannot_be_reached(tmp_path, clean_environment, key):
    home = tmp_path / "home"  # where no one has logged in
    home.mkdir()
    environment = os.environ | {"WANDB_BASE_URL": "http://127.0.0.1:9", "HOME": str(home)}
    environment |= {"WANDB_API_KEY": key} if key else {}
    start = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-c", ONLINE, str(tmp_path)],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout.readline() == "over\n"
        over = time.monotonic()
        _, told = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 0, told
    assert over - start < 25, "it waits for W&B, but not for longer than it was told"
    assert INIT_TIMEOUT_S <= 30
    assert time.monotonic() - over < 15, "nothing keeps the process from ending"
    assert "W&B could not be reached" in told
    assert f"wandb sync {tmp_path / 'wandb' / 'offline-run-*'}" in told
    assert "left out" not in told
    run = offline_run(tmp_path)[1]
    assert [entry["episode/index"] for entry in episode_rows(run)] == [make_row().index]
    assert run.exit_code == 0


@pytest.mark.process
def test_run_is_called_what_it_is_asked_to_be(tmp_path, clean_environment):
    named = {"name": "evening", "tags": ["baseline"], "group": "cubes", "notes": "a new lamp", "job_type": "eval"}
    recorder = WandbRecorder("offline", "groot-tests", init=named)
    recorder.on_run_start(run_info(tmp_path))
    recorder.on_run_end(None)
    _, run = offline_run(tmp_path)
    assert (run.tags, run.job_type) == (["Toy-v0", "baseline"], "eval")


@pytest.mark.process
def test_a_playing_again_is_told_from_a_rollout(tmp_path, clean_environment):
    recorder = WandbRecorder("offline", "groot-tests")
    recorder.on_run_start(run_info(tmp_path, config=CONFIG | {"again": "outputs/run"}))
    recorder.on_run_end(None)
    assert offline_run(tmp_path)[1].job_type == "again"


def test_name_that_is_none_of_a_runs_is_refused():
    with pytest.raises(ContractError, match=r"recorder\.wandb\.init\.nme was asked for.*Did you mean 'name'\?"):
        WandbRecorder("offline", "groot-tests", init={"nme": "evening"})


@pytest.mark.process
def test_table_has_the_videos_of_failures_first_and_no_more_than_is_said(tmp_path, clean_environment, monkeypatch):
    monkeypatch.setattr("runners.recorders.wandb.MOST_VIDEOS", 1)
    recorder = WandbRecorder("offline", "groot-tests")
    recorder.on_run_start(run_info(tmp_path))
    rows = []
    for index, success in ((0, True), (1, False), (2, False)):
        (tmp_path / f"{index}.mp4").write_bytes(b"video %d" % index)
        rows.append(make_row(index, success=success, ended="success" if success else "time_out", video=f"{index}.mp4"))
        recorder.on_row_written(rows[-1], rows)
    recorder.on_run_end(summary_of(rows))
    path, _ = offline_run(tmp_path)
    assert videos_of_table(path) == [b"video 1"]


@pytest.mark.process
def test_artifacts_are_those_of_the_whole_folder(tmp_path, clean_environment, caplog):
    recorder = WandbRecorder("offline", "groot-tests", artifacts=["report", "dataset", "rerun"])
    recorders = Recorders([recorder])
    recorders.on_run_start(run_info(tmp_path))
    recorders.on_run_end(summary_of([make_row()]))
    (tmp_path / "report.html").write_text("as it is after the recorders have ended")
    (tmp_path / "dataset/meta").mkdir(parents=True)
    (tmp_path / "dataset/meta/info.json").write_text("{}")
    recorders.on_folder_whole()
    assert recorders.failures == []
    assert f"has written no {tmp_path / 'rerun'}" in caplog.text
    path, run = offline_run(tmp_path)
    assert run.exit_code == 0
    kept = {kind: list(files) for kind, files in artifacts_of(path) if kind != "run_table"}
    assert kept == {"report": ["report.html"], "dataset": ["meta/info.json"]}


def test_artifact_that_there_is_not_is_refused():
    with pytest.raises(ContractError, match=r"artifacts=\[reprot\] was asked for.*Did you mean 'report'\?"):
        WandbRecorder("offline", "groot-tests", artifacts=["reprot"])


@pytest.mark.process
def test_every_series_has_what_it_is_drawn_over(tmp_path, clean_environment):
    recorder = WandbRecorder("offline", "groot-tests")
    recorder.on_run_start(run_info(tmp_path))
    recorder.on_run_end(None)
    path, _ = offline_run(tmp_path)
    metrics = [record.metric for record in records(path) if record.WhichOneof("record_type") == "metric"]
    assert {metric.name or metric.glob_name: metric.step_metric for metric in metrics if metric.step_metric} == {
        "success_rate": "counted",
        "ci_low": "counted",
        "ci_high": "counted",
        "progress": "counted",
        "progress_ci_low": "counted",
        "progress_ci_high": "counted",
        "latency_ms": "requests",
    }
