"""The long proof of DROID's table, by whole ``groot-play`` runs: `make verify-droid`, about an hour on two cores.

It prints each run's figures as it goes. What was measured is kept in ``docs/tasks/droid_table.md``. With ``GR00T_N1D7``
and ``GR00T_N1D6``, the folders of NVIDIA's Isaac-GR00T in both releases, their own configurations are asked, too.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
EPISODES, PERTURBED_EPISODES = 60, 20
PERTURBED_STEPS = 250
"""Control steps for an episode that should fail; the expert needs about 90."""

SCENES = ["droid_table", "droid_table_block_in_bowl", "droid_table_can_on_tray"]
EMBODIMENTS = ["oxe_droid", "oxe_droid_relative_eef_relative_joint", "droid_relative_eef"]
PERTURBATIONS = [("UpsideDown", 4), ("Mirrored", 4), ("Frozen", 1)]


def play(folder, *overrides):
    """Run groot-play to its end, print its figures, and return its summary."""
    command = [sys.executable, "-m", "runners.apps.play", "server=expert", "horizons=droid", "recorder=[]"]
    # The perturbed policies are not installed; the policy server's process has to find them all the same.
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run(
        [*command, f"hydra.run.dir={folder}", *overrides], check=True, timeout=7200, env=environment, cwd=ROOT
    )
    summary = json.loads((folder / "summary.json").read_text())
    print(
        f"{' '.join(overrides)}: {summary['successes']}/{summary['episodes']}, "
        f"95% interval {summary['ci_low']:.3f} to {summary['ci_high']:.3f}, {summary['errors']} errors, "
        f"{summary['env_steps']} steps, {summary['wall_s']:.0f} s, {summary['server']['calls']} requests"
    )
    return summary


@pytest.mark.parametrize("embodiment", EMBODIMENTS)
@pytest.mark.parametrize("scene", SCENES)
def test_expert_succeeds(tmp_path, scene, embodiment):
    summary = play(tmp_path / "run", f"task={scene}", f"embodiment={embodiment}", "num_envs=4", f"episodes={EPISODES}")
    assert summary["success_rate"] >= 0.9


@pytest.mark.parametrize(("perturbation", "num_envs"), PERTURBATIONS)
def test_success_falls_when_pictures_lie(tmp_path, perturbation, num_envs):
    summary = play(
        tmp_path / "run",
        "task=droid_table",
        f"task.expert._target_=tests.verify.droid.perturbed_droid.{perturbation}",
        f"num_envs={num_envs}",
        f"episodes={PERTURBED_EPISODES}",
        f"horizons.episode={PERTURBED_STEPS}",
    )
    assert summary["success_rate"] <= 0.2


@pytest.mark.parametrize(
    ("release", "embodiment"), [("N1D7", "oxe_droid_relative_eef_relative_joint"), ("N1D6", "oxe_droid")]
)
def test_nvidias_own_classes_accept_every_observation_and_chunk(tmp_path, release, embodiment):
    if f"GR00T_{release}" not in os.environ:
        pytest.skip(f"GR00T_{release} names no folder of NVIDIA's Isaac-GR00T")
    summary = play(
        tmp_path / "run",
        "task=droid_table",
        f"embodiment={embodiment}",
        f"task.expert._target_=tests.verify.droid.nvidia_configuration.Checked{release}",
        "num_envs=4",
        "episodes=8",
        "retries=0",
    )
    assert summary["errors"] == 0
    assert summary["successes"] >= 7
