"""The pages that a browser shows: ``report.html`` of a run, and one page over many runs.

Each is one file that needs nothing but the videos beside it: no script, and nothing from elsewhere.
"""

import functools
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import msgspec
import yaml  # type: ignore[import-untyped]

from runners.episodes.row import EpisodeRow, describe, last_rows
from runners.reports.failed_cards import MOST_CARDS, failed_cards
from runners.reports.funnel import funnels_of, funnels_of_runs
from runners.reports.learning_curve import shown_curve
from runners.reports.policies import format_policy
from runners.reports.posters import poster_of
from runners.reports.text import METHODS, format_counted, format_means, format_rate, format_servers, format_what_is_odd
from runners.reports.variations.losses import losses_of
from runners.reports.variations.section import variation_section
from runners.reports.ways_to_fail import ways_to_fail
from runners.run_folder.manifest import Manifest
from runners.run_folder.reader import Run
from runners.statistics.intervals import success_interval
from runners.statistics.summary import Summary
from runners.sweeps.heat_map import heat_map
from runners.sweeps.learning_curves import CHECKPOINT, learning_curves
from runners.sweeps.overview import Evaluation, format_progress, swept_keys
from runners.utils.atomic_files import write_whole

__all__ = ["write_report", "write_runs_page"]

WORST_FIRST = ("error", "failure", "time_out", "success")
MOST_POINTS = 400
"""More points than this show nothing more in a plot."""

MOST_WAYS = 3
"""Ways to fail that are shown."""

MOST_SUCCEEDED = 12
"""Episodes with success whose videos are on the page; those of the others are linked."""


def write_report(
    folder: Path,
    summary: Summary,
    rows: Sequence[EpisodeRow],
    manifest: Manifest | None,
    played_in: Mapping[int, Path] | None = None,
) -> None:
    """Write ``report.html`` into a run folder.

    Args:
        folder: The run folder, with the videos that the rows name.
        summary: What ``summary.json`` holds.
        rows: All rows of the run, of which the last of an episode is shown; those without success come first. Of a run
            with variations, those of the most varied arm are shown as those of others are.
        manifest: Where it comes from, None where that cannot be read.
        played_in: Index to the run folder of an episode, of those that were not played in this one.
    """
    variations = variation_section(folder, summary, rows)
    may_count = {row.index: row for row in summary.may_count(rows)}
    others = [row for row in last_rows(rows) if row.index not in may_count]
    rows = sorted(may_count.values(), key=lambda row: WORST_FIRST.index(row.ended))
    failed = [row for row in rows if row.ended != "success"]
    succeeded = [row for row in rows if row.ended == "success"]
    ways = ways_to_fail(failed)
    filmed = [*(way.example for way in ways[:MOST_WAYS]), *succeeded[:MOST_SUCCEEDED]]
    posters = {row.index: poster_of(folder / row.video) if row.video else None for row in filmed}
    page = _pages().get_template("run.html")
    told = page.render(
        outcome=describe(rows),
        summary=summary,
        method=METHODS[summary.ci_method],
        counted=format_counted(summary),
        means=format_means(summary),
        servers=format_servers(summary),
        odd=format_what_is_odd(summary, [*rows, *others]),
        funnels=funnels_of(summary),
        plot=_plot(summary, rows),
        failed=failed,
        ways=ways[:MOST_WAYS],
        in_other_ways=sum(len(way.rows) for way in ways[MOST_WAYS:]),
        cards=failed_cards(folder, failed[:MOST_CARDS], played_in or {}),
        with_card={row.index for row in failed[:MOST_CARDS]},
        succeeded=succeeded,
        others=others,
        variations=variations,
        shown=succeeded[:MOST_SUCCEEDED],
        posters=posters,
        manifest=manifest,
        policy=[] if manifest is None else format_policy(manifest),
        config="" if manifest is None else yaml.safe_dump(manifest.config, sort_keys=False, allow_unicode=True),
        provenance="" if manifest is None else _provenance(manifest),
    )
    write_whole(folder / "report.html", _encodable(told))


