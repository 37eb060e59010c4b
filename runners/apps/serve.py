"""``groot-serve``: host a policy on the protocol of GR00T's policy server."""

import os
import signal
from typing import NoReturn

from omegaconf import OmegaConf

from groot_wrappers.errors import Gr00tError
from groot_wrappers.protocol.hosting import TOKEN_VARIABLE, serve_until_stopped
from groot_wrappers.protocol.server import Policy
from runners.config.composed import Composition
from runners.config.validation import SERVE, require_within
from runners.launch.hydra_app import launch
from runners.servers.hosting import policy_server
from runners.servers.latency_policy import LatencyPolicy
from runners.utils.exit_codes import DONE
from runners.utils.interrupts import heeded

__all__ = ["main"]


def serve(composition: Composition) -> int:
    """Serve until interrupted, or until a client that may do so ends it."""
    config = composition.config
    if OmegaConf.is_missing(config, "policy"):
        raise Gr00tError("No policy was named. Write groot-serve policy=lift_cube_expert; --help lists all policies.")
    require_within(config, SERVE)

    def slowed(policy: Policy) -> Policy:
        if config.base_ms or config.per_observation_ms:
            return LatencyPolicy(policy, config.base_ms, config.per_observation_ms)
        return policy

    server = policy_server(
        config.policy,
        behind=slowed,
        host=config.host,
        port=config.port,
        dialect=config.dialect,
        observation_form=config.observation_form,
        api_token=os.environ.get(TOKEN_VARIABLE),
        allow_kill=config.allow_kill,
    )

    serve_until_stopped(server, {signal.SIGINT, *heeded()})  # by SIGINT a run ends the server that it has started
    return DONE


def main() -> NoReturn:
    """Run the ``groot-serve`` command."""
    launch(serve, "serve")


if __name__ == "__main__":
    main()
