"""``evaluate`` and ``load_run``: from a script without a main guard, from a notebook, and what they refuse."""

import subprocess
import sys

import nbformat
import pytest
from nbclient import NotebookClient

from groot_wrappers.errors import ContractError, ServerUnreachableError
from runners import evaluate, load_run
from tests.support.processes import ROOT

CONF = ROOT / "tests/support/toys/conf"

SCRIPT = f"""
from runners import evaluate, load_run

settings = ["task=toy", "server=expert", "num_envs=2", "recorder=[]"]
first = evaluate([*settings, "episodes=4", "hydra.run.dir=first"], config_dir={str(CONF)!r})
second = evaluate([*settings, "episodes=3", "hydra.run.dir=second"], config_dir={str(CONF)!r})
"""
LAST = (
    "(first.success_rate, second.episodes, len(load_run('first').rows_frame()), load_run('second').summary == second)"
)


@pytest.mark.process
def test_script_plays_one_run_after_the_other(tmp_path, clean_environment):
    (tmp_path / "script.py").write_text(f"{SCRIPT}\nprint({LAST})\n")
    ended = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-1] == "(1.0, 3, 4, True)"
    assert ended.stdout.count("Starting the simulator") == 2, "the script itself is run once"


@pytest.mark.process
def test_notebook_plays_runs_and_shows_their_rows(tmp_path, clean_environment):
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell(source) for source in (SCRIPT, LAST)]
    NotebookClient(notebook, timeout=100, resources={"metadata": {"path": str(tmp_path)}}).execute()
    (shown,) = [output for output in notebook.cells[1].outputs if output.output_type == "execute_result"]
    assert shown.data["text/plain"] == "(1.0, 3, 4, True)"
    printed = "".join(output.text for output in notebook.cells[0].outputs if output.output_type == "stream")
    assert "4 succeeded: success rate 100%" in printed
    assert (tmp_path / "first/report.html").exists()


def test_what_is_wrong_is_raised_with_what_mends_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ContractError, match=r"There is no key 'servr'\. Did you mean 'server'"):
        evaluate(["servr=expert"])
    with pytest.raises(ContractError, match="episodes=0 was asked for, but the least is 1"):
        evaluate(["episodes=0"])
    with pytest.raises(ServerUnreachableError, match="Failed to connect to Gr00t server"):
        evaluate(["server.port=1", "server.connect_timeout_s=0.1", "hydra.run.dir=run"])
    with pytest.raises(ContractError, match="there is no run to go on with"):
        evaluate(["resume=run"])
    with pytest.raises(RuntimeError, match=r"no episode that has ended|cannot be read"):
        load_run("run")
