"""groot-bench at tiny sizes on the toy env: rows, table and plot, and that what is compared is what it is called.

No figure is judged here: `make verify-speed` does.
"""

import contextlib
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time

import hydra
import numpy as np
import pytest
from hydra.core.global_hydra import GlobalHydra

from groot_wrappers import Gr00tObservationWrapper
from groot_wrappers.errors import ContractError, Gr00tError
from groot_wrappers.protocol.wire.codec import Dialect, pack, unpack
from runners.bench import run
from runners.bench.control_step import measure_control_step
from runners.bench.figures import Row, table
from runners.bench.plain_client import plain_pack, plain_unpack
from runners.bench.plot import write_plot
from runners.bench.processes import rows_of
from runners.bench.queue_scheduler import play_any_empty
from runners.bench.schedulers import measure_schedulers
from runners.bench.simulated import DrawnLengthWrapper, drawn_length
from runners.bench.steps import measure_steps
from runners.bench.wire_servers import observation_of
from runners.config.schema import BenchSection, register_schemas
from runners.episodes.plan import make_plan
from runners.launch.resolvers import register_resolvers
from tests.support.bench_rows import two_rows_then
from tests.support.processes import ROOT
from tests.support.toys.env import ToyEnv, toy_embodiment
from tests.support.toys.policy import ToyPolicy

FIELDS = ["name", "value", "unit", "baseline", "ratio", "target", "ok"]
TINY = {
    "num_envs": 2,
    "wire.batches": "[1,2]",
    "wire.rounds": 1,
    "control_step.episodes": 4,
    "control_step.length": 9,
    "schedulers.episodes": 6,
    "schedulers.compared_episodes": 4,
    "schedulers.shortest": 1,
    "schedulers.longest": 2,
    "schedulers.execution": 2,
    "server.base_ms": 1,
    "server.per_observation_ms": 1,
    "steps.num_envs": "[2]",
    "steps.cameras": "[0,1]",
    "steps.execution": "[1,4]",
    "steps.seconds": 0.05,
    "steps.shortest": 3,
    "steps.longest": 5,
}


def overrides(**settings):
    return [f"{key}={value}" for key, value in (TINY | settings).items()]


