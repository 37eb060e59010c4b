"""The client of a run's policy server, which is started first where the run brings its own."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from omegaconf import DictConfig, OmegaConf

from groot_wrappers import PolicyClient
from runners.embedded import embedded_server
from runners.serve import TOKEN_VARIABLE

__all__ = ["policy_client"]


@contextmanager
def policy_client(server: DictConfig, say: Callable[[str], None]) -> Iterator[PolicyClient]:
    """Yield a client whose server is ready.

    Args:
        server: ``conf/server``.
        say: Tells a person what is waited for.

    Raises:
        Gr00tError: The server cannot be reached, or the embedded one does not start.
    """
    form = server.observation_form.value

    def tell(waited_s: float) -> None:
        if round(waited_s) % 5 == 1:
            say(f"Waiting for the policy server at {server.host}:{server.port} ({waited_s:.0f} s)")

    def connect(port: int) -> PolicyClient:
        return PolicyClient(
            server.host,
            port,
            api_token=os.environ.get(TOKEN_VARIABLE),
            observation_form=form,
            connect_timeout_s=server.connect_timeout_s,
            timeout_s=server.timeout_s,
            on_wait=tell,
        )

    if server.policy is None:
        with connect(server.port) as client:
            client.wait_until_ready()
            yield client
        return
    with embedded_server(OmegaConf.to_container(server.policy, resolve=True), server.port, form) as port:  # type: ignore[arg-type]
        say(f"The scripted policy {server.policy._target_} listens on 127.0.0.1:{port}")
        with connect(port) as client:
            client.wait_until_ready()
            yield client
