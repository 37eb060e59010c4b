"""The end of a run: what was odd, and what was left out, is told in summary, page, terminal and exit code."""

import json

import pytest

from runners.experiment.conclusion import conclude
from runners.recorders import Recorder, Recorders
from runners.run_folder.manifest import read_manifest
from runners.run_folder.reader import read_run
from runners.run_folder.results import read_summary
from runners.utils.exit_codes import DONE, DONE_WITH_ERRORS, GATE_NOT_MET
from tests.support.samples.rows import make_row
from tests.support.samples.runs import make_run


class Failing(Recorder):
    """Fails in one hook."""

    def __init__(self, hook):
        setattr(self, hook, self.fail)

    def fail(self, *arguments):
        raise OSError("its disk is <gone>")


@pytest.fixture
def ended(tmp_path):
    """End a run; return its exit code, what it told, its summary and its page."""

    def end(*recorders, hook=None, changes=(), **options):
        rows = make_run(tmp_path / "a run", 4, rate=1.0, **options)
        rows = [*rows, *changes]
        summary = read_summary(tmp_path / "a run")
        manifest = read_manifest(tmp_path / "a run/manifest.json")
        group, told = Recorders(list(recorders)), []
        if hook:
            getattr(group, hook)(None)
        end = conclude(
            tmp_path / "a run",
            summary,
            rows,
            recorders=group,
            manifest=manifest,
            execution=8,
            say=lambda *lines: told.extend(lines),
        )
        written = json.loads((tmp_path / "a run/summary.json").read_text())
        return end.code, "\n".join(told), written, (tmp_path / "a run/report.html").read_text()

    return end


@pytest.mark.parametrize("hook", ["on_beat", "on_run_end"])
def test_recorder_that_was_left_out_is_told_everywhere_and_in_the_exit_code(ended, hook):
    code, told, summary, page = ended(Failing(hook), hook="on_beat")
    assert code == DONE_WITH_ERRORS
    assert f"Failing failed in {hook}: OSError: its disk is <gone>" in told
    assert summary["recorders"] == [{"recorder": "Failing", "hook": hook, "error": "OSError: its disk is <gone>"}]
    assert f"Failing failed in {hook}: OSError: its disk is &lt;gone&gt;" in page


def test_run_whose_recorders_have_done_their_work_says_nothing_of_them(ended):
    code, told, summary, page = ended(Recorder())
    assert (code, summary["recorders"]) == (DONE, [])
    assert "failed in" not in told + page


def test_gate_that_is_not_met_weighs_more_than_a_recorder_that_was_left_out(ended):
    assert ended(Failing("on_run_end"), min_success=0.99)[0] == GATE_NOT_MET


def test_warning_of_a_row_is_told_with_its_episodes(ended):
    odd = [make_row(index, steps=1, warning="It succeeded on its first control step.") for index in (0, 2)]
    code, told, _, page = ended(changes=odd)
    assert code == DONE, "the figures are what they are"
    assert "Warning, 2 episodes (0, 2): It succeeded on its first control step." in told
    assert page.count("It succeeded on its first control step.") == 3, "above all, and at each episode"


def test_commands_that_are_told_can_be_pasted(ended, tmp_path, monkeypatch):
    monkeypatch.setenv("DISPLAY", ":0")
    (tmp_path / "a run/dataset").mkdir(parents=True)
    (tmp_path / "a run/wandb/offline-run-1").mkdir(parents=True)
    told = ended()[1]
    assert f"xdg-open '{tmp_path}/a run/report.html'" in told
    assert f"groot-dataset show '{tmp_path}/a run/dataset'" in told
    assert f"wandb sync '{tmp_path}/a run/wandb/offline-run-1'" in told


def test_text_that_no_file_can_hold_still_gives_a_page(ended, tmp_path):
    page = ended(changes=[make_row(0, instruction="reach \ud800 <b>")])[3]
    assert r"reach \ud800 &lt;b&gt;" in page
    assert read_run(tmp_path / "a run").rows


def test_summary_for_which_there_is_no_room_keeps_no_recorder_open(ended, tmp_path):
    closed = []

    class Open(Recorder):
        def on_run_end(self, summary):
            closed.append(summary.episodes)

    (tmp_path / "a run/.summary.json.unfinished").mkdir(parents=True)
    with pytest.raises(OSError, match="Is a directory") as raised:
        ended(Open())
    assert raised.value.filename == str(tmp_path / "a run/summary.json")
    assert closed == [4]
