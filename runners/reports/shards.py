"""Shards joined again: what is shown of an evaluation is the same, whether it was played in one run or in several."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec

from runners.episodes.plan import PlannedEpisode
from runners.episodes.row import last_rows
from runners.reports.pages import write_report
from runners.reports.policies import describe_difference
from runners.run_folder.reader import Run
from runners.run_folder.results import write_summary
from runners.run_folder.resume import other_settings
from runners.statistics.stop_rule import StopRule
from runners.statistics.summary import Cost, ServerCost, Summary, summarise

__all__ = ["join_shards"]


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
    if run.settings.shard.count == 1 or run.manifest is None:
        return str(run.folder)
    config = run.manifest.config
    settings = other_settings(config) | {"episodes": config["episodes"], "shard.index": None}
    # Sweeps that were archived have the same settings.
    return json.dumps([settings, str(run.folder.parent) if run.manifest.sweep else None], sort_keys=True)


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
    stop = StopRule([planned.get(each.index, each) for each in _outline(found[0])], None)
    summary = summarise(
        rows,
        stop,
        task=found[0].summary.task,
        instruction=" | ".join(dict.fromkeys(row.instruction for row in rows)),
        checkpoint=settings.checkpoint,
        min_success=settings.gate.min_success,
        cost=_cost_of_all([run.summary for run in shards.values()]),
        label=found[0].summary.label,
        fidelity=found[0].summary.fidelity,
    )
    notes = [f"shard {index} of {of_all} has not begun" for index in range(of_all) if index not in shards]
    notes += [f"shard {index}: {note}" for index, run in sorted(shards.items()) for note in run.notes]
    if len(found) > len(shards):
        notes.append(f"{len(found)} runs for {len(shards)} shards; the first of each is shown")
    notes += _other_policies(shards)
    if not notes and summary.server is not None and found[0].manifest is not None:
        folder.mkdir(exist_ok=True)
        write_summary(folder, summary)
        played_in = {row.index: run.folder for run in shards.values() for row in run.rows}
        write_report(folder, summary, rows, found[0].manifest, played_in)
    overrides = [override for override in found[0].overrides if not override.startswith("shard.index=")]
    return replace(
        found[0],
        folder=folder,
        parts=tuple(run.folder for run in shards.values()),
        plan=list(stop.plan),
        rows=rows,
        counted=stop.counted(rows),
        summary=summary,
        overrides=overrides,
        notes=notes,
    )


def _outline(shard: Run) -> list[PlannedEpisode]:
    """Return the episodes of the whole plan by what one shard says of it, without their seeds and instructions."""
    first, episodes = shard.settings.episode, shard.settings.episodes  # the former of a recorded plan
    arms = [each for each in shard.plan if each.pair is not None and each.pair == shard.plan[0].pair]
    if not arms:
        return [PlannedEpisode(index, -1, "") for index in range(first, first + episodes)]
    return [
        PlannedEpisode(place * len(arms) + number, -1, "", pair=place, arm=one.arm, strength=one.strength)
        for place in range(first, first + episodes)
        for number, one in enumerate(arms)
    ]


def _other_policies(shards: Mapping[int, Run]) -> list[str]:
    """Return a note for each shard that was played by another policy than the first one."""
    known = {
        index: run.manifest.policy for index, run in sorted(shards.items()) if run.manifest and run.manifest.policy
    }
    notes = []
    for index, identity in known.items():
        first = next(iter(known))
        if difference := describe_difference(known[first], identity, f"in shard {first}", f"in shard {index}"):
            notes.append(f"the shards were played by different policies: {difference}")
    return notes


def _cost_of_all(summaries: Sequence[Summary]) -> Cost:
    """Return what all shards together cost beyond their rows; of shards that are not over nobody knows."""
    servers = [summary.server for summary in summaries if summary.server is not None]
    recorders = [failure for summary in summaries for failure in summary.recorders]
    if len(servers) < len(summaries):
        return Cost(recorders=recorders)
    return Cost(
        wall_s=round(sum(summary.wall_s or 0.0 for summary in summaries), 3),
        renders=sum(summary.renders or 0 for summary in summaries),
        server=ServerCost(
            calls=sum(server.calls for server in servers),
            observations=sum(server.observations for server in servers),
            bytes=sum(server.bytes for server in servers),
        ),
        recorders=recorders,
    )
