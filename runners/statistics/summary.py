"""The summary of a run, ``summary.json``: what its rows show, and what they cost.

* ``Summary``: the whole, typed and with the version of its format.
* ``InstructionOutcomes``: the part of it that is of one instruction.
* ``Cost``, ``ServerCost``, ``Requests``, ``Endpoint``: what no row tells: time, renders, requests.
* ``RecorderFailure``: why a recorder was left out.
* ``summarise``: makes a summary; of a run that was played, killed, or played in shards.
* ``server_cost``: what a client has asked for; ``cost_of``: what a summary says of it.
"""

from collections.abc import Sequence

import msgspec
import numpy as np

from groot_wrappers.protocol.client_interface import ClientStats
from runners.checkpoints.found import step_of
from runners.episodes.row import EpisodeRow, last_rows
from runners.statistics.arms import Arms, compare_arms
from runners.statistics.funnel import Funnel, funnel_of
from runners.statistics.gate import Gate, judge
from runners.statistics.intervals import Method
from runners.statistics.outcomes import Outcomes, outcomes_of
from runners.statistics.stop_rule import StopRule, StopState
from runners.utils.remedies import in_overrides

__all__ = [
    "FORMAT",
    "Cost",
    "Endpoint",
    "InstructionOutcomes",
    "RecorderFailure",
    "Requests",
    "ServerCost",
    "Summary",
    "cost_of",
    "server_cost",
    "summarise",
]

FORMAT = 5
"""Version of ``summary.json``. Version 1 had no number, and the names of 2; 2 had no ``funnel`` and no ``stop.on``,
3 no ``checkpoint`` and no ``arms``, and 4 no ``fidelity``."""


class InstructionOutcomes(Outcomes, frozen=True, kw_only=True):
    """How the episodes of one instruction ended.

    Args:
        instruction: What the policy was told.
        episodes: How many count.
        funnel: How far they came, with their mean progress; None where the env tells no stages.
    """

    instruction: str
    episodes: int
    funnel: Funnel | None = None


class Requests(msgspec.Struct, frozen=True, kw_only=True):
    """What requests cost.

    Args:
        calls: How many there were.
        observations: Of how many observations.
        p50_ms, p99_ms: Median and 99th percentile of their latency; None where there were none, or where several runs
            are one.
        bytes: Sent and received.
    """

    calls: int
    observations: int
    p50_ms: float | None = None
    p99_ms: float | None = None
    bytes: int = 0


class Endpoint(Requests, frozen=True, kw_only=True):
    """What one of several servers was asked.

    Args:
        endpoint: Its host and port.
        lost: Why it was left out in the end, None where it was not.
    """

    endpoint: str
    lost: str | None = None


class ServerCost(Requests, frozen=True, kw_only=True):
    """What the policy server was asked.

    Args:
        waited_s: Seconds that the world has stood still for answers.
        endpoints: Of each of several servers.
    """

    waited_s: float = 0.0
    endpoints: list[Endpoint] = []


