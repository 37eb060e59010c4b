"""The types of the configuration: what each key of ``conf/`` is, so that a typo or a wrong type is refused.

``conf/*.yaml`` holds the values; a key without a type here does not exist.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING

from groot_wrappers.embodiment.embodiment import Embodiment
from groot_wrappers.modality import ObservationForm
from groot_wrappers.protocol.wire.envelopes import Dialect

__all__ = [
    "BenchConfig",
    "BenchSection",
    "ClockKind",
    "InspectConfig",
    "InstructionPer",
    "PlayConfig",
    "ServeConfig",
    "ServerReset",
    "register_schemas",
]


class InstructionPer(StrEnum):
    """Who takes turns among several instructions."""

    episode = "episode"
    env = "env"


class ClockKind(StrEnum):
    """Whether the world waits for the policy; see ``runners.rollout.clock``."""

    paused = "paused"
    real = "real"


class ServerReset(StrEnum):
    """When the policy server is reset."""

    per_run = "per_run"
    """Once, before the first episode, as GR00T's own rollouts do: a reset concerns all envs."""
    per_episode = "per_episode"
    """Before each episode, with its seed and, as ``episode_index``, its index in the options."""


@dataclass
class ServerConfig:
    """The policy server that a run asks."""

    policy: Any = None
    command: str | None = None
    host: str = MISSING
    port: int = MISSING
    endpoints: list[str] = field(default_factory=list)
    observation_form: ObservationForm = MISSING
    connect_timeout_s: float = MISSING
    timeout_s: float = MISSING
    reset: ServerReset = ServerReset.per_run


@dataclass
class LatencyServerConfig(ServerConfig):
    """``server=latency``: an embedded policy whose answers take as long as these say, in milliseconds."""

    base_ms: float = MISSING
    per_observation_ms: float = MISSING


@dataclass
class HorizonsConfig:
    """Lengths, in control steps."""

    episode: int = MISSING
    video: int | None = MISSING
    state: int | None = MISSING
    execution: int = MISSING
    delay: int | None = MISSING


@dataclass
class InstructionConfig:
    """What the policy is told: one text, or a list of them that take turns, by episode or by env."""

    text: Any = MISSING
    per: InstructionPer = InstructionPer.episode


@dataclass
class SimConfig:
    """The simulator; ``runners.simulation.env_cfg.use_simulator`` says what each key does."""

    device: str = MISSING
    physics: str = MISSING
    renderer: str = MISSING
    physics_cfg: Any = MISSING
    renderer_cfg: Any = MISSING
    requires: str | None = MISSING
    env_spacing: float | None = MISSING


@dataclass
class GateConfig:
    """What a run must show; see ``runners.statistics.gate``."""

    min_success: float | None = MISSING


class StopOn(StrEnum):
    """Whose interval is to be narrow enough."""

    success = "success"
    """The success rate's."""
    progress = "progress"
    """The mean progress's; the env must tell stages."""


@dataclass
class StopConfig:
    """What ends a run before its plan does; see ``runners.statistics.stop_rule``."""

    ci_width: float | None = MISSING
    on: StopOn = MISSING


@dataclass
class SweepConfig:
    """Where the runs of a sweep go; see ``runners.sweeps``."""

    name: str | None = MISSING


@dataclass
class ShardConfig:
    """Which part of the plan a run plays; see ``runners.episodes.plan.shard_of``."""

    index: int = MISSING
    count: int = MISSING


@dataclass
class PlayConfig:
    """Everything that ``groot-play`` takes.

    ``task`` is checked by ``runners.simulation.env_cfg``, ``variation`` by ``runners.variations.settings``.
    """

    task: Any = MISSING
    embodiment: Embodiment = MISSING
    server: ServerConfig = MISSING
    horizons: HorizonsConfig = MISSING
    clock: ClockKind = MISSING
    instruction: InstructionConfig = MISSING
    variation: dict[str, Any] = field(default_factory=dict)
    sim: SimConfig = MISSING
    recorder: dict[str, Any] = field(default_factory=dict)
    viewer: Any = None
    num_envs: int = MISSING
    episodes: int = MISSING
    seed: int = MISSING
    retries: int = MISSING
    dataset: str | None = None
    episode: int = MISSING
    only: list[int] | None = None
    again: str | None = None
    resume: str | None = None
    fresh: bool = MISSING
    sweep: SweepConfig = MISSING
    shard: ShardConfig = MISSING
    gate: GateConfig = MISSING
    stop: StopConfig = MISSING


