"""A run folder that version 0.1.0 has written is read, shown and gone on with."""

import json
import shutil

import pytest

from runners import evaluate, load_run
from runners.apps import report as report_app
from tests.support.processes import ROOT, require_every_episode_once

OWN_NAMES = {
    "tests.toy_policy": "tests.support.toys.policy",
    "tests.runners.toy_task": "tests.support.toys.task",
    "/cases/conf": str(ROOT / "tests/support/toys/conf"),
}
"""What the tests' own modules were called then; no run of anybody else names them."""


@pytest.fixture
def folder(tmp_path):
    folder = shutil.copytree(ROOT / "tests/data/run_of_0_1_0", tmp_path / "run")
    manifest = (folder / "manifest.json").read_text()
    for then, now in OWN_NAMES.items():
        manifest = manifest.replace(then, now)
    (folder / "manifest.json").write_text(manifest)
    return folder


def test_figures_are_those_that_it_wrote(folder):
    run, written = load_run(folder), json.loads((folder / "summary.json").read_text())
    assert run.notes == []
    for key in ("task", "instruction", "episodes", "successes", "success_rate", "ci_low", "ci_high", "env_steps"):
        assert getattr(run.summary, key) == written[key], key
    assert run.summary.server.calls == written["server"]["calls"]
    assert run.manifest.reset_mode == "per_env", "which was called starts then"
    assert (run.manifest.policy, run.manifest.policy_randomness) == ({}, "unseeded"), "which nobody asked for then"
    assert run.manifest.packages["isaaclab"] == "3.0.0"
    frame = run.rows_frame()
    assert list(frame.index) == [0, 1, 2, 3]
    assert frame.success.mean() == written["success_rate"]
    assert frame["return"].notna().all(), "columns have the names of episodes.jsonl"


def test_report_shows_it(folder, capsys, monkeypatch):
    monkeypatch.chdir(folder.parent)
    with pytest.raises(SystemExit) as ended:
        report_app.main(["run"])
    assert ended.value.code in (0, None)
    assert "4 of 4" in capsys.readouterr().out


@pytest.mark.isaaclab
@pytest.mark.process
def test_it_goes_on_where_it_was_cut_off(folder):
    rows = (folder / "episodes.jsonl").read_text().splitlines(keepends=True)
    (folder / "episodes.jsonl").write_text("".join(rows[:-1]))
    summary = evaluate([f"resume={folder}", "recorder=[]"])
    assert (summary.episodes, summary.format) == (4, 5)
    assert [json.dumps(row) + "\n" for row in require_every_episode_once(folder, 4)][:3] == rows[:3]
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (manifest["format"], manifest["reset_mode"], len(manifest["earlier_starts"])) == (2, "per_env", 1)
