"""The servers that a model is asked through, each in a process of its own: NVIDIA's policy and server, and ours."""

import socket
from multiprocessing.connection import Connection

from groot_wrappers.gr00t_model.loading import load_nvidia_policy
from groot_wrappers.gr00t_model.policy import Gr00tModel
from groot_wrappers.protocol.server import PolicyServer
from runners.bench.model.checkpoint import Asked

__all__ = ["serve_nvidia", "serve_ours"]


def serve_nvidia(pipe: Connection, asked: Asked) -> None:
    """Serve by NVIDIA's server until the process is ended; the port is sent before it listens."""
    from gr00t.policy.server_client import PolicyServer as NvidiaServer  # noqa: PLC0415  # where its package is

    policy = load_nvidia_policy(asked.model_path, asked.embodiment_tag, asked.device, asked.modality_config_path)
    if asked.denoising_steps is not None:
        policy.model.action_head.num_inference_timesteps = asked.denoising_steps
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    pipe.send(port)
    NvidiaServer(policy, host="127.0.0.1", port=port).run()


def serve_ours(pipe: Connection, asked: Asked) -> None:
    """Serve by our server until the process is ended; the port is sent first."""
    with PolicyServer(Gr00tModel(**asked.settings(asked.tier)), port=0) as server:
        pipe.send(server.port)
        server.serve_forever()
