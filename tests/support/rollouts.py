"""Rollouts of the toy env in this process, through a real server and client."""

import contextlib
import threading
import time
from types import SimpleNamespace

import pytest

from groot_wrappers import Gr00tActionWrapper, Gr00tObservationWrapper, PolicyClient
from groot_wrappers.protocol.client_group import ClientGroup
from groot_wrappers.protocol.server import PolicyServer
from runners.episodes.episode_log import EpisodeLog
from runners.episodes.plan import make_plan, shard_of
from runners.recorders import Recorder, Recorders
from runners.rollout.rollout import Rollout
from runners.statistics.stop_rule import StopRule
from runners.variations.drawing import varied
from runners.variations.settings import VariationSettings
from tests.support.toys.env import ToyEnv, toy_embodiment
from tests.support.toys.policy import ToyPolicy


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

    ``solves`` says by its goal whether an episode is to succeed; the others run into the time limit. ``servers`` is how
    many share the requests; ``ports`` asks those of the test instead of servers of its own.
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
            servers=1,
            ports=(),
            variation=None,
            shard=(0, 1),
            **settings,
        ):
            watcher = Watcher()
            policies = [policy_class(watcher, solves=solves) for _ in range(servers)]
            policy, ports = policies[0], list(ports)
            for each in () if ports else policies:
                server = stack.enter_context(PolicyServer(each, port=0))
                thread = threading.Thread(target=server.serve_forever, daemon=True)
                thread.start()
                stack.callback(_join, server, thread)
                ports.append(server.port)
            clients = [PolicyClient("127.0.0.1", port, connect_timeout_s=5, timeout_s=5) for port in ports]
            client = stack.enter_context(clients[0] if len(clients) == 1 else ClientGroup(clients))
            toy = env_class(num_envs, episode_steps=episode_steps, has_success=has_success)
            group = Recorders([watcher, *recorders])
            variations = VariationSettings.of(variation or {})
            env = Gr00tActionWrapper(
                Gr00tObservationWrapper(toy, toy_embodiment(), variations=variations.wire),
                toy_embodiment(),
                execution,
                horizon=policy.horizon,
                watcher=group.on_control_step,
            )
            plan = shard_of(varied(make_plan(episodes, seed, list(instructions)), variations), *shard)
            log = stack.enter_context(EpisodeLog(tmp_path / f"episodes_{time.monotonic_ns()}.jsonl"))
            for row in rows:
                log.append(row)
            error = None
            try:
                Rollout(env, client, plan, log, group, enough=StopRule(plan, ci_width).enough, **settings).play()
            except Exception as raised:
                error = raised
            return SimpleNamespace(
                rows=log.rows,
                by_index={row.index: row for row in log.rows},
                plan=plan,
                toy=toy,
                env=env,
                policy=policy,
                policies=policies,
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
