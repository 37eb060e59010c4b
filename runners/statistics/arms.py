"""What variations did: the figures of each arm, and the most varied one beside its control, pair by pair.

* ``Arms``: what ``summary.json`` holds of it.
* ``ArmOutcomes``, ``PairedSuccess``, ``PairedProgress``: its parts.
* ``compare_arms``: makes it.
"""

from collections import Counter
from collections.abc import Sequence

import msgspec
import numpy as np

from runners.episodes.row import EpisodeRow
from runners.statistics.comparison import Comparison, compare_pairs
from runners.statistics.half_loss import HalfLoss, half_loss
from runners.statistics.outcomes import Outcomes, outcomes_of
from runners.statistics.progress_comparison import ProgressComparison, compare_progress
from runners.statistics.stop_rule import StopRule

__all__ = ["ArmOutcomes", "Arms", "PairedProgress", "PairedSuccess", "compare_arms"]


class ArmOutcomes(Outcomes, frozen=True, kw_only=True):
    """How the episodes of one arm ended, in the pairs that count.

    Args:
        strength: By what the strengths of the variations were multiplied; 0 in the control.
        episodes: How many count.
        ended: How many have ended in all.
        progress: Their mean progress, None where the env tells no stages.
    """

    strength: float
    episodes: int
    ended: int
    progress: float | None


class PairedSuccess(msgspec.Struct, frozen=True, kw_only=True):
    """How pairs of a control and a varied episode ended.

    Args:
        both, only_control, only_varied, neither: Pairs by which of the two succeeded.
        left_out: Pairs of which one episode was not judged.
        difference, low, high: Success rate of the varied less that of the control, with its 95% interval.
        p_value: Of McNemar's exact test.
    """

    both: int
    only_control: int
    only_varied: int
    neither: int
    left_out: int
    difference: float
    low: float
    high: float
    p_value: float

    @property
    def pairs(self) -> int:
        """Pairs of which both were judged."""
        return self.both + self.only_control + self.only_varied + self.neither

    @property
    def comparison(self) -> Comparison:
        """The same with the control as A, and the varied as B."""
        return Comparison(self.both, self.only_control, self.only_varied, self.neither, self.left_out)


class PairedProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far pairs of a control and a varied episode came.

    Args:
        pairs: How many.
        left_out: Pairs of which one episode tells no progress, as it ended in an error.
        control, varied: The two mean progresses.
        difference, low, high: The latter less the former, with its 95% interval.
        p_value: Of the paired permutation test.
    """

    pairs: int
    left_out: int
    control: float
    varied: float
    difference: float
    low: float
    high: float
    p_value: float


class Arms(msgspec.Struct, frozen=True, kw_only=True):
    """What variations did.

    Args:
        kinds: The variations, all of them at once in each varied episode.
        strength: Of the arm whose episodes count.
        outcomes: Of each arm, by strength.
        success: That arm beside the control; None where there is no control, or no pair that was judged.
        progress: Likewise by progress; None also where the env tells no stages.
        half_loss: The strength at which half the success is lost; None without a grid and a control.
    """

    kinds: list[str]
    strength: float
    outcomes: list[ArmOutcomes]
    success: PairedSuccess | None
    progress: PairedProgress | None
    half_loss: HalfLoss | None

    @property
    def control(self) -> ArmOutcomes | None:
        """The arm that is not varied, None where there is none."""
        return next((arm for arm in self.outcomes if arm.strength == 0), None)


def compare_arms(rows: Sequence[EpisodeRow], counted: Sequence[EpisodeRow], stop: StopRule) -> Arms | None:
    """Return what variations did, None where the plan has none.

    Args:
        rows: The last row of each episode.
        counted: Those that figures are made of, in the order of the plan.
        stop: The rule that has said so.
    """
    if stop.strength is None:
        return None
    strengths = sorted({each.strength for each in stop.plan if each.strength is not None})
    ended = Counter(row.strength for row in rows)
    found = {(row.pair, row.strength): row for row in rows}
    by_arm = {
        strength: [found[row.pair, strength] for row in counted if (row.pair, strength) in found]
        for strength in strengths
    }
    pairs = [(found[row.pair, 0.0], row) for row in counted if (row.pair, 0.0) in found and row.strength != 0]
    comparison, progress = compare_pairs(pairs), compare_progress(pairs)
    has_curve = strengths[0] == 0 and len(strengths) > 2
    return Arms(
        kinds=list(dict.fromkeys(kind for row in rows for kind in row.variation or ())),
        strength=stop.strength,
        outcomes=[
            ArmOutcomes(
                strength=strength,
                episodes=len(its),
                ended=ended[strength],
                progress=_mean_progress(its),
                **msgspec.structs.asdict(outcomes_of(its, stop.method)),
            )
            for strength, its in by_arm.items()
        ],
        success=None if comparison is None else _paired_success(comparison),
        progress=None if progress is None else _paired_progress(progress),
        half_loss=half_loss(strengths, _judged_in_all(by_arm), stop.method) if has_curve else None,
    )


def _mean_progress(rows: Sequence[EpisodeRow]) -> float | None:
    told = [row.progress for row in rows if row.progress is not None]
    return float(np.mean(told)) if told else None


def _judged_in_all(by_arm: dict[float, list[EpisodeRow]]) -> list[list[bool]]:
    """Return of each pair whether it succeeded, by strength; of those that were judged at all of them."""
    by_pair: dict[int | None, list[bool]] = {}
    for rows in by_arm.values():
        for row in rows:
            if row.success is not None:
                by_pair.setdefault(row.pair, []).append(row.success)
    return [outcomes for outcomes in by_pair.values() if len(outcomes) == len(by_arm)]


def _paired_success(comparison: Comparison) -> PairedSuccess:
    low, high = comparison.interval
    return PairedSuccess(
        both=comparison.both,
        only_control=comparison.only_a,
        only_varied=comparison.only_b,
        neither=comparison.neither,
        left_out=comparison.left_out,
        difference=comparison.difference,
        low=low,
        high=high,
        p_value=comparison.p_value,
    )


def _paired_progress(comparison: ProgressComparison) -> PairedProgress:
    low, high = comparison.interval
    return PairedProgress(
        pairs=len(comparison.a),
        left_out=comparison.left_out,
        control=float(np.mean(comparison.a)),
        varied=float(np.mean(comparison.b)),
        difference=comparison.difference,
        low=low,
        high=high,
        p_value=comparison.p_value,
    )
