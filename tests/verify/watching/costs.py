"""CPU time that each viewer and recorder adds to a control step: ``python -m tests.verify.watching.costs [ENVS ...]``.

One start of the lift for each number of envs, in which every viewer and recorder watches a rollout, one after the
other, and all of them again. Their hooks are metered: the time of the whole process, threads included, from the call of
a hook until nothing works any more. Physics, pictures and policy fall between the hooks, and pictures that a recorder
alone asks for fall into it. What looks at a viewer is a process of its own; it must have seen pictures.
"""

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
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
from tests.verify.watching.looking import looking_at

ROOT = Path(__file__).parents[3]

LENGTH, EXECUTION, REPEATS = 40, 8, 3

LEAST_SEEN = {"page": 2, "viser": LENGTH // 2}
"""Pictures that are seen of one rollout where it is watched: viser shows each control step, the page is polled."""

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


def recorder_of(group, name):
    """Return a recorder or viewer with the defaults of its YAML."""
    from hydra.utils import instantiate

    settings = OmegaConf.load(f"conf/{group}/{name}.yaml")
    settings = settings.get(name, settings)
    return instantiate(settings, **({"port": 0} if group == "viewer" else {}))


def port_of(viewer):
    """Return where a viewer listens."""
    server = viewer._server
    return server.get_port() if hasattr(server, "get_port") else server.server_port


def measured(of_bench, config, name, recorder, *, watched):
    """Return ms of CPU time a control step of one rollout, and of both ends of it."""
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
        look = looking_at(name, port_of(recorder), least=LEAST_SEEN[name]) if watched else contextlib.nullcontext()
        with look:
            Rollout(played, client, plan, log, recorders).play()
        recorders.on_run_end(summarise(log.rows, stop, task="", instruction="", min_success=None, cost=Cost()))
        assert recorders.failures == [], recorders.failures
    steps = np.array(metered.by_step_s) * 1e3
    assert len(steps) == LENGTH
    return float(steps[EXECUTION:].mean()), 1e3 * metered.around_s


def measure(num_envs):
    """Return what was asked to ms of CPU time: of a control step (median, least, most), and of both ends (median)."""
    config = compose("bench", f"num_envs={num_envs}")
    variants = [("none", None, False), ("page", "viewer", False), ("page", "viewer", True)]
    if find_spec("viser"):
        variants += [("viser", "viewer", False), ("viser", "viewer", True)]
    variants += [(name, "recorder", False) for name in ("video", "rerun", "tensorboard", "wandb", "lerobot")]
    found = defaultdict(list)
    with bench_env(config, num_envs) as of_bench:
        measured(of_bench, config, "none", Recorder(), watched=False)  # the first makes kernels and caches
        for _ in range(REPEATS):
            for name, group, watched in variants:
                recorder = Recorder() if group is None else recorder_of(group, name)
                told = f"{name}, watched" if watched else name
                found[told].append(measured(of_bench, config, name, recorder, watched=watched))
                print(num_envs, told, found[told][-1], file=sys.stderr, flush=True)
    figures = {}
    for told, repeats in found.items():
        steps, ends = np.array(repeats).T
        figures[told] = {
            "step_ms": float(np.median(steps)),
            "least_ms": float(steps.min()),
            "most_ms": float(steps.max()),
            "ends_ms": float(np.median(ends)),
        }
    return figures


def measure_apart(num_envs):
    """Return what ``measure`` does, from a process of its own."""
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        command = [sys.executable, "-m", "tests.verify.watching.costs", str(num_envs), "--into", out.name]
        subprocess.run(command, check=True, timeout=1500, cwd=ROOT)
        return json.loads(Path(out.name).read_text())


def table(found):
    """Return figures by number of envs as a table in Markdown, less what it takes with nothing on; (least to most)."""
    head = [f"{num_envs} env{'s' * (num_envs > 1)}" for num_envs in found]
    lines = [["ms of CPU time a control step", *head], ["---"] * (1 + len(found))]
    for told in next(iter(found.values())):
        cells = []
        for figures in found.values():
            taken = 0.0 if told == "none" else figures["none"]["step_ms"]
            shown = (figures[told][key] - taken for key in ("step_ms", "least_ms", "most_ms"))
            step, least, most = (round(ms, 1) + 0.0 for ms in shown)  # no -0.0
            cells.append(f"{step:.1f} ({least:.1f} to {most:.1f})")
        lines.append([told, *cells])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("num_envs", type=int, nargs="*", default=[1, 4, 16], help="how many envs, each in a process")
    parser.add_argument("--into", type=Path, help="measure the one number in this process, and write the figures there")
    asked = parser.parse_args()
    if asked.into:
        (num_envs,) = asked.num_envs
        asked.into.write_text(json.dumps(measure(num_envs)))
        return
    print(table({num_envs: measure_apart(num_envs) for num_envs in asked.num_envs}))


if __name__ == "__main__":
    main()
