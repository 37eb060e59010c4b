"""Policies that learned, from nothing: record the experts, train ACT, play the checkpoints from starts never recorded.

  python -m tests.verify.learned.verify_learned --learned-python .learned/bin/python --out outputs/learned

Runs where IsaacLab is, on a machine with a card. Three trainings: on clean demonstrations of the lift, on as many with
noise on what was played, and on both cubes of the named-cube task, from the same starts. What each checkpoint does is
in ``results.json``, recordings, checkpoints and runs lie beside it.
"""

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TRAIN = Path(__file__).parents[3] / "docs/tutorials/learned_policy/train.py"
NAMED = "task=lift_named_cube_franka"
BOTH = [NAMED, "instruction=red_or_blue_cube"]
# From the same starts with either text: else each picture goes with one text, and no policy has to read it.
TEXTS = [NAMED, "seed=3000", "action_noise=0.01"]
RECORDINGS = {
    "clean": ["seed=1000"],
    "noisy": ["seed=2000", "action_noise=0.01"],
    "red": [*TEXTS, "instruction.text=pick up the red cube"],
    "blue": [*TEXTS, "instruction.text=pick up the blue cube"],
}
"""What the expert's runs are asked for."""


@dataclass(frozen=True)
class Training:
    """The recordings that are learned from, how many times ``--steps``, and train.py's other arguments."""

    recordings: tuple[str, ...]
    times: int = 1
    extra: tuple[str, ...] = ()


TRAININGS = {
    "clean": Training(("clean",)),
    "noisy": Training(("noisy",)),
    "named": Training(("red", "blue"), times=4, extra=("--beginnings", "5")),
}
SHARDS = 4
"""Runs of each recording, side by side: the expert works on one core."""

STARTS = ["seed=100000"]
"""No recording has these."""
EVALUATIONS = {
    "noisy": ("noisy", STARTS),
    "noisy_execution_4": ("noisy", [*STARTS, "horizons.execution=4"]),
    "noisy_execution_16": ("noisy", [*STARTS, "horizons.execution=16"]),
    "noisy_delay_2": ("noisy", [*STARTS, "clock=real", "horizons.delay=2"]),
    "noisy_delay_4": ("noisy", [*STARTS, "clock=real", "horizons.delay=4"]),
    "clean": ("clean", STARTS),
    "named": ("named", [*STARTS, *BOTH]),
    "named_swapped": ("swapped", [*STARTS, *BOTH]),
}
"""Training and settings of each run; ``swapped`` is ``named``, told the other of the two cubes."""
COMPARED = [("clean", "noisy"), *(("noisy", name) for name in EVALUATIONS if name.startswith("noisy_"))]
TOLD = ("successes", "episodes", "success_rate", "ci_low", "ci_high", "env_steps_per_s")


