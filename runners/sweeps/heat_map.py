"""The success rates of a sweep as a field of colours, over what was swept."""

from collections.abc import Sequence
from dataclasses import dataclass

from runners.statistics.outcomes import Outcomes
from runners.sweeps.overview import Evaluation, swept_keys

__all__ = ["Cell", "HeatMap", "heat_map"]

STEPS = 5
"""Shades of a heat map; each is a fifth of the way from 0 to 1."""


@dataclass(frozen=True)
class Cell:
    """One field of a heat map.

    Args:
        told: How its episodes ended, None before one has.
        episodes: How many count.
        evaluation: What it is of.
    """

    told: Outcomes | None
    episodes: int
    evaluation: Evaluation

    @property
    def shade(self) -> int | None:
        """Its colour, 0 ... STEPS - 1; None where no rate is known."""
        rate = None if self.told is None else self.told.success_rate
        return None if rate is None else min(int(rate * STEPS), STEPS - 1)


@dataclass(frozen=True)
class HeatMap:
    """Success rates over what was swept.

    Args:
        row_key: What the rows differ by.
        rows, columns: Their names.
        cells: By row and column; None where nothing was asked for.
    """

    row_key: str
    rows: list[str]
    columns: list[str]
    cells: list[list[Cell | None]]


def heat_map(evaluations: Sequence[Evaluation]) -> HeatMap | None:
    """Return the heat map of a sweep; None where all is one evaluation of one instruction.

    Its rows are instructions: those that were swept, or those of the suite that each job plays; where neither is the
    case, the values of what was swept first.
    """
    swept = swept_keys(evaluations)
    texts = dict.fromkeys(
        told.instruction for each in evaluations if each.run for told in each.run.summary.instructions
    )
    row_key = next((key for key in swept if key.partition(".")[0] == "instruction"), None)
    by_text = row_key is None and len(texts) > 1 and not (len(swept) == 1 and swept[0] == "task")
    if row_key is None and not by_text:
        if not swept:
            return None
        row_key = swept[0]
    across = [key for key in swept if key != row_key]
    names = [each.label(across) or "success rate" for each in evaluations]
    columns = list(dict.fromkeys(names))
    rows = list(texts if row_key is None else dict.fromkeys(each.settings.get(row_key, "") for each in evaluations))
    cells: list[list[Cell | None]] = [[None] * len(columns) for _ in rows]
    for each, name in zip(evaluations, names, strict=True):
        its = {} if each.run is None else {one.instruction: one for one in each.run.summary.instructions}
        for row, label in enumerate(rows):
            if row_key is None:
                told = its.get(label)
                cells[row][columns.index(name)] = Cell(told, told.episodes if told else 0, each)
            elif each.settings.get(row_key, "") == label:
                whole = None if each.run is None else each.run.summary
                cells[row][columns.index(name)] = Cell(whole, whole.counted if whole else 0, each)
    return HeatMap(row_key or "instruction", [row or "(empty)" for row in rows], columns, cells)
