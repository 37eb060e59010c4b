"""CPU time that each viewer and recorder adds to a control step: ``python -m tests.verify.watching.costs 4 OUT.json``.

One start of the lift, one rollout a viewer or recorder, whose hooks are metered: the time of the whole process, threads
included, from the call of a hook until nothing works any more. Physics, pictures and policy fall between the hooks, and
pictures that a recorder alone asks for fall into it.
"""

import contextlib
import json
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from omegaconf import OmegaConf

from groot_wrappers import Gr00tObservationWrapper
from groot_wrappers.modality import ModalityConfig
from runners.bench.control_step import HoldingClient
from runners.bench.simulated import DrawnLengthWrapper, bench_env
from runners.episodes.episode_log import EpisodeLog
from runners.episodes.plan import make_plan
from runners.recorders import Recorders
from runners.recorders.recorder import Recorder, RunInfo
from runners.rollout.rollout import Rollout
from runners.statistics.stop_rule import StopRule
from runners.statistics.summary import Cost, summarise
from tests.support.composing import compose

LENGTH, EXECUTION, PORT = 64, 8, 18470

SWING_RAD = 0.15
"""Of every joint, within a chunk: what moves costs more to show and to keep."""
QUIET_S, SLICE_S = 0.0005, 0.01
"""Nothing works any more when so little CPU time passes within so much wall time."""


class Metered(Recorder):
    """Keeps the CPU time of a recorder: by control step, a beat's hooks with its last step, and of start and end."""

    def __init__(self, recorder):
        self._recorder, self.by_step_s, self.around_s, self._since_s = recorder, [], 0.0, 0.0

    def on_run_start(self, run):
        self.around_s += self._metered("on_run_start", run)

    def on_run_end(self, summary):
        self.around_s += self._metered("on_run_end", summary)

    def on_control_step(self, step):
        self.by_step_s.append(self._since_s + self._metered("on_control_step", step))
        self._since_s = 0.0

    def __getattribute__(self, name):
        if name in {"on_episodes_start", "on_beat", "on_chunk", "on_episode_end", "on_row_written"}:
            return lambda *arguments: self._add(name, *arguments)
        return super().__getattribute__(name)

    def _add(self, hook, *arguments):
        self._since_s += self._metered(hook, *arguments)

    def _metered(self, hook, *arguments):
        begun = _when_quiet()  # threads of the simulator spin for a while after their work
        getattr(self._recorder, hook)(*arguments)
        return _when_quiet() - begun


def _when_quiet():
    """Wait until nothing works in this process; return its CPU time."""
    seen = time.process_time()
    while True:
        time.sleep(SLICE_S)
        now = time.process_time()
        if now - seen < QUIET_S:
            return now
        seen = now


class SeeingClient(HoldingClient):
    """Wants the pictures too, as a policy does."""

    def __init__(self, chunk, state_keys, video_keys):
        super().__init__(chunk, state_keys)
        self._video_keys = tuple(video_keys)

    def get_modality_config(self):
        return super().get_modality_config() | {"video": ModalityConfig((0,), self._video_keys)}


@contextlib.contextmanager
def looked_at(viewer, port):
    """Look at a viewer from another process while the block runs: as its page does, or with a browser."""
    if viewer == "page":
        command = [sys.executable, "-c", POLL, str(port)]
    else:
        profile = tempfile.mkdtemp()
        command = ["chromium", "--headless=new", "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader"]
        command += ["--enable-unsafe-swiftshader", "--disable-background-networking", f"--user-data-dir={profile}"]
        command += ["--remote-debugging-port=0", f"http://127.0.0.1:{port}"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(3 if viewer == "page" else 25)  # until it is loaded
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


POLL = """
import sys, time, urllib.request
while True:
    for path in ("/state", "/view.jpg"):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}{path}", timeout=5).read()
        except OSError:
            pass
    time.sleep(0.5)
"""


def recorder_of(group, name):
    """Return a recorder or viewer with the defaults of its YAML."""
    from hydra.utils import instantiate

    settings = OmegaConf.load(f"conf/{group}/{name}.yaml")
    settings = settings.get(name, settings)
    return instantiate(settings, **({"port": PORT} if group == "viewer" else {}))


def measured(of_bench, config, name, recorder, *, watched):
    """Return figures of one recorder over one rollout."""
    env, embodiment, instruction = of_bench
    metered = Metered(recorder)
    num_envs = env.unwrapped.num_envs
    plan = make_plan(num_envs, 0, [instruction])
    observed = Gr00tObservationWrapper(env, embodiment)
    played = DrawnLengthWrapper(
        observed,
        embodiment,
        shortest=LENGTH,
        longest=LENGTH,
        execution=EXECUTION,
        watcher=metered.on_control_step,
    )
    played.reset(options={"env_ids": range(num_envs), "seeds": [0] * num_envs})
    still = played.standing_still()
    swing = SWING_RAD * np.sin(np.linspace(0, 2 * np.pi, EXECUTION)).astype(np.float32)[:, None]
    client = SeeingClient(
        {key: values[:, :1] + swing for key, values in still.items()}, embodiment.state, embodiment.video
    )
    boxes = {"video": observed.observation_space["video"], "state": observed.observation_space["state"]}
    boxes["action"] = played.action_space
    stop = StopRule(plan, None)
    with tempfile.TemporaryDirectory() as folder, EpisodeLog(Path(folder) / "episodes.jsonl") as log:
        run = RunInfo(
            Path(folder),
            OmegaConf.to_container(config, resolve=True, enum_to_str=True),
            30.0,
            config.task.id,
            execution=EXECUTION,
            shapes={kind: {key: box.shape[2:] for key, box in of.items()} for kind, of in boxes.items()},
            stop=stop,
        )
        recorders = Recorders([metered])
        recorders.on_run_start(run)
        with looked_at(name, PORT) if watched else contextlib.nullcontext():
            Rollout(played, client, plan, log, recorders).play()
        recorders.on_run_end(summarise(log.rows, stop, task="", instruction="", min_success=None, cost=Cost()))
        assert recorders.failures == [], recorders.failures
    if watched and name == "viser":
        assert recorder._shown > 0, "the browser was not there in time"
    steps = np.array(metered.by_step_s) * 1e3
    assert len(steps) == LENGTH
    beats = steps.reshape(-1, EXECUTION).mean(axis=1)
    return {
        "median_ms": round(float(np.median(beats[1:])), 2),
        "mean_ms": round(float(steps.mean()), 2),
        "end_ms": round(1e3 * metered.around_s, 0),
    }


def main():
    num_envs, out = int(sys.argv[1]), Path(sys.argv[2])
    asked = sys.argv[3:]
    config = compose("bench", f"num_envs={num_envs}")
    variants = [("none", None, False), ("page", "viewer", False), ("page", "viewer", True)]
    if find_spec("viser"):
        variants += [("viser", "viewer", False), ("viser", "viewer", True)]
    variants += [(name, "recorder", False) for name in ("video", "rerun", "tensorboard", "wandb", "lerobot")]
    found = {}
    with bench_env(config, num_envs) as of_bench:
        for name, group, watched in variants:
            if asked and name not in asked:
                continue
            recorder = Recorder() if group is None else recorder_of(group, name)
            told = f"{name}, watched" if watched else name
            found[told] = measured(of_bench, config, name, recorder, watched=watched)
            print(num_envs, told, found[told], file=sys.stderr, flush=True)
            out.write_text(json.dumps(found))


if __name__ == "__main__":
    main()