def write_runs_page(
    path: Path, runs: Sequence[Run], names: Sequence[str], sweeps: Mapping[Path, Sequence[Evaluation]] | None = None
) -> None:
    """Write the page over many runs.

    Args:
        path: File to write; its links to the runs' own pages are relative to it.
        runs: In the order in which they are shown.
        names: What each is called.
        sweeps: The evaluations of each sweep among them.
    """
    link = functools.partial(_link, path.parent)
    shown: list[dict[str, Any]] = [
        {
            "name": name,
            "summary": run.summary,
            "notes": run.notes,
            "overrides": run.overrides,
            "link": link(run),
        }
        for run, name in zip(runs, names, strict=True)
    ]
    texts = {each.instruction for run in runs for each in run.summary.instructions}
    # A run of one instruction is the control of the others: it stands beside them.
    told = (
        _pages()
        .get_template("runs.html")
        .render(
            runs=shown,
            by_instruction=shown if len(texts) > 1 else [],
            funnels=funnels_of_runs(runs, names),
            losses=losses_of(path.parent, runs, names),
            sweeps=[
                {
                    "told": format_progress(sweep, asked),
                    "curves": [shown_curve(curve) for curve in learning_curves(asked)],
                    "map": None if swept_keys(asked) == [CHECKPOINT] else heat_map(asked),  # which the curve shows
                }
                for sweep, asked in (sweeps or {}).items()
            ],
            link=link,
        )
    )
    write_whole(path, _encodable(told))


def _provenance(manifest: Manifest) -> str:
    """Return all of a manifest but the settings, as JSON."""
    content = msgspec.to_builtins(manifest)
    return json.dumps({key: value for key, value in content.items() if key != "config"}, indent=2)


def _encodable(page: str) -> str:
    """Return a page in which lone surrogates, which foreign text may hold, are escapes."""
    return page.encode(errors="backslashreplace").decode()


def _link(folder: Path, run: Run) -> str | None:
    """Return the link from a folder to a run's own page, None where it has none yet."""
    page = run.folder / "report.html"
    return Path(os.path.relpath(page, folder)).as_posix() if page.exists() else None


def _pages() -> jinja2.Environment:
    pages = jinja2.Environment(
        loader=jinja2.PackageLoader("runners.reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters["percent"] = lambda share: "none" if share is None else f"{share:.1%}"
    pages.filters["whole_percent"] = lambda share: "none" if share is None else f"{share:.0%}"
    pages.filters["milliseconds"] = lambda ms: "none" if ms is None else f"{ms:.3g} ms" if ms < 100 else f"{ms:.0f} ms"
    pages.filters["moment"] = lambda moment: f"{moment:%Y-%m-%d %H:%M} UTC"
    pages.filters["quoted"] = lambda text: f"“{text}”" if text else "(empty)"
    pages.filters["plain"] = lambda name: name.replace("_", " ")
    pages.filters["rate"] = lambda rate: format_rate(rate, interval="")
    return pages


def _plot(summary: Summary, rows: Sequence[EpisodeRow]) -> dict[str, Any] | None:
    """Return the paths of the success rate and its interval after each counted episode, on a field of 100 x 100."""
    in_order = sorted(rows, key=lambda row: row.index)[: summary.counted]
    outcomes = [row.success for row in in_order if row.success is not None]
    if len(outcomes) < 2:
        return None
    step = -(-len(outcomes) // MOST_POINTS)
    line: list[str] = []
    low: list[str] = []
    high: list[str] = []
    for count in [*range(1, len(outcomes), step), len(outcomes)]:
        successes = sum(outcomes[:count])
        x = 100 * (count - 1) / (len(outcomes) - 1)
        ends = success_interval(successes, count, summary.ci_method)
        for points, share in zip((line, low, high), (successes / count, *ends), strict=True):
            points.append(f"{x:.2f},{100 * (1 - share):.2f}")
    gate = summary.gate
    return {
        "line": "M" + " L".join(line),
        "band": "M" + " L".join([*low, *reversed(high)]) + " Z",
        "wanted": None if gate is None else round(100 * (1 - gate.min_success), 2),
        "episodes": len(outcomes),
    }
