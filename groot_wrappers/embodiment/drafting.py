"""Draft: an embodiment for an env, as far as names tell, with what is guessed marked as a guess.

Classes:
    DraftEntry: what one key gets.
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from groot_wrappers.embodiment.action_map import target_columns
from groot_wrappers.embodiment.embodiment import ActionTarget, Embodiment, StateSource, VideoSource
from groot_wrappers.embodiment.isaaclab_env import IsaacLabEnv
from groot_wrappers.embodiment.sources import state_source, video_source
from groot_wrappers.errors import ContractError
from groot_wrappers.modality import ModalityConfigs

__all__ = ["DraftEntry", "draft_embodiment"]


@dataclass(frozen=True)
class DraftEntry:
    """What one key gets.

    Args:
        modality: ``video``, ``state`` or ``action``.
        key: The server's key, or the env's name where no server is asked.
        entry: The entry of the embodiment; None where nothing in the env comes near.
        guessed: Whether a person must look at it.
        note: Why it is a guess, or what there is to choose from.
    """

    modality: str
    key: str
    entry: Mapping[str, Any] | None
    guessed: bool = False
    note: str = ""


def draft_embodiment(
    env: IsaacLabEnv, modality: ModalityConfigs | None, given: Mapping[str, Mapping[str, Mapping[str, Any]]]
) -> list[DraftEntry]:
    """Find for each key what in the env it may stand for.

    Args:
        env: The env.
        modality: What the server wants; where it is None, the keys are those that are given, or the env's own names.
        given: Entries of the embodiment that was named, by modality and key; those that fit the env are kept.

    Returns:
        Entries by modality, in the server's order; parts of the action that no key drives come last, held.
    """
    images = {path: shape for path, shape in env.observations.items() if len(shape) == 3}
    vectors = {path: shape for path, shape in env.observations.items() if len(shape) == 1}

    def keys(kind: str, own: Iterable[str]) -> list[str]:
        if modality is None:
            return list(given.get(kind) or [name.rpartition(".")[2] for name in own])
        return list(modality[kind].modality_keys) if kind in modality else []

    cameras = {name: {"sensor": name} for name in env.cameras} | {path: {"obs": path} for path in images}
    states = {path: {"obs": path} for path in vectors}
    terms: dict[str, dict[str, Any]] = {name: {"term": name} for name in env.action_terms}
    terms = terms or {"action": {"slice": [0, env.action_dim]}}
    drafted = [_entry("video", key, given, cameras, env) for key in keys("video", env.cameras or images)]
    for key in keys("state", vectors):
        offered = dict(states)
        for robot in env.robots.values():
            offered |= _joints_like(key, robot.joint_names)
        drafted.append(_entry("state", key, given, offered, env))
    actions = [
        _entry("action", key, given, terms | _joints_like(key, env.joint_columns), env) for key in keys("action", terms)
    ]
    if len(actions) == 1 and actions[0].entry is None:
        if len(terms) == 1:
            (only,) = terms.values()
            actions = [DraftEntry("action", actions[0].key, only, guessed=True, note="all that the env takes")]
        elif len(env.joint_columns) == env.action_dim:
            joints = {"joints": list(env.joint_columns)}
            actions = [DraftEntry("action", actions[0].key, joints, guessed=True, note="all that the env takes")]
    return drafted + actions + _holds(env, actions)


def _entry(
    kind: str,
    key: str,
    given: Mapping[str, Mapping[str, Mapping[str, Any]]],
    offered: Mapping[str, Mapping[str, Any]],
    env: IsaacLabEnv,
) -> DraftEntry:
    """Return the entry that was given if it fits, the one of the same name, the one of the nearest name, or none."""
    named = given.get(kind, {}).get(key)
    if named is not None and _fits(kind, key, named, given, env):
        return DraftEntry(kind, key, named)
    last_names = {name.rpartition(".")[2]: entry for name, entry in offered.items()}
    if key in last_names:
        return DraftEntry(kind, key, last_names[key])
    near = _nearest(key, last_names)
    if near is not None:
        return DraftEntry(kind, key, last_names[near], guessed=True, note=f"named like '{near}'")
    choice = ", ".join(offered) or "nothing of the kind"
    return DraftEntry(kind, key, None, guessed=True, note=f"nothing is named like it; the env has {choice}")


def _fits(
    kind: str,
    key: str,
    entry: Mapping[str, Any],
    given: Mapping[str, Mapping[str, Mapping[str, Any]]],
    env: IsaacLabEnv,
) -> bool:
    """Whether an entry that was given names what the env has."""
    try:
        if kind == "video":
            video_source(env, key, VideoSource(**entry))
        elif kind == "state":
            state_source(env, key, StateSource(**entry))
        else:
            states = Embodiment.from_config({"state": given.get("state", {})})
            target_columns(env, key, ActionTarget(**entry), states)
    except ContractError:
        return False
    return True


def _nearest(key: str, names: Iterable[str]) -> str | None:
    """Return the name that shares a word with the key, or is spelled like it."""
    names = list(names)
    words = set(_words(key))
    shared = {name: len(words & set(_words(name))) for name in names}
    best = max(names, key=lambda name: shared[name], default=None)
    if best is not None and shared[best]:
        return best
    return next(iter(difflib.get_close_matches(key, names, n=1)), None)


def _words(name: str) -> list[str]:
    """Return the words of a name that mean something by themselves."""
    return [word for word in re.split(r"[\W_\d]+", name.lower()) if len(word) > 2]  # x, of, ee


def _joints_like(key: str, joints: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the joints that share a word with the key, as one group by a name of its own; none where none does."""
    words = set(_words(key)) - {"joint"}
    names = [name for name in joints if words & set(_words(name))]
    return {f"{'_'.join(_words(key))}_joints": {"joints": names}} if names else {}


def _holds(env: IsaacLabEnv, actions: list[DraftEntry]) -> list[DraftEntry]:
    """Return entries that hold the action terms of which no drafted entry drives anything."""
    driven = {
        column
        for draft in actions
        if draft.entry is not None
        for column in target_columns(env, draft.key, ActionTarget(**{**draft.entry, "relative_to": None}), Embodiment())
    }
    return [
        DraftEntry("action", f"rest_{name}", {"term": name, "hold": 0.0}, guessed=True, note="no key drives it")
        for name, term in env.action_terms.items()
        if not driven & set(range(term.start, term.start + term.width))
    ]
