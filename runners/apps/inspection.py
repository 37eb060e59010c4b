"""What ``groot-inspect`` prints: the env's offer, key by key what joins it to a server, the verdict, and a draft."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import asdict, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]
from omegaconf import OmegaConf

from groot_wrappers.embodiment.action_map import target_width
from groot_wrappers.embodiment.drafting import DraftEntry, draft_embodiment
from groot_wrappers.embodiment.embodiment import Embodiment
from groot_wrappers.embodiment.env_checks import check_env
from groot_wrappers.embodiment.isaaclab_env import IsaacLabEnv
from groot_wrappers.embodiment.matching import match_embodiment
from groot_wrappers.embodiment.sources import state_source, video_source
from groot_wrappers.embodiment.stages import stages_of
from groot_wrappers.errors import ContractError
from groot_wrappers.modality import ModalityConfigs
from runners.config.composed import Composition, resolved
from runners.config.schema import ServerConfig, SimConfig
from runners.servers.policy_connection import policy_client
from runners.simulation.devices import require_simulator
from runners.simulation.env_cfg import chosen_embodiment, load_env_cfg, require_registered
from runners.simulation.simulated_env import simulated_env
from runners.utils.exit_codes import DONE, FAILED
from runners.utils.terminal import say

__all__ = ["run_inspection"]


def run_inspection(composition: Composition) -> int:
    """Start the env of ``conf/inspect.yaml`` and print the comparison; return the exit code."""
    plain = resolved(composition)
    sim: SimConfig = OmegaConf.to_object(composition.config.sim)  # type: ignore[assignment]
    require_simulator(sim)
    require_registered(plain["task"])
    modality = None
    if composition.config.server is not None:
        server: ServerConfig = OmegaConf.to_object(composition.config.server)  # type: ignore[assignment]
        with policy_client(server, say, log=Path(os.devnull), device=sim.device) as connection:
            modality = connection.client.get_modality_config()
    env_cfg = load_env_cfg(plain["task"], sim)
    problems: list[str] = []
    try:
        embodiment = chosen_embodiment(Embodiment.from_config(plain["embodiment"]), env_cfg)
    except ContractError as error:
        embodiment = Embodiment()
        problems += error.problems
    if modality is not None and not problems:
        try:
            match_embodiment(embodiment, modality)
        except ContractError as error:
            problems += error.problems
    say("Starting the simulator (15 to 40 s)", stream=sys.stderr)
    with (
        open(os.devnull, "w") as nowhere,  # tables of IsaacLab's own
        redirect_stdout(nowhere),
        simulated_env(plain["task"]["id"], env_cfg, num_envs=1, episode_steps=1000, device=sim.device, seed=0) as env,
    ):
        isaaclab = IsaacLabEnv(env)
        if not embodiment.is_empty:
            try:
                check_env(isaaclab, embodiment)
            except ContractError as error:
                problems += error.problems
        entries = _entries(embodiment)
        lines = [
            *_offer(plain["task"]["id"], isaaclab),
            *_joined(isaaclab, embodiment, modality, entries),
            *_verdict(problems),
            *_yaml(draft_embodiment(isaaclab, modality, entries), embodiment, modality),
        ]
    say(*lines)
    return FAILED if problems else DONE


def _entries(embodiment: Embodiment) -> dict[str, dict[str, dict[str, Any]]]:
    """Return an embodiment's entries as a YAML file has them: what is at its default is left out."""

    def entry(source: Any) -> dict[str, Any]:
        values = asdict(source)
        default = {field.name: field.default for field in fields(source)}
        changed = {name: value for name, value in values.items() if value != default[name]}
        return {name: str(value) if isinstance(value, StrEnum) else value for name, value in changed.items()}

    return {
        kind: {key: entry(source) for key, source in getattr(embodiment, kind).items()}
        for kind in ("video", "state", "action")
    }


