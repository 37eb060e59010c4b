"""groot-report over sweeps: whole, cut off, being played or not begun; and shards as the evaluation they are of."""

import json
import re
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from runners.episodes.plan import make_plan, shard_of
from runners.reports.shards import join_shards
from runners.run_folder.reader import read_run
from runners.run_folder.run_lock import run_lock
from tests.support.samples.runs import make_run
from tests.support.samples.sweeps import make_sweep

TEXTS = ["pick up the cube", "lift, then hold", "don't touch"]
SWEPT = ('instruction.text="pick up the cube","lift, then hold","don\'t touch"', "seed=0,1", "recorder=[]")


def test_sweep_is_shown_by_what_was_swept(report, tmp_path):
    make_sweep(tmp_path / "sweep", *SWEPT)
    code, out, err = report("sweep")
    assert (code, err) == (0, "")
    for text in TEXTS:
        for seed in (0, 1):
            assert f"\ninstruction.text={text} seed={seed}  " in out
    assert "Sweep sweep: 6 jobs: 6 done\n" in out
    rows = heat_rows(Path("sweep/groot-report.html").read_text())
    assert rows[0] == ["instruction.text", "seed=0", "seed=1"]
    assert [row[0] for row in rows[1:]] == ["pick up the cube", "lift, then hold", "don&#39;t touch"]
    rates = {}
    for path in tmp_path.glob("sweep/*/summary.json"):
        summary = json.loads(path.read_text())
        seed = json.loads(path.with_name("manifest.json").read_text())["config"]["seed"]
        rates[summary["instruction"], seed] = f"{summary['success_rate']:.0%} {summary['successes']} of 20"
    assert [row[1:] for row in rows[1:]] == [[rates[text, seed] for seed in (0, 1)] for text in TEXTS]
    assert len({cell for row in rows[1:] for cell in row[1:]}) > 2, "fields that are all alike show nothing"


def test_sweep_that_is_still_running_is_shown_as_far_as_it_is(report, tmp_path):
    jobs = make_sweep(tmp_path / "sweep", *SWEPT, unfinished=["cut off", "failed", "not begun", "cut off"])
    with run_lock(jobs[-1]):
        code, out, err = report("sweep")
    assert (code, err) == (0, "")
    assert "Sweep sweep: 6 jobs: 2 done, 1 cut off, 1 failed, 1 not begun, 1 being played\n" in out
    assert "  not begun: instruction.text=don't touch seed=0 (" in out
    assert f"({jobs[3].name}): The server and the embodiment do not fit:\n" in out
    assert out.count("7 of 20 planned episodes have ended") == 2
    rows = heat_rows(Path("sweep/groot-report.html").read_text())
    assert rows[2][2] == "failed"
    assert rows[3][1] == "not begun"
    assert "of 7 cut off" in rows[2][1]
    assert "of 7 being played" in rows[3][2]


def test_sweep_of_which_nothing_has_ended_yet_is_shown(report, tmp_path):
    make_sweep(tmp_path / "sweep", *SWEPT, unfinished=["not begun"] * 6)
    code, out, err = report("sweep")
    assert (code, err) == (0, "")
    assert "Sweep sweep: 6 jobs: 6 not begun" in out
    assert heat_rows(Path("sweep/groot-report.html").read_text())[1][1:] == ["not begun", "not begun"]


def test_suite_over_seeds_has_its_texts_as_rows(report, tmp_path):
    sweep = tmp_path / "sweep"
    for job, seed in zip(make_sweep(sweep, "seed=0,1", unfinished=["not begun"] * 2), (0, 1), strict=True):
        make_run(job, 12, seed=seed, instructions=("lift it", "raise it"))
    report("sweep")
    rows = heat_rows(Path("sweep/groot-report.html").read_text())
    assert [row[0] for row in rows] == ["instruction", "lift it", "raise it"]
    assert rows[0][1:] == ["seed=0", "seed=1"]


