"""Runs that are whole already: asked for again, they do nothing, without a simulator or a server."""

from pathlib import Path
from typing import Any

from groot_wrappers.errors import ContractError
from runners.config.composed import Composition, resolved
from runners.config.schema import StopOn
from runners.episodes.episode_log import read_rows
from runners.episodes.plan import PlannedEpisode
from runners.experiment.run_end import RunEnd
from runners.run_folder.manifest import Manifest
from runners.run_folder.results import read_summary, write_summary
from runners.run_folder.resume import EarlierStart
from runners.run_folder.run_lock import run_lock
from runners.statistics.stop_rule import StopRule
from runners.statistics.summary import Summary, summarise
from runners.utils.json_files import JsonFileError, read_json
from runners.utils.terminal import say
from runners.variations.arms import strengths_of

__all__ = ["finished_run"]


def finished_run(composition: Composition) -> RunEnd | None:
    """Return how a run ended of which no episode is missing, and say so; None where there is one to play or to judge.

    It reads files alone, so that a sweep of many jobs that are whole answers at once. A summary or a page that a full
    disk or a kill has kept from being written is written, counted from the rows.

    Args:
        composition: The run that is asked for.

    Raises:
        ContractError: Another run is whole there.
    """
    folder = composition.folder
    if not (folder / "episodes.jsonl").exists():
        return None
    config = resolved(composition)
    try:
        plan = read_json(folder / "plan.json", list[PlannedEpisode])
        earlier = EarlierStart.read(folder)
        rows, notes = read_rows(folder / "episodes.jsonl")
        ended = {row.index: row.ended for row in rows}
        judged_alike = all(earlier.manifest.config[key] == config[key] for key in ("gate", "stop"))
        starts = range(config["shard"]["index"], config["episodes"], config["shard"]["count"])
        arms = 1 if config.get("again") is not None else len(strengths_of(config.get("variation") or {})) or 1
        planned = len(set(config["only"])) if config.get("only") else len(starts) * arms
        if notes or not judged_alike or len(plan) != planned or "error" in ended.values():
            return None
        summary = _written_summary(folder, len(ended))
        if len(ended) < len(plan) and not (summary and summary.stop.ended_early):
            return None
    except (OSError, KeyError, TypeError, JsonFileError, ContractError):  # it was cut off, or is no run at all
        return None
    earlier.require_same(config)
    return _report(folder, summary or _count_anew(folder, plan, config), earlier.manifest)


def _report(folder: Path, summary: Summary, manifest: Manifest) -> RunEnd:
    """Say that nothing of a run is missing, and return how it ended; a page that is missing is written."""
    rows, _ = read_rows(folder / "episodes.jsonl")
    if not (folder / "report.html").exists():
        from runners.reports.pages import write_report  # noqa: PLC0415  # which takes libraries that are slow to import

        write_report(folder, summary, rows, manifest)
    say(
        f"{folder} is whole: {summary.successes} of {summary.episodes} episodes succeeded. Nothing is left to play; "
        "fresh=true begins anew." + (f"\n{summary.gate.told}" if summary.gate else "")
    )
    return RunEnd.of(summary, rows)


def _written_summary(folder: Path, episodes: int) -> Summary | None:
    """Return what ``summary.json`` holds; None where it does not tell of that many episodes, or is not there."""
    try:
        summary = read_summary(folder)
    except JsonFileError:
        return None
    return summary if summary.ended == episodes else None


def _count_anew(folder: Path, plan: list[PlannedEpisode], config: dict[str, Any]) -> Summary:
    """Write the summary of a run whose rows are all there, and return it.

    How fast it was, and what was asked of the server, nobody knows any more.
    """
    with run_lock(folder):
        rows, _ = read_rows(folder / "episodes.jsonl")
        summary = summarise(
            rows,
            StopRule(plan, config["stop"]["ci_width"], StopOn(config["stop"].get("on", StopOn.success))),
            task=config["task"]["id"],
            instruction=" | ".join(dict.fromkeys(planned.instruction for planned in plan)),
            checkpoint=config.get("checkpoint"),
            min_success=config["gate"]["min_success"] if config["shard"]["count"] == 1 else None,
            label=config.get("label"),
            fidelity=config["task"].get("fidelity"),
        )
        write_summary(folder, summary)
        (folder / "report.html").unlink(missing_ok=True)  # which tells of fewer
    return summary
