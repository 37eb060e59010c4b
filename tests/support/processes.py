"""groot-play and policy servers in processes of their own, commands in this one, and what is asked of their ends."""

import contextlib
import fcntl
import functools
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig

from runners.again.kept_episodes import kept_episode
from runners.apps import play as play_command
from runners.utils.interrupts import INTERRUPTIONS
from tests.support.dataset_reader import read_whole
from tests.support.warm_parent import ROOT, start_warm

GROOT_PLAY = Path(sys.executable).with_name("groot-play")


SERVE = f"{sys.executable} -m tests.support.servers.serve_toy {{port}}"


START_S = 90
"""Longest that groot-play may take up to a line that a test waits for, on a machine that is busy with other things."""


@pytest.fixture(autouse=True)
def process_as_it_was(monkeypatch):
    """Put back what a command that is run in this process has made of it: signals, streams, logging, Hydra."""
    monkeypatch.setattr(logging, "raiseExceptions", logging.raiseExceptions)
    for stream in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, stream, getattr(sys, stream))
    factory = logging.getLogRecordFactory()
    handlers = {number: signal.getsignal(number) for number in INTERRUPTIONS}
    yield
    HydraConfig.instance().cfg = None
    logging.setLogRecordFactory(factory)
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def clean_environment(monkeypatch):
    """Take away what a developer's shell may say about W&B and tokens; let a process find the tests."""
    for name in os.environ:
        if name.startswith("WANDB_") or name in {"GR00T_API_TOKEN", "HYDRA_FULL_ERROR"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


@pytest.fixture
def groot_play(tmp_path, clean_environment):
    """Start groot-play on the toy task, in a process group of its own, in an empty folder; ended with the test.

    ``terminal`` is the end of a pseudo-terminal that is to be its own, instead of pipes; it then has no warm parent,
    and neither has one whose ``env`` lets it import from elsewhere.
    """
    started = []

    def start(*overrides, task="toy", env=None, terminal=None):
        flags = [override for override in overrides if override.startswith("-")]  # Hydra wants them first
        settings = [override for override in overrides if not override.startswith("-")]
        folder = str(ROOT / "tests/support/toys/conf")
        command = [str(GROOT_PLAY), *flags, "--config-dir", folder, f"task={task}", *settings]
        options = {"cwd": tmp_path, "env": os.environ | (env or {}), "text": True, "start_new_session": True}
        if terminal is None:
            start_piped = subprocess.Popen if "PYTHONPATH" in (env or {}) else start_warm
            process = start_piped(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
        else:
            process = subprocess.Popen(
                command,
                stdin=terminal,
                stdout=terminal,
                stderr=terminal,
                preexec_fn=lambda: fcntl.ioctl(terminal, termios.TIOCSCTTY, 0),  # noqa: PLW1509  # no threads
                **options,
            )
        started.append(process)
        return process

    yield start
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        process.wait(10)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


@pytest.fixture
def command(monkeypatch, capsys, tmp_path):
    """Run groot-play or groot-serve up to where its work would begin; return exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(play_command, "play", lambda composition: 0)
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)

    def run(module, *arguments):
        monkeypatch.setattr(sys, "argv", [f"groot-{module.__name__.rpartition('.')[2]}", *arguments])
        GlobalHydra.instance().clear()
        with pytest.raises(SystemExit) as exit_:
            module.main()
        return exit_.value.code, *capsys.readouterr()

    return run


@pytest.fixture
def report(monkeypatch, capsys, tmp_path):
    """Run groot-report in an empty folder; return exit code, stdout, stderr."""
    from runners.apps import report as report_command

    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        with pytest.raises(SystemExit) as exit_:
            report_command.main([str(argument) for argument in arguments])
        return exit_.value.code, *capsys.readouterr()

    return run


class PolicyProcess:
    """A process of policy servers (see policy_servers.py)."""

    def __init__(self, *behaviours):
        self.behaviours = behaviours
        command = [sys.executable, "-m", "tests.support.servers.policy_servers", *behaviours]
        self.process = start_warm(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)

    @functools.cached_property
    def ports(self):
        """Behaviour to port; waits until they are served, so that several processes can start side by side."""
        return {behaviour: int(self.process.stdout.readline()) for behaviour in self.behaviours}

    def kill(self):
        self.process.kill()
        self.process.wait(10)


@pytest.fixture
def policy_process(clean_environment):
    """Start processes of policy servers, ended with the test."""
    started = []

    def start(*behaviours):
        started.append(PolicyProcess(*behaviours))
        return started[-1]

    yield start
    for server in started:
        server.kill()
        server.process.stdout.close()


def play_in_this_process(composition):
    """Play a run as far as it gets, whatever lies in its folder; return the exit code."""
    return play_command.play_missing(composition).code


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def finish(process, timeout=START_S):
    """Return exit code, stdout and stderr."""
    out, err = process.communicate(timeout=timeout)
    return process.returncode, out, err


def rows_of(folder):
    """Return the whole lines of a run's rows."""
    path = folder / "episodes.jsonl"
    lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith(b"\n")]


def wait_for_rows(folder, count, process, timeout=START_S):
    deadline = time.monotonic() + timeout
    while len(rows_of(folder)) < count:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline, "no episode ended"
        time.sleep(0.02)


def processes_of_group(group):
    """Return the command lines of what still runs in a process group."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[2]) == group and fields[0] != "Z":
                found.append((stat.parent / "cmdline").read_text().replace("\0", " "))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def wait_until_group_is_empty(group, timeout=15):
    deadline = time.monotonic() + timeout
    while (left := processes_of_group(group)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


def living(processes):
    """Return those of some processes that run still."""

    def state(process):
        try:
            return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return "X"

    return [process for process in processes if state(process) not in "ZX"]


def require_every_episode_once(folder, episodes):
    rows = rows_of(folder)
    final = {row["index"]: row for row in rows}
    assert sorted(final) == list(range(episodes)), "none is lost"
    settled = [row["index"] for row in rows if row["ended"] != "error"]
    assert len(settled) == len(set(settled)), "none is played twice"
    assert {row["ended"] for row in final.values()} <= {"success", "time_out"}
    return rows


def require_every_episode_recorded_once(folder, rows):
    """Check the data set of a run: each episode whole, once, and as long as its row says."""
    episodes = read_whole(folder / "dataset")
    recorded = {episode.row["plan_index"]: episode.row["length"] for episode in episodes}
    assert len(recorded) == len(episodes), "none is recorded twice"
    assert recorded == {row["index"]: row["steps"] for row in rows if row["ended"] != "error"}


def require_every_attempt_kept(folder, rows):
    """Check that what each attempt of a run played is kept, in one file or as files of their own."""
    for row in rows:
        kept = kept_episode(folder, row["index"], row["attempt"])
        assert (kept.index, kept.attempt, kept.seed) == (row["index"], row["attempt"], row["seed"])
        assert {len(values) for values in kept.action.values()} == {row["steps"]}
