"""``viewer=page``: a live page on this machine, of the standard library's server.

Classes:
    RunState: what the page tells, as JSON.
    PageViewer: the recorder that serves it.
"""

import errno
import threading
import time
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any

import msgspec
import numpy as np

from groot_wrappers.control_step import ControlStep
from runners.episodes.plan import PlannedEpisode
from runners.episodes.row import EpisodeRow, last_rows
from runners.recorders.recorder import Recorder, RunInfo
from runners.statistics.outcomes import outcomes_of
from runners.statistics.summary import Summary
from runners.utils.jpeg import as_jpeg
from runners.viewers.address import HOST, require_port, tell_address
from runners.viewers.mosaic import mosaic

__all__ = ["PageViewer", "RunState"]

LOOKED_AT_S = 3.0
"""Somebody looks who asked for a picture as lately as this; the page asks twice a second."""

OWN_NAMES = {"127.0.0.1", "localhost", "[::1]"}
"""As which a browser of this machine, or one behind ``ssh -L``, may call it. Another name is that of a foreign page,
which had itself resolved to this machine to read what is here."""

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self' 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class EnvState(msgspec.Struct):
    """What one env plays.

    Attributes:
        episode: Index of the episode.
        step: Control steps of it so far.
        instruction: What the policy is told.
        last: How the env's episode before ended.
    """

    episode: int
    step: int
    instruction: str
    last: str = ""


class RunState(msgspec.Struct):
    """What the page tells.

    Attributes:
        task: The env's gym id.
        planned: Episodes of the plan.
        done: Episodes that have a row.
        success_rate: Of those that were judged and are varied most, in [0, 1]; None before one was.
        ci_low, ci_high: Ends of its 95% interval.
        latency_ms: Of the last request.
        steps_per_second: Control steps a second of wall time, over all envs.
        picture: Number of the latest picture; 0 before there is one.
        is_over: Whether the run has ended.
        envs: By env index.
    """

    task: str
    planned: int
    done: int = 0
    success_rate: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    latency_ms: float | None = None
    steps_per_second: float = 0.0
    picture: int = 0
    is_over: bool = False
    envs: dict[int, EnvState] = {}


class PageViewer(Recorder):
    """Serves a page on 127.0.0.1 while the run plays: nothing is drawn for it, and nothing encoded while nobody looks.

    Args:
        port: Where; another free one is taken where it is not free.
    """

    def __init__(self, port: int = 8090) -> None:
        self._port = require_port(port)
        self._state = RunState("", 0)
        self._steps = 0
        self._asked = -float("inf")
        self._lock = threading.Lock()
        self._mosaic: np.ndarray[Any, Any] | None = None
        self._jpeg = (0, b"")
        self._server: ThreadingHTTPServer | None = None

    def on_run_start(self, run: RunInfo) -> None:
        """Listen, and say where."""
        self._state = RunState(run.task, len(run.stop.plan))
        self._stop = run.stop
        self._started = time.monotonic()
        self._server = _listen(self._port, self)
        threading.Thread(target=self._server.serve_forever, name="viewer", daemon=True).start()
        tell_address(self._server.server_port)

    def on_episodes_start(self, episodes: Mapping[int, PlannedEpisode], observation: Mapping[str, Any]) -> None:
        """Tell what each env plays."""
        for env_id, planned in episodes.items():
            last = self._state.envs[env_id].last if env_id in self._state.envs else ""
            self._state.envs[env_id] = EnvState(planned.index, 0, planned.instruction, last)

    def on_beat(self, observation: Mapping[str, Any]) -> None:
        """Keep what the policy sees, while somebody looks."""
        if "video" in observation and time.monotonic() - self._asked < LOOKED_AT_S:
            picture = mosaic(observation["video"])
            with self._lock:
                self._mosaic = picture
                self._state.picture += 1

    def on_chunk(self, rows: Sequence[int], chunk: Mapping[str, Any], latency_s: float) -> None:
        """Tell how long the server took."""
        self._state.latency_ms = round(1e3 * latency_s, 1)

    def on_control_step(self, step: ControlStep) -> None:
        """Count."""
        for env_id in np.flatnonzero(step.played):
            self._state.envs[int(env_id)].step += 1
        self._steps += int(step.played.sum())

    def on_row_written(self, row: EpisodeRow, rows: Sequence[EpisodeRow]) -> None:
        """Tell how the run stands."""
        state, final = self._state, last_rows(rows)
        told = outcomes_of([each for each in final if self._stop.counts(each)], self._stop.method)
        state.done, state.success_rate = len(final), told.success_rate
        state.ci_low, state.ci_high = told.ci_low, told.ci_high
        if row.env in state.envs:
            missed = f", before {row.missed}" if row.missed else ""
            state.envs[row.env].last = f"episode {row.index}: {row.ended} after {row.steps} steps{missed}"

    def on_run_end(self, summary: Summary | None) -> None:
        """Listen no more."""
        self._state.is_over = True
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def state(self) -> bytes:
        """Return what the page tells, as JSON."""
        self._state.steps_per_second = round(self._steps / max(time.monotonic() - self._started, 1e-3), 1)
        return msgspec.json.encode(self._state)

    def jpeg(self) -> bytes:
        """Return the latest picture, encoded once however many look; empty before there is one."""
        self._asked = time.monotonic()
        with self._lock:
            number, picture = self._state.picture, self._mosaic
            if picture is not None and self._jpeg[0] != number:
                self._jpeg = number, as_jpeg(picture)
            return self._jpeg[1]


def _listen(port: int, viewer: PageViewer) -> ThreadingHTTPServer:
    """Return a server for the page of a viewer, on this port or another free one."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 10  # of a browser that says nothing

        def do_GET(self) -> None:  # as http.server calls it
            name = self.headers.get("Host", "").lower()
            if (name.rpartition(":")[0] if ":" in name.rpartition("]")[2] else name) not in OWN_NAMES:
                self.send_error(403, "This page is for this machine alone, by the name localhost or 127.0.0.1")
            elif self.path == "/":
                self._send("text/html; charset=utf-8", files(__package__).joinpath("page.html").read_bytes())
            elif self.path == "/state":
                self._send("application/json", viewer.state())
            elif self.path.partition("?")[0] == "/view.jpg":
                self._send("image/jpeg", viewer.jpeg())  # 204 before there is one
            else:
                self.send_error(404)

        def _send(self, kind: str, body: bytes) -> None:
            self.send_response(200 if body else 204)
            for header, value in {"Content-Type": kind, "Content-Length": str(len(body)), **HEADERS}.items():
                self.send_header(header, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002  # as http.server calls it
            """Leave the terminal to the run."""

    try:
        server = ThreadingHTTPServer((HOST, port), Handler)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        server = ThreadingHTTPServer((HOST, 0), Handler)
    server.daemon_threads = True
    return server
