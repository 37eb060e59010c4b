"""What is measured: a row a figure, their table, and their file ``bench.json``."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from runners.run_folder.manifest import Provenance
from runners.utils.tables import aligned

__all__ = ["Row", "read_rows", "table", "write_rows"]


@dataclass(frozen=True)
class Row:
    """One figure, alone or beside another that was measured in the same run.

    Args:
        name: ``section: what, of what, ...``; with a baseline ``... / its name``.
        value: The figure.
        unit: Of value and baseline.
        baseline: What it stands beside.
        at_most: What the ratio to the baseline is to keep within, or the value where there is no baseline.
        at_least: As ``at_most``, from below.
    """

    name: str
    value: float
    unit: str
    baseline: float | None = None
    at_most: float | None = None
    at_least: float | None = None

    @property
    def ratio(self) -> float | None:
        """``value / baseline``, None without one."""
        return self.value / self.baseline if self.baseline else None

    @property
    def target(self) -> str | None:
        """The bound in words, None without one."""
        if self.at_most is not None:
            return f"<= {self.at_most:g}"
        return None if self.at_least is None else f">= {self.at_least:g}"

    @property
    def ok(self) -> bool | None:
        """Whether the target is met, None without one."""
        judged = self.value if self.ratio is None else self.ratio
        if self.at_most is not None:
            return judged <= self.at_most
        return None if self.at_least is None else judged >= self.at_least

    def to_json(self) -> dict[str, Any]:
        """Return the row as ``bench.json`` has it."""
        fields = "name", "value", "unit", "baseline", "ratio", "target", "ok"
        return {field: getattr(self, field) for field in fields}


def write_rows(path: Path, rows: Sequence[Row], provenance: Provenance) -> None:
    """Write ``bench.json``: where the figures come from, and the rows."""
    path.write_text(
        json.dumps({**msgspec.to_builtins(provenance), "rows": [row.to_json() for row in rows]}, indent=1) + "\n"
    )


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a ``bench.json``."""
    rows: list[dict[str, Any]] = json.loads(path.read_text())["rows"]
    return rows


def table(rows: Sequence[Row]) -> list[str]:
    """Return the lines of the table."""
    lines: list[tuple[str, ...]] = [("", "value", "baseline", "unit", "ratio", "target", "")]
    for row in rows:
        verdict = {None: "", True: "met", False: "MISSED"}[row.ok]
        figures = [_figure(row.value), _figure(row.baseline), row.unit, _figure(row.ratio)]
        lines.append((row.name, *figures, row.target or "", verdict))
    return aligned(lines, right=(1, 2, 4))


def _figure(number: float | None) -> str:
    """Return a number with three digits that count."""
    if number is None:
        return ""
    return f"{number:.0f}" if abs(number) >= 100 else f"{number:.3g}"
