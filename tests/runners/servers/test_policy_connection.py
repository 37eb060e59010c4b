"""Runs on several policy servers: what they save, what a killed one costs, and what is refused."""

import json
import time

import pytest

from groot_wrappers import Gr00tActionWrapper, Gr00tObservationWrapper, PolicyClient
from groot_wrappers.protocol.client_group import ClientGroup
from runners.episodes.episode_log import EpisodeLog
from runners.episodes.plan import make_plan
from runners.recorders import Recorder
from runners.rollout.rollout import Rollout
from tests.support.processes import finish, require_every_episode_once, wait_for_rows
from tests.support.toys.env import ToyEnv, toy_embodiment

NUM_ENVS = 64


def play(folder, ports, episodes=NUM_ENVS):
    """Roll the toy env out on the servers at these ports; return what was asked and what came of it."""
    clients = [PolicyClient("127.0.0.1", port, connect_timeout_s=20, timeout_s=20) for port in ports]
    with ClientGroup(clients) as client, EpisodeLog(folder / f"{len(ports)}.jsonl") as log:
        client.wait_until_ready()
        env = Gr00tObservationWrapper(ToyEnv(NUM_ENVS), toy_embodiment())
        env = Gr00tActionWrapper(env, toy_embodiment(), 1, horizon=8)
        start = time.perf_counter()
        Rollout(env, client, make_plan(episodes, 0, ["reach"]), log, Recorder()).play()
        wall_s = time.perf_counter() - start
        return client.stats, wall_s, [row.to_json() for row in sorted(log.rows, key=lambda row: row.index)]


@pytest.mark.timing
def test_four_servers_cut_the_servers_share_of_the_time_to_a_third(policy_process, tmp_path):
    """With 64 envs, and the same episodes. The policies alone would give: (20 + 18 * 64) / (20 + 18 * 16) = 3.8."""
    servers = [policy_process("latent") for _ in range(4)]
    ports = [server.ports["latent"] for server in servers]
    one, one_wall_s, rows = play(tmp_path, ports[:1])
    four, four_wall_s, rows_of_four = play(tmp_path, ports)
    assert rows_of_four == rows, "an episode must not depend on which server answers"
    assert one.calls == four.calls
    ratio = sum(one.latencies_s) / sum(four.latencies_s)
    for told, wall_s in ((one, one_wall_s), (four, four_wall_s)):
        print(f"{len(told.servers)} servers: {sum(told.latencies_s):.2f} s of {wall_s:.2f} s")
    assert ratio >= 3
    assert [stats.observations for stats in four.servers.values()] == [one.observations // 4] * 4


@pytest.mark.isaaclab
def test_killed_server_costs_no_episode_while_others_are_left(groot_play, policy_process, tmp_path):
    servers = [policy_process("half_solved") for _ in range(3)]
    ports = [server.ports["half_solved"] for server in servers]
    process = groot_play(
        f"server.endpoints=[{','.join(f'127.0.0.1:{port}' for port in ports)}]",
        "task.id=Toy-Slow-v0",
        "num_envs=6",
        "episodes=24",
        "horizons.episode=20",
        "recorder=[]",
        "retries=0",
        "hydra.run.dir=run",
    )
    folder = tmp_path / "run"
    wait_for_rows(folder, 1, process)
    servers[1].kill()
    code, out, err = finish(process)
    assert code == 0, err
    rows = require_every_episode_once(folder, 24)
    assert [row["ended"] for row in rows if row["ended"] not in ("success", "time_out")] == []
    assert out.count("A policy server is left out from here on") == 1
    assert f"127.0.0.1:{ports[1]} broke off" in out
    summary = json.loads((folder / "summary.json").read_text())
    told = {server["endpoint"]: server for server in summary["server"]["endpoints"]}
    assert list(told) == [f"127.0.0.1:{port}" for port in ports]
    assert [server["lost"] is None for server in told.values()] == [True, False, True]
    assert all(server["calls"] > 0 and server["p50_ms"] > 0 for server in told.values())
    for port in ports:
        assert f"127.0.0.1:{port}: " in out
        assert f"127.0.0.1:{port}: " in (folder / "report.html").read_text()
