"""What the statistics say of policies whose true success rate is known, played by the real rollout.

All seeds are fixed, so that a test ends alike each time; with other seeds, one that allows three standard errors would
fail by chance in 0.3% of the cases.
"""

import numpy as np
import pytest
from scipy.stats import binom

from groot_wrappers import Gr00tActionWrapper, Gr00tObservationWrapper
from runners.statistics.intervals import success_interval
from runners.statistics.outcomes import outcomes_of
from tests.support.simulated_policies import ENVS, Clock
from tests.support.simulated_policies import play as play_chances
from tests.support.toys.env import ToyEnv, toy_embodiment

EPISODES, EVALUATIONS = 50, 1000
RATES = [0.5, 0.8, 0.95]
WILSONS_COVERAGE = {0.5: 0.935, 0.8: 0.951, 0.95: 0.962}


def play(seed, rate, *, episodes=EPISODES, **settings):
    """Play one evaluation of a policy without stages."""
    return play_chances(seed, (rate,), episodes=episodes, **settings)


def first_to_end(seed, rate, episodes, num_envs):
    """Return the outcomes by the rule that many evaluators have: envs play on and on, the first n that end are kept."""
    rows, _ = play(seed, rate, episodes=episodes + num_envs, num_envs=num_envs)
    return [row.success for row in rows[:episodes]]


def covers(outcomes, rate):
    low, high = success_interval(sum(outcomes), len(outcomes))
    return low <= rate <= high


def exact_coverage(rate):
    successes = np.arange(EPISODES + 1)
    held = [low <= rate <= high for low, high in (success_interval(int(s), EPISODES) for s in successes)]
    return binom.pmf(successes, EPISODES, rate)[held].sum()


@pytest.mark.slow
@pytest.mark.parametrize("rate", RATES)
def test_interval_covers_the_truth_as_often_as_wilsons_does(rate):
    nominal = exact_coverage(rate)
    assert nominal == pytest.approx(WILSONS_COVERAGE[rate], abs=6e-4)
    covered, rates = 0, []
    for seed in range(EVALUATIONS):
        rows, stop = play(seed, rate)
        counted = stop.counted(rows)
        assert [row.index for row in counted] == list(range(EPISODES))
        summary = outcomes_of(counted, stop.method)
        covered += summary.ci_low <= rate <= summary.ci_high
        rates.append(summary.success_rate)
    error = np.sqrt(nominal * (1 - nominal) / EVALUATIONS)
    print(f"\nrate {rate}: covered {covered / EVALUATIONS:.3f}, Wilson's exact coverage {nominal:.3f} +- {error:.3f}")
    assert covered / EVALUATIONS == pytest.approx(nominal, abs=3 * error)
    assert np.mean(rates) == pytest.approx(rate, abs=3 * np.sqrt(rate * (1 - rate) / EPISODES / EVALUATIONS))


@pytest.mark.slow
@pytest.mark.parametrize("rate", RATES)
def test_first_to_end_are_too_often_successes(rate):
    """With four envs it changes at most three episodes of fifty, which shows in the mean of many evaluations alone."""
    evaluations = EVALUATIONS // 4
    kept = [np.mean(first_to_end(seed, rate, EPISODES, ENVS)) for seed in range(evaluations)]
    planned = [np.mean([row.success for row in play(seed, rate)[0]]) for seed in range(evaluations)]
    lead = np.array(kept) - np.array(planned)
    print(f"\nrate {rate}: mean of the first to end {np.mean(kept):.4f}, of the planned {np.mean(planned):.4f}")
    assert lead.mean() > 3 * lead.std() / np.sqrt(evaluations)


@pytest.mark.slow
@pytest.mark.parametrize("rate", RATES)
def test_first_to_end_of_many_envs_do_not_cover(rate):
    """With as many envs as episodes, as fast machines allow, the same rule has nothing to do with the truth."""
    episodes = num_envs = 200
    evaluations = 50
    covered = np.mean([covers(first_to_end(seed, rate, episodes, num_envs), rate) for seed in range(evaluations)])
    planned = np.mean(
        [
            covers([row.success for row in play(seed, rate, episodes=episodes, num_envs=num_envs)[0]], rate)
            for seed in range(evaluations)
        ]
    )
    print(f"\nrate {rate}: the first to end cover in {covered:.0%} of the evaluations, the planned in {planned:.0%}")
    assert covered < 0.05
    assert planned > 0.85


@pytest.mark.slow
@pytest.mark.parametrize("rate", RATES)
def test_run_that_ends_early_covers_the_truth(rate):
    width, planned, covered, lengths = 0.4, 100, 0, []
    for seed in range(EVALUATIONS):
        rows, stop = play(seed, rate, episodes=planned, ci_width=width)
        counted = stop.counted(rows)
        summary = outcomes_of(counted, stop.method)
        assert summary.ci_high - summary.ci_low <= width
        covered += summary.ci_low <= rate <= summary.ci_high
        lengths.append(len(counted))
        assert len(counted) <= len(rows) < len(counted) + 3 * ENVS
    print(
        f"\nrate {rate}: covered {covered / EVALUATIONS:.3f}, ended after {np.mean(lengths):.0f} of {planned} episodes"
    )
    assert covered / EVALUATIONS >= 0.95
    assert max(lengths) < planned


def test_where_a_run_ends_and_what_it_says_do_not_depend_on_the_number_of_envs():
    def said(num_envs):
        rows, stop = play(3, 0.8, episodes=400, num_envs=num_envs, ci_width=0.2)
        assert sorted(row.index for row in rows) == list(range(len(rows))), "each that began has a row"
        counted = stop.counted(rows)
        return len(counted), outcomes_of(counted, stop.method), stop.state(rows)

    assert said(1) == said(4) == said(16) == said(64)


def test_rule_looks_where_every_instruction_has_had_as_many_turns():
    for seed in range(20):
        rows, stop = play(seed, 0.9, episodes=300, ci_width=0.3, instructions=["a", "b", "c"])
        counted = stop.counted(rows)
        assert stop.enough(rows)
        assert len(counted) % 3 == 0


def test_clock_gives_what_the_wrapped_env_gives():
    """What rollout reads of a beat: the same names and shapes, so that the clock stands for the env."""
    env = Gr00tActionWrapper(Gr00tObservationWrapper(ToyEnv(2), toy_embodiment()), toy_embodiment(), 1, horizon=8)
    env.reset(options={"env_ids": [0, 1], "seeds": [1, 2], "instructions": ["a", "b"]})
    _, *real, info = env.step({"joints": np.zeros((2, 8, 2), np.float32)})
    clock = Clock(2, (0.5,))
    clock.reset(options={"env_ids": [0, 1], "seeds": [1, 2]})
    _, *told, told_info = clock.step({})
    assert [tuple(values.shape) for values in real] == [values.shape for values in told]
    assert {name: np.shape(info[name]) for name in told_info} == {name: np.shape(told_info[name]) for name in told_info}