def test_tasks_of_a_suite_are_one_evaluation_with_both_means(report, tmp_path):
    sweep = tmp_path / "sweep"
    jobs = make_sweep(sweep, "task.index=0,1", "seed=0,1", unfinished=["not begun"] * 4)
    rates = {}
    for job, (episodes, seed) in zip(jobs, [(20, 0), (20, 1), (7, 0), (7, 1)], strict=True):
        make_run(job, episodes, seed=seed)
        summary = json.loads((job / "summary.json").read_text())
        rates.setdefault(seed, []).append((summary["successes"], summary["counted"] - summary["errors"]))
    _, out, _ = report("sweep")
    for seed, counts in rates.items():
        micro = sum(good for good, _ in counts) / sum(judged for _, judged in counts)
        macro = sum(good / judged for good, judged in counts) / 2
        assert micro != macro, "of tasks with equally many episodes both are the same"
        line = (
            f"seed={seed}: Over 2 tasks: micro mean {micro:.1%} (every episode weighs the same), macro mean {macro:.1%}"
        )
        assert line in out
        assert line in Path("sweep/groot-report.html").read_text()


def heat_rows(page):
    """Return the cells of a page's heat map, without marks."""
    table = re.search(r'<table class="heat">(.*?)</table>', page, re.DOTALL)[1]
    rows = [re.split(r"<t[hd][^>]*>", row)[1:] for row in re.split(r"<tr>", table)[1:]]
    return [[" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in row] for row in rows]


# What may differ between a run and its shards: who played an episode, where it lies, and how long it took.
APART = {"wall_s", "env_steps_per_s", "server", "renders"}


@pytest.mark.parametrize("count", [2, 3, 8])
def test_shards_are_shown_as_the_evaluation_that_they_are_of(report, tmp_path, count):
    options = {"rate": 0.7, "instructions": ("lift it", "raise it", ""), "errors": (5,), "min_success": 0.3}
    whole = make_run(tmp_path / "whole", 20, **options)
    for index in range(count):
        make_run(tmp_path / f"shards/{index}", 20, shard=(index, count), **options)
    (joined,) = join_shards([read_run(tmp_path / f"shards/{index}") for index in range(count)])
    assert joined.rows == sorted(whole, key=lambda row: row.index)
    assert joined.plan == make_plan(20, 0, options["instructions"])
    summary = json.loads((tmp_path / "whole/summary.json").read_text())
    assert {k: v for k, v in msgspec.to_builtins(joined.summary).items() if k not in APART} == {
        k: v for k, v in summary.items() if k not in APART
    }
    assert joined.notes == []
    code, out, _ = report("shards")
    assert code == 0
    (line,) = re.findall(r"^\S+ +\d+ of \d+ .*$", out, re.MULTILINE)
    assert "-joined" in line
    assert "gate.min_success=0.3 is met: " in out
    (page,) = tmp_path.glob("shards/*-joined/report.html")
    assert page.exists()
    assert len(list(tmp_path.glob("shards/*-joined"))) == 1
    assert report("shards")[1] == out, "what it has written is no run to show"


def test_missing_shards_are_told_and_figures_are_of_the_beginning_of_the_plan(tmp_path):
    for index in (0, 1, 3):
        make_run(tmp_path / str(index), 20, shard=(index, 4), rate=1.0)
    (joined,) = join_shards([read_run(tmp_path / str(index)) for index in (0, 1, 3)])
    assert "shard 2 of 4 has not begun" in joined.notes
    assert (joined.summary.episodes, joined.summary.counted) == (15, 2), "episode 2 has not ended"
    assert not list(tmp_path.glob("*-joined")), "its page is written once it is whole"


def test_shards_of_other_evaluations_are_kept_apart(tmp_path):
    for seed in (0, 1):
        for index in (0, 1):
            make_run(tmp_path / f"{seed}{index}", 20, seed=seed, shard=(index, 2))
    runs = [read_run(tmp_path / name) for name in ("00", "10", "01", "11")]
    assert [len(run.rows) for run in join_shards(runs)] == [20, 20]
    again = [replace(runs[0], folder=tmp_path / "again"), *runs]
    assert "3 runs for 2 shards; the first of each is shown" in join_shards(again)[0].notes


def test_shards_are_the_plan_each_episode_once():
    plan = make_plan(21, 3, ["a", "b"])
    parts = [shard_of(plan, index, 8) for index in range(8)]
    assert sorted((episode for part in parts for episode in part), key=lambda episode: episode.index) == plan
    assert {len(part) for part in parts} == {2, 3}
