"""Shards joined again: what is shown of an evaluation is the same, whether it was played in one run or in several."""

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec

from runners.episodes.plan import PlannedEpisode
from runners.episodes.row import last_rows
from runners.reports.pages import write_report
from runners.run_folder.reader import Run
from runners.run_folder.resume import other_settings
from runners.statistics.gate import judge
from runners.statistics.stop_rule import StopRule
from runners.statistics.summary import count
from runners.utils.atomic_files import write_whole

__all__ = ["join_shards"]

SUMS = "env_steps", "wall_s", "renders"
SERVER_SUMS = "calls", "observations", "bytes"


def join_shards(runs: Sequence[Run]) -> list[Run]:
    """Return runs in their order, the shards of each evaluation as one run, in a folder of its own beside them.

    That folder is written, with a summary and a page, once nothing is missing. Its ``wall_s`` is the time of all
    shards together; the percentiles of the latency are None, as those of a whole are not those of its parts, and single
    servers are not told.
    """
    evaluations: dict[str, list[Run]] = {}
    for run in runs:
        evaluations.setdefault(_evaluation(run), []).append(run)
    return [run[0] if run[0].settings.shard.count == 1 else _join(run) for run in evaluations.values()]


def _evaluation(run: Run) -> str:
    """Return what the shards of one evaluation have in common, and nothing else."""
    if run.settings.shard.count == 1:
        return str(run.folder)
    config = run.manifest["config"]
    settings = other_settings(config) | {"episodes": config["episodes"], "shard.index": None}
    # Sweeps that were put aside have the same settings.
    return json.dumps([settings, str(run.folder.parent) if run.manifest.get("sweep") else None], sort_keys=True)


def _join(found: Sequence[Run]) -> Run:
    shards = {run.settings.shard.index: run for run in reversed(found)}
    settings = found[0].settings
    of_all = settings.shard.count
    folder = found[0].folder.with_name(f"{found[0].folder.name}-joined")
    rows = last_rows(
        msgspec.structs.replace(
            row, video=None if row.video is None else os.path.relpath(run.folder / row.video, folder)
        )
        for run in shards.values()
        for row in run.rows
    )
    planned = {episode.index: episode for run in shards.values() for episode in run.plan}
    first = settings.episode  # of a recorded plan
    indices = range(first, first + settings.episodes)
    stop = StopRule([planned.get(index, PlannedEpisode(index, -1, "")) for index in indices], None)
    counted = stop.counted(rows)
    summary = {
        **found[0].summary,
        "instruction": " | ".join(dict.fromkeys(row.instruction for row in rows)),
        **_of_all_shards([run.summary for run in shards.values()]),
        **count(rows, counted, stop.method),
        "stop": stop.to_json(rows),
    }
    summary["gate"] = judge(settings.gate.min_success, summary)
    notes = [f"shard {index} of {of_all} has not begun" for index in range(of_all) if index not in shards]
    notes += [f"shard {index}: {note}" for index, run in sorted(shards.items()) for note in run.notes]
    if len(found) > len(shards):
        notes.append(f"{len(found)} runs for {len(shards)} shards; the first of each is shown")
    if not notes and summary["server"] is not None:
        folder.mkdir(exist_ok=True)
        write_whole(folder / "summary.json", json.dumps(summary, indent=1) + "\n")
        write_report(folder, summary, rows, found[0].manifest)
    overrides = [override for override in found[0].overrides if not override.startswith("shard.index=")]
    return replace(
        found[0],
        folder=folder,
        parts=tuple(run.folder for run in shards.values()),
        plan=list(stop.plan),
        rows=rows,
        counted=counted,
        summary=summary,
        overrides=overrides,
        notes=notes,
    )


def _of_all_shards(summaries: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the figures that no row holds, over all shards; of shards that are not over there are none."""
    if any(summary["server"] is None for summary in summaries):
        return {"server": None, "env_steps_per_s": None}
    sums = {key: round(sum(summary[key] for summary in summaries), 3) for key in SUMS}
    server = {key: sum(summary["server"][key] for summary in summaries) for key in SERVER_SUMS}
    speed = round(sums["env_steps"] / sums["wall_s"], 3) if sums["wall_s"] else None
    return {**sums, "env_steps_per_s": speed, "server": {**server, "p50_ms": None, "p99_ms": None, "endpoints": []}}
