"""Which of the numbers that variations drew matter for success: a logistic model of it on all of them.

* ``Sensitivity``: what was found, or why nothing can be said.
* ``Parameter``, ``Effect``, ``Curve``, ``Bin``: its parts.
* ``sensitivity``: makes it.

A number that is drawn to both sides of 0, such as an angle, has two columns: how far it is, and to which side; a change
that harms to both sides would be none of a straight line. Columns are in standard deviations.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from runners.episodes.row import EpisodeRow
from runners.statistics.intervals import ALPHA, success_interval
from runners.statistics.separation import separates

__all__ = ["Bin", "Curve", "Effect", "Parameter", "Sensitivity", "sensitivity"]

ENOUGH_A_COLUMN = 5
"""Successes, and failures, for each column. Vittinghoff and McCulloch, "Relaxing the rule of ten events per variable in
logistic and Cox regression", 2007: below that intervals hold too seldom."""

MOST_BINS, ENOUGH_A_BIN = 6, 5
"""Groups of episodes by their draws whose success rates are drawn, and how many episodes each has at least."""

MOST_NAMED = 8
"""Of the parameters that are left out for one reason."""

POINTS = 41
"""Of a curve."""

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Effect:
    """What one column of a parameter does.

    Args:
        of: ``value``, ``size`` or ``side``.
        odds, low, high: By what one standard deviation more multiplies the odds of success, with its 95% interval.
    """

    of: str
    odds: float
    low: float
    high: float


@dataclass(frozen=True)
class Bin:
    """Some episodes whose draws lie side by side.

    Args:
        value: Mean of their draws.
        episodes: How many.
        share, low, high: Their success rate, with its 95% interval.
    """

    value: float
    episodes: int
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class Curve:
    """The success rate that the model expects over one parameter, with all others as they are on average.

    Args:
        values: float (POINTS,), of the parameter.
        rate, low, high: float (POINTS,), with its 95% interval.
    """

    values: Array
    rate: Array
    low: Array
    high: Array


@dataclass(frozen=True)
class Parameter:
    """One number that a variation drew.

    Args:
        name: ``<variation>.<number>``.
        bins: Success rates of episodes by their draws, from the lowest; none where there are too few episodes.
        effects: Of each of its columns; none where no model was fitted.
        p_value: Of the likelihood ratio of the model with and without it, by Holm's method for as many parameters as
            there are; None where no model was fitted.
        curve: None likewise.
    """

    name: str
    bins: list[Bin]
    effects: list[Effect]
    p_value: float | None
    curve: Curve | None


@dataclass(frozen=True)
class Sensitivity:
    """Which parameters matter.

    Args:
        episodes, successes: Of how many varied episodes it is.
        parameters: The one that matters most first; where no model was fitted, as they were drawn.
        notes: What keeps a model from being fitted, and what was left out of it, in words.
    """

    episodes: int
    successes: int
    parameters: list[Parameter]
    notes: list[str]

    @property
    def is_fitted(self) -> bool:
        """Whether there is a model."""
        return any(parameter.effects for parameter in self.parameters)


@dataclass(frozen=True)
class _Regressor:
    """A parameter as the model takes it.

    Args:
        name: As of ``Parameter``.
        values: float (episodes,), as they were drawn.
    """

    name: str
    values: Array

    @property
    def has_sides(self) -> bool:
        """Whether it was drawn to both sides of 0, and how far it is differs."""
        return bool((self.values < 0).any() and (self.values > 0).any() and len(np.unique(np.abs(self.values))) > 1)

    @property
    def kinds(self) -> tuple[str, ...]:
        """What its columns are of."""
        return ("size", "side") if self.has_sides else ("value",)

    def columns(self, values: Array) -> Array:
        """Return values of it as columns, float (values, columns), in standard deviations around its own mean."""
        own, asked = self._raw(self.values), self._raw(values)
        columns: Array = (asked - own.mean(axis=0)) / own.std(axis=0)
        return columns

    def _raw(self, values: Array) -> Array:
        return np.column_stack([np.abs(values), values]) if self.has_sides else values[:, None]


def sensitivity(rows: Sequence[EpisodeRow]) -> Sensitivity | None:
    """Say which of the drawn numbers matter; None where no episode that was judged is varied.

    Args:
        rows: The episodes that count.
    """
    judged = [row for row in rows if row.success is not None and row.variation]
    if not judged:
        return None
    succeeded = np.array([bool(row.success) for row in judged])
    regressors, notes = _regressors(judged)
    sides = [np.column_stack([each.columns(each.values)]) for each in regressors]
    problem = _what_is_missing(regressors, sides, succeeded)
    parameters = (
        [Parameter(each.name, _bins(each, succeeded), [], None, None) for each in regressors]
        if problem is not None
        else _fit(regressors, sides, succeeded)
    )
    return Sensitivity(len(judged), int(succeeded.sum()), parameters, [*([problem] if problem else []), *notes])


def _regressors(rows: Sequence[EpisodeRow]) -> tuple[list[_Regressor], list[str]]:
    """Return the parameters that a model can take, and what is to be told of the others."""
    draws = [
        {f"{kind}.{name}": number for kind, draw in (row.variation or {}).items() for name, number in draw.items()}
        for row in rows
    ]
    names = list(dict.fromkeys(name for drawn in draws for name in drawn))
    left_out: dict[str, list[str]] = {}
    found: list[_Regressor] = []
    columns = np.ones((len(rows), 1))
    for name in names:
        values = np.array([drawn.get(name, np.nan) for drawn in draws], float)
        if not np.isfinite(values).all():
            left_out.setdefault("not drawn in every episode", []).append(name)
            continue
        if len(np.unique(values)) < 2:
            left_out.setdefault("the same in every episode", []).append(name)
            continue
        regressor = _Regressor(name, values)
        wider = np.column_stack([columns, regressor.columns(values)])
        if len(rows) > wider.shape[1] and np.linalg.matrix_rank(wider, tol=1e-6 * len(rows)) < wider.shape[1]:
            left_out.setdefault("it follows from the others", []).append(name)
            continue
        columns = wider
        found.append(regressor)
    return found, [
        f"Left out, {why}: {', '.join(those[:MOST_NAMED])}" + ", ..." * (len(those) > MOST_NAMED)
        for why, those in left_out.items()
    ]


