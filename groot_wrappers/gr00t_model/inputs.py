"""What NVIDIA's processor does to one row after another, for all rows at once.

* ``Batch``: rows as they come from a request.
* ``Preparation``: their pictures, token ids and states for the model, and the model's actions for the robot.

After Isaac-GR00T's ``processing_gr00t_n1d6.py``, ``processing_gr00t_n1d7.py`` and
``gr00t/data/state_action/state_action_processor.py``, whose own functions normalise and decode.
"""

from __future__ import annotations

import copy
import re
import warnings
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from groot_wrappers.gr00t_model.fallback import UnsupportedError
from groot_wrappers.gr00t_model.pictures import PictureChain
from groot_wrappers.gr00t_model.releases import release_of

__all__ = ["Batch", "Preparation", "Tokens", "as_tensor"]

_PROMPTS = 4096
"""Instructions whose token ids are kept."""


@dataclass(frozen=True, eq=False)
class Tokens:
    """The prompt of one instruction.

    Attributes:
        ids: int64 (N,), those of pictures among them.
        pictures: int64 (K,), where the pictures' ids are.
        text: int64 (N - K,), where the others are.
    """

    ids: np.ndarray
    pictures: np.ndarray
    text: np.ndarray


@dataclass(frozen=True)
class Batch:
    """Rows of a request.

    Attributes:
        views: uint8 (B, T, H, W, 3) of each camera; sizes may differ between cameras.
        tokens: of each row.
        state: float32 (B, T, S), normalised and padded to the model's width.
    """

    views: tuple[np.ndarray, ...]
    tokens: tuple[Tokens, ...]
    state: np.ndarray

    def __len__(self) -> int:
        return len(self.tokens)

    def rows(self, index: np.ndarray) -> Batch:
        """Return some of the rows."""
        if len(index) == len(self) and (np.diff(index) == 1).all():
            return self
        return Batch(tuple(view[index] for view in self.views), tuple(self.tokens[i] for i in index), self.state[index])

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """(H, W) of each camera."""
        return tuple((view.shape[2], view.shape[3]) for view in self.views)


