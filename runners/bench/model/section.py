"""The section ``model``: stock beside ours for each batch size, over the wire too, and the card's own floor."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from omegaconf import DictConfig

from groot_wrappers.errors import ContractError
from groot_wrappers.gr00t_model.policy import Tier
from groot_wrappers.protocol.client import PolicyClient
from runners.bench.figures import Row
from runners.bench.model.checkpoint import Asked, observation_of
from runners.bench.model.servers import serve_nvidia, serve_ours
from runners.bench.model.timing import FLOOR, UNIT, answers_per_second, time_stock, time_tier
from runners.bench.processes import rows_of, serving
from runners.utils.terminal import say

__all__ = ["measure_model"]

START_TIMEOUT_S = 600.0
"""A model may load for minutes, and compile for one."""


def measure_model(config: DictConfig, log: Path) -> Iterator[Row]:
    """Yield the rows, each beside its baseline; stock is measured first, then ours, one model on the card at a time.

    Args:
        config: ``conf/bench.yaml``.
        log: File that what the model prints is added to.

    Raises:
        ContractError: NVIDIA's package, the checkpoint, the tag or the card is not there.
    """
    if find_spec("gr00t") is None:
        raise ContractError(
            '"bench=[model]" was asked for, but it measures NVIDIA\'s package gr00t, which is not installed here. '
            "Install this project's extra runner where that is: uv pip install 'gr00t-isaaclab[runner]' in the "
            "checkout of Isaac-GR00T."
        )
    with _checkpoint(config.policy.model_path) as model_path:
        asked = Asked.of(config, model_path)
        say("Measuring: NVIDIA's get_action, which is loaded first (half a minute)")
        stock, floor = dict[str, float](), dict[str, float]()
        for row in rows_of(time_stock, asked, config.policy.model_path is None, log=log):
            who, _, batch = row.name.partition(", ")
            (floor if who == FLOOR else stock)[batch] = row.value
            if who != FLOOR:
                yield Row(f"model: NVIDIA's get_action, {batch}", row.value, UNIT)
        say("Measuring: ours, which is checked and captured first (half a minute; compile takes one)")
        for row in rows_of(time_tier, asked, log=log):
            tier, _, batch = row.name.partition(", ")
            if batch == f"B={asked.batch_sizes[0]}" and tier != Tier(asked.tier):
                say(f"policy.tier={asked.tier} was left for {tier}: {log} says why")
            yield Row(f"model: {tier}, {batch} / NVIDIA's get_action", row.value, UNIT, stock[batch])
            if batch in floor:
                yield Row(f"model: {FLOOR}, {batch} / {tier}", floor[batch], UNIT, row.value)
        say("Measuring: both over the wire")
        theirs = dict(_over_the_wire(serve_nvidia, asked, log))
        for batch, rate in theirs.items():
            yield Row(f"model: NVIDIA's policy and server, {batch}", rate, UNIT)
        for batch, rate in _over_the_wire(serve_ours, asked, log):
            yield Row(f"model: over the wire, {batch} / NVIDIA's policy and server", rate, UNIT, theirs[batch])


def _over_the_wire(serve: Callable[..., None], asked: Asked, log: Path) -> Iterator[tuple[str, float]]:
    """Yield ``B=...`` and the observations a second that one client gets."""
    with (
        serving(serve, asked, timeout_s=START_TIMEOUT_S, log=log) as port,
        PolicyClient("127.0.0.1", port, connect_timeout_s=START_TIMEOUT_S, timeout_s=START_TIMEOUT_S) as client,
    ):
        client.wait_until_ready()
        for batch in asked.batch_sizes:
            observation = observation_of(asked, batch)
            ask = lambda o=observation: client.get_action(o)  # noqa: E731
            yield f"B={batch}", answers_per_second(ask, batch, asked.seconds)


@contextmanager
def _checkpoint(model_path: str | None) -> Iterator[str]:
    """Yield where the checkpoint is: the one that is named, else a folder for as long as the block."""
    if model_path is not None:
        yield model_path
        return
    with tempfile.TemporaryDirectory(prefix="random_gr00t") as folder:
        say(f"policy.model_path names no checkpoint: N1.6 with random weights is measured, in {folder} (7 GB)")
        yield folder