@pytest.fixture
def groot_bench(tmp_path, clean_environment):
    """Start groot-bench on the toy task at tiny sizes, in a process group of its own."""
    started = []

    def start(**settings):
        folder = str(ROOT / "tests/support/toys/conf")
        command = [sys.executable, "-m", "runners.apps.bench", "--config-dir", folder, "task=toy", "hydra.run.dir=run"]
        process = subprocess.Popen(
            [*command, *overrides(**settings)],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait(10)
        process.stdout.close()


@pytest.fixture
def config():
    """The configuration of groot-bench on the toy task, at tiny sizes."""
    register_schemas()
    register_resolvers()
    GlobalHydra.instance().clear()
    with hydra.initialize_config_module("conf", version_base="1.3"):
        searchpath = f"hydra.searchpath=[file://{ROOT / 'tests/support/toys/conf'}]"
        return hydra.compose("bench", ["task=toy", *overrides(), searchpath])


def test_the_command_writes_rows_a_table_and_a_plot(groot_bench, tmp_path):
    process = groot_bench(bench="[wire]")
    out, _ = process.communicate(timeout=200)
    assert process.returncode == 0
    written = json.loads((tmp_path / "run/bench.json").read_text())
    assert written["machine"]["device"] == "cpu"
    rows = written["rows"]
    assert len(rows) == 2 * 2 * 3 * len(Dialect), "batches, ours and the plain client, three things that are timed"
    for row in rows:
        assert list(row) == FIELDS
        assert row["value"] > 0
        assert row["baseline"] > 0
        assert row["name"] in out, "the table has every row"
    assert len({row["name"] for row in rows}) == len(rows)
    assert (tmp_path / "run/bench.png").stat().st_size > 10_000


@pytest.mark.isaaclab
def test_an_interrupt_leaves_what_was_measured_and_no_process(groot_bench, tmp_path):
    process = groot_bench(**{"bench": "[wire,control_step]", "control_step.episodes": 1_000_000})
    while "control_step" not in process.stdout.readline():
        assert process.poll() is None
    log = tmp_path / "run/simulator.log"
    while not log.exists():
        assert process.poll() is None
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    rows = json.loads((tmp_path / "run/bench.json").read_text())["rows"]
    assert {row["name"].partition(":")[0] for row in rows} == {"wire"}
    assert rows[-1]["name"] in out
    deadline = time.monotonic() + 20  # Python's own resource tracker ends a little later
    while is_alive(process.pid):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def is_alive(group):
    """Return whether a process group has a process left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.isaaclab
@pytest.mark.process
def test_every_simulated_section_gives_its_rows(config, tmp_path):
    sections = {
        "control_step": list(measure_control_step(config, tmp_path)),
        "schedulers": list(measure_schedulers(config, tmp_path)),
        "steps": list(measure_steps(config, 2)),
    }
    for section, rows in sections.items():
        assert all(row.name.startswith(f"{section}: ") and row.value >= 0 for row in rows)
    assert len(sections["control_step"]) == 2
    assert [row.name for row in sections["schedulers"] if len(row.name.split(", ")) == 2] == [
        "schedulers: ours, 6 episodes / lower bound",
        "schedulers: ours, 4 episodes",
        "schedulers: any-empty, 4 episodes / ours",
        "schedulers: every step, 4 episodes / ours",
    ]
    assert [row.name.removeprefix("steps: num_envs=2, ").partition(" / ")[0] for row in sections["steps"]] == [
        "cameras=0, execution=1",
        "cameras=0, execution=4",
        "cameras=1, execution=1",
        "cameras=1, execution=4",
        "cameras=1, execution=4, episodes end",
    ]
    assert [row.target for rows in sections.values() for row in rows if row.target] == ["<= 0.5", "<= 1.1", ">= 3"]
    assert write_plot(tmp_path / "bench.png", [row for rows in sections.values() for row in rows])


@pytest.mark.process
@pytest.mark.parametrize(
    ("ending", "told"),
    [
        (None, None),
        (ContractError("mend it so"), "^mend it so$"),
        (ValueError("seven"), r"two_rows_then failed: ValueError: seven. The traceback is in .*\.log"),
        ("exit", r"The process of two_rows_then died. Its output is in .*\.log"),
    ],
)
def test_rows_of_a_process_come_through_however_it_ends(tmp_path, ending, told):
    rows, log = [], tmp_path / "simulator.log"
    with pytest.raises(Gr00tError, match=told) if told else contextlib.nullcontext():
        rows.extend(rows_of(two_rows_then, ending, log=log))
    if told is None:
        assert rows == list(two_rows_then(None))
        assert "told by a library" in log.read_text()
    if isinstance(ending, ValueError):
        assert "Traceback" in log.read_text()
    assert multiprocessing.active_children() == []


def test_without_a_simulator_the_wire_and_the_model_are_measured(monkeypatch, capsys):
    monkeypatch.setattr(run, "has_isaaclab3", lambda: False)
    assert run._possible(list(BenchSection)) == [BenchSection.wire, BenchSection.model]
    assert "control_step, schedulers, steps" in capsys.readouterr().out
    with pytest.raises(ContractError, match="Nothing is left to measure"):
        run._possible([BenchSection.steps])


@pytest.mark.parametrize(
    ("row", "ratio", "target", "ok"),
    [
        (Row("a / b", 3.0, "ms", 2.0, at_most=1.5), 1.5, "<= 1.5", True),
        (Row("a / b", 3.1, "ms", 2.0, at_most=1.5), 1.55, "<= 1.5", False),
        (Row("a / b", 6.0, "s", 2.0, at_least=3), 3.0, ">= 3", True),
        (Row("a / b", 5.0, "s", 2.0, at_least=3), 2.5, ">= 3", False),
        (Row("a", 0.4, "ms", at_most=0.5), None, "<= 0.5", True),
        (Row("a", 0.6, "ms", at_most=0.5), None, "<= 0.5", False),
        (Row("a", 0.6, "ms"), None, None, None),
    ],
)
def test_a_target_is_of_the_ratio_or_else_of_the_value(row, ratio, target, ok):
    told = row.to_json()
    assert list(told) == FIELDS
    assert told["ratio"] == (ratio if ratio is None else pytest.approx(ratio))
    assert (told["target"], told["ok"]) == (target, ok)
    assert table([row])[1].endswith({True: "met", False: "MISSED", None: row.unit}[ok])


@pytest.mark.parametrize("dialect", Dialect)
def test_the_plain_client_sends_and_reads_what_ours_does(dialect):
    request = {"endpoint": "get_action", "data": {"observation": observation_of(2), "options": None}}
    frame = plain_pack(request, dialect)
    assert frame == bytes(pack(request, dialect))
    ours, plain = unpack(frame)[0], plain_unpack(frame, dialect)
    for modality in ("video", "state"):
        for key, values in observation_of(2)[modality].items():
            np.testing.assert_array_equal(plain["data"]["observation"][modality][key], values)
            np.testing.assert_array_equal(ours["data"]["observation"][modality][key], values)


class CountingClient:
    """Asks the policy itself, and keeps how many observations each request held."""

    def __init__(self):
        self.policy, self.batches = ToyPolicy(solves=lambda goal: False), []

    def get_action(self, observation):
        self.batches.append(len(observation["state"]["joints"]))
        return self.policy.get_action(observation)


def drawn_env(num_envs, shortest, longest, execution):
    observed = Gr00tObservationWrapper(ToyEnv(num_envs, episode_steps=1000), toy_embodiment())
    return DrawnLengthWrapper(
        observed, toy_embodiment(), shortest=shortest, longest=longest, execution=execution, horizon=8
    )


@pytest.mark.parametrize("num_envs", [1, 3])
def test_any_empty_asks_for_all_envs_whenever_one_has_nothing_left_to_play(num_envs):
    plan, execution, client = make_plan(7, 0, ["reach"]), 4, CountingClient()
    lengths = [drawn_length(episode.seed, 3, 11) for episode in plan]
    assert len(set(lengths)) > 2, "else nothing would come out of step"
    steps = play_any_empty(drawn_env(num_envs, 3, 11, 1), client, plan, execution)
    assert steps == lengths
    assert set(client.batches) == {num_envs}
    # The same on paper: an env asks on its episode's first step, and then on every fourth.
    free = [0] * num_envs
    asked = set()
    for length in lengths:
        env_id = min(range(num_envs), key=lambda i: (free[i], i))
        asked |= {free[env_id] + step for step in range(0, length, execution)}
        free[env_id] += length
    assert len(client.batches) == len(asked)


def test_an_episode_ends_after_the_steps_that_its_seed_draws():
    env = drawn_env(2, 5, 20, 4)
    seeds = [3, 4]
    observation, _ = env.reset(options={"env_ids": [0, 1], "seeds": seeds})
    chunk, _ = ToyPolicy(solves=lambda goal: False).get_action(observation)
    played = np.zeros(2, int)
    while not env.parked.all():
        _, _, terminated, _, info = env.step(chunk)
        played += info["steps"].numpy()
        assert not terminated.any()
    assert played.tolist() == [drawn_length(seed, 5, 20) for seed in seeds]
    assert {drawn_length(seed, 5, 6) for seed in range(20)} == {5, 6}, "both ends are drawn"
