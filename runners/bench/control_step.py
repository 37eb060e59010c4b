"""The section ``control_step``: what the wrappers, the rollout and its records add to a control step of the env."""

import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import DictConfig

from groot_wrappers import Gr00tObservationWrapper
from groot_wrappers.embodiment.isaaclab_env import IsaacLabEnv
from groot_wrappers.modality import ModalityConfig, ModalityConfigs
from runners.again.action_log import ActionLog
from runners.bench.figures import Row
from runners.bench.simulated import DrawnLengthWrapper, bench_env
from runners.bench.stopwatch import Stopwatch
from runners.episodes.episode_log import EpisodeLog
from runners.episodes.plan import make_plan
from runners.recorders import Recorders
from runners.recorders.progress_bar import ProgressBar
from runners.recorders.recorder import RunInfo
from runners.rollout.rollout import Rollout

__all__ = ["HoldingClient", "measure_control_step"]

MOST_MS = 0.5
"""Most that ours may add to a control step."""


class HoldingClient:
    """Stands in for a client whose server answers in no time: every env is to hold still.

    Args:
        chunk: ``{action key: float32 (num_envs, T_action, D)}``.
        state_keys: What it wants to be told.
    """

    def __init__(self, chunk: Mapping[str, np.ndarray[Any, Any]], state_keys: Iterable[str]) -> None:
        self.chunk = dict(chunk)
        self._state_keys = tuple(state_keys)

    def get_modality_config(self) -> ModalityConfigs:
        """Return what it wants and gives."""
        horizon = len(next(iter(self.chunk.values()))[0])
        return {
            "state": ModalityConfig((0,), self._state_keys),
            "action": ModalityConfig(tuple(range(horizon)), tuple(self.chunk)),
        }

    def get_action(
        self, observation: Mapping[str, Any], row_noise: np.ndarray[Any, Any] | None = None
    ) -> tuple[dict[str, np.ndarray[Any, Any]], dict[str, Any]]:
        """Return the chunk of the first B envs."""
        batch = len(next(iter(observation["state"].values())))
        return {key: values[:batch] for key, values in self.chunk.items()}, {}

    def reset(self, options: dict[str, Any] | None = None) -> dict[str, Any]:
        """Do nothing."""
        return {}


def measure_control_step(config: DictConfig, folder: Path) -> Iterator[Row]:
    """Yield the rows of a composed ``conf/bench.yaml``; for a process of its own.

    A whole rollout is timed, with its rows and the actions of its episodes on disk and its progress bar, without
    rendering and without a server; what the env's own ``step`` and ``reset`` take is taken off.
    """
    settings = config.control_step
    with bench_env(config, config.num_envs) as (env, embodiment, instruction):
        blind = replace(embodiment, video={})
        plan = make_plan(settings.episodes, config.seed, [instruction])
        bar = ProgressBar(len(plan), "control_step")
        bar.on_run_start(RunInfo(folder, {}, 0.0, ""))
        kept = ActionLog()
        recorders = Recorders([kept, bar])
        played = DrawnLengthWrapper(
            Gr00tObservationWrapper(env, blind),
            blind,
            shortest=settings.length,
            longest=settings.length,
            execution=settings.execution,
            watcher=recorders.on_control_step,
        )
        seeds = [0] * played.num_envs
        played.reset(options={"env_ids": range(played.num_envs), "seeds": seeds})
        client: Any = HoldingClient(played.standing_still(), blind.state)
        played.step(client.chunk)
        stopwatch = Stopwatch(played.device)
        stopwatch.watch_env(IsaacLabEnv(env))
        with tempfile.TemporaryDirectory(dir=folder) as rows, EpisodeLog(Path(rows) / "rows.jsonl") as log:
            widths = {key: values.shape[2:] for key, values in client.chunk.items()}
            kept.on_run_start(RunInfo(Path(rows), {}, 0.0, "", shapes={"action": widths}))
            started = time.perf_counter()
            Rollout(played, client, plan, log, recorders).play()
            wall_s = time.perf_counter() - started
        bar.on_run_end(None)
        steps = stopwatch.calls["physics"]
        ours_s = wall_s - sum(stopwatch.seconds.values())
        told = f"num_envs={config.num_envs}"
        yield Row(f"control_step: ours, {told}", 1e3 * ours_s / steps, "ms", at_most=MOST_MS)
        yield Row(f"control_step: the env's own step, {told}", 1e3 * stopwatch.seconds["physics"] / steps, "ms")
