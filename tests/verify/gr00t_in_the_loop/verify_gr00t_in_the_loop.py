"""The lift played by a checkpoint of GR00T: control steps a second beside NVIDIA's server, and the same run again.

  python -m tests.verify.gr00t_in_the_loop.verify_gr00t_in_the_loop --gr00t-python ../Isaac-GR00T/.venv/bin/python \
      --model-path CHECKPOINT --out outputs/gr00t_in_the_loop

Runs where IsaacLab is; the servers run in NVIDIA's environment on the same machine. Two parts, each alone by
``--part``:

* speed: 64 envs on the card, two cameras, 16 steps of each chunk, in turn by NVIDIA's policy and server, and by ours.
* same: one evaluation with 16 envs, with 4, by two clients at once, and after a restart of the server; with the
  simulator on the CPU, which is deterministic. Then twice by NVIDIA's server.
"""

import argparse
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from groot_wrappers.protocol.client import PolicyClient

NVIDIA = [
    "-c",
    "import sys; from gr00t.data.embodiment_tags import EmbodimentTag; from gr00t.policy.gr00t_policy import "
    "Gr00tPolicy; from gr00t.policy.server_client import PolicyServer; PolicyServer(Gr00tPolicy(EmbodimentTag("
    "sys.argv[2]), sys.argv[1], device=sys.argv[3]), host='127.0.0.1', port=int(sys.argv[4])).run()",
]
"""What ``gr00t/eval/run_gr00t_server.py`` does, on loopback."""

EXECUTION = 16
RECORDED = f"+recorder.chunks._target_={__package__}.chunk_digests.ChunkDigests"
DIFFERS = ("env", "video")
"""Fields of a row that are no matter of the episode."""


class Proof:
    """What is asked for, and what was found so far."""

    def __init__(self, asked: argparse.Namespace) -> None:
        self.asked, self.found = asked, {}
        self.folder = Path(asked.out).absolute()
        self.folder.mkdir(parents=True, exist_ok=True)

    def tell(self, name: str, found: object) -> None:
        """Print a finding and write all of them."""
        self.found[name] = found
        print(f"{name}: {json.dumps(found)}", flush=True)
        (self.folder / "results.json").write_text(json.dumps(self.found, indent=1))

    @contextmanager
    def server(self, tier: str, batch_sizes: str = "") -> Iterator[int]:
        """Start NVIDIA's server (tier ``nvidia``) or ours, and yield its port once it is ready."""
        asked = self.asked
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        if tier == "nvidia":
            command = [*NVIDIA, asked.model_path, asked.embodiment_tag, asked.device, str(port)]
        else:
            command = ["-m", "groot_wrappers.serve", "gr00t", "--model-path", asked.model_path, "--embodiment-tag"]
            command += [asked.embodiment_tag, "--tier", tier, "--device", asked.device, "--port", str(port)]
            command += ["--batch-sizes", batch_sizes] if batch_sizes else []
        began = time.perf_counter()
        with (self.folder / f"server_{tier}.log").open("a") as log:
            server = subprocess.Popen([*asked.gr00t_python.split(), *command], stdout=log, stderr=log)
            try:
                with PolicyClient("127.0.0.1", port, connect_timeout_s=600) as client:
                    client.wait_until_ready()
                print(f"    {tier} is ready after {time.perf_counter() - began:.0f} s", flush=True)
                yield port
            finally:
                server.kill()
                server.wait()

    def start(self, name: str, port: int, *overrides: str) -> subprocess.Popen:
        """Begin a run; its folder is ``name`` below that of the proof."""
        command = [sys.executable, "-m", "runners.apps.play", f"embodiment={self.asked.embodiment_tag}"]
        command += [
            f"server.port={port}",
            f"hydra.run.dir={self.folder / name}",
            f"horizons.execution={EXECUTION}",
            *overrides,
        ]
        with (self.folder / f"{name.replace('/', '_')}.log").open("w") as log:
            return subprocess.Popen(command, stdout=log, stderr=log)

    def play(self, name: str, port: int, *overrides: str) -> None:
        """Play a run to its end."""
        ended(self.start(name, port, *overrides), name)

    def lines(self, file: str, *names: str) -> list[dict]:
        """Return the lines of a file of a run, or of its parts."""
        return [json.loads(line) for name in names for line in (self.folder / name / file).open()]

    def rows(self, *names: str) -> dict[int, dict]:
        """Return the rows of a run by index, without what is no matter of the episode."""
        rows = self.lines("episodes.jsonl", *names)
        return {row["index"]: {key: value for key, value in row.items() if key not in DIFFERS} for row in rows}

    def chunks(self, *names: str) -> dict[tuple[int, int], str]:
        """Return the digest of each chunk by the episode's index and the request's number."""
        return {(one["index"], one["request"]): one["chunk"] for one in self.lines("chunks.jsonl", *names)}


