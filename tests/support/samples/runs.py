"""Run folders as groot-play leaves them, without a simulator: outcomes drawn from a seed, with or without videos."""

import json

import msgspec
import numpy as np

from groot_wrappers.protocol.client_interface import ClientStats
from runners.again.kept_episodes import KeptEpisode, write_kept
from runners.episodes.episode_log import EpisodeLog
from runners.episodes.plan import make_plan, shard_of, write_plan
from runners.recorders.recorder import RunInfo
from runners.recorders.video import VideoRecorder
from runners.reports.pages import write_report
from runners.run_folder.manifest import read_manifest
from runners.statistics.stop_rule import StopRule
from runners.statistics.summary import Cost, server_cost, summarise
from tests.support.samples.rows import STAGES, make_row, make_staged_row

ERROR = "The server's chunk for 'joint_positions' holds NaN or infinity <in env 2>"


def make_run(
    folder,
    episodes=12,
    *,
    rate=0.75,
    seed=0,
    instructions=("pick up the cube",),
    errors=(),
    ci_width=None,
    min_success=None,
    videos=False,
    kept=False,
    task="Isaac-Groot-Lift-Cube-Franka-v0",
    overrides=("server=expert", "num_envs=4"),
    shard=(0, 1),
    policy=None,
    seeded=False,
):
    """Write a run folder and return its rows; episodes at the indices ``errors`` end in an error.

    ``kept`` says whether the run has kept what its episodes played, and tells their stages.
    ``policy`` is who the policy says that it is, and ``seeded`` whether its noise was; without either, the manifest is
    one of before.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plan = shard_of(make_plan(episodes, seed, list(instructions)), *shard)
    write_plan(plan, folder / "plan.json")
    stop = StopRule(plan, ci_width)
    recorder = VideoRecorder()
    if videos:
        recorder.on_run_start(RunInfo(folder=folder, config={}, fps=10.0, task=task))
    with EpisodeLog(folder / "episodes.jsonl") as log:
        for planned in plan:
            if stop.enough(log.rows):
                break
            draw = np.random.default_rng([seed, round(1000 * rate), planned.index]).random()
            ended = "error" if planned.index in errors else "success" if draw < rate else "time_out"
            row = make_row(
                planned.index,
                seed=planned.seed,
                instruction=planned.instruction,
                success={"success": True, "time_out": False, "error": None}[ended],
                ended=ended,
                env=planned.index % 4,
                steps=1000 if ended == "time_out" else int(100 + 60 * draw),
                error=ERROR if ended == "error" else None,
            )
            if videos:
                film(recorder, planned, row)
            if kept:
                keep(folder, row)
            log.append(row)
    stats = ClientStats(calls=480, observations=1920, bytes=578_000_000, latencies_s=[0.05, 0.06, 0.055, 0.31])
    summary = summarise(
        log.rows,
        stop,
        task=task,
        instruction=" | ".join(instructions),
        min_success=min_success if shard[1] == 1 else None,
        cost=Cost(wall_s=312.4, renders=480, server=server_cost(stats)),
    )
    manifest = {
        "created": "2026-11-25T01:28:34+00:00",
        "command": ["groot-play", *overrides],
        "overrides": list(overrides),
        "reset_mode": "per_env",
        "revision": None,
        "wandb_id": "0000abcd",
        "modality": {},
        "packages": {"isaaclab": "3.0.0", "newton": "1.0.0", "torch": "2.9.0"},
        "config": {
            "task": {"id": task},
            "num_envs": 4,
            "horizons": {"execution": 8},
            "episodes": episodes,
            "seed": seed,
            "instruction": {"text": list(instructions)},
            "stop": {"ci_width": ci_width},
            "gate": {"min_success": min_success},
            "shard": {"index": shard[0], "count": shard[1]},
        },
    }
    if policy is not None:
        manifest |= {"policy": policy, "policy_randomness": "per_episode" if seeded else "unseeded"}
    (folder / "summary.json").write_text(json.dumps(msgspec.to_builtins(summary)))
    (folder / "manifest.json").write_text(json.dumps(manifest))
    write_report(folder, summary, log.rows, read_manifest(folder / "manifest.json"))
    return log.rows


def keep(folder, row):
    """Keep waves as what an episode has played, and let it come as far as its index says."""
    steps = np.arange(row.steps)
    waves = np.sin(steps[:, None] / 9 + np.arange(9) + row.index).astype(np.float32)
    begins = steps[::8]
    write_kept(
        folder,
        KeptEpisode(
            index=row.index,
            attempt=row.attempt,
            seed=row.seed,
            instruction=row.instruction,
            action={"joint_positions": waves},
            beats=np.diff([*begins, row.steps]).astype(np.int64),
            last_chunk={"joint_positions": waves[:16] + 0.1},
            states={"joint_positions": waves[begins]},
            distance=np.abs(waves[:, 0]),
        ),
    )
    reached = len(STAGES) if row.success else row.index % len(STAGES)
    staged = make_staged_row(reached=reached, success=row.success, events={"dropped": 25} if row.index % 4 == 2 else {})
    row.stages, row.missed, row.events = staged.stages, staged.missed, staged.events
    row.progress = None if row.ended == "error" else staged.progress


def film(recorder, planned, row):
    """Write a short video whose two pictures say by their colour how the episode ended."""
    colour = {"success": (40, 150, 80), "time_out": (190, 110, 40), "error": (170, 40, 40)}[row.ended]
    frame = np.full((1, 1, 224, 224, 3), colour, np.uint8)
    frame[:, :, 60 + planned.index : 110 + planned.index, 80:140] = 230
    observation = {"video": {"wrist_camera": frame, "scene_camera": frame // 2}}
    recorder.on_episodes_start({0: planned}, observation)
    for _ in range(5):
        recorder.on_beat(observation)
    env, row.env = row.env, 0
    recorder.on_episode_end(row)
    row.env = env