def _offer(env_id: str, env: IsaacLabEnv) -> Iterator[str]:
    workflow = "manager-based" if env.action_terms else "direct"
    yield f"The env {env_id} ({type(env.base).__name__}, {workflow}) offers"
    for name, sensor in env.sensors.items():
        if name in env.cameras:
            size = " x ".join(str(n) for n in sensor.image_shape)
            yield _row("camera", name, f"{size} {', '.join(sensor.cfg.data_types)}")
        else:
            yield _row("sensor", name, type(sensor).__name__)
    for path, shape in env.observations.items():
        yield _row("obs", path, " x ".join(map(str, shape)))
    for name, robot in env.robots.items():
        yield _row("joints", name, ", ".join(robot.joint_names))
        yield _row("bodies", name, ", ".join(robot.body_names))
    for name, term in env.action_terms.items():
        driven = [j for j, place in env.joint_columns.items() if term.start <= place.column < term.start + term.width]
        told = f": positions of {', '.join(driven)}" if driven else ""
        yield _row("action term", name, f"{term.width} {term.kind}{told}")
    if not env.action_terms:
        yield _row("action", "", f"{env.action_dim} numbers without names")
    if instruction := getattr(getattr(env.base, "cfg", None), "instruction", ""):
        yield _row("instruction", "", instruction)
    yield _row("success", "", "a termination term" if env.has_success else "none: success will be null")
    if stages := stages_of(env.base):
        yield _row("stages", "", ", ".join(stages))
    together = "only all envs together (reset mode: per_batch)"
    yield _row("reset mode", "", "each env alone, from its own seed" if env.reset_mode == "per_env" else together)


def _joined(
    env: IsaacLabEnv, embodiment: Embodiment, modality: ModalityConfigs | None, entries: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    """Yield a row for each key that the server wants or the embodiment names, with what the env gives for it."""
    yield "\n" + _row("", "key", f"{'server':<22} {'embodiment':<44} env")
    for kind in ("video", "state", "language", "action"):
        wanted = list(modality[kind].modality_keys) if modality and kind in modality else []
        named = [embodiment.language] if kind == "language" else list(entries[kind])
        for key in dict.fromkeys([*wanted, *named]):
            asked = "-"
            if modality and key in wanted:
                indices = list(modality[kind].delta_indices)
                asked = f"{len(indices)} steps" if kind == "action" else str(indices)
            if kind == "language":
                fits = not wanted or embodiment.language in wanted  # then the text goes under every key of the server
                entry, given = embodiment.language if fits or key in named else "missing", "ok" if fits else ""
            elif key in named:
                entry, given = _flow(entries[kind][key]), _given(env, embodiment, kind, key)
            else:
                entry, given = "missing", ""
            yield _row(kind, key, f"{asked:<22} {entry:<44} {given}")


def _given(env: IsaacLabEnv, embodiment: Embodiment, kind: str, key: str) -> str:
    """Return the size of what the env gives or takes for a key of the embodiment, or that it does not fit."""
    try:
        if kind == "video":
            shape = video_source(env, key, embodiment.video[key]).shape
        elif kind == "state":
            shape = state_source(env, key, embodiment.state[key]).shape
        else:
            shape = (target_width(env, key, embodiment.action[key], embodiment),)
    except ContractError:
        return "does not fit"
    return f"{' x '.join(map(str, shape))}, ok"


def _verdict(problems: list[str]) -> Iterator[str]:
    if not problems:
        yield "\nIt fits."
        return
    yield "\nIt does not fit:"
    for problem in problems:
        yield f"- {problem}"


def _yaml(drafted: list[DraftEntry], embodiment: Embodiment, modality: ModalityConfigs | None) -> Iterator[str]:
    """Yield an embodiment YAML file, with a comment at each guess."""
    yield "\nAn embodiment to paste into my_conf/embodiment/my_robot.yaml (--config-dir my_conf embodiment=my_robot):\n"
    for kind in ("video", "state", "action"):
        of_kind = [draft for draft in drafted if draft.modality == kind]
        if kind == "action":
            wanted = modality["language"].modality_keys if modality and "language" in modality else ()
            own = not wanted or embodiment.language in wanted
            yield f"language: {embodiment.language if own else wanted[0]}"
        yield f"{kind}:" if of_kind else f"{kind}: {{}}"
        for draft in of_kind:
            if draft.entry is None:
                yield f"  # {draft.key}: ???  # {draft.note}"
                continue
            mark = f"  # guess: {draft.note}" if draft.guessed else ""
            yield f"  {draft.key}: {_flow(draft.entry)}{mark}"
    if embodiment.env:
        yield f"env: {_flow(embodiment.env)}"


def _flow(value: Mapping[str, Any]) -> str:
    text: str = yaml.safe_dump(dict(value), default_flow_style=True, sort_keys=False, width=10_000)
    return text.strip()


def _row(kind: str, name: str, told: str) -> str:
    return f"  {kind:<12} {name:<24} {told}"
