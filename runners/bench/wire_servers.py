"""The servers that the wire is measured against, each in a process of its own.

* ``serve_policy``: a GR00T server whose policy answers at once, in one of the dialects.
* ``serve_bytes``: no protocol at all: takes a frame, sends one of a set size.
"""

from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import zmq

from groot_wrappers.modality import ModalityConfig, ModalityConfigs
from groot_wrappers.protocol.server import PolicyServer
from groot_wrappers.protocol.wire.codec import Dialect

__all__ = ["CHUNK", "observation_of", "serve_bytes", "serve_policy"]

CHUNK = (16, 9)
"""Action horizon and width of the answers."""

_SIDE = 224
_JOINTS = 9


def observation_of(batch: int) -> dict[str, Any]:
    """Return an observation of B envs: two pictures of 224 x 224 and a state each."""
    pixels = np.random.default_rng(0).integers(0, 255, (2, batch, 1, _SIDE, _SIDE, 3), dtype=np.uint8)
    return {
        "video": {"wrist_camera": pixels[0], "scene_camera": pixels[1]},
        "state": {"joint_positions": np.zeros((batch, 1, _JOINTS), np.float32)},
        "language": {"task": [["pick up the cube"]] * batch},
    }


class _PromptPolicy:
    """Answers at once, with zeros."""

    def get_modality_config(self) -> ModalityConfigs:
        return {
            "video": ModalityConfig((0,), ("wrist_camera", "scene_camera")),
            "state": ModalityConfig((0,), ("joint_positions",)),
            "action": ModalityConfig(tuple(range(CHUNK[0])), ("joint_positions",)),
            "language": ModalityConfig((0,), ("task",)),
        }

    def get_action(
        self, observation: dict[str, Any], options: dict[str, Any] | None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        batch = len(observation["state"]["joint_positions"])
        return {"joint_positions": np.zeros((batch, *CHUNK), np.float32)}, {}

    def reset(self, options: dict[str, Any] | None) -> dict[str, Any]:
        return {}


def serve_policy(pipe: Connection, dialect: Dialect) -> None:
    """Serve until the process is ended; the port is sent first."""
    with PolicyServer(_PromptPolicy(), port=0, dialect=dialect) as server:
        pipe.send(server.port)
        server.serve_forever()


def serve_bytes(pipe: Connection) -> None:
    """Answer every frame with as many bytes as its first eight say, until the process is ended."""
    context = zmq.Context()
    socket = context.socket(zmq.REP)
    pipe.send(socket.bind_to_random_port("tcp://127.0.0.1"))
    replies: dict[int, bytes] = {}
    while True:
        size = int.from_bytes(socket.recv(copy=False).buffer[:8], "little")
        socket.send(replies.setdefault(size, bytes(size)), copy=False)