class Proof:
    """What is asked for, and what was found so far."""

    def __init__(self, asked: argparse.Namespace) -> None:
        self.asked, self.found = asked, {}
        self.folder = Path(asked.out).absolute()
        self.logs = self.folder / "logs"
        self.logs.mkdir(parents=True, exist_ok=True)
        self.envs = f"num_envs={asked.num_envs}"
        self.began = time.perf_counter()

    def tell(self, name: str, found: object) -> None:
        """Print a finding and write all of them."""
        self.found[name] = found
        print(f"[{time.perf_counter() - self.began:.0f} s] {name}: {json.dumps(found)}", flush=True)
        (self.folder / "results.json").write_text(json.dumps(self.found, indent=1))

    def side_by_side(self, commands: Mapping[str, Sequence[str]]) -> None:
        """Run commands at the same time, each with a log, and wait for all of them."""
        running = {}
        for name, command in commands.items():
            with (self.logs / f"{name}.log").open("w") as log:
                running[name] = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        codes = {name: process.wait() for name, process in running.items()}
        for name, code in codes.items():
            if code != 0:
                print((self.logs / f"{name}.log").read_text()[-3000:])
                raise SystemExit(f"{name} ended with exit code {code}: {self.logs / name}.log")

    def play(self, name: str, *overrides: str) -> list[str]:
        """Return the command of a run in the folder ``name``."""
        settings = [f"sim.device={self.asked.device}", "horizons=chunked"]
        folder = f"hydra.run.dir={self.folder / name}"
        return [sys.executable, "-m", "runners.apps.play", *settings, folder, *overrides]

    def record(self) -> None:
        """Record the experts' episodes that succeeded."""
        recorder = ["server=expert", self.envs, "recorder=[lerobot]", "recorder.lerobot.episodes=successful"]
        # The first start on a machine compiles kernels, which the others then find.
        self.side_by_side({"first": self.play("first", "server=expert", "recorder=[]", "episodes=1")})
        self.tell("first_start", "done")
        episodes = [f"episodes={self.asked.demonstrations}", f"shard.count={SHARDS}"]
        self.side_by_side(
            {
                f"{name}_{shard}": self.play(f"{name}_{shard}", *recorder, *settings, *episodes, f"shard.index={shard}")
                for name, settings in RECORDINGS.items()
                for shard in range(SHARDS)
            }
        )
        counts = {name: sum(map(_episodes_in, self.datasets([name]))) for name in RECORDINGS}
        self.tell("recorded", counts)

    def datasets(self, names: Sequence[str]) -> list[Path]:
        """Return the data sets of recordings."""
        return [self.folder / f"{name}_{shard}" / "dataset" for name in names for shard in range(SHARDS)]

    def train(self) -> None:
        """Train on the recordings."""
        train = [*self.asked.learned_python.split(), str(TRAIN), "--device", self.asked.device]
        commands = {}
        for name, training in TRAININGS.items():
            steps = ["--steps", str(self.steps(name)), "--save-every", str(max(1, self.asked.steps // 4))]
            out = ["--out", str(self.folder / f"act_{name}"), *training.extra]
            commands[f"train_{name}"] = [*train, *map(str, self.datasets(training.recordings)), *steps, *out]
        self.side_by_side(commands)
        swapped = self.checkpoint("swapped")
        shutil.copytree(self.checkpoint("named"), swapped)
        texts = json.loads((swapped / "instructions.json").read_text())
        (swapped / "instructions.json").write_text(json.dumps(texts[::-1]))
        self.tell("trained", {"steps": self.asked.steps, "texts": texts})

    def steps(self, name: str) -> int:
        """Return how many steps a training takes."""
        return TRAININGS[name].times * self.asked.steps

    def checkpoint(self, name: str) -> Path:
        """Return the folder of a training's last checkpoint, or of its copy with the texts swapped."""
        steps = self.steps("named" if name == "swapped" else name)
        return self.folder / f"act_{name}/checkpoints/{steps:06d}/pretrained_model"

    def evaluate(self) -> None:
        """Play every checkpoint."""
        commands = {}
        for name, (training, settings) in EVALUATIONS.items():
            serve = f"{self.asked.learned_python} -m groot_wrappers.serve lerobot --device {self.asked.device}"
            command = f"server.command='{serve} --checkpoint {self.checkpoint(training)} --port {{port}}'"
            asked = ["server=started", command, self.envs, f"episodes={self.asked.starts}", *settings]
            commands[f"play_{name}"] = self.play(f"play_{name}", *asked, "recorder=[]")
        self.side_by_side(commands)
        for name in EVALUATIONS:
            summary = json.loads((self.folder / f"play_{name}" / "summary.json").read_text())
            self.tell(name, {key: summary[key] for key in TOLD} | {"events": summary["funnel"]["events"]})

    def compare(self) -> None:
        """Compare what is paired, as ``groot-report --compare`` tells it."""
        for one, other in COMPARED:
            folders = [str(self.folder / f"play_{name}") for name in (one, other)]
            name = f"{one} -> {other}"
            self.side_by_side({name: [sys.executable, "-m", "runners.apps.report", "--compare", *folders]})
            self.tell(name, (self.logs / f"{name}.log").read_text())


def _episodes_in(dataset: Path) -> int:
    return len((dataset / "meta/episodes.jsonl").read_text().splitlines())


def main() -> None:
    """Record, train, play, compare; exit code 1 where the noisy recording's success is below what is claimed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--learned-python", default=".learned/bin/python", help="of the environment with LeRobot")
    parser.add_argument("--out", default="outputs/learned")
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--num-envs", type=int, default=64)
    parser.add_argument("--demonstrations", type=int, default=500, help="episodes of each recording")
    parser.add_argument("--steps", type=int, default=2000, help="of each training")
    parser.add_argument("--starts", type=int, default=200, help="that each checkpoint is played from")
    parser.add_argument("--claimed", type=float, default=0.9, help="success rate that the noisy recording has to give")
    asked = parser.parse_args()
    proof = Proof(asked)
    for part in (proof.record, proof.train, proof.evaluate, proof.compare):
        part()
    rate = proof.found["noisy"]["success_rate"]
    if rate < asked.claimed:
        raise SystemExit(f"{rate:.0%} of the starts succeeded, and {asked.claimed:.0%} are claimed")


if __name__ == "__main__":
    main()
