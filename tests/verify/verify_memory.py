"""The long proof that memory stays flat: 10,000 control steps of the lift with its default recorders (a few minutes).

Part of ``make verify-speed``. The recorder here rides along with the defaults and notes what the process holds.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from runners.recorders import Recorder

STEPS = 10_000
EVERY = 500
SETTLED = 2_000
"""Control steps after which caches and pools have their size."""

MOST_MIB = 32
"""Most that may come to it from there on: a picture kept on each beat would be 300 MiB, a kilobyte a step 8 MiB."""


class MemoryRecorder(Recorder):
    """Writes ``memory.jsonl`` into the run folder: MiB that the process holds, every so many control steps."""

    def on_run_start(self, run):
        self._path, self._steps = run.folder / "memory.jsonl", 0

    def on_control_step(self, step):
        self._steps += 1
        if self._steps % EVERY == 0:
            resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            with self._path.open("a") as file:
                file.write(json.dumps({"steps": self._steps, "mib": round(resident / 2**20, 1)}) + "\n")


def test_ten_thousand_control_steps_take_no_more_memory_than_two_thousand(tmp_path):
    # An episode of the expert takes about 70 control steps.
    settings = ["server=expert", "num_envs=2", "episodes=320", "horizons=chunked"]
    command = [sys.executable, "-m", "runners.apps.play", *settings]
    recorder = f"+recorder.memory._target_={__name__}.{MemoryRecorder.__name__}"
    subprocess.run([*command, recorder, f"hydra.run.dir={tmp_path / 'run'}"], check=True, timeout=3000)
    held = [json.loads(line) for line in (tmp_path / "run" / "memory.jsonl").read_text().splitlines()]
    print("\n".join(f"{at['steps']:6d} control steps: {at['mib']:.1f} MiB" for at in held))
    assert held[-1]["steps"] >= STEPS
    settled = next(at["mib"] for at in held if at["steps"] >= SETTLED)
    assert max(at["mib"] for at in held if at["steps"] >= SETTLED) - settled < MOST_MIB
