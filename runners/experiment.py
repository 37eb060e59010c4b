"""One experiment, from the plan to the summary: this file shows the whole stack."""

import functools
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from groot_wrappers import Gr00tActionWrapper, Gr00tObservationWrapper
from groot_wrappers.contract import check_env, match_embodiment
from groot_wrappers.isaaclab_env import IsaacLabEnv
from groot_wrappers.modality import ModalityConfigs
from runners import terminal
from runners.clock import make_clock
from runners.conclusion import conclude
from runners.config import InstructionPer
from runners.env_cfg import chosen_embodiment, load_env_cfg, require_registered
from runners.episode_log import EpisodeLog
from runners.expert import require_expert
from runners.gate import judge, warn_of_short_plan
from runners.interrupts import interrupts_held
from runners.manifest import write_manifest
from runners.plan import instruction_texts, make_plan, require_parts, shard_of, write_plan
from runners.policy_client import policy_client
from runners.progress import ProgressBar
from runners.recorded_plan import recorded_episodes, require_fitting
from runners.recorders import Recorders
from runners.recorders.recorder import RunInfo
from runners.results import describe, last_rows, summarise
from runners.resume import earlier_start
from runners.rollout import rollout
from runners.run_lock import run_lock
from runners.settings import require_sensible
from runners.simulation import simulated_env
from runners.stopping import StopRule

__all__ = ["run_experiment"]

Say = Callable[[str], None]

CHUNKED_EXECUTION = 8
"""``horizons.execution`` of ``conf/horizons/chunked.yaml``, for the hint of what it would save."""


