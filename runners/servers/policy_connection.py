"""The client of a run's policy server, which is started first where the run brings its own."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from groot_wrappers import PolicyClient
from groot_wrappers.errors import ContractError, Gr00tError, ServerUnreachableError
from groot_wrappers.protocol.client_group import ClientGroup
from groot_wrappers.protocol.client_interface import Client
from groot_wrappers.protocol.hosting import TOKEN_VARIABLE
from runners.again.kept_client import KeptClient
from runners.config.building import built
from runners.config.schema import ServerConfig
from runners.servers.command_server import started_server
from runners.servers.embedded_server import embedded_server
from runners.servers.hold_client import HoldClient
from runners.utils.remedies import in_overrides

__all__ = ["PolicyConnection", "policy_client"]

WITHOUT_SERVER = tuple(f"{client.__module__}.{client.__name__}" for client in (HoldClient, KeptClient))
"""What stands in for a server in the run's own process."""


@dataclass
class PolicyConnection:
    """A client whose server is ready, and what brings the server back after it failed.

    Args:
        client: The client, or a group where there are several servers.
        revive: Takes the error that told of the failure; returns once the server answers again, or raises.
    """

    client: Client
    revive: Callable[[Gr00tError], None]


@contextmanager
def policy_client(
    server: ServerConfig, say: Callable[[str], None], *, log: Path, device: str
) -> Iterator[PolicyConnection]:
    """Connect to the policy server of a run, starting one first where the run brings its own.

    Args:
        server: ``conf/server``.
        say: Tells a person what is waited for.
        log: Where a server that is started by a command leaves its output.
        device: The device of the simulation.

    Raises:
        Gr00tError: The server cannot be reached, or the run's own does not start.
    """
    if isinstance(server.policy, Mapping) and server.policy.get("_target_") in WITHOUT_SERVER:
        yield PolicyConnection(built(server.policy, "server.policy"), _raise)
        return
    form = server.observation_form.value
    addresses = [_address(endpoint) for endpoint in server.endpoints] or [(server.host, server.port)]
    has_own = server.policy is not None or server.command is not None
    if server.policy is not None and "_target_" not in (server.policy if isinstance(server.policy, Mapping) else ()):
        raise ContractError(
            f"server.policy={server.policy} was asked for, but a policy is a mapping whose _target_ names its class: "
            "+server.policy._target_=my_package.MyPolicy."
        )
    if not has_own and server.port == 0:
        raise ContractError(
            "server.port=0 stands for any free port, which only a server has that the run starts itself. Name its "
            "command (server.command='... --port {port}'), or the port of a server that is running."
        )
    if has_own and server.endpoints:
        raise ContractError(
            f"server.endpoints={list(server.endpoints)} was asked for, but this run brings a policy server of its own. "
            "Leave server.endpoints out, or set server=gr00t."
        )

    def connect(host: str, port: int) -> PolicyClient:
        def tell(waited_s: float) -> None:
            if round(waited_s) % 5 == 1:
                say(f"Waiting for the policy server at {host}:{port} ({waited_s:.0f} s)")

        return PolicyClient(
            host,
            port,
            api_token=os.environ.get(TOKEN_VARIABLE),
            observation_form=form,
            connect_timeout_s=server.connect_timeout_s,
            timeout_s=server.timeout_s,
            on_wait=tell,
        )

    def report_loss(error: Gr00tError) -> None:
        say(f"\nA policy server is left out from here on; the others are asked for its share. {in_overrides(error)}")

    def own_server(port: int) -> AbstractContextManager[int]:
        if server.command is not None:
            return started_server(
                server.command, port, log=log, device=device, timeout_s=server.connect_timeout_s, say=say
            )
        return embedded_server(server.policy, port, form)

    with ExitStack() as own, ExitStack() as clients:
        if has_own:
            port = own.enter_context(own_server(server.port))
            addresses = [(server.host, port)]
            what = "policy server" if server.policy is None else f"policy {server.policy['_target_']}"
            say(f"The {what} listens on 127.0.0.1:{port}")
        connected = [connect(host, port) for host, port in addresses]
        client: Client = connected[0]
        if server.endpoints:
            client = ClientGroup(connected, on_loss=report_loss)
        clients.callback(client.close)

        def revive(error: Gr00tError) -> None:
            say(f"\nThe policy server failed; what was running is tried again. {in_overrides(error)}")
            if has_own and isinstance(error, ServerUnreachableError):
                own.close()
                own.enter_context(own_server(port))
            client.wait_until_ready()

        client.wait_until_ready()
        yield PolicyConnection(client, revive)


def _raise(error: Gr00tError) -> None:
    raise error


def _address(endpoint: str) -> tuple[str, int]:
    """Return host and port of an entry of ``server.endpoints``."""
    host, _, port = str(endpoint).rpartition(":")
    if not host or not port.isdecimal():
        raise ContractError(
            f"server.endpoints holds '{endpoint}', but each entry is host:port, such as 10.0.0.7:5555. "
            "Write server.endpoints=[10.0.0.7:5555,10.0.0.7:5556]."
        )
    return host, int(port)