@dataclass
class InspectConfig:
    """Everything that ``groot-inspect`` takes. ``num_envs`` is what tasks set; one env is started."""

    task: Any = MISSING
    embodiment: Embodiment = MISSING
    server: ServerConfig | None = None
    sim: SimConfig = MISSING
    num_envs: int = MISSING


@dataclass
class ServeConfig:
    """Everything that ``groot-serve`` takes."""

    policy: Any = MISSING
    dataset: str | None = None
    episode: int = MISSING
    host: str = MISSING
    port: int = MISSING
    dialect: Dialect = MISSING
    observation_form: ObservationForm = MISSING
    base_ms: float = MISSING
    per_observation_ms: float = MISSING
    allow_kill: bool = MISSING


class BenchSection(StrEnum):
    """What ``groot-bench`` measures; a module of ``runners.bench`` each."""

    wire = "wire"
    """Encoding, decoding and a round trip, beside copying and beside a plain client."""
    control_step = "control_step"
    """What the wrappers and recorders add to a control step."""
    schedulers = "schedulers"
    """The same evaluation under several ways to ask for actions."""
    steps = "steps"
    """Control steps a second over the number of envs, without a policy."""
    model = "model"
    """A checkpoint of GR00T served by NVIDIA's code and by ours."""


@dataclass
class WireBenchConfig:
    """The section ``wire``."""

    batches: list[int] = MISSING
    rounds: int = MISSING


@dataclass
class SchedulersBenchConfig:
    """The section ``schedulers``; lengths are in control steps."""

    episodes: int = MISSING
    compared_episodes: int = MISSING
    shortest: int = MISSING
    longest: int = MISSING
    execution: int = MISSING


@dataclass
class ControlStepBenchConfig:
    """The section ``control_step``."""

    episodes: int = MISSING
    length: int = MISSING
    execution: int = MISSING


@dataclass
class StepsBenchConfig:
    """The section ``steps``; lengths are in control steps."""

    num_envs: list[int] = MISSING
    cameras: list[int] = MISSING
    execution: list[int] = MISSING
    seconds: float = MISSING
    shortest: int = MISSING
    longest: int = MISSING


@dataclass
class ModelBenchConfig:
    """The section ``model``, of the checkpoint that ``policy`` says."""

    batches: list[int] = MISSING
    seconds: float = MISSING


@dataclass
class BenchConfig:
    """Everything that ``groot-bench`` takes. ``num_envs`` is of the sections ``schedulers`` and ``control_step``."""

    bench: list[BenchSection] = MISSING
    task: Any = MISSING
    embodiment: Embodiment = MISSING
    server: LatencyServerConfig = MISSING
    sim: SimConfig = MISSING
    num_envs: int = MISSING
    seed: int = MISSING
    wire: WireBenchConfig = MISSING
    control_step: ControlStepBenchConfig = MISSING
    schedulers: SchedulersBenchConfig = MISSING
    steps: StepsBenchConfig = MISSING
    policy: Any = MISSING
    model: ModelBenchConfig = MISSING


def register_schemas() -> None:
    """Make the types known to Hydra under the names that the YAML files of the commands begin with."""
    store = ConfigStore.instance()
    store.store(name="play_schema", node=PlayConfig)
    store.store(name="serve_schema", node=ServeConfig)
    store.store(name="inspect_schema", node=InspectConfig)
    store.store(name="bench_schema", node=BenchConfig)
    store.store(name="latency_server_schema", node=LatencyServerConfig)
