"""Runs that are whole already: asked for again, they do nothing, without a simulator or a server."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from omegaconf import DictConfig

from groot_wrappers.errors import ContractError
from runners.config.composed import resolved
from runners.episodes.episode_log import read_rows
from runners.run_folder.resume import EarlierStart
from runners.run_folder.run_lock import run_lock
from runners.utils.atomic_files import write_whole
from runners.utils.exit_codes import DONE, DONE_WITH_ERRORS, GATE_NOT_MET
from runners.utils.terminal import say

__all__ = ["finished_run", "report_finished_run"]


def finished_run(folder: Path, composed: DictConfig) -> dict[str, Any] | None:
    """Return the summary of a run of which no episode is missing; None where there is one to play or to judge anew.

    It reads files alone, so that a sweep of many jobs that are whole answers at once. A summary that a full disk or a
    kill has kept from being written is written, counted from the rows.

    Args:
        folder: The run folder.
        composed: The configuration of the run that is asked for.

    Raises:
        ContractError: Another run is whole there.
    """
    if not (folder / "episodes.jsonl").exists():
        return None
    config = resolved(composed, "play")
    try:
        plan = json.loads((folder / "plan.json").read_text())
        earlier = EarlierStart.read(folder)
        rows, notes = read_rows(folder / "episodes.jsonl")
        ended = {row.index: row.ended for row in rows}
        judged_alike = all(earlier.manifest["config"][key] == config[key] for key in ("gate", "stop"))
        planned = range(config["shard"]["index"], config["episodes"], config["shard"]["count"])
        if notes or not judged_alike or len(plan) != len(planned) or "error" in ended.values():
            return None
        summary = _written_summary(folder, len(ended))
        if len(ended) < len(plan) and not (summary and summary["stop"]["ended_early"]):
            return None
    except (OSError, ValueError, KeyError, TypeError, ContractError):  # it was cut off, or is no run at all
        return None
    earlier.require_same(config)
    return summary or _write_results(folder, config, earlier.manifest)


def report_finished_run(folder: Path, summary: Mapping[str, Any]) -> int:
    """Say that nothing of a run is missing; return the exit code that it has ended with.

    A page that was kept from being written is written.
    """
    if not (folder / "report.html").exists():
        from runners.reports.pages import write_report  # noqa: PLC0415  # which takes libraries that are slow to import

        write_report(folder, summary, read_rows(folder / "episodes.jsonl")[0], EarlierStart.read(folder).manifest)
    gate = summary["gate"]
    say(
        f"{folder} is whole: {summary['successes']} of {summary['episodes']} episodes succeeded. Nothing is left "
        "to play; fresh=true begins anew." + (f"\n{gate['told']}" if gate else "")
    )
    if gate and not gate["met"]:
        return GATE_NOT_MET
    return DONE_WITH_ERRORS if summary.get("recorders") else DONE


def _written_summary(folder: Path, episodes: int) -> dict[str, Any] | None:
    """Return what ``summary.json`` holds; None where it does not tell of that many episodes, or is not there."""
    try:
        summary: dict[str, Any] = json.loads((folder / "summary.json").read_text())
        return summary if summary["episodes"] == episodes else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write_results(folder: Path, config: Mapping[str, Any], manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Write the summary and the page of a run whose rows are all there, and return the summary.

    How fast it was, and what was asked of the server, nobody knows any more.
    """
    from groot_wrappers.protocol.client_interface import ClientStats  # noqa: PLC0415  # these take libraries that are slow to import
    from runners.episodes.plan import PlannedEpisode  # noqa: PLC0415
    from runners.experiment.conclusion import run_summary  # noqa: PLC0415
    from runners.reports.pages import write_report  # noqa: PLC0415
    from runners.statistics.stop_rule import StopRule  # noqa: PLC0415
    from runners.utils.json_files import read_json  # noqa: PLC0415

    unasked: Any = SimpleNamespace(stats=ClientStats())
    with run_lock(folder):
        rows, _ = read_rows(folder / "episodes.jsonl")
        stop = StopRule(read_json(folder / "plan.json", list[PlannedEpisode]), config["stop"]["ci_width"])
        summary = run_summary(
            rows,
            stop,
            min_success=config["gate"]["min_success"],
            shards=config["shard"]["count"],
            task=config["task"]["id"],
            instruction=" | ".join(dict.fromkeys(planned.instruction for planned in stop.plan)),
            wall_s=0.0,
            renders=0,
            client=unasked,
        )
        write_whole(folder / "summary.json", json.dumps(summary, indent=1) + "\n")
        write_report(folder, summary, rows, manifest)
    return summary
