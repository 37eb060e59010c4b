"""The section ``steps``: control steps a second over all envs, with and without cameras, and no policy in the loop."""

import itertools
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import torch
from omegaconf import DictConfig
from tqdm import tqdm

from groot_wrappers import Embodiment, Gr00tObservationWrapper
from groot_wrappers.embodiment.action_map import ActionLayout
from groot_wrappers.embodiment.isaaclab_env import IsaacLabEnv
from groot_wrappers.errors import ContractError
from runners.bench.figures import Row
from runners.bench.simulated import LONGEST, DrawnLengthWrapper, bench_env

__all__ = ["measure_steps"]

ROUNDS = 3


def measure_steps(config: DictConfig, num_envs: int) -> Iterator[Row]:
    """Yield the rows of one number of envs; for a process of its own.

    Each combination of cameras and execution is played for a while in turns, and the median counts. Pixels are read as
    a policy would get them: numpy arrays on the host, once for each ``execution`` control steps. The envs hold still.
    Beside it stands the env's own ``step`` alone. In the last row episodes end at drawn lengths and begin anew, and
    only steps inside of them count.
    """
    settings = config.steps
    with bench_env(config, num_envs) as (env, embodiment, _):
        combinations = list(itertools.product(settings.cameras, settings.execution))
        endless = {
            (cameras, execution): _Player(env, _with_cameras(embodiment, cameras), execution, LONGEST, LONGEST)
            for cameras, execution in combinations
        }
        most = _with_cameras(embodiment, max(settings.cameras)), max(settings.execution)
        ending = _Player(env, *most, settings.shortest, settings.longest)
        runs: dict[Any, Callable[[float], float]] = {key: player.steps_per_s for key, player in endless.items()}
        runs["alone"] = next(iter(endless.values())).steps_per_s_of_env
        runs["ending"] = ending.steps_per_s
        speeds: dict[Any, list[float]] = {key: [] for key in runs}
        turns = list(itertools.product(range(ROUNDS), runs))
        for _, key in tqdm(turns, desc=f"steps: num_envs={num_envs}", leave=False, dynamic_ncols=True, disable=None):
            speeds[key].append(runs[key](settings.seconds / ROUNDS))
        medians = {key: statistics.median(values) for key, values in speeds.items()}
    told = f"steps: num_envs={num_envs}"
    for cameras, execution in combinations:
        yield _row(f"{told}, cameras={cameras}, execution={execution}", medians[cameras, execution], medians["alone"])
    last = f"{told}, cameras={max(settings.cameras)}, execution={most[1]}, episodes end"
    yield _row(last, medians["ending"], medians["alone"])


def _row(name: str, speed: float, alone: float) -> Row:
    return Row(f"{name} / env.step alone", speed, "env-steps/s", baseline=alone)


def _with_cameras(embodiment: Embodiment, cameras: int) -> Embodiment:
    """Return an embodiment that reads the first cameras only.

    Raises:
        ContractError: It has fewer.
    """
    if cameras > len(embodiment.video):
        raise ContractError(
            f"steps.cameras holds {cameras}, but the embodiment has {len(embodiment.video)} cameras. Set "
            f'"steps.cameras=[0,{len(embodiment.video)}]".'
        )
    return replace(embodiment, video=dict(itertools.islice(embodiment.video.items(), cameras)))


class _Player:
    """Plays chunks that hold the envs still."""

    def __init__(self, env: Any, embodiment: Embodiment, execution: int, shortest: int, longest: int) -> None:
        observed = Gr00tObservationWrapper(env, embodiment)
        self._env = DrawnLengthWrapper(observed, embodiment, shortest=shortest, longest=longest, execution=execution)
        self._embodiment = embodiment
        self._reads_pixels = bool(embodiment.video)
        self._seeds = itertools.count()

    def steps_per_s(self, seconds: float) -> float:
        """Begin episodes in all envs, play for a while, and return the control steps inside episodes a second."""
        env = self._env
        observation, _ = self._begin(list(range(env.num_envs)))
        chunk = env.standing_still()
        if self._reads_pixels:
            observation["video"]
        env.step(chunk)  # the first drawing and the first step of a kind load what they need
        steps = torch.zeros((), dtype=torch.int64, device=env.device)
        self._finish()
        started = time.perf_counter()
        while time.perf_counter() - started < seconds or not steps:
            parked = env.parked
            if bool(parked.any()):
                observation, _ = self._begin(parked.nonzero().flatten().tolist())
            if self._reads_pixels:
                observation["video"]
            observation, _, _, _, info = env.step(chunk)
            steps += info["steps"].sum()
        self._finish()
        return int(steps) / (time.perf_counter() - started)

    def steps_per_s_of_env(self, seconds: float) -> float:
        """Return the control steps a second of the env's own step, which is given the same actions."""
        env: Any = self._env.unwrapped
        observation, _ = self._begin(list(range(self._env.num_envs)))
        layout = ActionLayout(IsaacLabEnv(env), self._embodiment)
        bases = layout.bases(lambda key: torch.as_tensor(observation["state"][key][:, -1]))
        action = layout.to_env(self._env.standing_still(), bases, at_least=1)[:, 0].to(self._env.device)
        env.step(action)
        steps = 0
        self._finish()
        started = time.perf_counter()
        while time.perf_counter() - started < seconds:
            env.step(action)
            steps += self._env.num_envs
        self._finish()
        return steps / (time.perf_counter() - started)

    def _begin(self, env_ids: list[int]) -> tuple[Any, dict[str, Any]]:
        seeds = [next(self._seeds) for _ in env_ids]
        return self._env.reset(options={"env_ids": env_ids, "seeds": seeds})

    def _finish(self) -> None:
        """Wait for what a GPU was given to do."""
        if self._env.device.type == "cuda":
            torch.cuda.synchronize(self._env.device)
