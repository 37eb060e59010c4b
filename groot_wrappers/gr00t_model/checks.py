"""Whether a tier answers as NVIDIA's own code does, found out before it serves.

* ``SelfCheck``: sample rows, what NVIDIA's model answers to them, and how far from fp32 that is.
* ``inputs_differ``: whether pictures, token ids and states are those of NVIDIA's processor, to the bit.
* ``Reference``: the answer in fp32, and where it is kept.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from groot_wrappers.gr00t_model.fallback import CheckFailedError
from groot_wrappers.gr00t_model.inputs import Batch, Preparation
from groot_wrappers.gr00t_model.noise import RowNoise
from groot_wrappers.gr00t_model.releases import release_of
from groot_wrappers.gr00t_model.stock import in_fp32, noise_shape, stock_actions, stock_inputs
from groot_wrappers.gr00t_model.token_mixing import sees_padding

__all__ = ["Reference", "SelfCheck", "cache_folder", "inputs_differ"]

logger = logging.getLogger(__name__)

ROWS = 6
"""Sample rows: no power of two, so that a bucket is padded."""

MOST_TIMES = 1.2
"""Of the stock model's own distance from fp32, what a tier may have."""

_MOST_TIMES_IN_16_BITS = 2.0  # where both sides of the comparison are rounded
_LEAST = 1e-6  # of a distance, below which it is rounding in fp32
_FORMAT = 2
_SEED = 20260

Actions = Callable[[Batch, torch.Tensor], np.ndarray]


