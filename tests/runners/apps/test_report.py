"""groot-report: what it prints of runs, whole or killed, and what it says where there is nothing to report."""

import json
import os
import subprocess
import sys

import pytest

from runners.episodes.episode_log import read_rows
from runners.run_folder.reader import read_run
from runners.run_folder.results import read_summary
from tests.support.processes import ROOT
from tests.support.samples.rows import make_row
from tests.support.samples.runs import make_run


def test_table_has_a_line_a_run_and_a_page_is_written(report, tmp_path):
    make_run(tmp_path / "outputs/day/one", 40, rate=0.8, errors=(3,))
    make_run(tmp_path / "outputs/day/two", 12, rate=1.0, instructions=("a", "b"))
    make_run(tmp_path / "outputs/day/untold", 12, instructions=("",))
    code, out, err = report("outputs")
    assert (code, err) == (0, "")
    head, one, two, untold, page = out.splitlines()
    assert head.split("  ")[0] == "run"
    summary = json.loads((tmp_path / "outputs/day/one/summary.json").read_text())
    for told in (
        f"{summary['successes']} of 39",
        f"{summary['success_rate']:.0%} ({summary['ci_low']:.0%} to {summary['ci_high']:.0%})",
        f"{summary['success_rate_errors_failed']:.0%} (",
        f"{summary['env_steps_per_s']:.1f}",
        "pick up the cube",
    ):
        assert told in one
    assert two.startswith("two")
    assert "2 instructions" in two
    assert untold.endswith("  (empty)")
    assert page.startswith("Look at it: ")
    assert (tmp_path / "outputs/groot-report.html").exists()


def test_run_named_twice_is_shown_once_and_output_goes_where_it_is_told(report, tmp_path):
    make_run(tmp_path / "one")
    code, out, _ = report("one", tmp_path, "--output", "page.html")
    assert code == 0
    assert len(out.splitlines()) == 3
    assert (tmp_path / "page.html").exists()


def test_killed_run_is_read_as_far_as_it_goes(report, tmp_path):
    rows = make_run(tmp_path / "run", 20)
    path = tmp_path / "run" / "episodes.jsonl"
    whole = path.read_bytes()
    for cut in (1, 30, len(whole.splitlines()[-1])):
        path.write_bytes(whole[: -1 - cut])
        (tmp_path / "run" / "summary.json").unlink(missing_ok=True)
        code, out, err = report("run")
        assert (code, err) == (0, "")
        assert "19 of 20 planned episodes have ended" in out
        assert "no summary.json: the run was killed, or goes on still" in out
        assert ("its last line is half-written" in out) == (cut < len(whole.splitlines()[-1]))
        assert f"{sum(row.success for row in rows[:19])} of 19" in out


def test_rows_are_read_whatever_lies_between_them(tmp_path):
    path = tmp_path / "episodes.jsonl"
    rows = [make_row(0, success=None, ended="error", error="it broke"), make_row(1), make_row(0, attempt=1)]
    good = [json.dumps(row.to_json() | {"of a later version": 1}).encode() for row in rows]
    path.write_bytes(b"\n".join([good[0], b"", b'{"index": 1', b"[]", b"\xff\xfe", b'{"index": 5}', *good[1:]]))
    read, notes = read_rows(path)
    assert read == rows
    assert [note.split(";")[0] for note in notes] == [f"episodes.jsonl: its line {n} is no row" for n in (3, 4, 5, 6)]
    run = read_run(tmp_path)
    assert [(row.index, row.attempt) for row in run.rows] == [(0, 1), (1, 0)], "the last row of an index counts"
    assert (run.summary.errors, run.summary.success_rate) == (0, 1.0)


