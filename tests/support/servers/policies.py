"""Policies for the tests of client and server; they do what the options of a call say.

``python -m tests.support.servers.policies '{"port": 0}'`` serves one, with the options of its server as JSON, and
prints the port; ``"policy": "joining"`` is another policy. SIGTERM stops it by a handler, SIGINT by KeyboardInterrupt.
"""

import json
import os
import signal
import sys
import threading
import time
from types import MappingProxyType

import numpy as np

from groot_wrappers.modality import ModalityConfig

B, T_ACTION = 2, 3
LANGUAGE_KEY = "annotation.human.task_description"


class ToyPolicy:
    """Answers each call with its count, in every element of the action."""

    def __init__(self):
        self.calls = 0

    def get_modality_config(self):
        return {
            "video": ModalityConfig((-1, 0), ("front",)),
            "state": ModalityConfig((0,), ("arm", "gripper")),
            "action": ModalityConfig(tuple(range(T_ACTION)), ("arm", "gripper")),
            "language": ModalityConfig((0,), (LANGUAGE_KEY,)),
        }

    def get_action(self, observation, options):
        options = options or {}
        self.calls += 1
        time.sleep(options.get("sleep", 0))
        if "exit" in options:
            os._exit(3)
        if "fail" in options:
            raise {"value": ValueError, "assertion": AssertionError}[options["fail"]](options.get("why", ""))
        batch = len(observation["video"]["front"])
        action = {
            "arm": np.full((batch, T_ACTION, 7), self.calls, np.float32),
            "gripper": np.full((batch, T_ACTION, 1), options.get("value", 0), np.float32),
            "extra": np.zeros(3, np.float32),
        }
        action["arm"] = action["arm"].astype(options.get("dtype", "float32"))
        action["arm"] = action["arm"][: options.get("batch", batch), : options.get("horizon", T_ACTION)]
        if "drop" in options:
            del action[options["drop"]]
        info = {"calls": np.int64(self.calls), "saw": observation["language"][LANGUAGE_KEY]}
        return {"nothing": None, "list": [1], "unsendable": (action, {"x": object()})}.get(
            options.get("return"), (action, info)
        )

    def reset(self, options):
        self.calls = 0
        return {"options": options}


class JoiningPolicy(ToyPolicy):
    """Takes rows of several clients at once; each row's answer tells the row's own pixel, text and noise.

    It waits until ``may_answer`` is set, and keeps the texts of each call, of which ``is_asked`` tells the first.
    """

    identity = MappingProxyType({"checkpoint": "toy", "revision": 3, "compiled": False})
    capabilities = ("row_noise", "joined_batches")
    batch_sizes = (1, 4, 16)

    def __init__(self):
        super().__init__()
        self.may_answer, self.is_asked, self.asked = threading.Event(), threading.Event(), []
        self.may_answer.set()

    def get_action(self, observation, options):
        texts = [text for (text,) in observation["language"][LANGUAGE_KEY]]
        self.asked.append(texts)
        self.is_asked.set()
        assert self.may_answer.wait(10)
        time.sleep((options or {}).get("sleep", 0))
        if "exit" in texts:
            os._exit(3)
        if "fail" in texts:
            raise ValueError("no plan")
        noise = (options or {}).get("row_noise", np.full((len(texts), 2), -1))
        arm = np.zeros((len(texts), T_ACTION, 7), np.float32)
        arm[:, :, 0] = observation["video"]["front"][:, -1, 0, 0, 0][:, None]
        arm[:, :, 1] = np.array([len(text) for text in texts])[:, None]
        arm[:, :, 2:4] = noise[:, None]
        return {"arm": arm, "gripper": arm[:, :, :1]}, {"rows": len(texts)}


def observation(batch=B, pixel=7):
    """An observation that ToyPolicy wants."""
    return {
        "video": {"front": np.full((batch, 2, 4, 4, 3), pixel, np.uint8)},
        "state": {"arm": np.zeros((batch, 1, 7), np.float32), "gripper": np.ones((batch, 1, 1), np.float32)},
        "language": {LANGUAGE_KEY: [[f"pick up cube {index}"] for index in range(batch)]},
    }


def main(options):
    """Serve until stopped."""
    from groot_wrappers.protocol.server import PolicyServer

    policy = {"toy": ToyPolicy, "joining": JoiningPolicy}[options.pop("policy", "toy")]()
    with PolicyServer(policy, **{"port": 0} | options) as server:
        signal.signal(signal.SIGTERM, lambda *_: server.stop())
        print(server.port, flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            sys.exit(130)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