def cache_folder() -> Path:
    """Return where references are kept: below ``XDG_CACHE_HOME``, else ``~/.cache``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gr00t-isaaclab" / "gr00t-reference"


@dataclass(frozen=True)
class Reference:
    """The actions of sample rows in fp32, or as near to it as memory allows.

    Attributes:
        actions: float32 (ROWS, H, A).
        is_fp32: False where the card had no room, and they are those of the stock model in 16 bits.
        stock: Mean distance of the stock model's actions from them, when they were made.
    """

    actions: np.ndarray
    is_fp32: bool
    stock: float = 0.0

    @classmethod
    def load(cls, path: Path) -> Reference | None:
        """Return the reference of a file; None where it is not there or cannot be read."""
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return cls(np.asarray(arrays["actions"], np.float32), bool(arrays["is_fp32"]), float(arrays["stock"]))
        except (OSError, ValueError, KeyError, zipfile.BadZipFile):
            return None

    def save(self, path: Path) -> None:
        """Write it, whole or not at all; a folder that takes nothing costs the next start a second, not this one."""
        part = path.with_suffix(f".{os.getpid()}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                np.savez(file, actions=self.actions, is_fp32=np.array(self.is_fp32), stock=np.array(self.stock))
            part.replace(path)
        except OSError as error:
            logger.warning("The reference of this checkpoint is not kept: %s", error)


class SelfCheck:
    """What tiers of one loaded policy are compared with. To be made before any weight is joined.

    Args:
        policy: NVIDIA's.
        key: Whatever the answers depend on: checkpoint, card, versions. The fp32 reference is kept under it.
        size: (H, W) of the sample pictures.
    """

    def __init__(self, policy: Any, key: Mapping[str, Any], size: tuple[int, int] = (256, 256)) -> None:
        self._policy = policy
        self.observation = sample_observation(policy, size)
        device, dtype = policy.model.device, policy.model.dtype
        rows = np.stack([np.full(ROWS, _SEED), np.arange(ROWS)], 1)
        # On the host, so that a reference that was kept began from the same bits.
        self.noise = RowNoise(noise_shape(policy.model), "cpu", dtype).draw(rows).to(device)
        inputs = [stock_inputs(policy, _row(self.observation, row)) for row in range(ROWS)]
        alone = self._row_by_row(inputs, self.noise)
        if not sees_padding(policy.model.action_head):  # else rows beside others are other rows
            inputs = [stock_inputs(policy, self.observation)]
        self._stock = {"alone": alone, "together": self._row_by_row(inputs, self.noise)}
        config = policy.modality_configs["action"]
        sizes = policy.processor.state_action_processor.norm_params[policy.embodiment_tag.value]["action"]
        self._used = np.s_[:, : len(config.delta_indices), : sum(int(sizes[k]["dim"]) for k in config.modality_keys)]
        self.reference = self._kept_or_made(cache_folder() / f"{self._name(key)}.npz", inputs)
        if self.reference.is_fp32:
            self.allowed = {way: MOST_TIMES * self.distance(actions) for way, actions in self._stock.items()}
        else:
            own = self.distance(self._stock["alone"])
            self.allowed = dict.fromkeys(self._stock, _MOST_TIMES_IN_16_BITS * own)

    def distance(self, actions: np.ndarray) -> float:
        """Return the mean distance of normalised actions (ROWS, H, A) from the reference, of what the robot uses."""
        return self._apart(actions, self.reference)

    def check_inputs(self, preparation: Preparation) -> None:
        """Compare pictures, ids, states and the decoding with NVIDIA's processor.

        Raises:
            CheckFailedError: They differ.
        """
        told = inputs_differ(self._policy, preparation, self.observation)
        if told:
            raise CheckFailedError(told)
        actions = self._stock["together"]
        raw = {key: self.observation["state"][key] for key in preparation.state_keys}
        expected = self._policy.processor.decode_action(actions, self._policy.embodiment_tag, raw)
        for key, decoded in preparation.decoded(actions, self.observation).items():
            if not np.array_equal(decoded, expected[key].astype(np.float32)):
                raise CheckFailedError(f"actions of '{key}' are decoded otherwise than by NVIDIA's processor")

    def check_actions(self, actions_of: Actions, preparation: Preparation) -> dict[str, float]:
        """Compare the actions of rows one by one, and of all in a padded bucket.

        Returns:
            The distances from the reference.

        Raises:
            CheckFailedError: One is farther than is allowed, or no number.
        """
        batch = preparation.batch(self.observation)
        rows = [np.array([row]) for row in range(ROWS)]
        alone = [actions_of(batch.rows(row), self.noise[row[0] : row[0] + 1]) for row in rows]
        answers = {"alone": np.concatenate(alone), "together": actions_of(batch, self.noise)}
        found = {way: self.distance(actions) for way, actions in answers.items()}
        for way, distance in found.items():
            if not distance <= max(self.allowed[way], _LEAST):
                raise CheckFailedError(
                    f"its actions of rows {way} are {distance:.2g} from the reference in "
                    f"{'fp32' if self.reference.is_fp32 else '16 bits'}, "
                    f"and {self.allowed[way]:.2g} is allowed"
                )
        return found

    def _apart(self, actions: np.ndarray, reference: Reference) -> float:
        return float(np.abs(actions - reference.actions)[self._used].mean())

    def _row_by_row(self, inputs: Sequence[dict[str, Any]], noise: torch.Tensor) -> np.ndarray:
        """Return NVIDIA's actions of batches that are rows of noise one after the other."""
        parts = noise.chunk(len(inputs))
        actions = [stock_actions(self._policy, each, part) for each, part in zip(inputs, parts)]  # noqa: B905
        answered: np.ndarray = torch.cat(actions).cpu().numpy()
        return answered

    def _kept_or_made(self, path: Path, inputs: Sequence[dict[str, Any]]) -> Reference:
        """Return the reference; one from which the stock model has moved away is another model's, and made anew."""
        together = self._stock["together"]
        kept = Reference.load(path)
        if kept is not None and kept.actions.shape == together.shape:
            if self._apart(together, kept) <= _MOST_TIMES_IN_16_BITS * kept.stock + _LEAST:
                return kept
            logger.warning("The kept reference is not of this model, and is made anew: %s", path)
        try:
            model = self._policy.model
            with in_fp32(model, release_of(model).fp32_attention):
                actions = self._row_by_row(inputs, self.noise.float())
            is_fp32 = True
        except torch.OutOfMemoryError:
            torch.cuda.empty_cache()
            logger.warning("There is no memory for a reference in fp32: the stock model in 16 bits stands for it")
            actions, is_fp32 = together, False
        made = Reference(actions, is_fp32)
        made = replace(made, stock=self._apart(together, made))
        made.save(path)
        return made

    @staticmethod
    def _name(key: Mapping[str, Any]) -> str:
        whole = json.dumps({"format": _FORMAT, "rows": ROWS, **key}, sort_keys=True, default=str)
        return hashlib.sha256(whole.encode()).hexdigest()[:24]


