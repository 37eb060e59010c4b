"""Policy servers that misbehave, for groot-play on the toy task.

``python -m tests.support.servers.policy_servers BEHAVIOUR ...`` serves each on a free port of 127.0.0.1, in a thread,
and prints the ports, a line each. BEHAVIOUR is one of those in ``POLICIES`` (hosted by our own server) or ``REPLIES``
(which no server of ours would send, so the frames are made here); ``locked`` demands the token TOKEN.
"""

import sys
import threading
import time
from types import MappingProxyType

import numpy as np
import zmq

from groot_wrappers.modality import ModalityConfig
from groot_wrappers.protocol.server import PolicyServer
from groot_wrappers.protocol.wire.codec import Dialect, pack, unpack
from tests.support.toys.policy import ToyPolicy


class Misfit(ToyPolicy):
    """Wants another camera and another language key, and asks for two video frames."""

    def get_modality_config(self):
        return super().get_modality_config() | {
            "video": ModalityConfig((-1, 0), ("cameras",)),
            "language": ModalityConfig((0,), ("annotation.human.task_description",)),
        }


class WrongWidth(ToyPolicy):
    """Sends three joints where the env has two; the protocol does not tell the width before."""

    def get_action(self, observation, options=None):
        action, info = super().get_action(observation, options)
        return {"joints": np.pad(action["joints"], ((0, 0), (0, 0), (0, 1)))}, info


class NotANumber(ToyPolicy):
    """Spoils the first row of its second answer."""

    def get_action(self, observation, options=None):
        action, info = super().get_action(observation, options)
        if len(self.calls) == 2:
            action["joints"][0, 0, 0] = np.nan
        return action, info


class Reaching(ToyPolicy):
    """Goes to the goal on even-numbered goals alone, so that some episodes last."""

    def __init__(self):
        super().__init__(solves=lambda goal: goal % 2 == 0)


class Telling(ToyPolicy):
    """Says who it is, and takes its noise from its client."""

    identity = MappingProxyType({"checkpoint": "toy", "revision": 3})
    capabilities = ("row_noise",)

    def get_action(self, observation, options=None):
        assert len(options["row_noise"]) == len(observation["language"]["task"])
        return super().get_action(observation, options)


class Latent(ToyPolicy):
    """Sleeps as a model computes: BASE_S for a request, and OBSERVATION_S for each observation in it."""

    BASE_S, OBSERVATION_S = 0.020, 0.018

    def get_action(self, observation, options=None):
        time.sleep(self.BASE_S + self.OBSERVATION_S * len(observation["language"]["task"]))
        return super().get_action(observation, options)


TOKEN = "sesame-4711"
POLICIES = {
    "locked": ToyPolicy,
    "misfit": Misfit,
    "wrong_width": WrongWidth,
    "locked_not_a_number": NotANumber,
    "half_solved": Reaching,
    "latent": Latent,
}
REPLIES = {
    "not_msgpack": lambda action: b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "short_chunk": lambda action: pack([{"joints": action["joints"][:, :5]}, {}], Dialect.msgpack_numpy),
}


def serve_by_hand(socket, reply):
    """Answer as a server does, but to get_action with what ``reply`` makes of the right action."""
    policy = ToyPolicy()
    while True:
        request, _ = unpack(socket.recv())
        if request["endpoint"] == "get_modality_config":
            socket.send(pack(policy.get_modality_config(), Dialect.msgpack_numpy))
        elif request["endpoint"] == "get_action":
            action, _ = policy.get_action(request["data"]["observation"])
            socket.send(reply(action))
        else:
            socket.send(pack({"status": "ok", "message": "Server is running"}, Dialect.msgpack_numpy))


def start(behaviour):
    """Serve one behaviour in a thread; return its port."""
    if behaviour in REPLIES:
        socket = zmq.Context.instance().socket(zmq.REP)
        port = socket.bind_to_random_port("tcp://127.0.0.1")
        threading.Thread(target=serve_by_hand, args=(socket, REPLIES[behaviour])).start()
        return port
    server = PolicyServer(POLICIES[behaviour](), port=0, api_token=TOKEN if "locked" in behaviour else None)
    threading.Thread(target=server.serve_forever).start()
    return server.port


if __name__ == "__main__":
    for behaviour in sys.argv[1:]:
        print(start(behaviour), flush=True)