class Preparation:
    """The processor of a loaded policy, for batches.

    Args:
        policy: NVIDIA's.

    Raises:
        UnsupportedError: The processor is set up in a way that is not known here.
    """

    def __init__(self, policy: Any) -> None:
        self.release = release_of(policy.model)
        self._policy = policy
        self._processor = processor = policy.processor
        self._device = policy.model.device
        if not processor.use_albumentations:
            raise UnsupportedError("its pictures go through torchvision's transforms (use_albumentations is false)")
        if getattr(processor, "exclude_state", False):
            raise UnsupportedError("its states are left out (exclude_state is true)")
        edge, fraction = processor.shortest_image_edge, processor.crop_fraction
        if edge is None:
            edge = processor.image_target_size[0]
        if fraction is None:
            fraction = processor.image_crop_size[0] / processor.image_target_size[0]
        self._edge, self._fraction = int(edge), float(fraction)
        self._chains: dict[tuple[int, int], PictureChain] = {}
        self._prompts: OrderedDict[tuple[str, int], Tokens] = OrderedDict()
        self._picture_id = int(getattr(policy.model.backbone.model.config, self.release.picture_id))
        self.view_keys = tuple(policy.modality_configs["video"].modality_keys)
        self.state_keys = tuple(policy.modality_configs["state"].modality_keys)
        self.tag = str(policy.embodiment_tag.value)
        self.size = self.chain((self._edge, self._edge)).size
        """Side of the squares that the vision tower sees, whatever the cameras' pictures are."""
        if self.size != self._edge and not self.release.is_resized_by_pillow:
            raise UnsupportedError(f"pictures of {self._edge} x {self._edge} are brought to {self.size} by torchvision")
        self._decode = _Decoding(policy)

    def chain(self, size: tuple[int, int]) -> PictureChain:
        """Return the chain of pictures of one size (H, W)."""
        if size not in self._chains:
            self._chains[size] = PictureChain(
                size, self._edge, self._fraction, self._device, factor=self.release.factor
            )
        return self._chains[size]

    def batch(self, observation: dict[str, Any]) -> Batch:
        """Return an observation's rows, prompts tokenised and states normalised."""
        views = tuple(np.asarray(observation["video"][key]) for key in self.view_keys)
        pictures = len(views) * views[0].shape[1]
        texts = [row[0] for row in observation["language"][self._policy.language_key]]
        return Batch(views, tuple(self.tokens(text, pictures) for text in texts), self.state(observation))

    def tokens(self, text: str, pictures: int) -> Tokens:
        """Return the prompt of an instruction: NVIDIA's own processor makes it, once."""
        key = (text, pictures)
        if key in self._prompts:
            self._prompts.move_to_end(key)
            return self._prompts[key]
        processor = self._processor
        plain = re.sub(r"[^\w\s]", "", text.lower()) if processor.formalize_language else text
        black = np.zeros((pictures, 3, self.size, self.size), np.uint8)
        content = processor._apply_vlm_processing(black, plain)["vlm_content"]
        ids = processor.collator([{"vlm_content": content}])["inputs"]["input_ids"][0].numpy()
        is_picture = ids == self._picture_id
        tokens = Tokens(ids, np.flatnonzero(is_picture), np.flatnonzero(~is_picture))
        self._prompts[key] = tokens
        if len(self._prompts) > _PROMPTS:
            self._prompts.popitem(last=False)
        return tokens

    def state(self, observation: dict[str, Any]) -> np.ndarray:
        """Return float32 (B, T, S): the states normalised, side by side, zeros up to the model's width."""
        raw = {key: observation["state"][key] for key in self.state_keys}
        normalised = self._processor.state_action_processor.apply_state(raw, self.tag)
        joined = np.concatenate([normalised[key] for key in self.state_keys], -1)
        state = np.zeros((*joined.shape[:-1], self._processor.max_state_dim), np.float32)
        state[..., : joined.shape[-1]] = joined
        return state

    def model_inputs(self, batch: Batch) -> dict[str, Any]:
        """Return what NVIDIA's model takes, as its own processor would give it: see ``stock.stock_inputs``."""
        device, dtype = self._device, self._policy.model.dtype
        resized = []
        for view, size in zip(batch.views, batch.sizes):  # noqa: B905  # of one length
            pictures = as_tensor(view).to(device).flatten(0, 1)
            resized.append(self.chain(size).resized(pictures).view(*view.shape[:2], self.size, self.size, 3))
        together = torch.stack(resized, 2).flatten(0, 2)  # row, moment, camera
        pixels = self.release.pixels(self.normalised(together, dtype))
        length = max(len(tokens.ids) for tokens in batch.tokens)
        ids, mask = self.left_padded(batch.tokens, length)
        embodiment = self._processor.embodiment_id_mapping[self.tag]
        return {
            "inputs": {
                "input_ids": torch.from_numpy(ids).to(device),
                "attention_mask": torch.from_numpy(mask).to(device),
                **pixels,
                "state": torch.from_numpy(batch.state).to(device, dtype),
                "embodiment_id": torch.full((len(batch),), embodiment, device=device),
            }
        }

    def normalised(self, resized: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """Return uint8 pictures as numbers about zero, see ``PictureChain.normalised``."""
        return self.chain((self._edge, self._edge)).normalised(resized, dtype)

    def left_padded(self, prompts: tuple[Tokens, ...], length: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the ids and the mask of prompts, int64 (B, length), as NVIDIA's collator pads them."""
        ids = np.full((len(prompts), length), self._processor.processor.tokenizer.pad_token_id, np.int64)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(prompts):
            ids[row, length - len(tokens.ids) :] = tokens.ids
            mask[row, length - len(tokens.ids) :] = 1
        return ids, mask

    def decoded(self, actions: np.ndarray, observation: dict[str, Any]) -> dict[str, np.ndarray]:
        """Return the chunk that the robot plays.

        Args:
            actions: float32 (B, H, A), normalised.
            observation: Whose states relative actions are relative to.

        Returns:
            A key of the action modality: float32 (B, T, D).
        """
        return self._decode(actions, {key: observation["state"][key] for key in self.state_keys})


class _Decoding:
    """NVIDIA's decoding, with the joints that are relative to the state added in one go."""

    def __init__(self, policy: Any) -> None:
        self._processor = processor = policy.processor
        self._tag = policy.embodiment_tag
        config = policy.modality_configs["action"]
        own = processor.state_action_processor
        self._relative: dict[str, str] = {}
        self._is_plain = True
        if own.use_relative_action and config.action_configs is not None:
            for key, action in zip(config.modality_keys, config.action_configs):  # noqa: B905  # NVIDIA's own check
                if action.rep.name == "RELATIVE":
                    self._relative[key] = action.state_key or key
                    self._is_plain &= action.type.name == "NON_EEF"
        self._absolute = copy.copy(processor)
        self._absolute.state_action_processor = copy.copy(own)
        self._absolute.state_action_processor.use_relative_action = False

    def __call__(self, actions: np.ndarray, states: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        if not self._is_plain:  # a pose: NVIDIA's own loop
            decoded = self._processor.decode_action(actions, self._tag, states)
        else:
            decoded = self._absolute.decode_action(actions, self._tag, states)
            for key, state in self._relative.items():
                decoded[key] = decoded[key] + states[state][:, -1:]
        return {key: np.asarray(value).astype(np.float32) for key, value in decoded.items()}


def as_tensor(array: np.ndarray) -> torch.Tensor:
    """Return an array as a tensor that shares its memory and is read alone: one off the wire may not be written to."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writ")
        return torch.from_numpy(array)
