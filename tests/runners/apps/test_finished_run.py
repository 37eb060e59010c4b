"""Runs that are whole: told from files alone, and never where something is left to play."""

import json

import msgspec
import pytest
from omegaconf import OmegaConf

from groot_wrappers.errors import ContractError
from runners.apps.finished_run import finished_run
from runners.config.composed import Composition
from runners.run_folder import run_lock
from runners.run_folder.results import read_summary, write_summary
from runners.statistics.summary import RecorderFailure
from tests.support.samples.runs import make_run

ARMS = ("light", [0.0, 0.5, 1.0])


def composition(folder, config):
    return Composition(OmegaConf.create(config), "play", folder, folder.parent, (), {}, ())


@pytest.fixture
def run(tmp_path):
    """Write a run of 12 episodes, and return its folder and what asks for it again, with changes."""

    def make(shard=(0, 1), **options):
        make_run(tmp_path / "run", 12, shard=shard, **options)
        config = json.loads((tmp_path / "run/manifest.json").read_text())["config"]
        return tmp_path / "run", lambda **changes: composition(tmp_path / "run", config | changes)

    return make


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"shard": (1, 5)},
        {"ci_width": 0.9, "rate": 1.0},
        {"min_success": 0.3},
        {"varied": ARMS},
        {"varied": ARMS, "shard": (1, 5)},
    ],
)
def test_whole_run_is_known(run, options):
    folder, config = run(**options)
    assert finished_run(config()).summary == read_summary(folder)


def test_control_that_is_missing_is_left_to_play(run):
    folder, config = run(varied=ARMS)
    rows = (folder / "episodes.jsonl").read_text().splitlines(keepends=True)
    assert json.loads(rows[-3])["arm"] == "control"
    (folder / "episodes.jsonl").write_text("".join(rows[:-3] + rows[-2:]))
    assert finished_run(config()) is None


@pytest.mark.parametrize(("min_success", "code"), [(None, 0), (0.1, 0), (0.9, 3)])
def test_whole_run_ends_with_the_code_that_it_had(run, capsys, min_success, code):
    _, config = run(min_success=min_success)
    assert finished_run(config()).code == code
    out = capsys.readouterr().out
    assert "is whole: " in out
    assert ("gate.min_success" in out) == (min_success is not None)


def test_page_that_was_not_written_any_more_is_written(run):
    folder, config = run()
    page = (folder / "report.html").read_text()
    (folder / "report.html").unlink()
    finished_run(config())
    assert (folder / "report.html").read_text() == page


def test_more_episodes_another_gate_and_errors_are_left_to_play(run):
    _, config = run()
    assert finished_run(config(episodes=13)) is None
    assert finished_run(config(gate={"min_success": 0.5})) is None
    assert finished_run(config(stop={"ci_width": 0.1})) is None
    _, config = run(errors=(3,))
    assert finished_run(config()) is None, "an episode that ended in an error is tried again"


@pytest.mark.parametrize("name", ["plan.json", "manifest.json", "episodes.jsonl"])
@pytest.mark.parametrize("left", [None, 0, 30])
def test_what_a_kill_leaves_is_not_whole(run, name, left):
    folder, config = run()
    content = (folder / name).read_bytes()
    (folder / name).unlink()
    if left is not None:
        (folder / name).write_bytes(content[:left])
    assert finished_run(config()) is None


def unwritten(folder):
    """Take away what a full disk keeps from being written."""
    (folder / "summary.json").unlink()
    (folder / "report.html").unlink()


def half_written(folder):
    (folder / "summary.json").write_bytes((folder / "summary.json").read_bytes()[:30])
    (folder / "report.html").write_text("of then")


def of_fewer_episodes(folder):
    """Leave what an interruption has written, of a run that was then gone on with and killed at its end."""
    summary = json.loads((folder / "summary.json").read_text())
    (folder / "summary.json").write_text(json.dumps(summary | {"episodes": 11}))
    (folder / "report.html").write_text("of then")


@pytest.mark.parametrize("spoil", [unwritten, half_written, of_fewer_episodes])
@pytest.mark.parametrize("options", [{}, {"shard": (1, 5)}, {"min_success": 0.9}])
def test_results_that_were_not_written_any_more_are_written_from_the_rows(run, spoil, options):
    folder, config = run(**options)
    before = json.loads((folder / "summary.json").read_text())
    spoil(folder)
    code = finished_run(config()).code
    assert code == (3 if options.get("min_success") else 0)
    written = json.loads((folder / "summary.json").read_text())
    unknown = ("wall_s", "renders", "server", "env_steps_per_s")
    assert {key: value for key, value in written.items() if key not in unknown} == {
        key: value for key, value in before.items() if key not in unknown
    }
    assert written["server"] is None
    assert "Success by instruction" in (folder / "report.html").read_text()
    assert finished_run(config()).summary == read_summary(folder), "and then it is as any other"


def test_results_are_not_written_while_another_process_may_write_them(run, monkeypatch):
    monkeypatch.setattr(run_lock, "TIMEOUT_S", 0.1)
    folder, config = run()
    unwritten(folder)
    with run_lock.run_lock(folder), pytest.raises(ContractError, match="Another process plays into"):
        finished_run(config())


def test_run_whose_recorders_were_left_out_ends_with_the_code_that_it_had(run):
    folder, config = run()
    left_out = RecorderFailure("VideoRecorder", "on_beat", "its disk is gone")
    write_summary(folder, msgspec.structs.replace(read_summary(folder), recorders=[left_out]))
    assert finished_run(config()).code == 2


def test_run_that_is_not_at_its_end_has_no_results_to_write(run):
    folder, config = run()
    unwritten(folder)
    rows = (folder / "episodes.jsonl").read_text().splitlines(keepends=True)
    (folder / "episodes.jsonl").write_text("".join(rows[:-1]))
    assert finished_run(config()) is None
    assert not (folder / "summary.json").exists()


def test_another_run_that_is_whole_is_refused(run):
    _, config = run()
    with pytest.raises(ContractError, match="seed: 0 then, 1 now"):
        finished_run(config(seed=1))
