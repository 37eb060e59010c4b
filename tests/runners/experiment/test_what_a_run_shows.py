"""What a whole groot-play run says of successes: gate and exit code, early end, errors as failures, manifest."""

import json
import subprocess
from importlib.metadata import version

import pytest

from runners.statistics.intervals import anytime_interval
from tests.support.processes import ROOT, finish, rows_of
from tests.support.servers.policy_servers import TOKEN
from tests.support.wandb_reader import read_offline_run


@pytest.mark.isaaclab
def test_gate_that_is_not_met_weighs_more_than_an_error_and_is_told(groot_play, policy_process, tmp_path):
    (port,) = policy_process("locked_not_a_number").ports.values()
    process = groot_play(
        "-m",
        "gate.min_success=0.3,0.8",
        "retries=0",
        f"server.port={port}",
        "episodes=5",
        "recorder=[]",
        "hydra.sweep.dir=sweep",
        env={"GR00T_API_TOKEN": TOKEN},
    )
    code, out, err = finish(process)
    assert code == 3, err
    summaries = [json.loads(path.read_text()) for path in (tmp_path / "sweep").glob("*/summary.json")]
    met, unmet = sorted(summaries, key=lambda summary: not summary["gate"]["met"])
    assert (met["errors"], met["success_rate"], met["success_rate_errors_failed"]) == (1, 1.0, 0.8)
    assert "4 succeeded, 1 ended in an error: success rate 100% (95% interval 51% to 100%)" in out
    assert "With errors counted as failures: 80% (95% interval 38% to 96%)" in out
    assert met["gate"]["met"]
    assert "gate.min_success=0.3 is met: 4 of 5 episodes succeeded (80.0%, errors counted as failures)" in out
    assert not unmet["gate"]["met"], "5 of 5, but that shows 55% only"
    assert "gate.min_success=0.8 cannot be met by 5 episodes, even if all succeed: it takes 14." in out
    assert "gate.min_success=0.8 is not met: 5 of 5 episodes succeeded (100.0%, errors counted as failures)" in out
    assert "which shows a rate of at least 54.9% (exact one-sided 95% bound)" in out
    assert "about 9 more episodes meet it: episodes=14." in out


@pytest.mark.isaaclab
def test_run_ends_once_the_interval_is_narrow_and_keeps_its_manifest(groot_play, tmp_path):
    process = groot_play(
        "server=expert",
        "task.expert._target_=tests.support.servers.policy_servers.Telling",
        "num_envs=4",
        "episodes=100",
        "stop.ci_width=0.4",
        "gate.min_success=0.5",
        "recorder=[wandb]",
        "hydra.run.dir=run",
    )
    code, out, err = finish(process)
    assert code == 0, err
    folder = tmp_path / "run"
    summary, rows = json.loads((folder / "summary.json").read_text()), rows_of(folder)
    enough = next(n for n in range(1, 100) if 1 - anytime_interval(n, n)[0] <= 0.4)
    assert (summary["counted"], summary["success_rate"], summary["ci_method"]) == (enough, 1.0, "anytime")
    assert (summary["ci_low"], summary["ci_high"]) == anytime_interval(enough, enough)
    assert summary["stop"] == {"ci_width": 0.4, "on": "success", "planned": 100, "ended_early": True}
    assert len(json.loads((folder / "plan.json").read_text())) == 100
    assert sorted(row["index"] for row in rows) == list(range(summary["episodes"]))
    assert enough <= len(rows) < enough + 4
    told = "the interval of the success rate is no wider than stop.ci_width=0.4"
    assert f"Ended early, after {enough} of 100 episodes: {told}" in out
    assert summary["gate"]["bound"] == summary["ci_low"]

    manifest = json.loads((folder / "manifest.json").read_text())
    assert {name: manifest["packages"][name] for name in ("gr00t-isaaclab", "isaaclab", "newton", "torch")} == {
        name: version(name) for name in ("gr00t-isaaclab", "isaaclab", "newton", "torch")
    }
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert manifest["revision"]["commit"] == commit.strip()
    assert manifest["machine"]["device"] == "cpu"
    assert (manifest["policy"], manifest["policy_randomness"]) == ({"checkpoint": "toy", "revision": 3}, "per_episode")
    assert "Policy: checkpoint=toy, revision=3" in (folder / "report.html").read_text()
    assert {"server=expert", "num_envs=4", "stop.ci_width=0.4"} <= set(manifest["overrides"])
    assert manifest["modality"]["video"]["modality_keys"] == ["camera"]

    (path,) = folder.glob("wandb/offline-run-*/*.wandb")
    logged = read_offline_run(path)
    assert logged.config["manifest"] == {key: value for key, value in manifest.items() if key != "config"}
    assert logged.summary["success_rate_errors_failed"] == 1.0
    (table,) = [entry["tables/instructions"] for entry in logged.history if "tables/instructions" in entry]
    kept = json.loads((path.parent / "files" / table["path"]).read_text())
    assert [dict(zip(kept["columns"], row, strict=True)) for row in kept["data"]] == summary["instructions"]
