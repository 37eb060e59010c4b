"""Which episodes count, and when there are enough of them: by the order of the plan, never by which ended first.

An episode that fails often takes longer than one that succeeds, so whoever counts what has ended by some moment counts
too many successes. What counts is a beginning of the plan without a gap; where episodes are varied, those in it that
are varied most, once all others of their pairs have ended too.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import msgspec

from groot_wrappers.errors import ContractError
from runners.config.schema import StopOn
from runners.episodes.plan import PlannedEpisode
from runners.episodes.row import EpisodeRow, last_rows
from runners.statistics.bounded_mean import BoundedMean
from runners.statistics.intervals import Method, anytime_interval, success_interval

__all__ = ["StopRule", "StopState", "require_stages"]


def require_stages(on: StopOn, task: str, stages: Sequence[str]) -> None:
    """Check that what a run may end by can be known.

    Args:
        on: ``stop.on``.
        task: The env's gym id.
        stages: Those that it tells.

    Raises:
        ContractError: It is the progress, and there are none.
    """
    if on is StopOn.progress and not stages:
        raise ContractError(
            f"stop.on=progress was asked for, but {task} tells no stages, so that there is no progress to know. Leave "
            "out stop.on, or let its config declare some: docs/tutorials/my_env.md."
        )


class StopState(msgspec.Struct, frozen=True):
    """What ``summary.json`` holds of the rule.

    Args:
        ci_width, on: As of :class:`StopRule`.
        planned: Episodes in the plan, of those that may count.
        ended_early: Whether the rule ended the run before its plan did.
    """

    ci_width: float | None
    planned: int
    ended_early: bool
    on: StopOn = StopOn.success


@dataclass(frozen=True)
class StopRule:
    """Ends a run once the success rate or the mean progress is known well enough, if ``stop.ci_width`` asks for it.

    The interval that it looks at is a confidence sequence, which may be looked at after every episode. The figures are
    those of the first beginning of the plan that is enough, which depends on the outcomes alone: not on the number of
    envs, and not on how long an episode takes.

    Args:
        plan: All planned episodes, in the order in which envs take them.
        ci_width: Widest interval that is enough, a share between 0 and 1; None plays the whole plan.
        on: Whose interval.
    """

    plan: Sequence[PlannedEpisode]
    ci_width: float | None
    on: StopOn = StopOn.success
    _progress: BoundedMean = field(default_factory=BoundedMean, init=False, repr=False, compare=False)

    @cached_property
    def strength(self) -> float | None:
        """The largest by which the plan varies an episode; None where it varies none."""
        return max((planned.strength for planned in self.plan if planned.strength is not None), default=None)

    def counts(self, episode: PlannedEpisode | EpisodeRow) -> bool:
        """Say whether an episode is of those that figures may be made of: without variations, each is."""
        return self.strength is None or episode.strength == self.strength

    @property
    def method(self) -> Method:
        """The interval that may be shown: Wilson's is for runs that no rule can end."""
        return "wilson" if self.ci_width is None else "anytime"

    def enough(self, rows: Sequence[EpisodeRow]) -> bool:
        """Say whether no further episode need begin."""
        return self.ci_width is not None and self._enough_at(self._without_a_gap(rows)) is not None

    def counted(self, rows: Sequence[EpisodeRow]) -> list[EpisodeRow]:
        """Return the rows that figures are made of, in the order of the plan.

        They are all rows of a run that has ended; with variations, of its most varied episodes. Of one that was
        interrupted, or ended by this rule, some episodes may have ended beyond the counted ones.
        """
        ended = self._without_a_gap(rows)
        return ended[: self._enough_at(ended)]

    def rates(self, rows: Sequence[EpisodeRow], after: int = 0) -> Iterator[tuple[int, float, float, float]]:
        """Yield the success rate of each beginning of the plan that is counted, as it has grown episode by episode.

        Args:
            rows: All rows of the run.
            after: Of beginnings longer than this alone.

        Yields:
            Its episodes, the rate, and the ends of its interval; nothing while no episode was judged.
        """
        successes = judged = 0
        for count, row in enumerate(self.counted(rows), start=1):
            successes += row.success is True
            judged += row.success is not None
            if count > after and judged:
                yield count, successes / judged, *success_interval(successes, judged, self.method)

    def progress(self, rows: Sequence[EpisodeRow], after: int = 0) -> Iterator[tuple[int, float, float, float]]:
        """Yield the mean progress as :meth:`rates` does the success rate; its intervals hold all at once."""
        values: list[float] = []
        for count, row in enumerate(self.counted(rows), start=1):
            if row.progress is not None:
                values.append(row.progress)
            if count > after and values:
                yield count, sum(values) / len(values), *self._progress.along(values)[-1]

    def state(self, rows: Sequence[EpisodeRow]) -> StopState:
        """Say what the rule did."""
        planned = sum(self.counts(episode) for episode in self.plan)
        early = self.enough(rows) and len(self.counted(rows)) < planned
        return StopState(self.ci_width, planned, early, self.on)

    def _without_a_gap(self, rows: Sequence[EpisodeRow]) -> list[EpisodeRow]:
        by_index = {row.index: row for row in last_rows(rows)}
        ended = []
        for planned in self.plan:
            if planned.index not in by_index:
                break
            ended.append(by_index[planned.index])
        return [row for row in ended if self.counts(row)]

    def _enough_at(self, ended: Sequence[EpisodeRow]) -> int | None:
        """Return the smallest number of episodes that is enough.

        It looks where every instruction has had as many turns as the others. In between, what is estimated would change
        with the mixture of the instructions, and the confidence sequence is about one rate, or one mean.
        """
        if self.ci_width is None:
            return None
        turns = Counter({planned.instruction: 0 for planned in self.plan})
        for count, (row, interval) in enumerate(zip(ended, self._intervals(ended), strict=True), start=1):
            turns[row.instruction] += 1
            if interval is not None and len(set(turns.values())) == 1 and interval[1] - interval[0] <= self.ci_width:
                return count
        return None

    def _intervals(self, ended: Sequence[EpisodeRow]) -> Iterator[tuple[float, float] | None]:
        """Yield the interval that the rule looks at after each episode; None while it is of none."""
        if self.on is StopOn.progress:
            known = self._progress.along([row.progress for row in ended if row.progress is not None])
            count = 0
            for row in ended:
                count += row.progress is not None
                yield known[count - 1] if count else None
            return
        successes = judged = 0
        for row in ended:
            successes += row.success is True
            judged += row.success is not None
            yield anytime_interval(successes, judged) if judged else None
