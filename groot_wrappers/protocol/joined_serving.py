"""Serving several clients of a policy at once, where the policy allows that: ``JoinedServing``."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence

import zmq

from groot_wrappers.protocol.answers import Answers, Question
from groot_wrappers.protocol.joining import Waiting, WaitingLine, joined, kind_of, parted
from groot_wrappers.protocol.offer import ROW_NOISE
from groot_wrappers.protocol.wire.codec import Dialect

__all__ = ["JoinedServing", "split_route"]

logger = logging.getLogger(__name__)

_STOP_MS = 50  # between two looks at whether to stop, where nothing comes
_READ_AT_ONCE = 16  # requests, before replies that are ready go out
_NEEDS_POLICY = {"get_action", "kill", "reset"}  # kill too: it comes after the requests before it


class JoinedServing:
    """Asks a policy of ``JOINED_BATCHES``, in the thread that calls ``run``, for all that waits and fits together.

    A thread of its own reads, decodes, checks and refuses requests meanwhile, and encodes and sends replies: while the
    policy works on a GPU it costs nothing. Requests are asked in their order, but for those that join an earlier one.
    Where a call for several raises, each is asked alone, so that the error is that of the one which caused it.

    Args:
        socket: a ROUTER that is bound; it is this one's until ``run`` returns.
        answers: what reads, asks and writes.
        dialect: of the server.
        most_rows: largest batch that is joined.
        is_stopping: asked again and again; True ends ``run`` after the call at hand.
    """

    def __init__(
        self,
        socket: zmq.Socket[bytes],
        answers: Answers,
        *,
        dialect: Dialect,
        most_rows: int,
        is_stopping: Callable[[], bool],
    ) -> None:
        self._socket = socket
        self._answers = answers
        self._dialect = dialect
        self._takes_noise = ROW_NOISE in answers.offer.capabilities
        self._is_stopping = is_stopping
        self._line = WaitingLine(most_rows)
        self._outcomes: deque[tuple[Sequence[bytes], object]] = deque()
        self._is_over = threading.Event()
        self._broken: BaseException | None = None

    def run(self) -> None:
        """Answer until told to stop; a KeyboardInterrupt goes through."""
        address = f"inproc://outcomes-{id(self)}"
        context = self._socket.context
        with context.socket(zmq.PAIR) as bell, context.socket(zmq.PAIR) as ear:
            bell.bind(address)
            ear.connect(address)
            messenger = threading.Thread(target=self._carry, args=(ear,), name="reads requests", daemon=True)
            messenger.start()
            try:
                while not self._is_stopping() and self._broken is None:
                    for outcome in self._ask(self._line.take(_STOP_MS / 1e3)):
                        self._outcomes.append(outcome)
                        _ring(bell)
            finally:
                self._is_over.set()
                _ring(bell)
                messenger.join()
        if self._broken is not None:
            raise self._broken

    def _ask(self, taken: Sequence[Waiting]) -> Iterator[tuple[Sequence[bytes], object]]:
        """Yield where each outcome goes, and the outcome: a reply, or an exception."""
        if len(taken) > 1:
            try:
                replies = self._ask_as_one(taken)
            except Exception:
                logger.warning("A call for %d requests failed, so each is asked alone", len(taken), exc_info=True)
            else:
                yield from zip((waiting.route for waiting in taken), replies, strict=True)
                return
        for waiting in taken:
            try:
                outcome = self._answers.perform(waiting.request)
            except Exception as error:
                outcome = error
            yield waiting.route, outcome

    def _ask_as_one(self, taken: Sequence[Waiting]) -> list[object]:
        questions = [waiting.request.content for waiting in taken if isinstance(waiting.request.content, Question)]
        action, info = self._answers.ask(joined(questions, takes_noise=self._takes_noise))
        parts = parted(action, [question.rows for question in questions], self._answers.modality)
        return [self._answers.reply_of(part, info) for part in parts]

    def _carry(self, ear: zmq.Socket[bytes]) -> None:
        """Read requests and send replies until all is over; the socket's own thread."""
        poller = zmq.Poller()
        poller.register(self._socket, zmq.POLLIN)
        poller.register(ear, zmq.POLLIN)
        try:
            is_over = False
            while not is_over:
                poller.poll(_STOP_MS)
                is_over = self._is_over.is_set()  # before the last replies go out
                with contextlib.suppress(zmq.Again):
                    while True:
                        ear.recv(zmq.NOBLOCK)
                while self._outcomes:
                    route, outcome = self._outcomes.popleft()
                    self._send(route, outcome)
                with contextlib.suppress(zmq.Again):
                    for _ in range(0 if is_over else _READ_AT_ONCE):
                        self._read(self._socket.recv_multipart(zmq.NOBLOCK, copy=False))
        except BaseException as error:
            self._broken = error

    def _read(self, parts: list[zmq.Frame]) -> None:
        """Answer a request at once where the policy is not needed, else let it wait."""
        route, body = split_route(parts)
        try:
            request = self._answers.read(body)
            if request.endpoint in _NEEDS_POLICY:
                kind = None
                if isinstance(request.content, Question):
                    kind = kind_of(
                        request.content, self._answers.modality, self._dialect, takes_noise=self._takes_noise
                    )
                self._line.put(Waiting(route, request, kind))
                return
            outcome = self._answers.perform(request)
        except Exception as error:
            outcome = error
        self._send(route, outcome)

    def _send(self, route: Sequence[bytes], outcome: object) -> None:
        # A ROUTER never waits for a client: what nobody takes is dropped.
        self._socket.send_multipart([*route, self._answers.frame_of(outcome)], copy=False)


def _ring(bell: zmq.Socket[bytes]) -> None:
    with contextlib.suppress(zmq.Again):  # it has rung so often already that nobody hears it any more
        bell.send(b"", zmq.NOBLOCK)


def split_route(parts: list[zmq.Frame]) -> tuple[list[bytes], list[zmq.Frame]]:
    """Part the route of a request, which its reply takes back, from its body.

    A REQ socket writes [identity, empty, body]; a socket of another kind may leave out the empty frame.
    """
    for index in range(1, len(parts)):
        if not len(parts[index]):
            return [part.bytes for part in parts[: index + 1]], parts[index + 1 :]
    return [part.bytes for part in parts[:1]], parts[1:]
