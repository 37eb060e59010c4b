"""What variations did, in words: for the terminal and for the pages.

* ``format_arms``: the lines of a run.
* ``format_pairs``: of them, those about the pairs.
"""

from runners.statistics.arms import Arms
from runners.statistics.comparison import points
from runners.statistics.intervals import ALPHA
from runners.statistics.summary import Summary

__all__ = ["format_arms", "format_pairs"]


def format_arms(summary: Summary) -> list[str]:
    """Return the lines that tell of a run's arms; none where nothing was varied."""
    arms = summary.arms
    if arms is None:
        return []
    rates = [
        f"{'control' if arm.strength == 0 else f'strength {arm.strength:g}'} "
        + ("none judged" if arm.success_rate is None else f"{arm.success_rate:.0%}")
        for arm in arms.outcomes
    ]
    lines = [f"Varied by {' and '.join(arms.kinds) or 'nothing yet'}: {', '.join(rates)}", *format_pairs(arms)]
    if arms.success is not None and summary.stop.ended_early:
        lines.append("stop.ci_width ended the run early, which the test does not know of: p is approximate")
    if arms.half_loss is not None:
        lines.append(arms.half_loss.told)
    return lines


def format_pairs(arms: Arms) -> list[str]:
    """Return the lines that tell how the varied episodes went beside their controls; none where there is no pair."""
    success, progress = arms.success, arms.progress
    lines = []
    if success is not None:
        lines.append(
            f"{success.pairs} pairs of a control and a varied episode from the same seed: both succeeded in "
            f"{success.both}, the control alone in {success.only_control}, the varied alone in {success.only_varied}, "
            f"neither in {success.neither}"
            + (f"; {success.left_out} more are left out: one of the two was not judged" if success.left_out else "")
        )
        lines.append(
            f"Varied less control: {points(success.difference)} points of success (95% interval {points(success.low)} "
            f"to {points(success.high)}); McNemar's exact test: p = {success.p_value:.3g}, {_verdict(success.p_value)}"
        )
    if progress is not None:
        lines.append(
            f"Mean progress: control {progress.control:.0%}, varied {progress.varied:.0%}, "
            f"{points(progress.difference)} points (95% interval {points(progress.low)} to {points(progress.high)}); "
            f"paired permutation test: p = {progress.p_value:.3g}, {_verdict(progress.p_value)}"
        )
    return lines


def _verdict(p_value: float) -> str:
    return f"{'a difference' if p_value <= ALPHA else 'no difference'} is shown at the level of {ALPHA:.0%}"
