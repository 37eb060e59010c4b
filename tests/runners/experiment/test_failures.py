"""What goes wrong around a run, through the real groot-play and real servers.

One message that says what mends it, the right exit code, no episode lost, nothing left behind. Cases share runs where
they can, as each start takes seconds.
"""

import json
import os
import pty
import re
import select
import signal
import time

import av
import pytest

from runners.sweeps.folder import read_jobs
from runners.utils.interrupts import BURST_S
from tests.support.processes import (
    finish,
    free_port,
    processes_of_group,
    rows_of,
    wait_for_rows,
    wait_until_group_is_empty,
)
from tests.support.servers.policy_servers import TOKEN
from tests.support.wandb_reader import read_offline_run


def frames_of(path):
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


@pytest.mark.timing
def test_no_server_is_told_once_and_at_once(groot_play):
    port = free_port()
    process = groot_play(f"server.port={port}", "server.connect_timeout_s=1.5", "hydra.run.dir=run")
    message = ""
    while "Failed to connect" not in message:
        message = process.stderr.readline()
        assert message, "it ended without the message"
    told_at = time.monotonic()
    code, _, rest = finish(process)
    assert time.monotonic() - told_at < 5, "it hangs at exit"
    assert code == 1
    assert rest.strip() == "", "one message is enough"
    assert f"Failed to connect to Gr00t server at tcp://localhost:{port}: no answer to ping in 1.5 s" in message
    assert "nobody listens there" in message
    for remedy in (f"--port {port}", "server.host=", "server.port=", "server=expert", "server.connect_timeout_s="):
        assert remedy in message
    assert not wait_until_group_is_empty(process.pid)


@pytest.mark.isaaclab
def test_servers_that_do_not_fit_are_each_told_by_what_is_wrong(groot_play, policy_process, tmp_path):
    """A multirun over five servers: what one run is told must not keep the next from its turn."""
    ports = policy_process("locked", "misfit", "not_msgpack", "short_chunk", "wrong_width").ports
    process = groot_play(
        "-m",
        f"server.port={','.join(map(str, ports.values()))}",
        "horizons.video=1",
        "recorder=[]",
        "hydra.sweep.dir=sweep",
        env={"GR00T_API_TOKEN": "open-4711"},
    )
    code, out, err = finish(process)
    assert code == 1, err
    assert "Traceback" not in err
    wanted = {
        "locked": rf"at tcp://localhost:{ports['locked']} refused .*Unauthorized.*GR00T_API_TOKEN",
        "misfit": r"The server and the embodiment do not fit:\n"
        r"- The server wants the video key 'cameras', but the embodiment has camera\. Did you mean 'camera'\?.*"
        r"set embodiment\.language=annotation\.human\.task_description\.\n"
        r"- horizons\.video=1 was asked for, but the server takes 2 video frames",
        "not_msgpack": rf"localhost:{ports['not_msgpack']} answered get_action with something that is not a "
        r"message of the GR00T protocol.*server\.port",
        "short_chunk": rf"localhost:{ports['short_chunk']} answered get_action with an action that does not "
        r"fit:.*joints.*8.*5",
        "wrong_width": r"The action 'joints' has the shape \(1, 8, 3\).*embodiment\.action\.joints",
    }
    position = 0
    for name, pattern in wanted.items():
        found = re.search(pattern, err[position:], flags=re.DOTALL)
        assert found, f"{name} is not told, or not in its turn:\n{err}"
        position += found.end()
        assert len(re.findall(pattern, err, flags=re.DOTALL)) == 1
    assert "open-4711" not in out + err
    folders = [tmp_path / "sweep" / job.name for job in read_jobs(tmp_path / "sweep")]
    played = dict(zip(ports, map(rows_of, folders), strict=True))
    assert played["locked"] == played["misfit"] == []
    for name in ("not_msgpack", "short_chunk", "wrong_width"):
        (row,) = played[name]
        assert (row["ended"], row["success"], row["steps"]) == ("error", None, 0)
        assert row["error"] in err