def _what_is_missing(regressors: Sequence[_Regressor], sides: Sequence[Array], succeeded: Array) -> str | None:
    """Say why no model can be fitted, None where one can."""
    episodes, successes = len(succeeded), int(succeeded.sum())
    rarer = min(successes, episodes - successes)
    columns = sum(side.shape[1] for side in sides)
    if not columns:
        return "No number was drawn that differs from episode to episode: there is nothing to compare"
    if not rarer:
        return f"All {episodes} episodes {'succeeded' if successes else 'failed'}: nothing can be said of what matters"
    needed = ENOUGH_A_COLUMN * columns
    if rarer < needed:
        return (
            f"{len(regressors)} parameter{'s' * (len(regressors) > 1)} in {columns} "
            f"column{'s' * (columns > 1)} take at least {needed} successes and {needed} "
            f"failures; of {episodes} varied episodes {successes} succeeded. No model is fitted: play about "
            f"{-(-episodes * needed // rarer)} episodes, or vary less at once"
        )
    alone = [each.name for each, side in zip(regressors, sides, strict=True) if separates(side, succeeded)]
    if alone:
        told = _tell_separation(alone, regressors, succeeded)
        return f"No model is fitted, as its coefficients would be infinite: {told}"
    if separates(np.column_stack(list(sides)), succeeded):
        return (
            "No model is fitted, as its coefficients would be infinite: several parameters together separate "
            "successes from failures. More episodes, or smaller strengths, bring both where they meet"
        )
    return None


def _tell_separation(names: Sequence[str], regressors: Sequence[_Regressor], succeeded: Array) -> str:
    told = []
    for each in regressors:
        if each.name not in names:
            continue
        size, name = (np.abs(each.values), f"|{each.name}|") if each.has_sides else (each.values, each.name)
        if size[succeeded].max() <= size[~succeeded].min():
            told.append(
                f"every success has {name} up to {size[succeeded].max():.3g}, every failure from "
                f"{size[~succeeded].min():.3g} on"
            )
        elif size[~succeeded].max() <= size[succeeded].min():
            told.append(
                f"every failure has {name} up to {size[~succeeded].max():.3g}, every success from "
                f"{size[succeeded].min():.3g} on"
            )
        else:
            told.append(f"{each.name} alone separates successes from failures")
    return "; ".join(told)


def _fit(regressors: Sequence[_Regressor], sides: Sequence[Array], succeeded: Array) -> list[Parameter]:
    """Fit a model of all parameters; one that matters more comes before one that matters less."""
    from statsmodels.discrete.discrete_model import Logit  # noqa: PLC0415  # takes seconds to import
    from statsmodels.stats.multitest import multipletests  # noqa: PLC0415

    outcomes = succeeded.astype(float)

    def model(of: Sequence[Array]) -> Any:
        columns = np.column_stack([np.ones(len(outcomes)), *of])
        return Logit(outcomes, columns).fit(disp=False, maxiter=200)

    whole = model(sides)
    ratios = [2 * (whole.llf - model([*sides[:i], *sides[i + 1 :]]).llf) for i in range(len(sides))]
    p_values = [float(stats.chi2.sf(max(0.0, ratio), side.shape[1])) for ratio, side in zip(ratios, sides, strict=True)]
    corrected = multipletests(p_values, alpha=ALPHA, method="holm")[1]
    odds, intervals = np.exp(whole.params), np.exp(whole.conf_int(ALPHA))
    covariance, first, found = whole.cov_params(), 1, []
    for regressor, side, p_value in zip(regressors, sides, corrected, strict=True):
        own = range(first, first + side.shape[1])
        effects = [
            Effect(kind, float(odds[i]), *map(float, intervals[i]))
            for kind, i in zip(regressor.kinds, own, strict=True)
        ]
        values = np.linspace(regressor.values.min(), regressor.values.max(), POINTS)
        at = np.zeros((POINTS, len(odds)))
        at[:, 0], at[:, own] = 1.0, regressor.columns(values)
        middle, spread = at @ whole.params, np.sqrt(np.einsum("ij,jk,ik->i", at, covariance, at))
        margin = stats.norm.ppf(1 - ALPHA / 2) * spread
        rate, low, high = (1 / (1 + np.exp(-logits)) for logits in (middle, middle - margin, middle + margin))
        curve = Curve(values, rate, low, high)
        found.append(Parameter(regressor.name, _bins(regressor, succeeded), effects, float(p_value), curve))
        first += side.shape[1]
    strongest = {parameter.name: max(abs(np.log(effect.odds)) for effect in parameter.effects) for parameter in found}
    return sorted(found, key=lambda parameter: (parameter.p_value, -strongest[parameter.name]))


def _bins(regressor: _Regressor, succeeded: Array) -> list[Bin]:
    count = min(MOST_BINS, len(succeeded) // ENOUGH_A_BIN)
    if count < 2:
        return []
    order = np.argsort(regressor.values, kind="stable")
    bins = []
    for those in np.array_split(order, count):
        successes = int(succeeded[those].sum())
        low, high = success_interval(successes, len(those))
        bins.append(Bin(float(regressor.values[those].mean()), len(those), successes / len(those), low, high))
    return bins
