"""Rollouts of the toy env in this process, and groot-play in processes of its own."""

import contextlib
import fcntl
import functools
import logging
import os
import signal
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from hydra.core.global_hydra import GlobalHydra

from groot_wrappers import Gr00tActionWrapper, Gr00tObservationWrapper, PolicyClient
from groot_wrappers.protocol.server import PolicyServer
from runners.apps import play as play_command
from runners.episodes.episode_log import EpisodeLog
from runners.episodes.plan import make_plan
from runners.recorders import Recorder, Recorders
from runners.rollout.rollout import rollout
from runners.statistics.stop_rule import StopRule
from runners.utils.interrupts import INTERRUPTIONS
from tests.toy import ToyEnv, toy_embodiment
from tests.toy_policy import ToyPolicy

ROOT = Path(__file__).parents[2]
GROOT_PLAY = Path(sys.executable).with_name("groot-play")


class SpyPolicy(ToyPolicy):
    """Keeps, in order, what it was asked: ("reset", running envs) and ("action", goals it saw)."""

    def __init__(self, watcher, **options):
        super().__init__(**options)
        self.watcher, self.asked = watcher, []

    def reset(self, options=None):
        self.asked.append(("reset", sorted(self.watcher.running)))
        return super().reset(options)

    def get_action(self, observation, options=None):
        self.asked.append(("action", observation["video"]["camera"][:, -1, 0, 0, 0].tolist()))
        return super().get_action(observation, options)


class Watcher(Recorder):
    """Keeps which episode started where, with which goal, and which are running."""

    def __init__(self):
        self.goals, self.running, self.steps = {}, {}, 0

    def on_episodes_start(self, episodes, observation):
        for env_id, episode in episodes.items():
            assert env_id not in self.running, "an env begins an episode while another runs there"
            self.running[env_id] = episode.index
            self.goals[episode.index] = int(observation["video"]["camera"][env_id, -1, 0, 0, 0])

    def on_control_step(self, step):
        self.steps += 1

    def on_episode_end(self, row):
        assert self.running.pop(row.env) == row.index


@pytest.fixture
def play(tmp_path):
    """Roll the toy env out through a real server and client; everything that a test wants to look at comes back.

    ``solves`` says by its goal whether an episode is to succeed; the others run into the time limit.
    """
    with contextlib.ExitStack() as stack:

        def run(
            num_envs,
            episodes,
            *,
            execution=1,
            seed=0,
            episode_steps=7,
            solves=lambda goal: goal % 3,
            policy_class=SpyPolicy,
            env_class=ToyEnv,
            recorders=(),
            instructions=("reach",),
            has_success=True,
            ci_width=None,
            rows=(),
            **settings,
        ):
            watcher = Watcher()
            policy = policy_class(watcher, solves=solves)
            server = stack.enter_context(PolicyServer(policy, port=0))
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            stack.callback(_join, server, thread)
            client = stack.enter_context(PolicyClient("127.0.0.1", server.port, connect_timeout_s=5, timeout_s=5))
            toy = env_class(num_envs, episode_steps=episode_steps, has_success=has_success)
            group = Recorders([watcher, *recorders])
            env = Gr00tActionWrapper(
                Gr00tObservationWrapper(toy, toy_embodiment()),
                toy_embodiment(),
                execution,
                horizon=policy.horizon,
                watcher=group.on_control_step,
            )
            plan = make_plan(episodes, seed, list(instructions))
            log = stack.enter_context(EpisodeLog(tmp_path / f"episodes_{time.monotonic_ns()}.jsonl"))
            for row in rows:
                log.append(row)
            error = None
            try:
                rollout(env, client, plan, log, group, enough=StopRule(plan, ci_width).enough, **settings)
            except Exception as raised:
                error = raised
            return SimpleNamespace(
                rows=log.rows,
                by_index={row.index: row for row in log.rows},
                plan=plan,
                toy=toy,
                env=env,
                policy=policy,
                watcher=watcher,
                stats=client.stats,
                error=error,
                log=log,
            )

        yield run


def _join(server, thread):
    server.stop()
    thread.join(10)
    assert not thread.is_alive()


@pytest.fixture(autouse=True)
def process_as_it_was(monkeypatch):
    """Put back what a command that is run in this process has made of it: signals, streams, logging."""
    monkeypatch.setattr(logging, "raiseExceptions", logging.raiseExceptions)
    for stream in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, stream, getattr(sys, stream))
    factory = logging.getLogRecordFactory()
    handlers = {number: signal.getsignal(number) for number in INTERRUPTIONS}
    yield
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

    ``terminal`` is the end of a pseudo-terminal that is to be its own, instead of pipes.
    """
    started = []

    def start(*overrides, task="toy", env=None, terminal=None):
        flags = [override for override in overrides if override.startswith("-")]  # Hydra wants them first
        settings = [override for override in overrides if not override.startswith("-")]
        folder = str(ROOT / "tests/runners/conf")
        command = [str(GROOT_PLAY), *flags, "--config-dir", folder, f"task={task}", *settings]
        process = subprocess.Popen(
            command,
            cwd=tmp_path,
            env=os.environ | (env or {}),
            stdin=terminal,
            stdout=terminal or subprocess.PIPE,
            stderr=terminal or subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=terminal and (lambda: fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)),  # noqa: PLW1509  # no threads
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


class PolicyProcess:
    """A process of policy servers (see policy_servers.py)."""

    def __init__(self, *behaviours):
        self.behaviours = behaviours
        command = [sys.executable, "-m", "tests.runners.policy_servers", *behaviours]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)

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


@pytest.fixture
def command(monkeypatch, capsys, tmp_path):
    """Run groot-play or groot-serve up to where its work would begin; return exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(play_command, "play", lambda config: 0)
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)

    def run(module, *arguments):
        monkeypatch.setattr(sys, "argv", [f"groot-{module.__name__.rpartition('.')[2]}", *arguments])
        GlobalHydra.instance().clear()
        with pytest.raises(SystemExit) as exit_:
            module.main()
        return exit_.value.code, *capsys.readouterr()

    return run