@pytest.mark.isaaclab
def test_action_that_is_not_a_number_ends_one_episode_and_everything_is_recorded(groot_play, policy_process, tmp_path):
    """With all recorders, and a token that must appear nowhere."""
    (port,) = policy_process("locked_not_a_number").ports.values()
    process = groot_play(
        f"server.port={port}",
        "num_envs=2",
        "episodes=5",
        "retries=0",
        "hydra.run.dir=run",
        env={"GR00T_API_TOKEN": TOKEN},
    )
    code, out, err = finish(process)
    assert code == 2, err
    folder = tmp_path / "run"
    rows = {row["index"]: row for row in rows_of(folder)}
    assert sorted(rows) == list(range(5))
    assert (rows[0]["ended"], rows[0]["success"], rows[0]["steps"]) == ("error", None, 1)
    assert "joints holds NaN" in rows[0]["error"]
    assert {rows[index]["ended"] for index in range(1, 5)} == {"success"}
    summary = json.loads((folder / "summary.json").read_text())
    assert (summary["episodes"], summary["successes"], summary["errors"], summary["success_rate"]) == (5, 4, 1, 1.0)
    assert "4 succeeded, 1 ended in an error" in out
    assert f"Results:    {folder}\n" in out
    assert f"wandb sync {folder}/wandb/offline-run-" in out
    assert "success 4/4" in err
    for row in rows.values():
        # The frame of the step that ended an episode shows the next one already; an error ends none.
        assert frames_of(folder / row["video"]) == row["steps"] + (row["ended"] == "error")
    written = [path for path in folder.rglob("*") if path.is_file()]
    names = {str(path.relative_to(folder)) for path in written}
    assert {
        "plan.json",
        "episodes.jsonl",
        "summary.json",
        "manifest.json",
        "report.html",
        ".hydra/config.yaml",
    } <= names
    assert not [path for path in written if TOKEN.encode() in path.read_bytes()], "the token is in the run folder"
    assert TOKEN not in out + err
    assert not wait_until_group_is_empty(process.pid)


@pytest.mark.isaaclab
def test_server_killed_in_mid_episode_costs_the_running_episodes_alone(groot_play, policy_process, tmp_path):
    server = policy_process("half_solved")
    port = server.ports["half_solved"]
    process = groot_play(
        f"server.port={port}",
        "task.id=Toy-Slow-v0",
        "num_envs=2",
        "episodes=20",
        "horizons.episode=100",
        "recorder=[video]",
        "retries=0",
        "hydra.run.dir=run",
    )
    folder = tmp_path / "run"
    wait_for_rows(folder, 1, process)
    time.sleep(0.3)
    server.kill()
    killed_at = time.monotonic()
    code, out, err = finish(process)
    assert time.monotonic() - killed_at < 20, "a dead server is noticed at once, not by a time-out"
    assert code == 1
    assert f"Gr00t server at tcp://localhost:{port} broke off" in err
    assert "Traceback" not in err
    rows = rows_of(folder)
    assert rows[0]["ended"] == "success"
    errors = [row for row in rows if row["ended"] == "error"]
    assert 1 <= len(errors) <= 2
    assert rows[-len(errors) :] == errors
    for row in errors:
        assert "broke off" in row["error"]
        assert row["success"] is None
        assert frames_of(folder / row["video"]) >= 1
    summary = json.loads((folder / "summary.json").read_text())
    assert (summary["episodes"], summary["errors"]) == (len(rows), len(errors))
    assert "ended in an error" in out
    assert not wait_until_group_is_empty(process.pid)


