"""How fast LIBERO goes on Newton, beside MuJoCo with its own renderer on the same machine.

  python -m tests.verify.libero.speed.time_libero --out outputs/libero_speed --device cuda:0 --num-envs 64 256 --mujoco

Each part is a process of its own, and what is known is in ``results.json`` and ``results.md`` as soon as it ends: rates
in control steps a second over all envs, and what 2,000 episodes of LIBERO's length would take at them. Kernels that
were never compiled on the machine are compiled by the first part, so its time until ready says nothing.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path

from tasks.libero.suites.suites import HORIZONS

SUITES = ("libero_spatial", "libero_object", "libero_goal", "libero_10")
TASKS, EPISODES = 10, 50
"""Of a suite, and of a task: 2,000 episodes in all."""
LONGEST_S = 900
EXECUTION = 8
"""Control steps of a chunk that are played."""


def all_episodes(start_s, steps_per_s):
    """Seconds of 2,000 episodes, where a start takes an env ``start_s`` of all envs' time."""
    steps = sum(TASKS * EPISODES * HORIZONS[suite] for suite in SUITES)
    return steps / steps_per_s + len(SUITES) * TASKS * EPISODES * start_s


def task_by_task(facts, steps_per_s):
    """Seconds of 2,000 episodes played as 40 runs of one task, one after the other, each a start of the simulator."""
    envs = facts["envs"]
    batches = math.ceil(EPISODES / envs)
    a_step = envs / steps_per_s
    return sum(TASKS * (facts["ready_s"] + batches * (facts["start_s"] + HORIZONS[suite] * a_step)) for suite in SUITES)


class Measurement:
    """What is asked for, and what was found so far."""

    def __init__(self, asked):
        self.asked, self.found = asked, {}
        self.folder = Path(asked.out).absolute()
        self.folder.mkdir(parents=True, exist_ok=True)

    def part(self, name, module, *arguments):
        """Run a part and keep what it wrote, or how it ended."""
        path, log = self.folder / f"{name}.json", self.folder / f"{name}.log"
        path.unlink(missing_ok=True)
        task = [self.asked.task, str(self.asked.index)]
        command = [sys.executable, "-m", f"{__package__}.{module}", str(path), *task, *map(str, arguments)]
        begun = time.perf_counter()
        with log.open("w") as file:
            ended = subprocess.run(
                ["timeout", str(LONGEST_S), *command], stdout=file, stderr=subprocess.STDOUT, check=False
            )
        # A simulator may fall over as it closes, when all has been measured.
        told = json.loads(path.read_text()) if path.exists() else {"failed": log.read_text()[-600:]}
        self.found[name] = told | {"exit_code": ended.returncode, "wall_s": time.perf_counter() - begun}
        print(f"{name}: {json.dumps(self.found[name])}", flush=True)
        (self.folder / "results.json").write_text(json.dumps(self.found, indent=1))
        (self.folder / "results.md").write_text(self.table())

    def newton(self):
        """Time each number of envs."""
        for num_envs in self.asked.num_envs:
            self.part(f"newton_{num_envs}", "newton_part", num_envs, self.asked.device, self.asked.control_steps)

    def mujoco(self):
        """Time one process and one a core: blind, with pictures for each chunk, and for each step as LIBERO's env."""
        for processes in sorted({1, self.asked.processes}):
            for what, every in (("blind", 0), ("chunks", EXECUTION), ("each_step", 1)):
                steps = self.asked.control_steps // (1 if every != 1 else 4)
                self.part(f"mujoco_{processes}_{what}", "mujoco_part", processes, steps, every)

    def table(self):
        """Return what was found as tables in Markdown."""
        lines = [
            f"{self.asked.task} {self.asked.index}, {EXECUTION} control steps of each chunk; rates are control steps a "
            "second over all envs or processes.",
            "",
            "| Newton, envs | device | blind | pictures once a chunk | start of all, s | whole batch, s | ready, s |"
            " 2,000 episodes blind, s | 2,000 episodes with pictures, s | as 40 runs, s |",
            "|" + "---|" * 10,
        ]
        for name, told in self.found.items():
            if not name.startswith("newton"):
                continue
            if "failed" in told:
                lines.append(f"| {name} | failed: exit code {told['exit_code']} |" + " |" * 8)
                continue
            a_start = told["start_s"] / told["envs"]
            rates = told["steps_per_s"], told["steps_per_s_pictures"]
            blind, seeing = (all_episodes(a_start, rate) for rate in rates)
            lines.append(
                f"| {told['envs']} | {told['device']} | {rates[0]:.0f} | {rates[1]:.0f} | {told['start_s']:.2f} | "
                f"{told['whole_batch_s']:.1f} | {told['ready_s']:.0f} | {blind:.0f} | {seeing:.0f} | "
                f"{task_by_task(told, rates[1]):.0f} |"
            )
        lines += [
            "",
            "| MuJoCo, processes | pictures every | control steps a second | start of one, s | 2,000 episodes, s |",
            "|" + "---|" * 5,
        ]
        for name, told in self.found.items():
            if not name.startswith("mujoco"):
                continue
            if "failed" in told:
                lines.append(f"| {name} | failed: exit code {told['exit_code']} | | | |")
                continue
            every, processes = told["pictures_every"], told["processes"]
            all_s = all_episodes(told["start_s"] / processes, told["steps_per_s"])
            rate = f"{told['steps_per_s']:.0f} | {told['start_s']:.2f}"
            lines.append(f"| {processes} | {every or 'never'} | {rate} | {all_s:.0f} |")
        return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default="outputs/libero_speed")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--num-envs", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--task", default="libero_spatial", choices=HORIZONS)
    parser.add_argument("--index", type=int, default=0)
    parser.add_argument("--control-steps", type=int, help="of an episode; the suite's own by default")
    parser.add_argument("--mujoco", action="store_true", help="MuJoCo too")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="of MuJoCo, beside one alone")
    asked = parser.parse_args()
    asked.control_steps = asked.control_steps or HORIZONS[asked.task]
    measurement = Measurement(asked)
    measurement.newton()
    if asked.mujoco:
        measurement.mujoco()
    print(measurement.table())
    if any("failed" in told for told in measurement.found.values()):
        raise SystemExit("a part failed; its log is in the folder")


if __name__ == "__main__":
    main()
