"""The same episodes on MuJoCo alone, in some processes at once.

python -m tests.verify.libero.speed.mujoco_part FILE SUITE INDEX PROCESSES CONTROL_STEPS EVERY

Pictures are drawn ``EVERY`` so many control steps, 0 for never. Each process plays an episode of its own. What stands
for a controller is as cheap as can be: the arm's torques bear gravity and Coriolis at each physics step, and nothing
moves it; robosuite's own, and its Python, come on top. Starts are the published ones with the ten control steps that
LIBERO's evaluations wait.
"""

import json
import multiprocessing
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("MUJOCO_GL", "egl")

import mujoco

from tasks.libero.scene.compose import compose
from tasks.libero.suites.starts import WAITING_STEPS, official_starts
from tasks.libero.suites.suites import libero_task

CAMERAS, SIZE = ("agentview", "robot0_eye_in_hand"), 256
PHYSICS_STEPS = 25
WARM = 2
"""Control steps before the clock starts."""
LONGEST_WAIT_S = 120
"""For the other processes to be as far; one of them may have fallen over."""


def control_step(model, data, arm):
    """Take the physics steps of a control step."""
    for _ in range(PHYSICS_STEPS):
        data.ctrl[: len(arm)] = data.qfrc_bias[arm]
        mujoco.mj_step(model, data)


def play(model_file, start, control_steps, every):
    """Play an episode in a process of the pool; return seconds of its start, and when the rest began and ended."""
    model = mujoco.MjModel.from_binary_path(str(model_file))
    data = mujoco.MjData(model)
    arm = [int(model.joint(f"robot0_joint{number}").dofadr[0]) for number in range(1, 8)]
    renderer = mujoco.Renderer(model, SIZE, SIZE) if every else None

    def draw():
        for camera in CAMERAS if renderer else ():
            renderer.update_scene(data, camera)
            renderer.render()

    def begin():
        mujoco.mj_resetData(model, data)
        data.qpos[:] = start
        mujoco.mj_forward(model, data)

    begin()
    for _ in range(WARM):
        control_step(model, data, arm)
        draw()
    TOGETHER.wait(LONGEST_WAIT_S)
    begun = time.time()
    begin()
    for _ in range(WAITING_STEPS):
        control_step(model, data, arm)
    started = time.time()
    for step in range(control_steps):
        if every and step % every == 0:
            draw()
        control_step(model, data, arm)
    ended = time.time()
    return started - begun, started, ended


def begin_worker(barrier):
    """Keep what the processes of a pool wait at."""
    global TOGETHER  # noqa: PLW0603 - a pool hands it to a process only as it begins
    TOGETHER = barrier


def main(path, suite, index, *numbers):
    """Write the figures."""
    task, (processes, control_steps, every) = libero_task(suite, int(index)), map(int, numbers)
    model, starts = compose(task.problem), official_starts(task)
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "scene.mjb"
        mujoco.mj_saveModel(model, str(file))
        positions = [starts[number % len(starts)][1 : 1 + model.nq] for number in range(processes)]
        with context.Pool(processes, begin_worker, (context.Barrier(processes),)) as pool:
            played = pool.starmap(play, [(file, start, control_steps, every) for start in positions], chunksize=1)
    starting, began, ended = zip(*played, strict=True)
    facts = {
        "processes": processes,
        "pictures_every": every,
        "start_s": sum(starting) / processes,
        "steps_per_s": processes * control_steps / (max(ended) - min(began)),
    }
    Path(path).write_text(json.dumps(facts))


if __name__ == "__main__":
    main(*sys.argv[1:])
