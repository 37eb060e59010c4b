"""The first act of an experiment, preparation: what it is played with, and every refusal that needs no simulator."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from groot_wrappers.embodiment.embodiment import Embodiment
from groot_wrappers.embodiment.matching import match_embodiment
from groot_wrappers.errors import ContractError
from groot_wrappers.modality import ModalityConfigs
from groot_wrappers.protocol.client_interface import Client
from groot_wrappers.protocol.offer import PolicyOffer
from runners.again.action_log import ActionLog
from runners.again.actions_over import ActionsOver
from runners.again.kept_client import KeptClient
from runners.config.building import built
from runners.config.schema import InstructionPer, Label
from runners.episodes.plan import PlannedEpisode, chosen, instruction_texts, make_plan, shard_of, write_plan
from runners.episodes.row import EpisodeRow
from runners.experiment.checks import CheckedRequest
from runners.experiment.request import RunRequest
from runners.recorders import Recorder, Recorders
from runners.recorders.progress_bar import ProgressBar
from runners.recorders.video import VideoRecorder
from runners.rollout.clock import Clock
from runners.rollout.labelled_recorders import LabelledRecorders
from runners.run_folder.resume import EarlierStart
from runners.servers.hold_client import HoldClient
from runners.simulation.env_cfg import chosen_embodiment, load_env_cfg
from runners.simulation.film_scene import FilmScene
from runners.statistics.stop_rule import StopRule
from runners.statistics.summary import Cost, Summary, summarise
from runners.variations.drawing import varied
from runners.variations.parts import SceneParts
from runners.variations.scene_variation import SceneReset
from runners.variations.settings import VariationSettings

__all__ = ["Preparation", "prepare"]


@dataclass(frozen=True)
class Preparation:
    """All that an experiment is played with, but for server and simulator.

    Args:
        request: What is asked for.
        clock: Whether the world waits for the policy.
        earlier: The start that this one goes on with, None for a new run.
        modality: What the server wants and gives.
        offer: What it says of its policy.
        env_cfg: The env's config, on the simulator that was asked for.
        embodiment: What stands behind each key, matched with the server.
        instructions: What the policy is told, in turns.
        plan: The episodes of this run, or of this shard.
        variations: What is otherwise in them.
        scene_reset: What changes the env's scene for that.
        stop: Which of them count, and when there are enough.
        recorders: Watch the rollout.
        full_videos: Film the failed episodes after it.
    """

    request: RunRequest
    clock: Clock
    earlier: EarlierStart | None
    modality: ModalityConfigs
    offer: PolicyOffer
    env_cfg: Any
    embodiment: Embodiment
    instructions: Sequence[str]
    plan: Sequence[PlannedEpisode]
    variations: VariationSettings
    scene_reset: SceneReset
    stop: StopRule
    recorders: Recorders
    full_videos: Sequence[VideoRecorder]

    @property
    def env_instructions(self) -> Sequence[str]:
        """The instructions by env where each env keeps to its own, else none."""
        return self.instructions if self.request.config.instruction.per is InstructionPer.env else ()

    def summarise(self, rows: Sequence[EpisodeRow], cost: Cost) -> Summary:
        """Return what rows of this plan show.

        Args:
            rows: All rows of the run.
            cost: What they cost.
        """
        config = self.request.config
        return summarise(
            rows,
            self.stop,
            task=config.task["id"],
            instruction=" | ".join(self.instructions),
            checkpoint=config.checkpoint,
            # The gate is about all shards together: groot-report judges it, and so does the end of a sweep.
            min_success=config.gate.min_success if config.shard.count == 1 else None,
            cost=cost,
            label=config.label,
            fidelity=config.task.get("fidelity"),
        )


def prepare(checked: CheckedRequest, client: Client) -> Preparation:
    """Refuse what can be refused without a simulator; write ``plan.json``.

    Args:
        checked: What is asked for.
        client: Of the server, which says what it wants and gives.

    Raises:
        Gr00tError: Server, embodiment, recorders and task do not fit, or the run is another than the one it goes on
            with; the message says what mends it.
    """
    request, config = checked.request, checked.request.config
    env_cfg = load_env_cfg(config.task, config.sim)
    offered = chosen_embodiment(config.embodiment, env_cfg)
    if isinstance(client, HoldClient):
        client.take(offered)
    modality, offer = client.get_modality_config(), client.get_offer()
    instructions = instruction_texts(
        list(dict.fromkeys(episode.instruction for episode in checked.recorded)) or config.instruction.text,
        getattr(env_cfg, "instruction", None),
        per=config.instruction.per,
        num_envs=config.num_envs,
    )
    if checked.earlier is not None:
        checked.earlier.require_same(request.settings, modality, offer.identity)
    variations = VariationSettings.of(config.variation)
    planned = checked.recorded or make_plan(config.episodes, config.seed, instructions)
    if config.again is None:
        planned = varied(planned, variations)
    plan = shard_of(chosen(planned, config.only), config.shard.index, config.shard.count)
    write_plan(plan, request.folder / "plan.json")
    embodiment = match_embodiment(
        offered,
        modality,
        execution=config.horizons.execution,
        delay=config.horizons.delay or 0,
        horizons={"video": config.horizons.video, "state": config.horizons.state},
    )
    named = [built(recorder, f"recorder.{name}") for name, recorder in config.recorder.items()]
    viewers = [built(config.viewer, "viewer")] if config.viewer else []
    kept: list[Recorder] = [ActionLog(), ActionsOver(client.run)] if isinstance(client, KeptClient) else [ActionLog()]
    watching = [*kept, *viewers, ProgressBar(len(plan)), *named]
    if config.label is Label.expert:
        if not any(recorder.takes_labels for recorder in watching):
            raise ContractError(
                "label=expert was asked for, but nothing records what the expert says. Set recorder=[lerobot], or "
                "leave out label."
            )
        expert = built(config.task["expert"], "task.expert")
        seen = match_embodiment(offered, expert.get_modality_config())
        embodiment = replace(embodiment, video=embodiment.video | seen.video, state=embodiment.state | seen.state)
        recorders: Recorders = LabelledRecorders(watching, expert)
    else:
        recorders = Recorders(watching)
    recorders.check(modality)
    cameras = [source.sensor for source in embodiment.video.values() if source.sensor is not None]
    parts = SceneParts(env_cfg, config.task.get("parts") or {}, list(dict.fromkeys(cameras)), config.num_envs)
    scene_reset = SceneReset(variations.scene, parts)
    recorders.set_up_scene(FilmScene(env_cfg, config.sim.renderer_cfg, embodiment.video, config.again is None))
    return Preparation(
        request=request,
        clock=checked.clock,
        earlier=checked.earlier,
        modality=modality,
        offer=offer,
        env_cfg=env_cfg,
        embodiment=embodiment,
        instructions=instructions,
        plan=plan,
        variations=variations,
        scene_reset=scene_reset,
        stop=StopRule(plan, config.stop.ci_width, config.stop.on),
        recorders=recorders,
        full_videos=[
            each.of_failed for each in named if isinstance(each, VideoRecorder) and each.of_failed is not None
        ],
    )
