"""Serves a toy policy as skilled as its checkpoint: ``python -m tests.support.servers.serve_checkpoint FOLDER PORT``.

It reaches the goals below the ``skill`` that the checkpoint says; a goal is 1 to 199. It prints the folder.
"""

import json
import sys
from pathlib import Path

from groot_wrappers.protocol.server import PolicyServer
from tests.support.toys.policy import ToyPolicy

if __name__ == "__main__":
    skill = json.loads((Path(sys.argv[1]) / "config.json").read_text())["skill"]
    server = PolicyServer(ToyPolicy(solves=lambda goal: goal < skill), port=int(sys.argv[2]))
    print(sys.argv[1], flush=True)
    server.serve_forever()
