"""What clients get where their requests are joined: ``python -m tests.groot_wrappers.protocol.time_joined_clients``.

The policy sleeps as long as GR00T N1.6 computes on an H100 (7 ms and 2.1 ms a row); two pictures of 256 pixels a row,
every client in a process of its own that asks again as soon as it has its answer.
"""

import multiprocessing
import time

import numpy as np

from groot_wrappers.modality import ModalityConfig
from groot_wrappers.protocol.client import PolicyClient
from groot_wrappers.protocol.server import PolicyServer

BASE_S, ROW_S = 0.007, 0.0021
REQUESTS = 60


class Sleeping:
    """Takes as long as the model, and answers zeros."""

    def get_modality_config(self):
        return {
            "video": ModalityConfig((0,), ("wrist", "scene")),
            "state": ModalityConfig((0,), ("joints",)),
            "action": ModalityConfig(tuple(range(16)), ("joints",)),
            "language": ModalityConfig((0,), ("task",)),
        }

    def get_action(self, observation, options):
        rows = len(observation["language"]["task"])
        time.sleep(BASE_S + rows * ROW_S)
        return {"joints": np.zeros((rows, 16, 9), np.float32)}, {}

    def reset(self, options):
        return {}


class Joining(Sleeping):
    """The same, for several clients at once."""

    capabilities = ("joined_batches",)
    batch_sizes = (1, 4, 16)


def serve(policy, pipe):
    with PolicyServer(policy, port=0) as server:
        pipe.send(server.port)
        server.serve_forever()


def ask(port, rows, pipe):
    observation = {
        "video": {key: np.full((rows, 1, 256, 256, 3), 7, np.uint8) for key in ("wrist", "scene")},
        "state": {"joints": np.zeros((rows, 1, 9), np.float32)},
        "language": {"task": [["lift"]] * rows},
    }
    with PolicyClient("127.0.0.1", port) as client:
        client.get_action(observation)
        pipe.send("ready")
        pipe.recv()
        start = time.perf_counter()
        for _ in range(REQUESTS):
            client.get_action(observation)
        pipe.send((time.perf_counter() - start, 1e3 * float(np.median(client.stats.latencies_s[1:]))))


def started(target, *arguments):
    here, there = multiprocessing.Pipe()
    process = multiprocessing.Process(target=target, args=(*arguments, there), daemon=True)
    process.start()
    return process, here


def measured(policy, clients, rows):
    """Return observations a second over all clients, and the median ms of a request."""
    server, pipe = started(serve, policy)
    port = pipe.recv()
    asking = [started(ask, port, rows)[1] for _ in range(clients)]
    for each in asking:
        each.recv()
    for each in asking:
        each.send("go")
    took = [each.recv() for each in asking]
    server.terminate()
    server.join()
    return clients * rows * REQUESTS / max(s for s, _ in took), float(np.mean([ms for _, ms in took]))


if __name__ == "__main__":
    print("| clients x rows | in turns: observations/s | ms | joined: observations/s | ms |")
    for clients, rows in ((1, 1), (4, 1), (16, 1), (1, 4), (2, 4), (4, 4)):
        figures = [measured(policy(), clients, rows) for policy in (Sleeping, Joining)]
        told = " | ".join(f"{rate:.0f} | {ms:.1f}" for rate, ms in figures)
        print(f"| {clients} x {rows} | {told} |", flush=True)
