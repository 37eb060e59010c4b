"""Sweeps by submitit: jobs in processes of this machine that start their servers, and what SLURM is asked for."""

import json
import os
import signal

import hydra
import pytest
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from hydra.utils import get_class

from runners.config.override_errors import explain
from runners.config.schema import register_schemas
from runners.launch.resolvers import register_resolvers
from tests.runners.sweeps.test_sweeps import wait_for_jobs
from tests.support.processes import SERVE, START_S, finish, living, require_every_episode_once, wait_for_rows


@pytest.mark.isaaclab
def test_job_starts_its_server_again_and_one_that_is_refused_stops_no_other(groot_play, tmp_path):
    process = groot_play(
        "-m",
        "num_envs=2,0",
        "task.id=Toy-Slow-v0",
        "episodes=4",
        "horizons.episode=20",
        "recorder=[]",
        "server=started",
        f"server.command='{SERVE}'",
        "sweep.name=mine",
        "hydra/launcher=submitit_local",
    )
    sweep = tmp_path / "outputs/sweeps/mine"
    played, refused = (sweep / job.name for job in wait_for_jobs(sweep, process))
    wait_for_rows(played, 1, process, timeout=2 * START_S)  # submitit starts processes that start the job's
    (server,) = servers_of(played)
    os.kill(server["pid"], signal.SIGKILL)
    code, out, err = finish(process)
    assert code == 1, err
    assert "1 of 2 jobs are done" in out
    assert f"({refused.relative_to(tmp_path)}): num_envs=0 was asked for, but the least is 1" in out
    rows = require_every_episode_once(played, 4)
    assert any(row["ended"] == "error" for row in rows)
    servers = servers_of(played)
    assert len(servers) == 2, "the one that was killed is started again"
    assert living([server["pid"] for server in servers]) == []


def servers_of(folder):
    """Return what the servers of a job have said of themselves."""
    log = folder / "server.log"
    return [json.loads(line) for line in log.read_text().splitlines() if line[0] == "{"] if log.exists() else []


@pytest.mark.isaaclab
def test_slurm_is_asked_to_put_back_what_it_cuts_off():
    register_schemas()
    register_resolvers()
    GlobalHydra.instance().clear()
    with hydra.initialize_config_module("conf", version_base="1.3"):
        launcher = hydra.compose("play", ["hydra/launcher=slurm"], return_hydra_config=True).hydra.launcher
    assert get_class(launcher._target_).__name__ == "SlurmLauncher"
    assert launcher.additional_parameters.requeue is True
    assert launcher.max_num_timeout > 0
    assert 60 * launcher.timeout_min > launcher.signal_delay_s > 0


@pytest.mark.parametrize(
    ("told", "extra"),
    [
        ("In 'hydra/launcher/slurm': Could not load 'hydra/launcher/submitit_slurm'.", "slurm"),
        ("Could not find 'hydra/launcher/joblib'\n\nAvailable options in 'hydra/launcher':\n\tbasic", "joblib"),
    ],
)
def test_launcher_that_is_not_installed_is_told_with_its_extra(told, extra):
    assert explain(HydraException(told), "play").endswith(f"pip install -e '.[{extra}]'")
