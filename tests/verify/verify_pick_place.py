"""The long proof of the humanoid's pick and place, by whole ``groot-play`` runs: about 30 minutes on two cores.

It prints each run's figures as it goes. What was measured is kept in ``docs/measured.md``.
"""

import pytest

from tests.verify.verify_lift import play

EPISODES, PERTURBED_EPISODES = 40, 12
PERTURBED_STEPS = 240
"""Control steps for an episode that should fail; the expert needs about 140."""


def test_expert_succeeds(tmp_path):
    run = play(tmp_path, "task=pick_place_gr1t2", "num_envs=4", f"episodes={EPISODES}", "horizons=chunked")
    assert run["success_rate"] >= 0.8


@pytest.mark.parametrize(
    ("perturbation", "num_envs"), [("UpsideDown", 4), ("Mirrored", 4), ("Constant", 4), ("Frozen", 1)]
)
def test_success_falls_when_what_is_seen_is_wrong(tmp_path, perturbation, num_envs):
    run = play(
        tmp_path,
        "task=pick_place_gr1t2",
        f"task.expert._target_=tests.verify.support.perturbed_pick_place.{perturbation}",
        f"num_envs={num_envs}",
        f"episodes={PERTURBED_EPISODES}",
        "horizons=chunked",
        f"horizons.episode={PERTURBED_STEPS}",
    )
    assert run["success_rate"] <= 0.2
