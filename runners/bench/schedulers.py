"""The section ``schedulers``: one evaluation played in the ways of the field, beside the least that it can take.

* ours: beats of ``execution`` control steps, see ``runners.rollout.rollout``.
* any-empty: see ``runners.bench.queue_scheduler``.
* every step: the chunk's first action is played, and the next is asked for.
"""

import math
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from groot_wrappers import Embodiment, Gr00tObservationWrapper
from groot_wrappers.control_step import ControlStep
from groot_wrappers.embodiment.isaaclab_env import IsaacLabEnv
from groot_wrappers.embodiment.matching import match_embodiment
from groot_wrappers.errors import ContractError
from groot_wrappers.protocol.client_interface import Client
from runners.bench.figures import Row
from runners.bench.queue_scheduler import play_any_empty
from runners.bench.simulated import DrawnLengthWrapper, bench_env
from runners.bench.stopwatch import Stopwatch
from runners.episodes.episode_log import EpisodeLog
from runners.episodes.plan import PlannedEpisode, make_plan
from runners.recorders import Recorders
from runners.recorders.progress_bar import ProgressBar
from runners.recorders.recorder import RunInfo
from runners.rollout.rollout import Rollout
from runners.servers.policy_connection import policy_client

__all__ = ["measure_schedulers"]

OVER_LOWER_BOUND = 1.10
"""Most that ours may take beside the lower bound."""

OVER_OURS = 3.0
"""Least that any-empty is to take beside ours."""

PARTS = ("physics", "renders", "inference", "resets")

Play = Callable[[Sequence[PlannedEpisode], int], list[int]]


@dataclass
class Evaluation:
    """A plan that was played.

    Args:
        steps: Control steps of each episode.
        wall_s: Seconds in all.
        parts_s: Seconds of each of PARTS, of which ``rest`` is what is left.
        calls: How often each was done.
    """

    steps: list[int]
    wall_s: float
    parts_s: dict[str, float]
    calls: dict[str, int] = field(default_factory=dict)


def measure_schedulers(config: DictConfig, folder: Path) -> Iterator[Row]:
    """Yield the rows of a composed ``conf/bench.yaml``; for a process of its own.

    Raises:
        ContractError: The env cannot begin one episode alone, or server and env do not fit.
    """
    settings = config.schedulers
    log = folder / "server.log"
    server: Any = OmegaConf.to_object(config.server)
    with policy_client(server, lambda told: None, log=log, device=config.sim.device) as connection:
        client = connection.client
        with bench_env(config, config.num_envs) as (env, embodiment, instruction):
            if IsaacLabEnv(env).reset_mode != "per_env":
                raise ContractError(
                    "bench=[schedulers] needs an env that begins one episode alone, which those of the direct workflow "
                    "cannot. Choose a manager-based task, such as task=lift_cube_franka."
                )
            contest = _Contest(env, embodiment, client, config, folder)
            plan = make_plan(settings.episodes, config.seed, [instruction])
            contest.warm_up(plan)
            yield from _beside_lower_bound(contest.play("ours", contest.ours, plan), config)
            compared = plan[: settings.compared_episodes]
            ours = contest.play("ours", contest.ours, compared)
            told = f"{len(compared)} episodes"
            yield Row(f"schedulers: ours, {told}", ours.wall_s, "s")
            yield from _parts("ours", told, ours)
            for name, play, at_least in (
                ("any-empty", contest.any_empty, OVER_OURS),
                ("every step", contest.every_step, None),
            ):
                other = contest.play(name, play, compared)
                _require_same(ours, other, name)
                yield Row(
                    f"schedulers: {name}, {told} / ours", other.wall_s, "s", baseline=ours.wall_s, at_least=at_least
                )
                yield from _parts(name, told, other)


