"""The section ``wire``: encoding, decoding and a round trip, beside copying the bytes and beside a plain client."""

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import zmq
from tqdm import tqdm

from groot_wrappers.protocol.client import PolicyClient
from groot_wrappers.protocol.wire.codec import Dialect, pack, unpack
from runners.bench.figures import Row
from runners.bench.plain_client import PlainClient, plain_pack, plain_unpack
from runners.bench.processes import serving
from runners.bench.wire_servers import observation_of, serve_bytes, serve_policy

__all__ = ["measure_wire"]

ENCODE_OVER_COPY = {16: 2.5, 64: 1.5}
"""Most that encoding may take beside copying the same bytes, by batch size."""

BARE = {16: 2.0}
"""Most that a round trip may take beside a bare request of the same bytes, by batch size."""

PLAIN = {64: 3.5}
"""Least that a round trip of the plain client, by np.save, is to take beside ours."""

IN_A_ROW = 5

Calls = Mapping[str, Callable[[], object]]


def measure_wire(batches: list[int], rounds: int) -> Iterator[Row]:
    """Yield the rows of each batch size.

    All that is compared is done in turns, so that it meets the same machine; a figure is the median over the rounds.
    What is written goes into new memory in each case, and each server is a process of its own.

    Args:
        batches: Observations a request.
        rounds: Turns, of IN_A_ROW calls each.
    """
    with ExitStack() as stack:
        bare = _BareClient(stack.enter_context(serving(serve_bytes)))
        stack.callback(bare.close)
        ours, plain = {}, {}
        for dialect in Dialect:
            port = stack.enter_context(serving(serve_policy, dialect))
            ours[dialect] = stack.enter_context(PolicyClient("127.0.0.1", port))
            ours[dialect].wait_until_ready()
            plain[dialect] = PlainClient(port, dialect)
            stack.callback(plain[dialect].close)
        for batch in batches:
            observation = observation_of(batch)
            request = {"endpoint": "get_action", "data": {"observation": observation, "options": None}}
            frames = {dialect: pack(request, dialect) for dialect in Dialect}
            frame = bytes(frames[Dialect.npy])
            yield from _encoding(batch, rounds, request, frame)
            yield from _decoding(batch, rounds, {dialect: bytes(frame) for dialect, frame in frames.items()})
            yield from _round_trips(batch, rounds, observation, frame, _Clients(bare, ours, plain))


def _encoding(batch: int, rounds: int, request: dict[str, Any], frame: bytes) -> Iterator[Row]:
    source = bytearray(frame)  # bytes(bytes) copies nothing
    calls: dict[str, Callable[[], object]] = {"memcpy": partial(bytes, source)}
    for dialect in Dialect:
        calls[dialect] = partial(pack, request, dialect)
        calls[f"plain {dialect}"] = partial(plain_pack, request, dialect)
    took = _medians_ms(f"wire: encode, B={batch}", calls, rounds)
    yield from _beside("encode", batch, took, "memcpy", at_most=ENCODE_OVER_COPY.get(batch))


def _decoding(batch: int, rounds: int, frames: Mapping[Dialect, bytes]) -> Iterator[Row]:
    source = bytearray(frames[Dialect.npy])
    calls: dict[str, Callable[[], object]] = {"memcpy": partial(bytes, source)}
    for dialect, frame in frames.items():
        calls[dialect] = partial(unpack, frame)
        calls[f"plain {dialect}"] = partial(plain_unpack, frame, dialect)
    took = _medians_ms(f"wire: decode, B={batch}", calls, rounds)
    yield from _beside("decode", batch, took, "memcpy")


def _round_trips(
    batch: int,
    rounds: int,
    observation: dict[str, Any],
    frame: bytes,
    clients: "_Clients",
) -> Iterator[Row]:
    reply = len(plain_pack([clients.plain[Dialect.npy].get_action(observation)[0], {}], Dialect.npy))
    request = reply.to_bytes(8, "little") + frame[8:]
    calls: dict[str, Callable[[], object]] = {"bare request": partial(clients.bare.request, request)}
    for dialect in Dialect:
        calls[dialect] = partial(clients.ours[dialect].get_action, observation)
        calls[f"plain {dialect}"] = partial(clients.plain[dialect].get_action, observation)
    took = _medians_ms(f"wire: round trip, B={batch}", calls, rounds)
    yield from _beside(
        "round trip", batch, took, "bare request", at_most=BARE.get(batch), plain_at_least=PLAIN.get(batch)
    )


def _beside(
    what: str,
    batch: int,
    took: Mapping[str, float],
    floor: str,
    *,
    at_most: float | None = None,
    plain_at_least: float | None = None,
) -> Iterator[Row]:
    """Yield ours beside the floor and the plain client's beside ours, for each dialect."""
    for dialect in Dialect:
        name = f"wire: {what}, {dialect}, B={batch}"
        yield Row(f"{name} / {floor}", took[dialect], "ms", took[floor], at_most=at_most)
        yield Row(
            f"wire: {what}, plain {dialect}, B={batch} / {dialect}",
            took[f"plain {dialect}"],
            "ms",
            took[dialect],
            at_least=plain_at_least if dialect is Dialect.npy else None,
        )


def _medians_ms(what: str, calls: Calls, rounds: int) -> dict[str, float]:
    """Return the median milliseconds of each call, made in turns.

    A turn is a few calls in a row, the first of which does not count: it meets the memory as another left it.
    """
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for _ in tqdm(range(rounds), desc=what, leave=False, dynamic_ncols=True, disable=None):
        for name, call in calls.items():
            call()
            for _ in range(IN_A_ROW):
                started = time.perf_counter()
                call()
                seconds[name].append(time.perf_counter() - started)
    return {name: 1e3 * statistics.median(times) for name, times in seconds.items()}


@dataclass
class _Clients:
    """Who asks: without a protocol, and in each dialect ours and the plain one."""

    bare: "_BareClient"
    ours: Mapping[Dialect, PolicyClient]
    plain: Mapping[Dialect, PlainClient]


class _BareClient:
    """Sends a frame and waits for the one that answers it."""

    def __init__(self, port: int) -> None:
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.REQ)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.RCVTIMEO, 30_000)
        self._socket.connect(f"tcp://127.0.0.1:{port}")

    def request(self, frame: bytes) -> object:
        self._socket.send(frame, copy=False)
        return self._socket.recv(copy=False)

    def close(self) -> None:
        self._context.destroy(linger=0)
