"""The long proof that a sweep on SLURM loses no episode: an array of jobs with GPUs, whose node fails; ten minutes.

SLURM itself is real, on this machine alone, and installed from Debian's packages where it is missing (as root). The toy
env stands for the simulator, and groot-serve for the GR00T server that each job starts beside its simulation.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from tests.support.processes import ROOT, clean_environment, finish, groot_play, require_every_episode_once, rows_of
from tests.verify.support.slurm_cluster import PACKAGES, SlurmCluster

__all__ = ["clean_environment", "groot_play"]  # fixtures

EPISODES, JOBS = 12, 6
CONF = ROOT / "tests/support/toys/conf"
BIN = Path(sys.executable).parent
SERVE = (
    f"echo server on GPU $CUDA_VISIBLE_DEVICES; exec {BIN}/groot-serve --config-dir {CONF} policy=toy "
    "policy._target_=tests.support.servers.policy_servers.Reaching port={port}"
)
SWEEP = (
    "-m",
    "instruction.text=go there,'go, now',do nothing",
    "seed=0,1",
    "task.id=Toy-Slow-v0",
    "num_envs=2",
    f"episodes={EPISODES}",
    "horizons.episode=60",
    "recorder=[]",
    "server=started",
    f'server.command="{SERVE}"',
    "sweep.name=proof",
)
ON_SLURM = (
    "hydra/launcher=slurm",
    "hydra.launcher.gpus_per_node=2",
    "hydra.launcher.cpus_per_task=2",
    "hydra.launcher.mem_gb=1",
)


@pytest.fixture
def cluster(monkeypatch):
    """A SLURM whose commands this process and those that it starts use."""
    missing = [package for package, program in PACKAGES.items() if not shutil.which(program, path="/usr/sbin:/usr/bin")]
    if missing:
        if os.geteuid() != 0:
            pytest.fail(f"Install {' '.join(missing)} first, or run as root, which installs them.")
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        install = ["apt-get", "install", "-qq", "--yes", "--no-install-recommends", *missing]
        subprocess.run(install, check=True, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"})
    with tempfile.TemporaryDirectory(prefix="slurm-") as folder, SlurmCluster(Path(folder)) as cluster:
        for name, value in cluster.environment.items():
            monkeypatch.setenv(name, value)
        yield cluster


def test_sweep_survives_its_node_and_its_time_limit(cluster, groot_play, tmp_path):
    started = time.monotonic()
    process = groot_play(*SWEEP, *ON_SLURM)
    folder = tmp_path / "outputs/sweeps/proof"

    def rows():
        return sum(len(rows_of(job.parent)) for job in folder.glob("*/episodes.jsonl"))

    def happens(what):
        print(f"{time.monotonic() - started:4.0f} s, {rows():2} rows: {what}", flush=True)

    def wait_until(what, so):
        while not so():
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() - started < 1500, f"{what} did not come. {cluster.logs()}"
            time.sleep(0.5)
        happens(what)

    def wait_for_more_rows():
        before = rows()
        wait_until("episodes end", lambda: rows() >= before + 4)

    def wait_until_node_is_given_up():
        wait_until("the controller gives the node up", lambda: cluster.node_state() == "down")
        cluster.start_slurmd()

    wait_for_more_rows()
    held = [allocated_gpus(cluster, job) for job in running(cluster)]
    assert sorted(held) == ["0-1", "2-3"], "each job has two GPUs that no other has"

    cluster.kill_slurmd()
    happens("slurmd is killed; its jobs play on")
    wait_until_node_is_given_up()
    wait_for_more_rows()

    cluster.kill_slurmd()
    cluster.kill_steps()
    happens("the node is lost, with all that runs on it")
    wait_until_node_is_given_up()
    wait_for_more_rows()

    for job in running(cluster):
        cluster.run("scancel", "--signal=USR2", job)
    happens("jobs are told that their time is up")

    wait_until("all jobs are done", lambda: process.poll() is not None or rows_are_whole(folder))
    code, out, err = finish(process, timeout=600)
    happens(f"groot-play ends with code {code}")
    assert code == 0, out + err
    jobs = sorted(path.parent for path in folder.glob("*/job.json"))
    assert len(jobs) == JOBS
    successes, restarts = 0, []
    for job in jobs:
        settled = {row["index"]: row for row in require_every_episode_once(job, EPISODES)}
        successes += sum(row["success"] for row in settled.values())
        restarts.append(len(json.loads((job / "manifest.json").read_text())["earlier_starts"]))
        gpus = re.findall(r"server on GPU (\S*)", (job / "server.log").read_text())
        assert set(gpus) <= {"0,1", "2,3"}, "a server sees the GPUs of its own job"
    assert sum(restarts) >= 2, "the node failed while nothing was played"
    report = subprocess.run([BIN / "groot-report", folder], capture_output=True, text=True, check=True).stdout
    print(report)
    print(f"restarts of the jobs: {restarts}; {successes} of {JOBS * EPISODES} episodes succeeded", flush=True)
    for job in jobs:
        summary = json.loads((job / "summary.json").read_text())
        rate = f"{summary['successes']}/{summary['episodes']}"
        assert rate in report.replace(" of ", "/"), report


def running(cluster):
    """Return the ids of the jobs that run."""
    return cluster.run("squeue", "--noheader", "--states=RUNNING", "--format=%i").split()


def allocated_gpus(cluster, job):
    """Return the GPUs of a job as SLURM names them, ``0-1``."""
    (found,) = re.findall(r"gpu:\d+\(IDX:([\d,-]+)\)", cluster.run("scontrol", "show", "job", "--details", job))
    return found


def rows_are_whole(folder):
    return len(list(folder.glob("*/job.json"))) == JOBS
