"""What a call to a policy server that failed means and what mends it, in words."""

from __future__ import annotations

import re

from groot_wrappers.modality import SUPPORTED, ObservationForm
from groot_wrappers.protocol.connection import NoReplyError

__all__ = ["CallFailures"]

_NESTED_WANTED = re.compile(r"Observation must contain a '\w+' key")
_FLAT_WANTED = re.compile(r"(Video key 'video\.|State key 'state\.)[^']*' must be in observation")
_MEND_HOST = "Check the spelling of `host`, or write its address: `host`=10.0.0.7"
_MAX_TOLD = 2000


class CallFailures:
    """Words for the failures of one client's calls.

    Args:
        server: how messages name the server.
        port: its port.
        api_token: what must never be shown, if not empty.
        observation_form: that of its observations.
        connect_timeout_s: seconds that the client waits for the server to come up.
        timeout_s: seconds that it waits for any other reply.
    """

    def __init__(
        self,
        server: str,
        port: int,
        *,
        api_token: str | None,
        observation_form: ObservationForm,
        connect_timeout_s: float,
        timeout_s: float,
    ) -> None:
        self._server = server
        self._port = port
        self._api_token = api_token
        self._observation_form = observation_form
        self._connect_timeout_s = connect_timeout_s
        self._timeout_s = timeout_s

    def failed_to_connect(self, error: NoReplyError, waited_s: float) -> str:
        """Say why nobody answered a ping."""
        if error.unknown_host:
            return f"Failed to connect to {self._server} in {waited_s:.1f} s: {error}. {_MEND_HOST}"
        return (
            f"Failed to connect to {self._server}: no answer to ping in {waited_s:.1f} s ({error}). Start the server "
            f"(python -m gr00t.eval.run_gr00t_server --model-path ... --embodiment-tag ... --port {self._port}), point "
            "to another one (`host`=... `port`=...), or give a model that is still loading more time "
            f"(`connect_timeout_s`={max(120, 4 * self._connect_timeout_s):.0f})."
        )

    def no_answer(self, endpoint: str, error: NoReplyError) -> str:
        """Say why no reply came."""
        if error.closed:
            return (
                f"{self._server} broke off {endpoint} after {error.waited_s:.1f} s ({error}). "
                "Look at its log, start it again, and go on"
            )
        if error.unknown_host:
            return f"{self._server} did not answer {endpoint} within {error.waited_s:.1f} s: {error}. {_MEND_HOST}"
        return (
            f"{self._server} did not answer {endpoint} within {error.waited_s:.1f} s ({error}). Check that it runs and "
            "is reached by `host` and `port`; if it only needs longer, raise `timeout_s` "
            f"(now {self._timeout_s:g})"
        )

    def refused(self, endpoint: str, told: object) -> str:
        """Say why the server refused, by the error that it replied with."""
        text = told if isinstance(told, str) else repr(told)
        if self._api_token:
            text = text.replace(self._api_token, "***")  # a server may quote the request
        text = text[:_MAX_TOLD]
        if not text.strip():
            text = "it gave no reason (an assertion without text); its log holds the traceback"
        elif text.startswith("Unauthorized"):
            text += (
                f". The token is {'not the one that the server was started with' if self._api_token else 'missing'}: "
                "set `api_token` to the server's"
            )
        elif text.startswith("Unknown endpoint"):
            text += f". GR00T N1.5's servers lack some endpoints. {SUPPORTED}"
        elif self._observation_form is ObservationForm.flat and _NESTED_WANTED.search(text):
            text += ". The server wants the other form of observations: `observation_form`=nested"
        elif self._observation_form is ObservationForm.nested and _FLAT_WANTED.search(text):
            text += ". The server wants the other form of observations: `observation_form`=flat"
        return f"{self._server} refused {endpoint}: {text}"
