"""Two runs compared by how far their episodes came: paired, against figures worked out apart from the code."""

from itertools import product

import numpy as np
import pytest

from runners.statistics.comparison import pairs_of
from runners.statistics.progress_comparison import compare_progress
from tests.support.samples.rows import make_row, make_staged_row


def run(reached, *, first_seed=0, instruction="reach"):
    return [
        make_staged_row(index, min(stage, 3), success=stage == 4, seed=first_seed + index, instruction=instruction)
        for index, stage in enumerate(reached)
    ]


def test_episodes_are_paired_by_seed_and_instruction_in_whatever_order():
    a, b = run([0, 1, 2, 4]), run([1, 1, 3, 4])[::-1]
    found = compare_progress(pairs_of(a, b))
    assert (found.a, found.b) == ((0, 0.25, 0.5, 1), (0.25, 0.25, 0.75, 1))
    assert found.difference == pytest.approx(0.125)
    assert compare_progress(pairs_of(a, run([1], instruction="other"))) is None


def test_episode_without_progress_is_left_out_and_told():
    a, b = run([0, 1]), run([1, 1])
    b[0] = make_row(0, seed=0, success=None, ended="error", stages={})
    found = compare_progress(pairs_of(a, b))
    assert (found.a, found.left_out) == ((0.25,), 1)
    assert "1 more in common are left out" in found.tell()[-1]
    assert compare_progress([(make_row(), make_row())]) is None


def test_p_value_is_the_share_of_swapped_pairs_that_differ_as_much():
    a, b = [0, 1, 2, 2, 0, 1], [1, 4, 2, 3, 2, 0]
    found = compare_progress(pairs_of(run(a), run(b)))
    lead = np.array(found.b) - np.array(found.a)
    sums = [np.dot(signs, lead) for signs in product([1, -1], repeat=len(lead))]
    assert found.p_value == pytest.approx(np.mean(np.abs(sums) >= lead.sum() - 1e-9))


def test_it_sees_what_success_alone_does_not():
    found = compare_progress(pairs_of(run([1] * 80), run([2, 2, 2, 1] * 20)))
    assert found.p_value < 0.001
    assert 0 < found.interval[0] < found.difference < found.interval[1] < 0.5
    first, second = found.tell()
    assert "B - A = +18.8 points" in first
    assert "B came further in 60, A in 0" in first
    assert "the runs differ" in second


def test_equal_runs_do_not_differ():
    found = compare_progress(pairs_of(run([1, 2, 3] * 10), run([1, 2, 3] * 10)))
    assert found.p_value == 1
    assert found.interval[0] < 0 < found.interval[1]


@pytest.mark.slow
def test_interval_of_paired_differences_covers_the_truth():
    generator, truth, covered = np.random.default_rng(0), 0.15, 0
    for _ in range(300):
        lead = generator.choice([-0.25, 0, 0.25, 0.75], size=40, p=[0.2, 0.4, 0.2, 0.2])
        a = np.where(lead < 0, 0.5, 0.0)
        pairs = [[make_staged_row(i, 0, seed=i, progress=float(x)) for i, x in enumerate(its)] for its in (a, a + lead)]
        low, high = compare_progress(pairs_of(*pairs)).interval
        covered += low <= truth <= high
    assert covered / 300 >= 0.95
