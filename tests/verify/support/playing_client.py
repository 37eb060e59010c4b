"""A client that asks again as soon as it is answered, in a process of its own."""

import time
from typing import Any

import numpy as np

from groot_wrappers.protocol.client import PolicyClient

__all__ = ["play"]


def play(port: int, observation: dict[str, Any], seed: int, start: float, seconds: float) -> float:
    """Return the observations a second that were answered.

    Args:
        port: Of the server.
        observation: What is asked again and again.
        seed: Of the rows' noise.
        start: The time at which all clients begin.
        seconds: How long they play.
    """
    rows = len(next(iter(observation["state"].values())))
    with PolicyClient(host="127.0.0.1", port=port, timeout_s=120) as client:
        client.get_modality_config()
        time.sleep(max(0.0, start - time.time()))
        asked, began = 0, time.perf_counter()
        while time.perf_counter() - began < seconds:
            noise = np.stack([np.full(rows, seed), np.full(rows, asked)], 1)
            client.get_action(observation, {"row_noise": noise})
            asked += 1
        return asked * rows / (time.perf_counter() - began)
