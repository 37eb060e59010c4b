"""One experiment in three acts, prepare, play and conclude: this file shows the whole stack."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import gymnasium as gym

from groot_wrappers import Gr00tActionWrapper, Gr00tObservationWrapper
from groot_wrappers.embodiment.env_checks import check_env
from groot_wrappers.embodiment.isaaclab_env import IsaacLabEnv
from groot_wrappers.embodiment.stages import stages_of
from runners.episodes.episode_log import EpisodeLog
from runners.episodes.plan import require_parts
from runners.episodes.recorded_plan import require_fitting
from runners.episodes.row import describe, last_rows
from runners.experiment.checks import CheckedRequest
from runners.experiment.conclusion import conclude
from runners.experiment.full_videos import film_failed
from runners.experiment.preparation import Preparation, prepare
from runners.experiment.run_end import RunEnd
from runners.experiment.wrapped_env import wrapped_env
from runners.recorders.recorder import RunInfo
from runners.rollout.rollout import Rollout
from runners.rollout.state_dump import StateDump
from runners.run_folder.manifest import write_manifest
from runners.run_folder.resume import begun_by
from runners.servers.hold_client import HoldClient
from runners.servers.policy_connection import PolicyConnection
from runners.simulation.camera_readers import camera_readers
from runners.simulation.simulated_env import simulated_env
from runners.statistics.gate import warn_of_short_plan
from runners.statistics.stop_rule import require_stages
from runners.statistics.summary import Cost, server_cost
from runners.utils.interrupts import interrupts_held

__all__ = ["run_experiment"]

Say = Callable[..., None]


def run_experiment(checked: CheckedRequest, connection: PolicyConnection, say: Say) -> RunEnd:
    """Play the planned episodes of a run whose server is ready.

    Args:
        checked: What is asked for.
        connection: To the server.
        say: Writes lines to the terminal, whatever standard output is.
    """
    preparation = prepare(checked, connection.client)
    config = preparation.request.config
    if hopeless := warn_of_short_plan(config.gate.min_success, config.episodes, preparation.stop.method):
        say(hopeless)
    return play(preparation, connection, say)


def play(preparation: Preparation, connection: PolicyConnection, say: Say) -> RunEnd:
    """Start the simulator, play what is missing of the plan, and conclude, after an interruption too."""
    request, config, recorders = preparation.request, preparation.request.config, preparation.recorders
    say("Starting the simulator (15 to 40 s; the first start on a machine compiles kernels for two minutes more)")
    with _simulator(preparation) as env, EpisodeLog(request.folder / "episodes.jsonl") as log:
        observed, played = wrapped_env(
            env,
            preparation.embodiment,
            preparation.modality,
            execution=config.horizons.execution,
            watcher=recorders.on_control_step,
            variations=preparation.variations.wire,
        )
        run = _describe_run(preparation, observed, played)
        if isinstance(connection.client, HoldClient):
            connection.client.attach(played)
        if log.rows:
            say(f"Going on after {describe(last_rows(log.rows))}")
        recorders.on_run_start(run)
        rollout = Rollout(
            played,
            connection.client,
            preparation.plan,
            log,
            recorders,
            retries=config.retries,
            revive=connection.revive,
            clock=preparation.clock,
            server_reset=config.server.reset,
            env_instructions=preparation.env_instructions,
            enough=preparation.stop.enough,
            on_error=StateDump(env, request.folder).write,
        )
        started = time.monotonic()
        try:
            rollout.play()
        except KeyboardInterrupt:
            say("\nInterrupted: what has ended is written down. Ctrl-\\ ends without that.")
            raise
        finally:  # an interrupted run has results too
            with interrupts_held():
                cost = Cost(
                    wall_s=round(time.monotonic() - started, 3),
                    renders=observed.renders,
                    server=server_cost(connection.client.stats, preparation.clock.waited_s),
                )
                end = conclude(
                    run.folder,
                    preparation.summarise(log.rows, cost),
                    log.rows,
                    recorders=recorders,
                    manifest=run.manifest,
                    execution=run.execution,
                    say=say,
                )
        film_failed(preparation, env, run, log.rows, say)
    return end


@contextmanager
def _simulator(preparation: Preparation) -> Iterator[gym.Env[Any, Any]]:
    """Start the env; what the simulator prints goes into ``simulator.log``."""
    request, config = preparation.request, preparation.request.config
    with (
        (request.folder / "simulator.log").open("a", encoding="utf-8", errors="backslashreplace") as simulator_log,
        redirect_stdout(simulator_log),  # tables of IsaacLab's managers and kernel loads: kept, but out of the way
        simulated_env(
            config.task["id"],
            preparation.env_cfg,
            num_envs=config.num_envs,
            episode_steps=config.horizons.episode,
            device=config.sim.device,
            seed=config.seed,
        ) as env,
    ):
        isaaclab = IsaacLabEnv(env)
        check_env(isaaclab, preparation.embodiment)
        preparation.scene_reset.bind(isaaclab.base)
        yield env


def _describe_run(preparation: Preparation, observed: Gr00tObservationWrapper, played: Gr00tActionWrapper) -> RunInfo:
    """Write the manifest, and return what recorders are told of the run; refuse what only the env tells."""
    request, config = preparation.request, preparation.request.config
    require_parts(played.reset_mode, config.shard.count, config.only)
    isaaclab = IsaacLabEnv(observed.env)
    require_stages(config.stop.on, config.task["id"], stages_of(isaaclab.base))
    seen: Any = observed.observation_space
    boxes: dict[str, Any] = {"video": seen["video"], "state": seen["state"], "action": played.action_space}
    run = RunInfo(
        folder=request.folder,
        config=request.settings,
        fps=1 / float(observed.get_wrapper_attr("step_dt")),
        task=config.task["id"],
        execution=config.horizons.execution,
        has_success=isaaclab.has_success,
        has_rewards=isaaclab.has_rewards,
        shapes={kind: {key: box.shape[2:] for key, box in of_keys.items()} for kind, of_keys in boxes.items()},
        stop=preparation.stop,
        cameras=camera_readers(isaaclab),
        manifest=write_manifest(
            request.folder / "manifest.json",
            config=request.settings,
            modality=preparation.modality,
            offer=preparation.offer,
            reset_mode=played.reset_mode,
            overrides=begun_by(request.overrides, preparation.earlier),
            config_folders=request.config_folders,
            sweep=request.sweep,
            earlier=None if preparation.earlier is None else preparation.earlier.manifest,
        ),
    )
    if config.dataset is not None:
        widths = {key: width for key, (width,) in run.shapes["action"].items()}
        require_fitting(Path(config.dataset), task=run.task, fps=run.fps, action=widths)
    return run