def test_statistics_are_counted_anew_as_the_run_counted_them(tmp_path):
    for name, options in {"whole": {"errors": (3, 4)}, "early": {"ci_width": 0.3, "episodes": 300}}.items():
        make_run(tmp_path / name, **options)
        assert read_run(tmp_path / name).summary == read_summary(tmp_path / name)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "Name the folders of runs"),
        (["empty", "--compare", "one", "two"], "Name the folders of runs"),
        (["nowhere"], "nowhere is no folder"),
        (["empty"], "empty holds no run: there is no episodes.jsonl"),
        (["started"], "None of these runs has an episode that has ended"),
        (["--compare", "one"], "expected 2 arguments"),
        (["--compare", "one", "nowhere"], "nowhere is no folder"),
        (["--compare", "one", "started"], "started holds no episode that has ended"),
        (["--compare", "one", "sweep"], "sweep holds 2 runs; name the one to compare"),
        (["--compare", "one", "other_seed"], "Play both with the same seed"),
        (["--compare", "one", "other_text"], "A was told 'pick up the cube', B 'lift it'"),
        (["--compare", "one", "other_task"], "different tasks: A of Isaac-Groot-Lift-Cube-Franka-v0, B of Toy-v0"),
        (["one", "--output", "nowhere/page.html"], "there is no folder nowhere"),
        (["--outptu", "x"], "unrecognized arguments"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_mistake_is_told_with_what_mends_it(report, tmp_path, arguments, told):
    (tmp_path / "empty").mkdir()
    (tmp_path / "started").mkdir()
    (tmp_path / "started" / "episodes.jsonl").touch()
    (tmp_path / "started" / "plan.json").write_text("[]")
    make_run(tmp_path / "one")
    make_run(tmp_path / "other_seed", seed=1)
    make_run(tmp_path / "other_text", instructions=("lift it",))
    make_run(tmp_path / "other_task", task="Toy-v0")
    make_run(tmp_path / "sweep/0", 1)
    make_run(tmp_path / "sweep/1", 1)
    code, _, err = report(*arguments)
    assert code == 1
    assert told in err
    assert "Traceback" not in err


def test_lists_of_data_sets_beside_runs_are_no_runs(report, tmp_path):
    for name in ("a", "b"):
        make_run(tmp_path / name, 12)
        (tmp_path / name / "dataset/meta").mkdir(parents=True)
        (tmp_path / name / "dataset/meta/episodes.jsonl").write_text(
            '{"episode_index": 0, "length": 3, "tasks": ["a"]}\n'
        )
    assert report("--compare", "a", "b")[0] == 0
    code, out, err = report(".")
    assert (code, err) == (0, "")
    assert "dataset" not in out
    assert len(out.splitlines()) == 4


FOREIGN = {
    "summary.json": [b"[]", b'{"server": {}, "env_steps_per_s": "fast"}', b"\xff\xfe", b"{", b"[" * 100_000, b"null"],
    "manifest.json": [b"[]", b'{"config": []}', b'{"config": {"stop": {"ci_width": "narrow"}}}', b'{"created": "now"}'],
    "plan.json": [b"{}", b'[{"index": "one"}]', b"[[]]", b"\xff"],
}


@pytest.mark.parametrize(("file", "content"), [(file, text) for file, texts in FOREIGN.items() for text in texts])
def test_file_of_another_kind_costs_its_own_facts_alone(report, tmp_path, file, content):
    rows = make_run(tmp_path / "run", 12)
    (tmp_path / "run" / file).write_bytes(content)
    code, out, err = report("run")
    assert (code, err) == (0, "")
    assert f"{sum(row.success for row in rows)} of 12" in out
    assert file in out, "what cannot be read is told"
    assert report("--compare", "run", "run")[0] == 0


@pytest.mark.parametrize(
    "change",
    [
        {"success": "yes"},
        {"index": "one"},
        {"index": -1},
        {"ended": "exploded"},
        {"steps": None},
        {"steps": 2.5},
        {"instruction": ["a"]},
        {"video": 7},
        {"return": "high"},
    ],
    ids=str,
)
def test_row_of_another_type_is_left_out_and_told(report, tmp_path, change):
    rows = make_run(tmp_path / "run", 12)
    path = tmp_path / "run/episodes.jsonl"
    first, *others = path.read_text().splitlines()
    path.write_text("\n".join([json.dumps(json.loads(first) | change), *others, ""]))
    code, out, _ = report("run")
    assert code == 0
    assert "episodes.jsonl: its line 1 is no row; left out" in out
    assert read_run(tmp_path / "run").rows == rows[1:]


def test_broken_folder_is_told_and_left_out(report, tmp_path):
    make_run(tmp_path / "outputs/good", 12)
    make_run(tmp_path / "outputs/broken", 12)
    (tmp_path / "outputs/broken/episodes.jsonl").write_text("[1, 2]\n" * 3)
    (tmp_path / "outputs/folder").mkdir()
    (tmp_path / "outputs/folder/plan.json").touch()
    (tmp_path / "outputs/folder/episodes.jsonl").mkdir()
    code, out, err = report("outputs")
    assert code == 0
    assert out.splitlines()[1].startswith("good  ")
    assert err.count("Left out: ") == 2
    assert "broken holds no episode that has ended" in err
    assert "episodes.jsonl cannot be read: Is a directory" in err


def test_escapes_and_long_texts_of_foreign_runs_reach_no_terminal(report, tmp_path):
    make_run(tmp_path / "run", 12, instructions=("\x1b[2J\ud800 reach\nthe goal " + "and on " * 100,))
    code, out, err = report("run")
    assert (code, err) == (0, "")
    assert not {"\x1b", "\ud800"} & set(out)
    assert len(out.splitlines()) == 3
    assert max(map(len, out.splitlines())) < 250
    assert r"\ud800" in (tmp_path / "run/groot-report.html").read_text()


def test_runs_that_are_compared_are_named_by_what_differs(report, tmp_path):
    make_run(tmp_path / "a", 60, overrides=("server=expert", "num_envs=4"))
    make_run(tmp_path / "b", 60, overrides=("server=gr00t", "server.port=5556", "num_envs=4"))
    make_run(tmp_path / "c", 60, ci_width=0.9, overrides=("server=expert", "num_envs=4"))
    out = report("--compare", "a", "b")[1]
    assert out.startswith("A: a (server=expert)\nB: b (server=gr00t server.port=5556)\n\n")
    assert "(stop.ci_width=0.9)" in report("--compare", "a", "c")[1], "a YAML file may have changed"
    assert report("--compare", "a", "a")[1].startswith("A: a\nB: a\n\n")


def test_page_of_one_folder_is_within_it_and_that_of_several_here(report, tmp_path, monkeypatch):
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    make_run(tmp_path / "all of it/one", 12)
    make_run(tmp_path / "two", 12)
    assert report("all of it")[1].splitlines()[-1] == "Look at it: xdg-open 'all of it/groot-report.html'"
    assert (tmp_path / "all of it/groot-report.html").exists()
    assert not (tmp_path / "groot-report.html").exists()
    report("all of it", "two")
    assert (tmp_path / "groot-report.html").exists()


def test_two_runs_are_compared_on_the_episodes_they_share(report, tmp_path):
    a = make_run(tmp_path / "a", 60, rate=0.9)
    b = make_run(tmp_path / "b", 50, rate=0.4, errors=(2,))
    code, out, err = report("--compare", "a", "b")
    assert (code, err) == (0, "")
    assert "49 episodes in common (same seed and instruction)" in out
    only_a = sum(bool(x.success) and y.success is False for x, y in zip(a, b, strict=False))
    assert f"A alone in {only_a}" in out
    assert "the runs differ at the level of 5%" in out
    assert "With errors counted as failures:\n50 episodes in common" in out
    assert "could have shown a difference of" in out
    assert not (tmp_path / "groot-report.html").exists()


def test_comparison_with_a_run_that_ended_early_says_so(report, tmp_path):
    make_run(tmp_path / "a", 60)
    make_run(tmp_path / "b", 300, ci_width=0.4)
    _, out, _ = report("--compare", "a", "b")
    assert "B was ended early by stop.ci_width" in out


@pytest.mark.process
def test_help_answers_with_examples(tmp_path):
    command = [sys.executable, "-m", "runners.apps.report"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    helped = subprocess.run(
        [*command, "--help"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert "groot-report --compare outputs/a outputs/b" in helped.stdout
    refused = subprocess.run([*command, "nowhere"], cwd=tmp_path, env=environment, capture_output=True, text=True)  # noqa: PLW1510
    assert (refused.returncode, "Traceback" in refused.stderr) == (1, False)


def test_page_is_fetched_from_a_machine_without_a_display(report, tmp_path, monkeypatch):
    make_run(tmp_path / "one", 12)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("getpass.getuser", lambda: "ada")
    monkeypatch.setattr("socket.gethostname", lambda: "node7")
    assert (
        report("one")[1].splitlines()[-1]
        == f"Look at it: scp -r ada@node7:{tmp_path}/one .  # and open one/groot-report.html"
    )
