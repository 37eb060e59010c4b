"""Run folders as groot-play leaves them, without a simulator: outcomes drawn from a seed, with or without videos."""

import json
from dataclasses import replace

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
from runners.variations.arms import with_arms
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
    varied=None,
    suite=None,
):
    """Write a run folder and return its rows; episodes at the indices ``errors`` end in an error.

    ``kept`` says whether the run has kept what its episodes played, and tells their stages.
    ``varied`` is a variation and the strengths of its arms; an episode succeeds the less, the further it is varied.
    ``policy`` is who the policy says that it is, and ``seeded`` whether its noise was; without either, the manifest is
    one of before.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plan = make_plan(episodes, seed, list(instructions))
    plan = shard_of(plan if varied is None else vary(plan, *varied), *shard)
    write_plan(plan, folder / "plan.json")
    stop = StopRule(plan, ci_width)
    recorder = VideoRecorder()
    if videos:
        recorder.on_run_start(RunInfo(folder=folder, config={}, fps=10.0, task=task))
    with EpisodeLog(folder / "episodes.jsonl") as log:
        for planned in plan:
            if stop.enough(log.rows):
                break
            draw = np.random.default_rng([seed, round(1000 * rate), planned.place]).random()
            far = sum(abs(number) for drawn in (planned.variation or {}).values() for number in drawn.values())
            ended = "error" if planned.index in errors else "success" if draw < rate * (1 - far) else "time_out"
            row = make_row(
                planned.index,
                seed=planned.seed,
                instruction=planned.instruction,
                success={"success": True, "time_out": False, "error": None}[ended],
                ended=ended,
                env=planned.index % 4,
                steps=1000 if ended == "time_out" else int(100 + 60 * draw),
                error=ERROR if ended == "error" else None,
                variation=planned.variation,
                pair=planned.pair,
                arm=planned.arm,
                strength=planned.strength,
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
        }
        | ({} if varied is None else settings_of(varied[0], varied[1], suite=suite)),
    }
    if policy is not None:
        manifest |= {"policy": policy, "policy_randomness": "per_episode" if seeded else "unseeded"}
    (folder / "summary.json").write_text(json.dumps(msgspec.to_builtins(summary)))
    (folder / "manifest.json").write_text(json.dumps(manifest))
    write_report(folder, summary, log.rows, read_manifest(folder / "manifest.json"))
    return log.rows


def vary(plan, kind, strengths, harm=1.0):
    """Return a plan with arms; an episode is varied by an angle to both sides, and a share too small to do anything."""
    paired = []
    for episode in with_arms(plan, strengths):
        angle, share = np.random.default_rng([episode.seed, *kind.encode()]).uniform([-1, 0], [1, 1e-6])
        drawn = {"angle": round(float(harm * episode.strength * angle), 6), "share": float(share)}
        paired.append(replace(episode, variation={kind: drawn}) if episode.strength else episode)
    return paired


def settings_of(kind, strengths, suite=None):
    """Return the settings of what ``vary`` does."""
    return {"variation": {"strength": 1.0, "control": True, "grid": list(strengths), "suite": suite, kind: {}}}


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