def inputs_differ(policy: Any, preparation: Preparation, observation: dict[str, Any]) -> str | None:
    """Say in what our inputs for an observation differ from those of NVIDIA's processor; None where in nothing."""
    theirs = stock_inputs(policy, observation)["inputs"]
    batch = preparation.batch(observation)
    ours = preparation.model_inputs(batch)["inputs"]
    dtype = policy.model.dtype
    pixels = [
        (values if isinstance(values, torch.Tensor) else torch.cat([x.reshape(-1, *x.shape[-3:]) for x in values])).to(
            policy.model.device, dtype
        )
        for values in (theirs["pixel_values"], ours["pixel_values"])
    ]
    if pixels[0].shape != pixels[1].shape:
        return f"pictures of {batch.sizes} become {tuple(pixels[1].shape)}, and {tuple(pixels[0].shape)} by NVIDIA's"
    wrong = int((pixels[0] != pixels[1]).sum())
    if wrong:
        return f"{wrong} of {pixels[0].numel()} values of pictures of {batch.sizes} differ from NVIDIA's processor"
    for name in ("input_ids", "attention_mask", "state", "embodiment_id", "image_grid_thw"):
        if name not in theirs and name not in ours:  # of N1.7 alone
            continue
        their, our = (inputs[name].cpu() for inputs in (theirs, ours))
        if their.shape != our.shape or not torch.equal(their.to(our.dtype), our):
            return f"'{name}' differs from what NVIDIA's processor gives"
    return None


def sample_observation(policy: Any, size: tuple[int, int]) -> dict[str, Any]:
    """Return ROWS rows of an observation: smooth pictures with noise on them, states about the middle, instructions."""
    rng = np.random.Generator(np.random.PCG64(_SEED))
    configs = policy.modality_configs
    limits = policy.processor.state_action_processor.norm_params[policy.embodiment_tag.value]["state"]

    def pictures() -> np.ndarray:
        coarse = rng.integers(0, 200, (ROWS, len(configs["video"].delta_indices), 8, 8, 3))
        whole = coarse.repeat(-(-size[0] // 8), 2).repeat(-(-size[1] // 8), 3)[:, :, : size[0], : size[1]]
        return (whole + rng.integers(0, 56, whole.shape)).astype(np.uint8)

    def state(key: str) -> np.ndarray:
        one = limits[key]
        low, high = (np.asarray(one[name], np.float64) for name in ("min", "max"))
        shape = (ROWS, len(configs["state"].delta_indices), int(one["dim"]))
        return (low + (high - low) * rng.random(shape)).astype(np.float32)

    words = ["pick up the red cube", "Open the top drawer.", "put the mug into the sink, then close the tap"]
    return {
        "video": {key: pictures() for key in configs["video"].modality_keys},
        "state": {key: state(key) for key in configs["state"].modality_keys},
        "language": {policy.language_key: [[words[row % len(words)]] for row in range(ROWS)]},
    }


def _row(observation: dict[str, Any], row: int) -> dict[str, Any]:
    return {
        modality: {key: value[row : row + 1] for key, value in values.items()}
        for modality, values in observation.items()
    }
