"""Variations of the wire: they change the pictures and states that a policy is sent, around any env.

What success is judged by stays as it is, and so does what the env does. A change is made where a key is read, on the
env's device: nothing is read, or drawn by a camera, that nobody looks at.

* ``WireVariation``: what changes the frames of some envs.
* ``Moment``: which frames those are.
* ``varied``: a key's source with the changes in it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable
from zlib import crc32

import torch

from groot_wrappers.embodiment.buffers import as_torch
from groot_wrappers.embodiment.sources import Source
from groot_wrappers.episode_context import episode_context
from groot_wrappers.errors import ContractError, did_you_mean
from groot_wrappers.variations.seeded_draws import normal, uniform
from groot_wrappers.variations.variation import Draw, Variation

__all__ = ["Moment", "WireVariation", "check_keys", "varied"]


@dataclass(frozen=True)
class Moment:
    """Which frames are changed, a row an env.

    Args:
        seeds: Of the M episodes.
        steps: Control steps that they have played.
        stream: Tells apart what is drawn for the same step: of another variation, or another key.
        device: Of the frames.
    """

    seeds: Sequence[int]
    steps: Sequence[int]
    stream: int
    device: torch.device

    def uniform(self, *shape: int) -> torch.Tensor:
        """Draw numbers in [0, 1), float32 (M, *shape): the same whenever this moment of an episode is looked at."""
        return uniform(self._moments, shape, self.device)

    def normal(self, *shape: int) -> torch.Tensor:
        """Draw standard normal numbers likewise."""
        return normal(self._moments, shape, self.device)

    @property
    def _moments(self) -> list[tuple[int, int, int]]:
        return [(seed, step, self.stream) for seed, step in zip(self.seeds, self.steps, strict=True)]


@runtime_checkable
class WireVariation(Variation, Protocol):
    """Changes what is sent under the keys of one modality.

    Attributes:
        modality: ``video`` or ``state``.
        keys: Those of its keys that are changed; None for all.
    """

    modality: Literal["video", "state"]

    @property
    def keys(self) -> Sequence[str] | None:
        """See above."""

    def vary(self, frames: torch.Tensor, draws: Sequence[Draw], moment: Moment) -> torch.Tensor:
        """Return the frames as they are sent.

        Args:
            frames: uint8 (M, H, W, 3) of ``video``, float32 (M, D) of ``state``; not to be written to.
            draws: Of each of the M envs.
            moment: Which frames they are.
        """


def check_keys(variations: Mapping[str, WireVariation], known: Mapping[str, Collection[str]]) -> None:
    """Check that all keys that variations name are sent.

    Args:
        variations: Name to variation.
        known: Modality to its keys.

    Raises:
        ContractError: One is not, or there is nothing to change.
    """
    for kind, variation in variations.items():
        there = known.get(variation.modality, ())
        for key in variation.keys or ():
            if key not in there:
                raise ContractError(
                    f"variation.{kind}.keys names '{key}', but the policy is sent no {variation.modality} of that "
                    f"name.{did_you_mean(key, there)} It is sent: {', '.join(there) or 'none'}."
                )
        if not there:
            raise ContractError(
                f"variation={kind} was asked for, but the policy is sent no {variation.modality}. Leave it out."
            )


def varied(source: Source, env: Any, modality: str, key: str, variations: Mapping[str, WireVariation]) -> Source:
    """Return the source of a key whose frames are changed in the envs for which something was drawn.

    Args:
        source: The key's own; returned as it is where no variation is about it.
        env: The bare env, with its ``EpisodeContext``.
        modality: ``video`` or ``state``.
        key: The key.
        variations: Name to variation, in the order in which they are made.
    """
    mine = {
        kind: variation
        for kind, variation in variations.items()
        if variation.modality == modality and (variation.keys is None or key in variation.keys)
    }
    if not mine:
        return source

    def change(frame: torch.Tensor) -> torch.Tensor:
        episodes = episode_context(env).variations
        steps = as_torch(env.episode_length_buf)
        changed = frame
        for kind, variation in mine.items():
            ids = [i for i, episode in episodes.items() if kind in episode.draws]
            if not ids:
                continue
            rows = torch.tensor(ids, device=frame.device)
            stream = crc32(f"{kind}/{key}".encode())
            moment = Moment([episodes[i].seed for i in ids], steps[rows].tolist(), stream, frame.device)
            if changed is frame:
                changed = frame.clone()  # it may be a view of a buffer of the simulator
            changed[rows] = variation.vary(changed[rows], [episodes[i].draws[kind] for i in ids], moment)
        return changed

    return source.then(source.shape, change)