@pytest.mark.isaaclab
def test_interrupt_keeps_what_is_finished(groot_play, tmp_path):
    """Ctrl-C reaches the whole process group: groot-play, the embedded server, W&B's service.

    A person presses it again while the run ends, which takes its time.
    """
    process = groot_play(
        "server=expert",
        "+recorder.lingering._target_=tests.support.samples.rows.Lingering",
        "task.expert._target_=tests.support.servers.policy_servers.Reaching",
        "task.id=Toy-Slow-v0",
        "num_envs=2",
        "episodes=20",
        "horizons.episode=200",
        "hydra.run.dir=run",
    )
    folder = tmp_path / "run"
    wait_for_rows(folder, 1, process)
    time.sleep(0.5)
    finished = len(rows_of(folder))
    os.killpg(process.pid, signal.SIGINT)
    while not (folder / "lingers").exists():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.05)
    time.sleep(BURST_S)
    os.killpg(process.pid, signal.SIGINT)
    code, out, err = finish(process, timeout=30)
    assert code in (130, -signal.SIGINT), "which a shell shows as 130 too"
    assert "Traceback" not in err
    assert (folder / "lingered").exists()
    rows = rows_of(folder)
    assert len(rows) >= finished
    assert all(row["ended"] in ("success", "time_out") for row in rows), "what was interrupted is no outcome"
    assert json.loads((folder / "summary.json").read_text())["episodes"] == len(rows)
    assert "succeeded" in out
    videos = sorted((folder / "videos").glob("*.mp4"))
    assert len(videos) > len(rows), "the episodes that were running have videos too"
    assert all(frames_of(video) >= 1 for video in videos)
    (offline,) = folder.glob("wandb/offline-run-*/*.wandb")
    assert f"wandb sync {offline.parent}" in out
    logged = read_offline_run(offline)
    assert len([entry for entry in logged.history if "episode/index" in entry]) == len(rows)
    assert logged.exit_code is not None, "W&B's run is closed"
    assert not wait_until_group_is_empty(process.pid)


@pytest.mark.isaaclab
def test_terminal_that_is_closed_ends_a_sweep_with_all_that_its_job_has(groot_play, tmp_path):
    """Its processes are told by SIGHUP, and what they write is refused; then a scheduler grows impatient."""
    terminal, theirs = pty.openpty()
    process = groot_play(
        "-m",
        "seed=1,2",
        "server=expert",
        "task.expert._target_=tests.support.servers.policy_servers.Reaching",
        "task.id=Toy-Slow-v0",
        "num_envs=2",
        "episodes=20",
        "horizons.episode=200",
        "sweep.name=mine",
        terminal=theirs,
    )
    os.close(theirs)
    sweep = tmp_path / "outputs/sweeps/mine"
    shown = b""
    while not any(map(rows_of, sweep.glob("*/"))):
        assert process.poll() is None, shown
        if select.select([terminal], [], [], 0.05)[0]:
            shown += os.read(terminal, 4096)
    os.close(terminal)
    time.sleep(BURST_S + 0.1)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
    assert process.wait(30) == 130, shown
    (folder,) = (job.parent for job in sweep.glob("*/episodes.jsonl"))
    rows = rows_of(folder)
    assert json.loads((folder / "summary.json").read_text())["episodes"] == len(rows)
    assert (folder / "report.html").exists()
    assert not (folder / "job.json").exists(), "what is cut off is gone on with"
    (offline,) = folder.glob("wandb/offline-run-*/*.wandb")
    assert read_offline_run(offline).exit_code is not None, "W&B's run is closed"
    assert not wait_until_group_is_empty(process.pid)


@pytest.mark.isaaclab
def test_embedded_server_ends_by_itself_when_groot_play_is_killed(groot_play, tmp_path):
    process = groot_play(
        "server=expert",
        "task.id=Toy-Slow-v0",
        "task.expert._target_=tests.support.servers.policy_servers.Reaching",
        "horizons.episode=10000",
        "episodes=20",
        "recorder=[]",
        "hydra.run.dir=run",
    )
    wait_for_rows(tmp_path / "run", 1, process)
    assert len(processes_of_group(process.pid)) >= 2, "groot-play and the embedded server"
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)
    assert wait_until_group_is_empty(process.pid) == []
    rows = rows_of(tmp_path / "run")
    assert rows[0]["ended"] == "success"
    with pytest.raises(AssertionError):
        wait_for_rows(tmp_path / "run", len(rows) + 1, process)
