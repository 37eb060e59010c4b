"""A policy that learned, from nothing: record the expert, train ACT, play two of its checkpoints, compare them.

  python -m tests.verify.learned.verify_learned --learned-python .learned/bin/python --out outputs/learned

Runs where IsaacLab is, on a machine with a card. Recordings, checkpoints and runs are below ``--out``; what was found is
in its ``results.json``. A step whose folder is there is not done again.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

TRAIN = Path(__file__).parents[3] / "docs/tutorials/learned_policy/train.py"
RECORDINGS = {"clean": (1000, 0.0), "noisy": (2000, 0.01)}
"""Of each recording: the seed of its starts, and the share of noise on what is played."""
STARTS_SEED = 100000


class Proof:
    """What is asked for, and what was found so far."""

    def __init__(self, asked: argparse.Namespace) -> None:
        self.asked, self.found = asked, {}
        self.folder = Path(asked.out).absolute()
        self.folder.mkdir(parents=True, exist_ok=True)

    def step(self, name: str, do: Callable[[], None]) -> None:
        """Do what the folder of that name is not there for, and tell how long it took."""
        if (self.folder / name).exists():
            return
        began = time.perf_counter()
        do()
        self.tell(f"{name}_s", round(time.perf_counter() - began))

    def tell(self, name: str, found: object) -> None:
        """Print a finding and write all of them."""
        self.found[name] = found
        print(f"{name}: {json.dumps(found)}", flush=True)
        (self.folder / "results.json").write_text(json.dumps(self.found, indent=1))

    def run(self, name: str, *command: str) -> str:
        """Run a command to its end and return what it printed, which is also in ``<name>.log``."""
        log = self.folder / f"{name}.log"
        with log.open("w") as out:
            code = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, check=False).returncode
        if code != 0:
            raise SystemExit(f"{name} ended with exit code {code}: {log}")
        return log.read_text()

    def play(self, name: str, *overrides: str) -> None:
        """Play a run in the folder ``name``."""
        settings = [f"num_envs={self.asked.num_envs}", f"sim.device={self.asked.device}", "horizons=chunked"]
        folder = f"hydra.run.dir={self.folder / name}"
        self.run(name, sys.executable, "-m", "runners.apps.play", *settings, folder, *overrides)

    def record(self, name: str) -> None:
        """Record the expert's lifts that succeeded."""
        seed, noise = RECORDINGS[name]
        recorder = ["recorder=[lerobot]", "recorder.lerobot.episodes=successful"]
        episodes = f"episodes={self.asked.demonstrations}"
        self.play(name, "server=expert", *recorder, episodes, f"seed={seed}", f"action_noise={noise}")

    def train(self) -> None:
        """Train, with a checkpoint at a tenth of the steps and at their end."""
        asked = self.asked
        datasets = [str(self.folder / name / "dataset") for name in RECORDINGS]
        steps = ["--steps", str(asked.steps), "--save-every", str(asked.steps // 10), "--device", asked.device]
        self.run("act", *asked.learned_python.split(), str(TRAIN), *datasets, "--out", str(self.folder / "act"), *steps)

    def evaluate(self, name: str, step: int) -> None:
        """Play a checkpoint from starts that no recording has."""
        asked = self.asked
        checkpoint = self.folder / f"act/checkpoints/{step:06d}/pretrained_model"
        serve = f"{asked.learned_python} -m groot_wrappers.serve lerobot --checkpoint {checkpoint}"
        server = ["server=started", f"server.command='{serve} --device {asked.device} --port {{port}}'"]
        self.play(name, *server, f"episodes={asked.starts}", f"seed={STARTS_SEED}")
        summary = json.loads((self.folder / name / "summary.json").read_text())
        self.tell(name, {key: summary[key] for key in ("successes", "episodes", "success_rate", "ci_low", "ci_high")})


def main() -> None:
    """Run all steps; exit code 1 where the last checkpoint is not shown to be better than the early one."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--learned-python", default=".learned/bin/python", help="of the environment with LeRobot")
    parser.add_argument("--out", default="outputs/learned")
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--num-envs", type=int, default=64)
    parser.add_argument("--demonstrations", type=int, default=400, help="episodes of each recording")
    parser.add_argument("--steps", type=int, default=8000, help="of the training")
    parser.add_argument("--starts", type=int, default=200, help="that each checkpoint is played from")
    asked = parser.parse_args()
    proof = Proof(asked)
    for name in RECORDINGS:
        proof.step(name, lambda name=name: proof.record(name))
    proof.step("act", proof.train)
    checkpoints = {"early": asked.steps // 10, "late": asked.steps}
    for name, step in checkpoints.items():
        proof.step(name, lambda name=name, step=step: proof.evaluate(name, step))
    early, late = (str(proof.folder / name) for name in checkpoints)
    compared = proof.run("compared", sys.executable, "-m", "runners.apps.report", "--compare", early, late)
    print(compared)


if __name__ == "__main__":
    main()
