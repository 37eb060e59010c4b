"""The gate of a run: whether its episodes show that the success rate is at least ``gate.min_success``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runners.statistics.intervals import Method, episodes_needed, lower_bound

__all__ = ["Gate", "judge", "warn_of_short_plan"]

BOUNDS: dict[Method, str] = {
    "wilson": "exact one-sided 95% bound",
    "anytime": "95% bound that holds at any stop",
}


@dataclass(frozen=True)
class Gate:
    """What the episodes show, beside what is wanted; errors count as failures here.

    Args:
        min_success: The success rate that is wanted.
        successes, episodes: Of the episodes that count, errors included.
        method: ``wilson`` where the number of episodes was fixed beforehand, ``anytime`` where a rule may end the run.
    """

    min_success: float
    successes: int
    episodes: int
    method: Method

    @property
    def bound(self) -> float | None:
        """The success rate that is shown, with 95% confidence; None where no episode counts."""
        return lower_bound(self.successes, self.episodes, self.method) if self.episodes else None

    @property
    def met(self) -> bool:
        """Whether what is shown reaches what is wanted."""
        return self.bound is not None and self.bound >= self.min_success

    @property
    def more_episodes(self) -> int | None:
        """Episodes that are still needed if the rate stays; None where no number is enough."""
        if not self.episodes:
            return None
        needed = episodes_needed(self.successes / self.episodes, self.min_success, self.method)
        return None if needed is None else max(needed - self.episodes, 0)

    def to_json(self) -> dict[str, Any]:
        """Return what ``summary.json`` holds of it."""
        return {
            "min_success": self.min_success,
            "met": self.met,
            "bound": self.bound,
            "bound_is": BOUNDS[self.method],
            "more_episodes": 0 if self.met else self.more_episodes,
            "told": self.tell(),
        }

    def tell(self) -> str:
        """Say in a sentence or three what is shown, what is wanted, and what is missing."""
        wanted = f"gate.min_success={self.min_success:g}"
        if self.bound is None:
            return f"{wanted} is not met: no episode was judged. Does the env have a success term?"
        shown = (
            f"{self.successes} of {self.episodes} episodes succeeded ({self.successes / self.episodes:.1%}, errors "
            f"counted as failures), which shows a rate of at least {self.bound:.1%} ({BOUNDS[self.method]})"
        )
        if self.met:
            return f"{wanted} is met: {shown}."
        if self.more_episodes is None:
            return f"{wanted} is not met: {shown}. If the rate stays, no number of episodes meets it."
        play_on = f"episodes={self.episodes + self.more_episodes}"
        if self.method == "anytime":
            play_on += ", with a narrower stop.ci_width"
        return (
            f"{wanted} is not met: {shown}. If the rate stays, about {self.more_episodes} more episodes meet it: "
            f"{play_on}."
        )


def judge(min_success: float | None, summary: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what ``summary.json`` holds of the gate, None without one.

    Args:
        min_success: ``gate.min_success``.
        summary: What it holds of the successes; see ``runners.statistics.summary.count``.
    """
    if min_success is None:
        return None
    nothing_judged = summary["success_rate_errors_failed"] is None
    episodes = 0 if nothing_judged else summary["counted"]
    return Gate(min_success, summary["successes"], episodes, summary["ci_method"]).to_json()


def warn_of_short_plan(min_success: float | None, episodes: int, method: Method) -> str | None:
    """Say so where a plan is too short for its gate, even if every episode succeeds."""
    least = None if min_success is None else episodes_needed(1.0, min_success, method)
    if least is None or episodes >= least:
        return None
    return (
        f"gate.min_success={min_success:g} cannot be met by {episodes} episodes, even if all succeed: it takes "
        f"{least}. Set episodes={least} or more."
    )