def run_experiment(config: DictConfig) -> int:
    """Play the planned episodes of a composed ``conf/play.yaml``; return the exit code."""
    say: Say = functools.partial(terminal.say, stream=sys.stdout)  # also while stdout goes to simulator.log
    folder = Path(HydraConfig.get().runtime.output_dir)
    require_expert(config)
    resolved: Any = OmegaConf.to_container(config, resolve=True, enum_to_str=True)
    require_sensible(config)
    clock = make_clock(config.clock, config.horizons.delay, config.horizons.execution)
    require_registered(resolved["task"])
    recorded = recorded_episodes(config)
    earlier = earlier_start(folder, config.resume)

    with (
        run_lock(folder),
        policy_client(config.server, say, log=folder / "server.log", device=config.sim.device) as connection,
        (folder / "simulator.log").open("a", encoding="utf-8", errors="backslashreplace") as simulator_log,
    ):
        client = connection.client
        modality = client.get_modality_config()
        env_cfg = load_env_cfg(resolved["task"], resolved["sim"])
        instructions = instruction_texts(
            list(dict.fromkeys(episode.instruction for episode in recorded)) or resolved["instruction"]["text"],
            getattr(env_cfg, "instruction", None),
            per=config.instruction.per,
            num_envs=config.num_envs,
        )
        if earlier is not None:
            earlier.require_same(resolved, modality)
        planned = recorded or make_plan(config.episodes, config.seed, instructions)
        plan = shard_of(planned, config.shard.index, config.shard.count)
        write_plan(plan, folder / "plan.json")
        stop = StopRule(plan, config.stop.ci_width)
        if hopeless := warn_of_short_plan(config.gate.min_success, config.episodes, stop.method):
            say(hopeless)
        embodiment = match_embodiment(
            chosen_embodiment(resolved["embodiment"], env_cfg),
            modality,
            execution=config.horizons.execution,
            delay=config.horizons.delay or 0,
            horizons={"video": config.horizons.video, "state": config.horizons.state},
        )
        recorders = _recorders(config, len(plan), modality)
        say("Starting the simulator (15 to 40 s; the first start on a machine compiles kernels for two minutes more)")
        with (
            redirect_stdout(simulator_log),  # tables of IsaacLab's managers and kernel loads: kept, but out of the way
            simulated_env(
                resolved["task"]["id"],
                env_cfg,
                num_envs=config.num_envs,
                episode_steps=config.horizons.episode,
                device=config.sim.device,
                seed=config.seed,
            ) as env,
            EpisodeLog(folder / "episodes.jsonl") as log,
        ):
            isaaclab = IsaacLabEnv(env)
            check_env(isaaclab, embodiment)
            require_parts(isaaclab.starts, config.shard.count)
            manifest = write_manifest(
                folder / "manifest.json",
                config=resolved,
                modality=modality,
                starts=isaaclab.starts,
                overrides=HydraConfig.get().overrides.task,
                sweep=Path(HydraConfig.get().sweep.dir).name if HydraConfig.get().mode is RunMode.MULTIRUN else None,
                earlier=None if earlier is None else earlier.manifest,
            )
            observed = Gr00tObservationWrapper(
                env,
                embodiment,
                delta_indices={kind: modality[kind].delta_indices for kind in ("video", "state") if kind in modality},
                language_keys=modality["language"].modality_keys if "language" in modality else (),
            )
            played = Gr00tActionWrapper(
                observed,
                embodiment,
                config.horizons.execution,
                horizon=len(modality["action"].delta_indices),
                watcher=recorders.on_control_step,
            )
            run = RunInfo(
                folder=folder,
                config=resolved,
                fps=1 / float(env.get_wrapper_attr("step_dt")),
                task=resolved["task"]["id"],
                execution=config.horizons.execution,
                has_success=isaaclab.has_success,
                has_rewards=isaaclab.has_rewards,
                shapes=_shapes(observed.observation_space, played.action_space),
                stop=stop,
                manifest=manifest,
            )
            if config.dataset is not None:
                widths = {key: width for key, (width,) in run.shapes["action"].items()}
                require_fitting(Path(config.dataset), task=run.task, fps=run.fps, action=widths)
            if log.rows:
                say(f"Going on after {describe(last_rows(log.rows))}")
            recorders.on_run_start(run)
            started = time.monotonic()
            try:
                rollout(
                    played,
                    client,
                    plan,
                    log,
                    recorders,
                    retries=config.retries,
                    revive=connection.revive,
                    clock=clock,
                    server_reset=config.server.reset,
                    env_instructions=instructions if config.instruction.per is InstructionPer.env else (),
                    enough=stop.enough,
                )
            except KeyboardInterrupt:
                say("\nInterrupted: what has ended is written down. Ctrl-\\ ends without that.")
                raise
            finally:  # an interrupted run has results too
                with interrupts_held():
                    summary = summarise(
                        log.rows,
                        task=run.task,
                        instruction=" | ".join(instructions),
                        wall_s=time.monotonic() - started,
                        renders=observed.renders,
                        client=client,
                        waited_s=clock.waited_s,
                        counted=stop.counted(log.rows),
                        method=stop.method,
                    )
                    summary["stop"] = stop.to_json(log.rows)
                    # A gate is about all shards together: groot-report judges it, and so does the end of a sweep.
                    summary["gate"] = judge(config.gate.min_success if config.shard.count == 1 else None, summary)
                    code = conclude(
                        folder,
                        summary,
                        log.rows,
                        recorders=recorders,
                        manifest=manifest,
                        execution=config.horizons.execution,
                        say=say,
                    )
    return code


def _recorders(config: DictConfig, episodes: int, modality: ModalityConfigs) -> Recorders:
    """Return the recorders of a run; raise a ContractError if one cannot do its work."""
    recorders = Recorders([ProgressBar(episodes), *map(instantiate, config.recorder.values())])
    recorders.check(modality)
    return recorders


def _shapes(observation: Any, action: Any) -> dict[str, dict[str, tuple[int, ...]]]:
    """Return the shape of one env's part of a control step by modality and key, of the spaces of a beat."""
    held = {"video": observation["video"], "state": observation["state"], "action": action}
    return {kind: {key: box.shape[2:] for key, box in boxes.items()} for kind, boxes in held.items()}
