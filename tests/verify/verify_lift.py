"""The long proof of the cube lift, by whole ``groot-play`` runs: `make verify-lift`, about an hour on two cores.

It prints each run's figures as it goes. What was measured is kept in ``docs/measured.md``.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

EPISODES, PERTURBED_EPISODES = 100, 20
PERTURBED_STEPS = 250
"""Control steps for an episode that should fail; the expert needs about 100."""

PERTURBATIONS = [
    "UpsideDown",
    "Mirrored",
    "RedAndBlueSwapped",
    "Constant",
    "FrameOfAnotherEpisode",
    "ChunkOfAnotherEnv",
    "FixedCube",
]


def play(folder: Path, *overrides: str) -> dict:
    """Run groot-play to its end, print its figures, and return its summary and rows."""
    command = [Path(sys.executable).with_name("groot-play"), "server=expert", "recorder=[]", f"hydra.run.dir={folder}"]
    # The perturbed policies are not installed; the policy server's process has to find them all the same.
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    subprocess.run([*command, *overrides], check=True, timeout=7200, env=environment)
    summary = json.loads((folder / "summary.json").read_text())
    rows = [json.loads(line) for line in (folder / "episodes.jsonl").read_text().splitlines()]
    print(
        f"{' '.join(overrides)}: {summary['successes']}/{summary['episodes']}, "
        f"95% interval {summary['ci_low']:.3f} to {summary['ci_high']:.3f}, {summary['errors']} errors, "
        f"{summary['env_steps']} steps, {summary['wall_s']:.0f} s, {summary['server']['calls']} requests"
    )
    return summary | {"outcomes": {row["index"]: (row["seed"], row["success"], row["steps"]) for row in rows}}


@pytest.fixture(scope="module")
def chunked_run(tmp_path_factory):
    return play(tmp_path_factory.mktemp("run") / "4", "num_envs=4", f"episodes={EPISODES}", "horizons=chunked")


def test_expert_succeeds_when_eight_steps_of_each_chunk_are_played(chunked_run):
    assert chunked_run["success_rate"] >= 0.97


def test_expert_succeeds_when_one_step_of_each_chunk_is_played(tmp_path):
    assert play(tmp_path, "num_envs=4", f"episodes={EPISODES}", "horizons.execution=1")["success_rate"] >= 0.97


@pytest.mark.parametrize("num_envs", [1, 16])
def test_every_episode_ends_the_same_for_any_number_of_envs(chunked_run, tmp_path, num_envs):
    run = play(tmp_path, f"num_envs={num_envs}", f"episodes={EPISODES}", "horizons=chunked")
    assert run["outcomes"] == chunked_run["outcomes"]


@pytest.mark.parametrize("perturbation", PERTURBATIONS)
def test_success_falls_when_what_is_seen_or_played_is_wrong(tmp_path, perturbation):
    run = play(
        tmp_path,
        f"task.expert._target_=tests.verify.support.perturbed_policies.{perturbation}",
        "num_envs=4",
        f"episodes={PERTURBED_EPISODES}",
        "horizons=chunked",
        f"horizons.episode={PERTURBED_STEPS}",
    )
    assert run["success_rate"] <= 0.2
