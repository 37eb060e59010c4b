"""What is measured of a model, each function in a process of its own: a tier in process, and the card's own floor.

* ``time_stock``: NVIDIA's ``get_action``, and what the card could do at best.
* ``time_tier``: ours.
* ``answers_per_second``: how fast something answers.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.utils.benchmark import Timer
from torch.utils.flop_counter import FlopCounterMode, flop_registry

from groot_wrappers.gr00t_model.fallback import UnsupportedError
from groot_wrappers.gr00t_model.forward import Forward
from groot_wrappers.gr00t_model.inputs import Preparation
from groot_wrappers.gr00t_model.policy import Gr00tModel, Tier
from groot_wrappers.gr00t_model.random_checkpoint import write_random_n1d6
from groot_wrappers.gr00t_model.stock import noise_shape
from runners.bench.figures import Row
from runners.bench.model.checkpoint import Asked, observation_of

__all__ = ["FLOOR", "UNIT", "answers_per_second", "time_stock", "time_tier"]

FLOOR = "floor"
UNIT = "obs/s"
LEAST_TIMES, MOST_TIMES = 5, 50
PEAK_S = 0.3


def time_stock(asked: Asked, is_random: bool) -> Iterator[Row]:
    """Yield a row ``stock, B=...`` of each batch size, then ``floor, B=...``, where the model's work can be counted.

    Args:
        asked: The checkpoint.
        is_random: Whether it is to be written first, with random weights.
    """
    if is_random:
        write_random_n1d6(Path(asked.model_path), device=asked.device)
    policy = Gr00tModel(**asked.settings(Tier.stock))
    yield from _timed(policy, asked)
    try:
        yield from _floor(policy.nvidia, asked)
    except UnsupportedError:  # a model whose work we cannot count: it has no floor
        return


def time_tier(asked: Asked) -> Iterator[Row]:
    """Yield a row of each batch size, under the name of the tier that serves."""
    yield from _timed(Gr00tModel(**asked.settings(asked.tier)), asked)


def answers_per_second(ask: Callable[[], object], batch: int, seconds: float) -> float:
    """Return observations a second, from the median of requests of one batch size; the first two do not count."""
    for _ in range(2):
        ask()
    took: list[float] = []
    began = time.perf_counter()
    while len(took) < LEAST_TIMES or (time.perf_counter() - began < seconds and len(took) < MOST_TIMES):
        asked_at = time.perf_counter()
        ask()
        took.append(time.perf_counter() - asked_at)
    return batch / statistics.median(took)


def _timed(policy: Gr00tModel, asked: Asked) -> Iterator[Row]:
    for batch in asked.batch_sizes:
        observation = observation_of(asked, batch)
        rate = answers_per_second(lambda o=observation: policy.get_action(o), batch, asked.seconds)  # type: ignore[misc]
        yield Row(f"{policy.identity['tier']}, B={batch}", rate, UNIT)


def _floor(nvidia: Any, asked: Asked) -> Iterator[Row]:
    """Yield how many observations a second the card could answer if it only multiplied and read weights.

    The operations are those of our own forward of one row; the card's speeds are measured, by a product of two large
    matrices and by a copy. Each denoising step reads the weights of the head again.
    """
    model = nvidia.model
    work = _operations(nvidia, asked)
    head = sum(parameter.nbytes for parameter in model.action_head.parameters())
    read = sum(parameter.nbytes for name, parameter in model.named_parameters() if "lm_head" not in name)
    read += head * (int(model.action_head.num_inference_timesteps) - 1)
    per_second, bytes_per_second = _speeds(model.device, model.dtype)
    for batch in asked.batch_sizes:
        yield Row(f"{FLOOR}, B={batch}", batch / max(batch * work / per_second, read / bytes_per_second), UNIT)


def _operations(nvidia: Any, asked: Asked) -> int:
    """Return the floating-point operations of one row."""
    preparation = Preparation(nvidia)
    forward = Forward(nvidia, preparation, (1,), own_backbone=True, compiled=False, captured=False)
    noise = torch.zeros((1, *noise_shape(nvidia.model)), dtype=nvidia.model.dtype, device=nvidia.model.device)
    attentions = [op for op in flop_registry if "scaled_dot_product" in str(op) and "backward" not in str(op)]
    # PyTorch's own formula refuses heads of keys that are shared by several of queries.
    with FlopCounterMode(display=False, custom_mapping=dict.fromkeys(attentions, _attention)) as counter:
        forward.actions(preparation.batch(observation_of(asked, 1)), noise)
    return int(counter.get_total_flops())


def _attention(query: Sequence[int], key: Sequence[int], *_: object, **__: object) -> int:
    """Return the operations of scores and sums, of queries (B, heads, L, D) and keys (B, any, S, D)."""
    batch, heads, length, width = query
    return 4 * batch * heads * length * key[2] * width


def _speeds(device: torch.device, dtype: torch.dtype) -> tuple[float, float]:
    """Return the operations and the bytes a second that a device reaches."""
    side, size = (8192, 1 << 29) if device.type == "cuda" else (1024, 1 << 25)
    one = torch.randn(side, side, device=device).to(dtype)
    product = Timer("one @ one", globals={"one": one}).blocked_autorange(min_run_time=PEAK_S).median
    source = torch.empty(size, dtype=torch.uint8, device=device)
    copied = Timer("source.clone()", globals={"source": source}).blocked_autorange(min_run_time=PEAK_S).median
    return 2 * side**3 / product, 2 * size / copied  # a copy reads and writes