def ended(run: subprocess.Popen, name: str) -> None:
    """Wait for a run."""
    if (code := run.wait(900)) != 0:
        raise SystemExit(f"{name} ended with exit code {code}; its log lies beside its folder")


def speed(proof: Proof) -> None:
    """Play 64 envs by each server in turn; the rate is that of the beats after the first, which captures."""
    asked = proof.asked
    settings = [f"num_envs={asked.num_envs}", f"episodes={asked.rounds * asked.num_envs}", "horizons.episode=320"]
    settings += [f"sim.device={asked.sim_device}", "recorder=[]", RECORDED, *asked.overrides.split()]
    rates: list[float] = []
    for tier in asked.tiers.split(","):
        with proof.server(tier, str(asked.num_envs)) as port:
            proof.play(f"speed/{tier}", port, *settings)
        summary = json.loads((proof.folder / f"speed/{tier}/summary.json").read_text())
        played = sorted({one["at"] for one in proof.lines("chunks.jsonl", f"speed/{tier}")})
        steps = EXECUTION * asked.num_envs * (len(played) - 1)
        rates.append(steps / (played[-1] - played[0]))
        told = {"control steps a second": round(rates[-1], 1), "times the first": round(rates[-1] / rates[0], 2)}
        told |= {"over the whole run": summary["env_steps_per_s"], "beats": len(played)}
        proof.tell(f"speed, {tier}", told | {"server": summary["server"]})


def same(proof: Proof) -> None:
    """Play one evaluation in four ways that must not matter, and twice by a server that draws anew."""
    asked = proof.asked
    settings = [f"episodes={asked.episodes}", "horizons.episode=64", "sim.device=cpu", "clock=paused"]
    settings += ["recorder=[]", RECORDED]
    with proof.server("graphs", asked.bucket) as port:
        proof.play("same/envs_16", port, "num_envs=16", *settings)
        proof.play("same/envs_4", port, "num_envs=4", *settings)
        parts = [f"same/part_{part}" for part in range(2)]
        runs = [
            proof.start(name, port, "num_envs=4", "shard.count=2", f"shard.index={part}", *settings)
            for part, name in enumerate(parts)
        ]
        for run, name in zip(runs, parts, strict=True):
            ended(run, name)
    with proof.server("graphs", asked.bucket) as port:
        proof.play("same/restarted", port, "num_envs=16", *settings)
    with proof.server("nvidia") as port:
        proof.play("same/nvidia_1", port, "num_envs=4", *settings)
        proof.play("same/nvidia_2", port, "num_envs=4", *settings)
    compare(proof, ["same/envs_16"], {"4 envs": ["same/envs_4"], "two clients": parts, "restarted": ["same/restarted"]})
    compare(proof, ["same/nvidia_1"], {"NVIDIA's server again": ["same/nvidia_2"]})


def compare(proof: Proof, first: Sequence[str], others: dict[str, Sequence[str]]) -> None:
    """Tell how many chunks and rows of others are those of the first, bit for bit."""
    chunks, rows = proof.chunks(*first), proof.rows(*first)
    for name, parts in others.items():
        their_chunks, their_rows = proof.chunks(*parts), proof.rows(*parts)
        told = {
            "chunks": len(chunks),
            "of theirs": len(their_chunks),
            "the same bits": sum(their_chunks.get(key) == digest for key, digest in chunks.items()),
            "rows": len(rows),
            "the same rows": sum(their_rows.get(index) == row for index, row in rows.items()),
        }
        proof.tell(f"same, {name} beside {first[0]}", told)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True)
    parser.add_argument("--gr00t-python", required=True, help="the Python of NVIDIA's environment")
    parser.add_argument("--model-path", required=True)
    parser.add_argument("--embodiment-tag", default="libero_panda")
    parser.add_argument("--device", default="cuda:0", help="of the model")
    parser.add_argument("--part", choices=("speed", "same"), action="append")
    parser.add_argument("--tiers", default="nvidia,graphs,compile", help="of the part speed")
    parser.add_argument("--num-envs", type=int, default=64, help="of the part speed")
    parser.add_argument("--rounds", type=int, default=4, help="of the part speed: episodes of each env")
    parser.add_argument("--sim-device", default="cuda:0", help="of the part speed")
    parser.add_argument("--overrides", default="", help="more settings of the part speed")
    parser.add_argument("--episodes", type=int, default=16, help="of the part same")
    parser.add_argument("--bucket", default="16", help="of the part same")
    asked = parser.parse_args()
    proof = Proof(asked)
    for part in asked.part or ("speed", "same"):
        {"speed": speed, "same": same}[part](proof)


if __name__ == "__main__":
    main()