class RecorderFailure(msgspec.Struct, frozen=True):
    """Why a recorder was left out.

    Args:
        recorder: Name of its class.
        hook: The hook that failed first.
        error: What it raised, in words.
    """

    recorder: str
    hook: str
    error: str


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What a run cost beyond what its rows tell; unknown of a run that was killed.

    Args:
        wall_s: Seconds from the first reset to the end of the last episode.
        renders: Moments at which the cameras were drawn.
        server: What was asked of the policy server.
        recorders: Which recorders were left out.
    """

    wall_s: float | None = None
    renders: int | None = None
    server: ServerCost | None = None
    recorders: list[RecorderFailure] = []


class Summary(Outcomes, frozen=True, kw_only=True):
    """What ``summary.json`` holds; see ``docs/results.md``.

    Args:
        format: Version of the format.
        task: The env's gym id.
        instruction: The instruction, or several joined by " | ".
        checkpoint, checkpoint_step: Name and step of the checkpoint that was played of a training's folder; None
            without such a folder.
        episodes: Episodes that ended, of those that may count.
        counted: Of these, how many the figures are made of; see ``runners.statistics.stop_rule``.
        ci_method: Of the intervals.
        micro_success_rate, macro_success_rate: Means over episodes and over instructions.
        funnel: How far the counted ones came, with their mean progress; None where the env tells no stages.
        arms: Of a run with variations what they did, beside the control; else None.
        instructions: The same of each instruction apart.
        warnings: Counted episodes whose row has a warning.
        env_steps, held_steps: Control steps played, and those for which a chunk had no action left.
        wall_s, renders, server, recorders: As of :class:`Cost`.
        env_steps_per_s: Control steps a second over all envs.
        stop: What the rule did that may end a run.
        gate: The verdict of the gate, None without one.
        label: Whose actions the data set has in place of the policy's: ``expert``; None where it has the policy's.
        fidelity: How near a task that stands for another simulator's is to that; None for a task of its own.
    """

    format: int = FORMAT
    task: str
    instruction: str
    checkpoint: str | None = None
    checkpoint_step: int | None = None
    episodes: int
    counted: int
    ci_method: Method
    micro_success_rate: float | None
    macro_success_rate: float | None
    funnel: Funnel | None = None
    arms: Arms | None = None
    instructions: list[InstructionOutcomes]
    warnings: int = 0
    env_steps: int
    held_steps: int = 0
    wall_s: float | None
    env_steps_per_s: float | None
    renders: int | None
    server: ServerCost | None
    stop: StopState
    gate: Gate | None
    recorders: list[RecorderFailure] = msgspec.field(default_factory=list)
    label: str | None = None
    fidelity: str | None = None

    @property
    def ended(self) -> int:
        """Episodes that ended, in all arms."""
        return self.episodes if self.arms is None else sum(arm.ended for arm in self.arms.outcomes)

    def may_count(self, rows: Sequence[EpisodeRow]) -> list[EpisodeRow]:
        """Return the last row of each episode, of those that figures may be made of, by index."""
        return [row for row in last_rows(rows) if self.arms is None or row.strength == self.arms.strength]


def summarise(
    rows: Sequence[EpisodeRow],
    stop: StopRule,
    *,
    task: str,
    instruction: str,
    checkpoint: str | None = None,
    min_success: float | None = None,
    cost: Cost | None = None,
    label: str | None = None,
    fidelity: str | None = None,
) -> Summary:
    """Return the summary of a run.

    Args:
        rows: All rows of the run.
        stop: Says which of them count.
        task: The env's gym id.
        instruction: The instruction, or several joined by " | ".
        checkpoint: ``checkpoint``.
        min_success: ``gate.min_success``, None without a gate; of a shard too, as a gate is about all shards together.
        cost: What no row tells, None where nobody knows it.
        label: ``label``.
        fidelity: ``task.fidelity``, None where the task has none.
    """
    cost = cost or Cost()
    counted = stop.counted(rows)
    outcomes = outcomes_of(counted, stop.method)
    by_instruction: dict[str, list[EpisodeRow]] = {}
    for row in counted:
        by_instruction.setdefault(row.instruction, []).append(row)
    instructions = [
        InstructionOutcomes(
            instruction=text,
            episodes=len(its),
            **msgspec.structs.asdict(outcomes_of(its, stop.method)),
            funnel=funnel_of(its, stop.method),
        )
        for text, its in by_instruction.items()
    ]
    rates = [each.success_rate for each in instructions if each.success_rate is not None]
    nothing_judged = outcomes.success_rate_errors_failed is None
    env_steps = sum(row.steps for row in rows)
    return Summary(
        task=task,
        instruction=instruction,
        label=label,
        fidelity=fidelity,
        checkpoint=checkpoint,
        checkpoint_step=None if checkpoint is None else step_of(checkpoint),
        episodes=sum(stop.counts(row) for row in last_rows(rows)),
        counted=len(counted),
        **msgspec.structs.asdict(outcomes),
        ci_method=stop.method,
        # Over instructions: every episode weighs the same, or every instruction does.
        micro_success_rate=outcomes.success_rate,
        macro_success_rate=float(np.mean(rates)) if rates else None,
        funnel=funnel_of(counted, stop.method),
        arms=compare_arms(last_rows(rows), counted, stop),
        instructions=instructions,
        warnings=sum(row.warning is not None for row in counted),
        env_steps=env_steps,
        held_steps=sum(row.held_steps for row in rows),
        wall_s=cost.wall_s,
        env_steps_per_s=round(env_steps / cost.wall_s, 3) if cost.wall_s else None,
        renders=cost.renders,
        server=cost.server,
        stop=stop.state(rows),
        gate=judge(min_success, outcomes.successes, 0 if nothing_judged else len(counted), stop.method),
        recorders=cost.recorders,
    )


def cost_of(summary: Summary) -> Cost:
    """Return what a run cost beyond what its rows tell, of its summary."""
    return Cost(wall_s=summary.wall_s, renders=summary.renders, server=summary.server, recorders=summary.recorders)


def server_cost(stats: ClientStats, waited_s: float = 0.0) -> ServerCost:
    """Return what a client has asked for.

    Args:
        stats: The client's; of a group, those of each server are told apart.
        waited_s: Seconds that the world has stood still for answers.
    """
    return ServerCost(
        **msgspec.structs.asdict(_requests(stats)),
        waited_s=round(waited_s, 3),
        endpoints=[
            Endpoint(
                endpoint=name.removeprefix("tcp://"),
                **msgspec.structs.asdict(_requests(its)),
                lost=its.lost and in_overrides(its.lost),
            )
            for name, its in stats.servers.items()
        ],
    )


def _requests(stats: ClientStats) -> Requests:
    latencies = np.asarray(stats.latencies_s) * 1e3
    p50, p99 = (round(float(p), 3) for p in np.percentile(latencies, [50, 99])) if len(latencies) else (None, None)
    return Requests(calls=stats.calls, observations=stats.observations, p50_ms=p50, p99_ms=p99, bytes=stats.bytes)
