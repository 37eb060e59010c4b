"""Serves the toy policy for a run that starts its server: ``python -m tests.support.servers.serve_toy PORT``.

It prints a line of JSON that tells what it was given. Half of the episodes last until their time is up.
"""

import json
import os
import sys

from groot_wrappers.protocol.server import PolicyServer
from tests.support.servers.policy_servers import Reaching

if __name__ == "__main__":
    server = PolicyServer(Reaching(), port=int(sys.argv[1]))
    given = {"pid": os.getpid(), "port": server.port, "gpus": os.environ.get("CUDA_VISIBLE_DEVICES")}
    print(json.dumps(given), flush=True)
    server.serve_forever()
