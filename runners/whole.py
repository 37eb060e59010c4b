"""Runs that are whole already: asked for again, they do nothing, without a simulator or a server."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from groot_wrappers.errors import ContractError
from runners.cli import DONE, GATE_NOT_MET
from runners.composed import resolved
from runners.resume import EarlierStart

__all__ = ["tell_whole", "whole_run"]


def whole_run(folder: Path, composed: DictConfig) -> dict[str, Any] | None:
    """Return the summary of a run of which nothing is missing; None where there is something to play or to judge anew.

    It reads files alone, so that a sweep of many jobs that are whole answers at once.

    Args:
        folder: The run folder.
        composed: The configuration of the run that is asked for.

    Raises:
        ContractError: Another run is whole there.
    """
    if not (folder / "summary.json").exists():
        return None
    config = resolved(composed, "play")
    try:
        summary: dict[str, Any] = json.loads((folder / "summary.json").read_text())
        plan = json.loads((folder / "plan.json").read_text())
        earlier = EarlierStart.read(folder)
        ended = {row["index"]: row["ended"] for row in map(json.loads, (folder / "episodes.jsonl").open())}
        judged_alike = all(earlier.manifest["config"][key] == config[key] for key in ("gate", "stop"))
        planned = range(config["shard"]["index"], config["episodes"], config["shard"]["count"])
        if not judged_alike or summary["episodes"] != len(ended) or len(plan) != len(planned):
            return None
        if "error" in ended.values() or not (len(ended) == len(plan) or summary["stop"]["ended_early"]):
            return None
    except (OSError, ValueError, KeyError, TypeError, ContractError):  # it was cut off, or is no run at all
        return None
    earlier.require_same(config)
    return summary


def tell_whole(folder: Path, summary: Mapping[str, Any]) -> int:
    """Say that nothing of a run is missing; return the exit code that it has ended with.

    A page that a kill has kept from being written is written.
    """
    if not (folder / "report.html").exists():
        from runners.episode_log import read_rows  # noqa: PLC0415  # these take libraries that are slow to import
        from runners.report import write_report  # noqa: PLC0415

        write_report(folder, summary, read_rows(folder / "episodes.jsonl")[0], EarlierStart.read(folder).manifest)
    gate = summary["gate"]
    print(
        f"{folder} is whole: {summary['successes']} of {summary['episodes']} episodes succeeded. Nothing is left "
        "to play; fresh=true begins anew." + (f"\n{gate['told']}" if gate else ""),
        flush=True,
    )
    return GATE_NOT_MET if gate and not gate["met"] else DONE
