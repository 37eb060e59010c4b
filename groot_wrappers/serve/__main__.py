"""``python -m groot_wrappers.serve``: host any policy on GR00T's protocol, with what the core needs alone.

For the environment of a model, where the runner is not installed; ``groot-serve`` does the same by settings of Hydra.
"""

import argparse
import logging
import os
import signal
import sys
from collections.abc import Sequence

from groot_wrappers.errors import Gr00tError
from groot_wrappers.modality import ObservationForm
from groot_wrappers.protocol.hosting import TOKEN_VARIABLE, serve_until_stopped
from groot_wrappers.protocol.server import Policy, PolicyServer
from groot_wrappers.protocol.wire.codec import Dialect
from groot_wrappers.serve.gr00t import GR00T, add_gr00t_options, load_gr00t
from groot_wrappers.serve.lerobot import LEROBOT, add_lerobot_options, load_lerobot
from groot_wrappers.serve.loading import load_policy

__all__ = ["main"]

logger = logging.getLogger(__name__)

_EPILOG = """\
A policy has get_modality_config(), get_action(observation, options) and reset(options); nothing is inherited from.
The module is looked for in this folder first. A class or a function is called without arguments, and gives the policy.

  python -m groot_wrappers.serve my_policy:make_policy --port 5556
  groot-play server.port=5556 num_envs=4 episodes=20      # where the runner is

The name gr00t stands for a checkpoint of Isaac-GR00T, in the environment of NVIDIA's package:

  python -m groot_wrappers.serve gr00t --model-path GR00T-N1.6-3B --embodiment-tag libero_panda

The name lerobot stands for a checkpoint of LeRobot, in the environment of `make learned-env`:

  python -m groot_wrappers.serve lerobot --checkpoint outputs/train/.../pretrained_model --device cpu

With GR00T_API_TOKEN set, requests without that token are refused.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: The command line; None is that of this process.

    Returns:
        The exit code: 0 where it was told to stop, 1 where it could not serve.
    """
    parser = _parser()
    asked = parser.parse_args(arguments)
    if asked.policy == GR00T and None in (asked.model_path, asked.embodiment_tag):
        parser.error(f"{GR00T} needs --model-path and --embodiment-tag")
    if asked.policy == LEROBOT and asked.checkpoint is None:
        parser.error(f"{LEROBOT} needs --checkpoint")
    logging.basicConfig(level=logging.INFO, format="[%(asctime)s] %(message)s")
    try:
        server = PolicyServer(
            _policy(asked),
            asked.host,
            asked.port,
            dialect=Dialect(asked.dialect),
            observation_form=asked.observation_form,
            api_token=os.environ.get(TOKEN_VARIABLE),
            allow_kill=asked.allow_kill,
        )
    except Gr00tError as error:
        print(error, file=sys.stderr)
        return 1
    except Exception as error:  # of the policy's own code, whose traceback its author wants
        logger.exception("%s could not be made", asked.policy)
        print(f"{asked.policy} raised {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    serve_until_stopped(server, (signal.SIGINT, signal.SIGTERM))
    return 0


def _policy(asked: argparse.Namespace) -> Policy:
    if asked.policy == GR00T:
        return load_gr00t(asked)
    return load_lerobot(asked) if asked.policy == LEROBOT else load_policy(asked.policy)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m groot_wrappers.serve",
        description="Host a policy on the protocol of GR00T's policy server.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("policy", metavar="module:factory", help="what gives the policy, or gr00t, or lerobot")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 opens it to the network")
    parser.add_argument("--port", type=int, default=5555, help="0 is any that is free; the first line tells which")
    parser.add_argument(
        "--dialect",
        choices=[str(dialect) for dialect in Dialect],
        default=str(Dialect.msgpack_numpy),
        help="npy is the envelope of N1.6 and the first N1.7",
    )
    parser.add_argument(
        "--observation-form",
        choices=[str(form) for form in ObservationForm],
        default=str(ObservationForm.nested),
        help="flat is that of a server with --use-sim-policy-wrapper",
    )
    parser.add_argument("--allow-kill", action="store_true", help="let a client end the server")
    add_gr00t_options(parser)
    add_lerobot_options(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
