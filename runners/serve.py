"""``groot-serve``: host a policy on the protocol of GR00T's policy server."""

import logging
import os
import signal
from types import FrameType
from typing import NoReturn

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from groot_wrappers.codec import Dialect
from groot_wrappers.errors import Gr00tError
from groot_wrappers.server import PolicyServer
from runners.cli import DONE, launch
from runners.latency_policy import LatencyPolicy
from runners.settings import SERVE, require_within

__all__ = ["main"]

logger = logging.getLogger(__name__)

TOKEN_VARIABLE = "GR00T_API_TOKEN"  # noqa: S105  # the name of the variable, not a token


def serve(config: DictConfig) -> int:
    """Serve until interrupted, or until a client that may do so ends it."""
    if OmegaConf.is_missing(config, "policy"):
        raise Gr00tError("No policy was named. Write groot-serve policy=lift_cube_expert; --help lists all policies.")
    require_within(config, SERVE)
    policy = instantiate(config.policy, _convert_="all")
    if config.base_ms or config.per_observation_ms:
        policy = LatencyPolicy(policy, config.base_ms, config.per_observation_ms)
    server = PolicyServer(
        policy,
        config.host,
        config.port,
        dialect=Dialect(config.dialect.value),
        observation_form=config.observation_form.value,
        api_token=os.environ.get(TOKEN_VARIABLE),
        allow_kill=config.allow_kill,
    )

    def stop(signum: int, frame: FrameType | None) -> None:
        server.stop()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    logger.info("Serving on tcp://%s:%d; Ctrl-C ends it", config.host, server.port)
    server.serve_forever()
    logger.info("Stopped")
    return DONE


def main() -> NoReturn:
    """Run the ``groot-serve`` command."""
    launch(serve, "serve")
