"""A SLURM of one node on this machine, for a proof: its daemons, keys and state live in one folder and end with it.

No accounting, no systemd, loopback alone. Its GPUs are character devices that nothing drives: SLURM hands them out, and
says so in ``CUDA_VISIBLE_DEVICES``, as it does with real ones.
"""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import time
from pathlib import Path

__all__ = ["NODE", "PACKAGES", "SlurmCluster"]

PACKAGES = {"munge": "munged", "slurm-wlm": "slurmctld"}
"""Debian's packages, each with a program of it."""

NODE = "node1"
START_S = 60

CONFIG = """
ClusterName=proof
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ctld_port}
SlurmdPort={slurmd_port}
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CredType=cred/munge
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
MailProg=/bin/true
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
GresTypes=gpu
ReturnToService=2
SlurmdTimeout=10
KillWait=5
JobRequeue=1
NodeName={node} NodeAddr=127.0.0.1 NodeHostname={host} CPUs={cpus} RealMemory={memory_mb} Gres=gpu:{gpus} State=UNKNOWN
PartitionName=proof Nodes={node} Default=YES MaxTime=INFINITE State=UP
"""


class SlurmCluster:
    """A context in which ``sbatch``, ``squeue`` and their like reach a SLURM that is there for its length alone.

    Args:
        folder: Where all of it lies; short, as it holds sockets.
        cpus: How many the node claims to have, whatever the machine has.
        gpus: How many it is made to have.
    """

    def __init__(self, folder: Path, cpus: int = 8, gpus: int = 4) -> None:
        self.folder, self.cpus, self.gpus = folder, cpus, gpus
        self.environment = {"SLURM_CONF": str(folder / "slurm.conf")}
        self._daemons: dict[str, subprocess.Popen] = {}

    def __enter__(self) -> "SlurmCluster":
        try:
            self._configure()
            self._start(
                "munged",
                "--foreground",
                "--force",
                f"--key-file={self.folder}/munge/key",
                f"--socket={self.folder}/munge/socket",
                f"--pid-file={self.folder}/munge/pid",
                f"--log-file={self.folder}/munge/log",
                f"--seed-file={self.folder}/munge/seed",
            )
            self._wait("munged listens", (self.folder / "munge/socket").exists)
            self._start("slurmctld", "-D", "-i", "-f", self.environment["SLURM_CONF"])
            self.start_slurmd()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self._end()

    def start_slurmd(self) -> None:
        """Start the node's daemon, and wait until the controller may give it jobs."""
        self._start("slurmd", "-D", "-N", NODE, "-f", self.environment["SLURM_CONF"])
        self._wait("the node is ready", lambda: self.node_state() in ("idle", "mixed", "allocated"))

    def kill_slurmd(self) -> None:
        """Kill the node's daemon by SIGKILL; what it has started goes on."""
        daemon = self._daemons.pop("slurmd")
        daemon.kill()
        daemon.wait(10)

    def kill_steps(self) -> None:
        """Kill all that runs in jobs by SIGKILL, as a machine that is lost does."""
        for process in self._processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    def node_state(self) -> str:
        """Return the state of the node, without the signs of what else is so; empty where the controller is silent."""
        try:
            return self.run("sinfo", "--noheader", "--format=%T").strip().rstrip("*~#!%$@^-")
        except subprocess.CalledProcessError:
            return ""

    def run(self, *command: str) -> str:
        """Run a command of SLURM; return what it prints."""
        return subprocess.run(
            command, env=os.environ | self.environment, capture_output=True, text=True, check=True, timeout=60
        ).stdout

    def logs(self) -> str:
        """Return the ends of the logs of the daemons."""
        ends = (f"{name}:\n{(self.folder / name).read_text()[-3000:]}" for name in ("slurmctld.log", "slurmd.log"))
        return "\n".join(ends)

    def _configure(self) -> None:
        for name in ("munge", "state", "spool", "gpus"):
            (self.folder / name).mkdir(mode=0o700, parents=True)
        key = self.folder / "munge/key"
        key.touch(mode=0o600)
        key.write_bytes(secrets.token_bytes(128))
        for gpu in range(self.gpus):  # of the kind of /dev/null
            os.mknod(self.folder / f"gpus/gpu{gpu}", stat.S_IFCHR | 0o600, os.makedev(1, 3))
        (self.folder / "gres.conf").write_text(
            f"NodeName={NODE} Name=gpu File={self.folder}/gpus/gpu[0-{self.gpus - 1}] Flags=nvidia_gpu_env\n"
        )
        memory_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
        (self.folder / "slurm.conf").write_text(
            CONFIG.format(
                folder=self.folder,
                host=socket.gethostname().partition(".")[0],
                node=NODE,
                cpus=self.cpus,
                gpus=self.gpus,
                memory_mb=memory_mb,
                ctld_port=_free_port(),
                slurmd_port=_free_port(),
            )
        )

    def _start(self, program: str, *arguments: str) -> None:
        path = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin")
        with (self.folder / f"{program}.out").open("ab") as output:
            self._daemons[program] = subprocess.Popen(
                [str(path), *arguments], stdout=output, stderr=output, stdin=subprocess.DEVNULL, start_new_session=True
            )

    def _wait(self, what: str, ready) -> None:
        deadline = time.monotonic() + START_S
        while not ready():
            for name, daemon in self._daemons.items():
                assert daemon.poll() is None, f"{name} ended: {(self.folder / f'{name}.out').read_text()[-2000:]}"
            assert time.monotonic() < deadline, f"waited {START_S} s until {what}. {self.logs()}"
            time.sleep(0.2)

    def _processes(self) -> list[int]:
        """Return what runs in the jobs of this cluster, by its settings in their environment, and what watches them."""
        found = []
        mark = f"SLURM_CONF={self.environment['SLURM_CONF']}".encode()
        for path in Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):
                variables = path.read_bytes().split(b"\0")
                of_job = any(variable.startswith(b"SLURM_JOB_ID=") for variable in variables)
                if mark in variables and (of_job or "slurmstepd" in (path.parent / "comm").read_text()):
                    found.append(int(path.parent.name))
        return found

    def _end(self) -> None:
        """End all daemons, and what they have started."""
        for name in ("slurmctld", "slurmd", "munged"):
            daemon = self._daemons.pop(name, None)
            if daemon is not None:
                daemon.kill()
                daemon.wait(10)
        self.kill_steps()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
