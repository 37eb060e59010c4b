"""One experiment, from the plan to the summary: this file shows the whole stack."""

import functools
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from groot_wrappers import Gr00tActionWrapper, Gr00tObservationWrapper
from groot_wrappers.embodiment.isaaclab_env import IsaacLabEnv
from groot_wrappers.embodiment.matching import check_env, match_embodiment
from groot_wrappers.modality import ModalityConfigs
from runners.config.building import built
from runners.config.composed import config_folders
from runners.config.schema import InstructionPer
from runners.episodes.episode_log import EpisodeLog
from runners.episodes.plan import PlannedEpisode, instruction_texts, make_plan, require_parts, shard_of, write_plan
from runners.episodes.recorded_plan import require_fitting
from runners.episodes.row import describe, last_rows
from runners.experiment.conclusion import conclude, run_summary
from runners.recorders import Recorders
from runners.recorders.progress_bar import ProgressBar
from runners.recorders.recorder import RunInfo
from runners.rollout.clock import Clock
from runners.rollout.rollout import rollout
from runners.run_folder.manifest import write_manifest
from runners.run_folder.resume import EarlierStart, begun_by
from runners.servers.policy_connection import PolicyConnection
from runners.simulation.env_cfg import chosen_embodiment, load_env_cfg
from runners.simulation.simulated_env import simulated_env
from runners.statistics.gate import warn_of_short_plan
from runners.statistics.stop_rule import StopRule
from runners.utils import terminal
from runners.utils.interrupts import interrupts_held

__all__ = ["run_experiment"]

Say = Callable[[str], None]


def run_experiment(
    config: DictConfig,
    resolved: Mapping[str, Any],
    connection: PolicyConnection,
    *,
    clock: Clock,
    recorded: Sequence[PlannedEpisode],
    earlier: EarlierStart | None,
) -> int:
    """Play the planned episodes of a run whose server is ready; return the exit code.

    Args:
        config: A composed ``conf/play.yaml``, which ``runners.experiment.preparation`` has checked.
        resolved: Its plain values.
        connection: To the server.
        clock: That of ``config``.
        recorded: The plan, where a data set's episodes are played again.
        earlier: The start that this one goes on with.
    """
    say: Say = functools.partial(terminal.say, stream=sys.stdout)  # also while stdout goes to simulator.log
    folder = Path(HydraConfig.get().runtime.output_dir)
    with (folder / "simulator.log").open("a", encoding="utf-8", errors="backslashreplace") as simulator_log:
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
        recorders = _recorders(resolved["recorder"], len(plan), modality)
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
            require_parts(isaaclab.reset_mode, config.shard.count)
            manifest = write_manifest(
                folder / "manifest.json",
                config=resolved,
                modality=modality,
                reset_mode=isaaclab.reset_mode,
                overrides=begun_by(earlier),
                config_folders=config_folders(),
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
                    summary = run_summary(
                        log.rows,
                        stop,
                        min_success=config.gate.min_success,
                        shards=config.shard.count,
                        task=run.task,
                        instruction=" | ".join(instructions),
                        wall_s=time.monotonic() - started,
                        renders=observed.renders,
                        client=client,
                        waited_s=clock.waited_s,
                    )
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


def _recorders(described: Mapping[str, Any], episodes: int, modality: ModalityConfigs) -> Recorders:
    """Return the recorders of a run; raise a ContractError if one cannot be built or cannot do its work."""
    recorders = Recorders(
        [ProgressBar(episodes), *(built(recorder, f"recorder.{name}") for name, recorder in described.items())]
    )
    recorders.check(modality)
    return recorders


def _shapes(observation: Any, action: Any) -> dict[str, dict[str, tuple[int, ...]]]:
    """Return the shape of one env's part of a control step by modality and key, of the spaces of a beat."""
    held = {"video": observation["video"], "state": observation["state"], "action": action}
    return {kind: {key: box.shape[2:] for key, box in boxes.items()} for kind, boxes in held.items()}
