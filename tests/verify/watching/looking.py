"""Somebody who looks at a viewer of a run: at viser as its page does by a websocket, at the live page by its polls.

A process of its own, ``python -m tests.verify.watching.looking viser PORT``, so that its time is not the run's. It
writes a line once it is there, and one a picture that differs from the one before.
"""

import contextlib
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[3]

POLL_S = 0.5
"""Between two polls of the live page."""

MOVED = "batched_positions"
"""What viser sends anew of bodies that have moved, and of nothing else that changes."""


class Looking:
    """What was seen: ``pictures`` that differed, once the look is over."""

    pictures = 0


@contextlib.contextmanager
def looking_at(viewer, port, *, least):
    """Look at a viewer while the block runs; by its end so many pictures must have been seen.

    Raises:
        RuntimeError: There were fewer, or no viewer that could be looked at.
    """
    command = [sys.executable, "-m", "tests.verify.watching.looking", viewer, str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    looking = Looking()
    try:
        if not process.stdout.readline():
            raise RuntimeError(f"viewer={viewer} cannot be looked at: {process.stderr.read()}")
        yield looking
    finally:
        process.terminate()
        told, error = process.communicate(timeout=20)
    looking.pictures = told.count("\n")
    if looking.pictures < least:
        raise RuntimeError(f"{looking.pictures} pictures of viewer={viewer} were seen, not {least}: {error}")


def _at_page(port):
    """Yield pictures of the live page, bytes."""
    while True:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/state", timeout=5).read()
        yield urllib.request.urlopen(f"http://127.0.0.1:{port}/view.jpg", timeout=5).read()
        time.sleep(POLL_S)


def _at_viser(port):
    """Yield where everything is that has moved, bytes; first of all nothing, once the server takes us for a browser."""
    import msgspec
    import viser
    import zstandard
    from viser._messages import ViewerCameraMessage
    from websockets.exceptions import ConnectionClosed
    from websockets.sync.client import connect

    camera = ViewerCameraMessage(
        wxyz=(1.0, 0.0, 0.0, 0.0),
        position=(3.0, 0.0, 1.0),
        fov=0.9,
        near=0.1,
        far=100.0,
        image_height=720,
        image_width=1280,
        look_at=(0.0, 0.0, 0.0),
        up_direction=(0.0, 0.0, 1.0),
    )
    protocol = f"viser-v{viser.__version__}"
    with connect(f"ws://127.0.0.1:{port}", subprotocols=[protocol], max_size=None, compression=None) as page:
        page.send(msgspec.msgpack.encode(camera.as_serializable_dict()))
        with contextlib.suppress(ConnectionClosed):
            while True:
                window = page.recv()
                after = 16 + int.from_bytes(window[8:16], "little")
                told = msgspec.msgpack.decode(zstandard.ZstdDecompressor().decompress(window[16:after]))
                moved = any(MOVED in message.get("updates", ()) for message in told["messages"])
                yield window[after:] if moved else b""


def main():
    viewer, port = sys.argv[1], int(sys.argv[2])
    before = None
    try:
        for picture in {"page": _at_page, "viser": _at_viser}[viewer](port):
            if before is None or (picture and picture != before):
                print("seen", flush=True)
                before = picture
    except OSError:
        if before is None:
            raise
        # Else the run is over, or was killed.


if __name__ == "__main__":
    main()