class _Contest:
    """One env and one server on which several schedulers play."""

    def __init__(self, env: Any, embodiment: Embodiment, client: Client, config: DictConfig, folder: Path) -> None:
        settings = config.schedulers
        modality = client.get_modality_config()
        embodiment = match_embodiment(embodiment, modality, execution=settings.execution)
        observed = Gr00tObservationWrapper(
            env,
            embodiment,
            delta_indices={kind: modality[kind].delta_indices for kind in ("video", "state") if kind in modality},
        )
        self._client = client
        self._execution = settings.execution
        self._folder = folder
        self._recorders = Recorders([])
        self._by_execution = {
            execution: DrawnLengthWrapper(
                observed,
                embodiment,
                shortest=settings.shortest,
                longest=settings.longest,
                execution=execution,
                horizon=len(modality["action"].delta_indices),
                watcher=self._watch,
            )
            for execution in (1, settings.execution)
        }
        self._stopwatch = Stopwatch(observed.device)
        self._stopwatch.watch_env(IsaacLabEnv(env))
        self._stopwatch.watch(client, "get_action", "inference")

    def warm_up(self, plan: Sequence[PlannedEpisode]) -> None:
        """Play the plan's first beat, so that all is loaded and compiled."""
        env = self._by_execution[self._execution]
        seeds = [plan[i % len(plan)].seed for i in range(env.num_envs)]
        observation, _ = env.reset(options={"env_ids": range(env.num_envs), "seeds": seeds})
        env.step(self._client.get_action(observation)[0])

    def play(self, name: str, play: Play, plan: Sequence[PlannedEpisode]) -> Evaluation:
        """Play a plan and say where the time went."""
        self._stopwatch.clear()
        calls, observations = self._client.stats.calls, self._client.stats.observations
        started = time.perf_counter()
        steps = play(plan, self._execution)
        wall_s = time.perf_counter() - started
        parts_s = {part: self._stopwatch.seconds[part] for part in PARTS}
        counted = {
            "control steps": self._stopwatch.calls["physics"],
            "requests": self._client.stats.calls - calls,
            "observations": self._client.stats.observations - observations,
        }
        return Evaluation(steps, wall_s, parts_s | {"rest": wall_s - sum(parts_s.values())}, counted)

    def ours(self, plan: Sequence[PlannedEpisode], execution: int) -> list[int]:
        return self._rollout("ours", plan, execution)

    def every_step(self, plan: Sequence[PlannedEpisode], execution: int) -> list[int]:
        return self._rollout("every step", plan, 1)

    def any_empty(self, plan: Sequence[PlannedEpisode], execution: int) -> list[int]:
        return play_any_empty(self._by_execution[1], self._client, plan, execution)

    def _watch(self, step: ControlStep) -> None:
        self._recorders.on_control_step(step)

    def _rollout(self, label: str, plan: Sequence[PlannedEpisode], execution: int) -> list[int]:
        bar = ProgressBar(len(plan), f"schedulers: {label}")
        self._recorders = Recorders([bar])
        bar.on_run_start(RunInfo(self._folder, {}, 0.0, ""))
        with tempfile.TemporaryDirectory(dir=self._folder) as folder, EpisodeLog(Path(folder) / "rows.jsonl") as log:
            Rollout(self._by_execution[execution], self._client, plan, log, self._recorders).play()
            bar.on_run_end(None)
            return [row.steps for row in sorted(log.rows, key=lambda row: row.index)]


def _beside_lower_bound(ours: Evaluation, config: DictConfig) -> Iterator[Row]:
    """Yield ours beside the lower bound of the same plan.

    That is one after the other: the control steps of all episodes, shared by envs that are never idle, each as long as
    it took here; a chunk for each ``execution`` steps of an episode, in requests that are always full, each as long as
    the server was set to take; and a drawing of the cameras for each of these requests, each as long as it took here.
    """
    num_envs, execution = config.num_envs, config.schedulers.execution
    chunks = sum(math.ceil(steps / execution) for steps in ours.steps)
    requests = math.ceil(chunks / num_envs)
    steps = math.ceil(sum(ours.steps) / num_envs)
    bound = {
        "physics": steps * ours.parts_s["physics"] / ours.calls["control steps"],
        "renders": requests * ours.parts_s["renders"] / ours.calls["requests"],
        "inference": (requests * config.server.base_ms + chunks * config.server.per_observation_ms) / 1e3,
    }
    told = f"{len(ours.steps)} episodes"
    lower = sum(bound.values())
    yield Row(f"schedulers: ours, {told} / lower bound", ours.wall_s, "s", baseline=lower, at_most=OVER_LOWER_BOUND)
    for part, seconds in ours.parts_s.items():
        needed = bound.get(part)
        beside = "" if needed is None else " / lower bound"
        yield Row(f"schedulers: ours, {told}, {part}{beside}", seconds, "s", baseline=needed)


def _parts(name: str, told: str, evaluation: Evaluation) -> Iterator[Row]:
    for part, seconds in evaluation.parts_s.items():
        yield Row(f"schedulers: {name}, {told}, {part}", seconds, "s")


def _require_same(ours: Evaluation, other: Evaluation, name: str) -> None:
    """Raise if the plan was not the same work for both.

    Raises:
        ContractError: Episodes ended by something else than their drawn length.
    """
    if other.steps != ours.steps:
        raise ContractError(
            f"Under '{name}' {sum(a != b for a, b in zip(ours.steps, other.steps, strict=True))} of {len(ours.steps)} "
            "episodes had another length, so that times cannot be compared: some succeeded first. Lower "
            f"schedulers.longest={max(ours.steps)}."
        )
