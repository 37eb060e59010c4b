"""The page of a run: ``report.html``, its outcome, numbers, and a row with a video for each episode."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from runners.results import EpisodeRow, describe

__all__ = ["write_report"]

STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin-bottom: 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.2rem; }
dt { opacity: .7; }
dd { margin: 0; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .35rem .7rem .35rem 0; border-bottom: 1px solid #8884; vertical-align: top; }
video { width: 20rem; max-width: 100%; display: block; }
.success { color: #188038; } .failure, .time_out { color: #b3541e; } .error { color: #c5221f; }
"""


def write_report(folder: Path, summary: Mapping[str, Any], rows: Sequence[EpisodeRow]) -> None:
    """Write ``report.html`` into a run folder; it needs nothing but the folder to be looked at.

    Args:
        folder: The run folder, with the videos that the rows name.
        summary: What ``summary.json`` holds.
        rows: All rows of the run; they are shown by index.
    """
    facts = {
        "Task": summary["task"],
        "Instruction": summary["instruction"],
        "Episodes": describe(rows),
        "Success rate": _rate(summary),
        "Control steps": f"{summary['env_steps']} in {summary['wall_s']:.0f} s",
        "Camera draws": summary["renders"],
        "Server": _server(summary["server"]),
    }
    listed = "".join(f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in facts.items())
    body = "".join(_row(row) for row in sorted(rows, key=lambda row: (row.index, row.attempt)))
    (folder / "report.html").write_text(
        "<!doctype html><html lang=en><meta charset=utf-8>"
        '<meta name=viewport content="width=device-width, initial-scale=1">'
        f"<title>{escape(describe(rows))}</title><style>{STYLE}</style>"
        f"<h1>{escape(describe(rows))}</h1><dl>{listed}</dl>"
        "<table><thead><tr><th>Episode<th>Ended<th>Steps<th>Return<th>Requests<th>Seed<th>Video</thead>"
        f"<tbody>{body}</tbody></table></html>\n",
        encoding="utf-8",
    )


def _rate(summary: Mapping[str, Any]) -> str:
    if summary["success_rate"] is None:
        return "none: no episode was judged"
    return f"{summary['success_rate']:.1%}, 95% interval {summary['ci_low']:.1%} to {summary['ci_high']:.1%} (Wilson)"


def _server(server: Mapping[str, Any]) -> str:
    if server["p50_ms"] is None:
        return "no answered requests"
    return (
        f"{server['calls']} requests with {server['observations']} observations, {server['p50_ms']:.0f} ms median, "
        f"{server['p99_ms']:.0f} ms 99th percentile, {server['bytes'] / 1e6:.1f} MB"
    )


def _row(row: EpisodeRow) -> str:
    video = f'<video src="{escape(row.video)}" controls muted loop preload=metadata></video>' if row.video else ""
    cells = [
        str(row.index),
        f"<span class={row.ended}>{row.ended}</span>" + (f"<br>{escape(row.error)}" if row.error else ""),
        str(row.steps),
        "" if row.episode_return is None else f"{row.episode_return:g}",
        str(row.server_calls),
        str(row.seed),
        video,
    ]
    return "<tr>" + "".join(f"<td>{cell}" for cell in cells) + "</tr>"
