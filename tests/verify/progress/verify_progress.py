"""The proof of stages and progress: `make verify-progress`, about ten minutes on two cores.

Two experts that are made to fail are played on the simulator, and their funnels must name the stage. The intervals of
the mean progress are held against simulated policies, which the real rollout plays, and so are the episodes that they
save. What was measured is kept in ``docs/results.md``.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest, norm, permutation_test

from runners.config.schema import StopOn
from runners.statistics.bounded_mean import BoundedMean, mean_interval
from tests.support.simulated_policies import POLICIES, mean_progress, play

ROOT = Path(__file__).parents[3]
EPISODES, EVALUATIONS = 20, 1000


def play_expert(folder, *overrides):
    """Play an expert; return the summary."""
    command = [sys.executable, "-m", "runners.apps.play", "server=expert", "recorder=[]", f"hydra.run.dir={folder}"]
    settings = ["num_envs=4", f"episodes={EPISODES}", "horizons=chunked", *overrides]
    subprocess.run(
        [*command, *settings], check=True, timeout=1800, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    summary = json.loads((folder / "summary.json").read_text())
    funnel = summary["funnel"]
    steps = {step["stage"]: step["reached"] for step in funnel["steps"]}
    print(f"\n{' '.join(overrides)}: progress {funnel['progress']:.3f}, {steps}, events {funnel['events']}")
    return summary, steps


@pytest.mark.process
def test_funnel_of_the_expert_that_never_closes_its_hand_ends_before_the_grasp(tmp_path):
    summary, steps = play_expert(tmp_path / "run", "+policy@task.expert=lift_cube_open_handed")
    assert steps == {"reached": EPISODES, "grasped": 0, "success": 0}
    assert summary["funnel"]["events"] == {}
    assert summary["funnel"]["progress"] == 0.25


@pytest.mark.process
def test_event_of_the_expert_that_lifts_the_other_cube_says_so(tmp_path):
    summary, steps = play_expert(
        tmp_path / "run",
        "task=lift_named_cube_franka",
        "instruction=red_or_blue_cube",
        "+policy@task.expert=lift_named_cube_other",
    )
    assert steps["reached"] <= 1, "it goes to the other cube"
    assert summary["funnel"]["events"]["wrong_object"] >= EPISODES - 1
    for each in summary["instructions"]:
        assert each["funnel"]["events"]["wrong_object"] >= each["episodes"] - 1


@pytest.mark.process
def test_experts_pass_every_stage(tmp_path):
    for task in ("lift_cube_franka", "pick_place_gr1t2"):
        summary, steps = play_expert(tmp_path / task, f"task={task}")
        assert min(steps.values()) == steps["success"] == summary["successes"] >= 0.8 * EPISODES


@pytest.mark.parametrize("policy", POLICIES)
def test_intervals_of_the_mean_progress_cover_it(policy):
    chances, truth = POLICIES[policy], mean_progress(POLICIES[policy])
    covered = {"ended at 0.3": 0, "30 planned": 0, "at all of 150": 0, "two instructions": 0}
    for seed in range(EVALUATIONS):
        rows, stop = play(seed, chances, episodes=150, ci_width=0.3, on=StopOn.progress)
        low, high = mean_interval([row.progress for row in stop.counted(rows)], stop.method)
        covered["ended at 0.3"] += low <= truth <= high
        rows, stop = play(seed, chances, episodes=150)
        values = [row.progress for row in stop.counted(rows)]
        low, high = mean_interval(values[:30], "wilson")
        covered["30 planned"] += low <= truth <= high
        low, high = BoundedMean().along(values)[-1]  # which only shrinks
        covered["at all of 150"] += low <= truth <= high
        covered["two instructions"] += _covers_a_mixture(seed, chances)
    shares = {what: count / EVALUATIONS for what, count in covered.items()}
    print(f"\n{policy} (mean {truth:.3f}): {shares}")
    assert min(shares.values()) >= 0.95


def _covers_a_mixture(seed, chances):
    """Whether the interval holds the mean of two instructions in turn, one of which asks for twice as much."""
    generator = np.random.default_rng(seed)
    values = []
    for turn in range(150):
        asked = np.array(chances) * (1 if turn % 2 else 0.5)
        values.append(float(np.mean(generator.random() < asked)))
    low, high = BoundedMean().along(values)[-1]
    return low <= 0.75 * mean_progress(chances) <= high


@pytest.mark.parametrize("policy", POLICIES)
def test_episodes_until_the_interval_is_narrow(policy):
    """What is printed is what docs/results.md tells: progress saves where policies fail on the way, and there alone."""
    for width, planned, evaluations in ((0.3, 200, 200), (0.2, 500, 100), (0.1, 2000, 10)):
        taken = {}
        for on in StopOn:
            counts = []
            for seed in range(evaluations):
                rows, stop = play(seed, POLICIES[policy], episodes=planned, ci_width=width, on=on)
                counts.append(len(stop.counted(rows)))
            taken[on] = np.mean(counts)
        saved = 1 - taken[StopOn.progress] / taken[StopOn.success]
        print(
            f"\n{policy}, {width}: success {taken['success']:.0f}, progress {taken['progress']:.0f}, saved {saved:.0%}"
        )
        assert (saved > 0) == (policy != "nearly always")


PAIRS = {
    "a stage in the middle": ((0.98, 0.5, 0.49, 0.48), (0.98, 0.65, 0.64, 0.62)),
    "all stages": ((0.8, 0.64, 0.51, 0.41), (0.87, 0.76, 0.66, 0.57)),
    "weak policies": ((0.5, 0.2, 0.08, 0.04), (0.7, 0.35, 0.15, 0.08)),
    "an early stage alone": ((0.5, 0.2, 0.06, 0.05), (0.8, 0.4, 0.06, 0.05)),
    "success alone": ((0.95, 0.9, 0.85, 0.4), (0.95, 0.9, 0.85, 0.6)),
}
"""Where the better of two policies is better."""

SIZES = (10, 15, 20, 30, 40, 60, 80, 120, 160, 240, 320, 480)
COMPARISONS, LEVEL, POWER, ALIKE = 300, 0.05, 0.8, 0.5


@pytest.mark.parametrize("pair", PAIRS)
def test_pairs_until_two_policies_are_told_apart(pair):
    generator = np.random.default_rng(0)
    needed = {}
    for size in SIZES:
        shown = {"success": 0, "progress": 0}
        for _ in range(COMPARISONS):
            a, b = _paired(generator, *PAIRS[pair], size)
            only_a, only_b = ((first == 1) & (second < 1) for first, second in ((a, b), (b, a)))
            discordant = int(only_a.sum() + only_b.sum())
            shown["success"] += discordant > 0 and binomtest(int(only_b.sum()), discordant).pvalue <= LEVEL
            shown["progress"] += _progress_differs(a, b, generator)
        for on, count in shown.items():
            if count / COMPARISONS >= POWER:
                needed.setdefault(on, size)
        if len(needed) == len(shown):
            break
    print(f"\n{pair}: pairs for a power of {POWER:.0%}: {needed}")
    if pair in ("weak policies", "an early stage alone"):
        assert needed["progress"] * 2 <= needed.get("success", SIZES[-1])


def test_two_equal_policies_are_seldom_told_apart():
    generator = np.random.default_rng(1)
    chances = POLICIES["evenly"]
    wrong = sum(_progress_differs(*_paired(generator, chances, chances, 40), generator) for _ in range(EVALUATIONS))
    print(f"\nequal policies told apart in {wrong / EVALUATIONS:.1%}")
    assert wrong / EVALUATIONS <= LEVEL + 3 * np.sqrt(LEVEL * (1 - LEVEL) / EVALUATIONS)


def _paired(generator, chances_a, chances_b, size):
    """Return the progress of paired episodes, whose luck is alike as far as ALIKE says: their start is the same."""
    shared, *own = generator.standard_normal((3, size))
    luck = [norm.cdf(np.sqrt(ALIKE) * shared + np.sqrt(1 - ALIKE) * each) for each in own]
    return [
        (each[:, None] < np.array(chances)).mean(axis=1)
        for each, chances in zip(luck, (chances_a, chances_b), strict=True)
    ]


def _progress_differs(a, b, generator):
    """Whether the comparison's test says so, with fewer resamples."""
    test = permutation_test(
        (a, b),
        lambda a, b, axis: np.mean(b - a, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=499,
        rng=generator,
    )
    return test.pvalue <= LEVEL
