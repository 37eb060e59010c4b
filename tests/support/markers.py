"""What a test needs beside this process is named by its markers, which are held to be true.

* A fixture that starts processes marks its tests, see ``STARTING``.
* A test without ``process`` or ``simulator`` fails where it starts a process.
"""

import multiprocessing.process
import sys

import pytest

STARTING = {"groot_bench", "groot_play", "inspect", "machine", "policy_process", "server_process"}
"""Fixtures that start processes of ours."""

COMPOSING = {"command"}
"""Fixtures that run a whole command in this process: Hydra takes a third of a second for its settings, which
`make check` has no time for, some four hundred times over."""

EVENTS = {"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.system"}

_guarded = False


def pytest_configure(config):
    sys.addaudithook(_refuse)


@pytest.hookimpl(tryfirst=True)  # before -m looks at the markers
def pytest_collection_modifyitems(items):
    for item in items:
        if STARTING & set(item.fixturenames):
            item.add_marker("process")
        if COMPOSING & set(item.fixturenames):
            item.add_marker("slow")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    """Let what a test has printed be sent by the worker that ran it, though it be half a character."""
    report = yield
    report.sections = [(name, text.encode(errors="backslashreplace").decode()) for name, text in report.sections]
    return report


@pytest.fixture(autouse=True)
def in_this_process(request, monkeypatch):
    """Let no process begin in a test that is not marked so."""
    global _guarded  # noqa: PLW0603  # a hook of the interpreter cannot be taken away
    if not any(request.node.get_closest_marker(name) for name in ("process", "simulator")):
        monkeypatch.setattr(
            multiprocessing.process.BaseProcess, "start", lambda process: _fail(f"multiprocessing {process.name}")
        )
        _guarded = True
    yield
    _guarded = False


def _refuse(event, arguments):
    if _guarded and event in EVENTS and not _is_importing():
        _fail(f"{event} {arguments[:2]}")


def _is_importing():
    """Say whether a library is being imported, some of which ask the system: IsaacLab for processor and windows."""
    frame = sys._getframe()
    while frame is not None and frame.f_code.co_filename != "<frozen importlib._bootstrap>":
        frame = frame.f_back
    return frame is not None


def _fail(what):
    pytest.fail(f"A process was started ({what}), which is for tests that are marked: pytest.mark.process")
