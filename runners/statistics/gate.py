"""The gate of a run: whether its episodes show that the success rate is at least ``gate.min_success``.

* ``Gate``: the verdict, as ``summary.json`` holds it.
* ``judge``: makes one.
* ``warn_of_short_plan``: whether a plan could pass at all.
"""

import msgspec

from runners.statistics.intervals import Method, episodes_needed, lower_bound

__all__ = ["Gate", "judge", "warn_of_short_plan"]

BOUNDS: dict[Method, str] = {
    "wilson": "exact one-sided 95% bound",
    "anytime": "95% bound that holds at any stop",
}


class Gate(msgspec.Struct, frozen=True):
    """What the episodes show, beside what is wanted; errors count as failures here.

    Args:
        min_success: The success rate that is wanted.
        met: Whether what is shown reaches it.
        bound: The success rate that is shown, with 95% confidence; None where no episode counts.
        bound_is: Which bound that is, in words.
        more_episodes: Episodes that are still needed if the rate stays; None where no number is enough.
        told: All of it in a sentence or three.
    """

    min_success: float
    met: bool
    bound: float | None
    bound_is: str
    more_episodes: int | None
    told: str


def judge(min_success: float | None, successes: int, episodes: int, method: Method) -> Gate | None:
    """Return the verdict on a run, None without a gate.

    Args:
        min_success: ``gate.min_success``.
        successes: Of the episodes that count.
        episodes: How many count, errors included; 0 where none was judged.
        method: ``wilson`` where the number of episodes was fixed beforehand, ``anytime`` where a rule may end the run.
    """
    if min_success is None:
        return None
    bound = lower_bound(successes, episodes, method) if episodes else None
    met = bound is not None and bound >= min_success
    needed = episodes_needed(successes / episodes, min_success, method) if episodes else None
    more = 0 if met else None if needed is None else max(needed - episodes, 0)
    wanted = f"gate.min_success={min_success:g}"
    if bound is None:
        told = f"{wanted} is not met: no episode was judged. Does the env have a success term?"
    else:
        shown = (
            f"{successes} of {episodes} episodes succeeded ({successes / episodes:.1%}, errors counted as failures), "
            f"which shows a rate of at least {bound:.1%} ({BOUNDS[method]})"
        )
        told = f"{wanted} is {'met' if met else 'not met'}: {shown}." + ("" if met else _remedy(more, episodes, method))
    return Gate(min_success, met, bound, BOUNDS[method], more, told)


def warn_of_short_plan(min_success: float | None, episodes: int, method: Method) -> str | None:
    """Say so where a plan is too short for its gate, even if every episode succeeds."""
    least = None if min_success is None else episodes_needed(1.0, min_success, method)
    if least is None or episodes >= least:
        return None
    return (
        f"gate.min_success={min_success:g} cannot be met by {episodes} episodes, even if all succeed: it takes "
        f"{least}. Set episodes={least} or more."
    )


def _remedy(more: int | None, episodes: int, method: Method) -> str:
    """Say what would meet a gate that is not met."""
    if more is None:
        return " If the rate stays, no number of episodes meets it."
    narrower = ", with a narrower stop.ci_width" if method == "anytime" else ""
    return f" If the rate stays, about {more} more episodes meet it: episodes={episodes + more}{narrower}."
