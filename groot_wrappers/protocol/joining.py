"""Requests that wait for one policy, and which of them are asked as one batch.

Classes:
    Waiting: a request that waits for the policy.
    WaitingLine: they in their order; what is taken from it is asked at once.

Functions:
    kind_of: what two questions must have in common to be asked as one.
    joined, parted: the question of several, and the parts of its answer.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, islice, pairwise
from typing import Any

import numpy as np

from groot_wrappers.errors import ContractError
from groot_wrappers.modality import OBSERVED, ModalityConfigs
from groot_wrappers.protocol.answers import Question, Request
from groot_wrappers.protocol.offer import ROW_NOISE
from groot_wrappers.protocol.wire.codec import Dialect, pack

__all__ = ["Waiting", "WaitingLine", "joined", "kind_of", "parted"]

WINDOW_S = 0.003
"""That a question waits for those of others, while the policy has nothing to do."""

LATELY_S = 2.0
"""A client that has asked within this time may ask again any moment."""

MOST_OF_ONE = 4
"""Requests of one client that may wait; one that keeps to the protocol never has two."""


@dataclass(frozen=True, eq=False)
class Waiting:
    """A request that waits for the policy.

    Attributes:
        route: where its reply goes; the first part names the client.
        request: what was read.
        kind: as ``kind_of`` returns it; None where it is to be asked alone.
        arrived: when, by ``time.monotonic``.
    """

    route: Sequence[bytes]
    request: Request
    kind: Hashable = None
    arrived: float = field(default_factory=time.monotonic)

    @property
    def rows(self) -> int:
        """Observations in it; none of what is no question."""
        return self.request.content.rows if isinstance(self.request.content, Question) else 0


@dataclass
class _Client:
    """What is known of a client that has asked lately.

    Attributes:
        asked: when it did.
        answered: when its last answer was there.
        is_quick: whether it has asked again within the window of that.
    """

    asked: float
    answered: float = float("-inf")
    is_quick: bool = False


class WaitingLine:
    """Requests in the order in which they came. One thread puts them in, another takes them out.

    Questions of the first one's kind are taken with it, up to ``most_rows``, but none from behind a request that is no
    question. The first one waits for them only while a client that has asked lately has nothing in the line, so a
    single client never waits: ``window_s`` from when it came, or from the last answer to a client that asks again that
    fast, as one without a simulator does. Without that, two such clients would take turns for ever.

    Args:
        most_rows: B that no batch is larger than, unless one request is.
        window_s: longest wait.
        lately_s: how long ago that is.
    """

    def __init__(self, most_rows: int, *, window_s: float = WINDOW_S, lately_s: float = LATELY_S) -> None:
        self._most_rows, self._window_s, self._lately_s = most_rows, window_s, lately_s
        self._line: list[Waiting] = []
        self._has_come = threading.Condition()
        self._clients: dict[bytes, _Client] = {}
        self._at_work: list[Waiting] = []  # taken last

    def put(self, waiting: Waiting) -> None:
        """Let a request wait.

        Raises:
            ContractError: Its client has too many here.
        """
        client = waiting.route[0]
        with self._has_come:
            if Counter(each.route[0] for each in self._line)[client] >= MOST_OF_ONE:
                raise ContractError(f"{MOST_OF_ONE} requests of this client wait already; wait for their replies")
            if waiting.rows:
                known = self._clients.setdefault(client, _Client(waiting.arrived))
                known.asked = waiting.arrived
                known.is_quick = waiting.arrived <= known.answered + self._window_s
            self._line.append(waiting)
            self._has_come.notify()

    def take(self, timeout_s: float) -> list[Waiting]:
        """Return the requests that are asked next, at once; none where none came within the time.

        Those that were taken before have been answered.
        """
        with self._has_come:
            now = time.monotonic()
            for waiting in self._at_work:
                if waiting.route[0] in self._clients:
                    self._clients[waiting.route[0]].answered = now
            self._at_work = []
            if not self._has_come.wait_for(lambda: self._line, timeout_s):
                return []
            while (left := self._worth_waiting_until() - time.monotonic()) > 0:
                self._has_come.wait(left)
            self._at_work = self._first_of_a_kind()
            self._line = [waiting for waiting in self._line if waiting not in self._at_work]
            return self._at_work

    def _worth_waiting_until(self) -> float:
        """Return until when what is taken next may become more; a time that is over where it may not."""
        begin = time.monotonic() - self._lately_s
        self._clients = {name: client for name, client in self._clients.items() if client.asked >= begin}
        here = {waiting.route[0] for waiting in self._line}
        others = [client for name, client in self._clients.items() if name not in here]
        first = self._line[0]
        if not others or first.kind is None or sum(each.rows for each in self._first_of_a_kind()) >= self._most_rows:
            return float("-inf")
        return self._window_s + max([first.arrived, *(other.answered for other in others if other.is_quick)])

    def _first_of_a_kind(self) -> list[Waiting]:
        first = self._line[0]
        found, rows = [first], first.rows
        for waiting in islice(self._line, 1, None):
            if first.kind is None or not waiting.rows:
                break
            if waiting.kind == first.kind and rows + waiting.rows <= self._most_rows:
                found.append(waiting)
                rows += waiting.rows
        return found


def kind_of(question: Question, modality: ModalityConfigs, dialect: Dialect, *, takes_noise: bool) -> Hashable:
    """Return what two questions must have in common to be asked as one: all but texts, numbers and B.

    Args:
        question: which was checked.
        modality: what the policy wants.
        dialect: of the server.
        takes_noise: whether the policy has ``ROW_NOISE``.

    Returns:
        Something to compare; None where it holds more than is wanted, so that nobody knows what is of which row.
    """
    wanted = {name: modality[name].modality_keys for name in OBSERVED if name in modality}
    observation = question.observation
    if not wanted or {name: set(values) for name, values in observation.items()} != {
        n: set(k) for n, k in wanted.items()
    }:
        return None
    shapes = tuple(
        observation[name][key].shape[1:] for name, keys in wanted.items() if name != "language" for key in keys
    )
    options = question.options
    has_noise = takes_noise and options is not None and ROW_NOISE in options
    if has_noise:
        options = {key: value for key, value in (options or {}).items() if key != ROW_NOISE}
    try:
        return shapes, has_noise, pack(options, dialect)
    except ContractError:
        return None


def joined(questions: Sequence[Question], *, takes_noise: bool) -> Question:
    """Return questions of one kind as one, rows in their order; arrays are read-only, as those of each are."""
    first = questions[0]
    observation = {
        name: {key: _stacked([each.observation[name][key] for each in questions]) for key in values}
        for name, values in first.observation.items()
    }
    options = first.options
    if takes_noise and options is not None and ROW_NOISE in options:
        options = {**options, ROW_NOISE: _stacked([(each.options or {})[ROW_NOISE] for each in questions])}
    return Question(observation, options, sum(each.rows for each in questions))


def parted(action: Mapping[str, np.ndarray], rows: Sequence[int], modality: ModalityConfigs) -> list[dict[str, Any]]:
    """Return an action in parts of so many rows; of keys that nobody wants none knows what is of which row."""
    bounds = pairwise(accumulate(rows, initial=0))
    keys = modality["action"].modality_keys
    return [{key: action[key][begin:end] for key in keys} for begin, end in bounds]


def _stacked(values: Sequence[Any]) -> Any:
    if isinstance(values[0], np.ndarray):
        stacked = np.concatenate(values)
        stacked.flags.writeable = False
        return stacked
    return [item for each in values for item in each]
