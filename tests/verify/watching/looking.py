"""Somebody who looks at a viewer of a run: at viser as its page does by a websocket, at the live page by its polls."""

import contextlib
import threading
import time
import urllib.request

POLL_S = 0.5
"""Between two polls of the live page."""

MOVED = "batched_positions"
"""What viser sends anew of bodies that have moved, and of nothing else that changes."""


class Looking:
    """What was seen so far.

    Attributes:
        seen: Pictures of the scene, or of the cameras.
        error: What ended the look before ``stop`` was set.
    """

    def __init__(self):
        self.seen, self.error, self.stop = 0, None, threading.Event()


@contextlib.contextmanager
def looking_at(viewer, port):
    """Look at a viewer while the block runs; yield what is seen.

    Raises:
        RuntimeError: The viewer showed something else than what is looked for, or nothing.
    """
    looking = Looking()
    thread = threading.Thread(target=_look, args=({"page": _at_page, "viser": _at_viser}[viewer], port, looking))
    thread.start()
    try:
        yield looking
    finally:
        looking.stop.set()
        thread.join(20)
    if looking.error is not None:
        raise RuntimeError(f"Looking at viewer={viewer} ended") from looking.error


def _look(look, port, looking):
    try:
        look(port, looking)
    except (OSError, EOFError):  # the run is over, or was killed
        pass
    except Exception as error:
        looking.error = error


def _at_page(port, looking):
    while not looking.stop.wait(POLL_S):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/state", timeout=5).read()
        picture = urllib.request.urlopen(f"http://127.0.0.1:{port}/view.jpg", timeout=5).read()
        looking.seen += picture.startswith(b"\xff\xd8")


def _at_viser(port, looking):
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
        while not looking.stop.is_set():
            try:
                window = page.recv(timeout=POLL_S)
            except TimeoutError:
                continue
            except ConnectionClosed:
                return
            length = int.from_bytes(window[8:16], "little")
            told = msgspec.msgpack.decode(zstandard.ZstdDecompressor().decompress(window[16 : 16 + length]))
            looking.seen += any(MOVED in message.get("updates", ()) for message in told["messages"])


def wait_until_seen(looking, least, timeout_s=60):
    """Wait until something is seen.

    Raises:
        TimeoutError: Nothing was.
    """
    deadline = time.monotonic() + timeout_s
    while looking.seen < least:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{looking.seen} pictures within {timeout_s} s, {least} were waited for")
        time.sleep(0.05)
