"""A batch through the model in buckets of fixed size, each replayed as a CUDA graph.

* ``Forward``: the tiers head, graphs and compile.
* ``buckets_for``: which rows go together, in which bucket.

A graph has fixed shapes: rows fill a bucket, prompts are padded to a multiple of ``TEXT_STEP`` tokens. Neither depends
on a row's neighbours where there is one bucket: rows of longer prompts go by themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from groot_wrappers.gr00t_model.action_head import ActionHead
from groot_wrappers.gr00t_model.backbone import Backbone
from groot_wrappers.gr00t_model.fallback import UnsupportedError
from groot_wrappers.gr00t_model.inputs import Batch, Preparation, Tokens, as_tensor
from groot_wrappers.gr00t_model.layers import Layers
from groot_wrappers.gr00t_model.layers import compiled as compiled_layers

__all__ = ["TEXT_STEP", "Forward", "buckets_for"]

TEXT_STEP = 32
_WARM_UPS = 2


def buckets_for(lengths: Sequence[int], sizes: Sequence[int]) -> Iterator[tuple[np.ndarray, int, int]]:
    """Yield the rows that are computed together, the bucket that they fill, and the text tokens of their prompts.

    Args:
        lengths: Text tokens of each row's prompt.
        sizes: Rows of a bucket, ascending.
    """
    padded = np.array([-(-length // TEXT_STEP) * TEXT_STEP for length in lengths])
    for text in sorted(set(padded.tolist())):
        rows = np.flatnonzero(padded == text)
        for first in range(0, len(rows), sizes[-1]):
            some = rows[first : first + sizes[-1]]
            yield some, next(size for size in sizes if size >= len(some)), text


@dataclass
class _Slot:
    """The fixed tensors of a bucket, and what is computed from them."""

    staged: list[torch.Tensor]  # on the host, of each group of cameras
    pictures: list[torch.Tensor]
    ids: torch.Tensor
    attended: torch.Tensor
    picture_places: torch.Tensor
    text_places: torch.Tensor
    text_mask: torch.Tensor
    state: torch.Tensor
    noise: torch.Tensor
    features: torch.Tensor
    run: Callable[[], torch.Tensor] = field(default=lambda: torch.empty(0))
    answer: torch.Tensor = field(default_factory=lambda: torch.empty(0))  # on the host
    prompts: tuple[Tokens, ...] = ()


class Forward:
    """The model by our own forward.

    Args:
        policy: NVIDIA's, loaded; its projections become views of joined ones.
        preparation: Of the same policy.
        sizes: Rows of the buckets, ascending.
        own_backbone: Whether the backbone is ours too; else it is NVIDIA's.
        compiled: Whether the layers go through ``torch.compile``.
        captured: Whether graphs are captured where there is a card.

    Raises:
        UnsupportedError: The model is set up in a way that is not known here.
    """

    def __init__(
        self,
        policy: Any,
        preparation: Preparation,
        sizes: Sequence[int],
        *,
        own_backbone: bool,
        compiled: bool,
        captured: bool = True,
    ) -> None:
        self._model = model = policy.model
        self._device, self._dtype = model.device, model.dtype
        self._preparation = preparation
        self._sizes = tuple(sizes)
        self._is_compiled, self._is_captured = compiled, captured
        model.requires_grad_(False)
        release = preparation.release
        if own_backbone and not release.has_own_backbone:
            raise UnsupportedError(f"the backbone of {release.name} is NVIDIA's alone: the last tier for it is head")
        layers = compiled_layers() if compiled else Layers()
        embodiment = policy.processor.embodiment_id_mapping[preparation.tag]
        with torch.inference_mode(False):
            self._backbone = Backbone(model, layers) if own_backbone else None
            self._head = ActionHead(model, int(embodiment), layers)
        self._shape = int(model.action_head.config.action_horizon), int(model.action_head.action_dim)
        self._slots: dict[tuple[Any, ...], _Slot] = {}
        self._pool: Any = None

    def actions(self, batch: Batch, noise: torch.Tensor) -> np.ndarray:
        """Return normalised actions.

        Args:
            batch: Rows.
            noise: (B, H, A) on the device.

        Returns:
            float32 (B, H, A).
        """
        actions = np.empty((len(batch), *self._shape), np.float32)
        lengths = [len(tokens.text) for tokens in batch.tokens]
        with torch.inference_mode():
            for rows, bucket, text in buckets_for(lengths, self._sizes):
                together = len(rows) == len(batch)
                some = noise if together else noise[torch.from_numpy(rows).to(noise.device)]
                actions[rows] = self._answer(batch.rows(rows), some, bucket, text)
        return actions

    def _answer(self, batch: Batch, noise: torch.Tensor, bucket: int, text: int) -> np.ndarray:
        key = (bucket, text, batch.sizes, batch.views[0].shape[1], batch.state.shape[1])
        if key not in self._slots:
            self._slots[key] = self._captured(self._slot(batch, bucket, text), batch)
        slot = self._slots[key]
        self._fill(slot, batch, noise)
        actions = slot.run()
        if self._device.type == "cuda":
            slot.answer.copy_(actions, non_blocking=True)
            torch.cuda.current_stream(self._device).synchronize()
            actions = slot.answer
        answered: np.ndarray = actions[: len(batch)].float().cpu().numpy()
        return answered

    def _slot(self, batch: Batch, bucket: int, text: int) -> _Slot:
        device, dtype = self._device, self._dtype
        moments = batch.views[0].shape[1]
        seen = len(batch.tokens[0].pictures)
        shapes = [
            (bucket, moments, sum(size == other for other in batch.sizes), *size, 3)
            for size in dict.fromkeys(batch.sizes)
        ]
        pinned = device.type == "cuda"
        width = int(self._model.config.backbone_embedding_dim)
        length = seen + text

        def whole(*shape: int) -> torch.Tensor:
            return torch.zeros(shape, dtype=torch.long, device=device)

        return _Slot(
            staged=[torch.zeros(shape, dtype=torch.uint8, pin_memory=pinned) for shape in shapes],
            pictures=[torch.zeros(shape, dtype=torch.uint8, device=device) for shape in shapes],
            ids=whole(bucket, length),
            attended=whole(bucket, length),
            picture_places=whole(bucket, seen),
            text_places=whole(bucket, text),
            text_mask=torch.ones((bucket, 1, 1, text), dtype=torch.bool, device=device),
            state=torch.zeros((bucket, *batch.state.shape[1:]), dtype=dtype, device=device),
            noise=torch.zeros((bucket, *self._shape), dtype=dtype, device=device),
            features=torch.zeros((bucket, length, width), dtype=dtype, device=device),
        )

    def _fill(self, slot: _Slot, batch: Batch, noise: torch.Tensor) -> None:
        n = len(batch)
        for group, size in enumerate(dict.fromkeys(batch.sizes)):
            views = [view for view, own in zip(batch.views, batch.sizes) if own == size]  # noqa: B905  # of one length
            for camera, view in enumerate(views):  # by torch, which copies with all cores
                slot.staged[group][:n, :, camera].copy_(as_tensor(view))
            slot.pictures[group].copy_(slot.staged[group], non_blocking=True)
        slot.state[:n].copy_(torch.from_numpy(batch.state))
        slot.noise[:n].copy_(noise)
        prompts = batch.tokens + batch.tokens[:1] * (len(slot.ids) - n)  # rows that are not asked for: anything
        if len(slot.prompts) != len(prompts) or any(a is not b for a, b in zip(slot.prompts, prompts)):  # noqa: B905
            self._fill_prompts(slot, prompts)
            slot.prompts = prompts

    def _fill_prompts(self, slot: _Slot, prompts: tuple[Tokens, ...]) -> None:
        (rows, length), text = slot.ids.shape, slot.text_places.shape[1]
        ids, attended = np.zeros((rows, length), np.int64), np.zeros((rows, length), np.int64)
        if self._backbone is None:
            ids, attended = self._preparation.left_padded(prompts, length)
        pictures = np.zeros(slot.picture_places.shape, np.int64)
        places, mask = np.zeros((rows, text), np.int64), np.zeros((rows, 1, 1, text), bool)
        for row, tokens in enumerate(prompts):
            first = length - len(tokens.ids) if self._backbone is None else 0
            if self._backbone is not None:
                ids[row, : len(tokens.ids)] = tokens.ids
            pictures[row] = first + tokens.pictures
            places[row, : len(tokens.text)] = first + tokens.text
            mask[row, 0, 0, : len(tokens.text)] = True
        for tensor, array in (
            (slot.ids, ids),
            (slot.attended, attended),
            (slot.picture_places, pictures),
            (slot.text_places, places),
            (slot.text_mask, mask),
        ):
            tensor.copy_(torch.from_numpy(array))

    def _captured(self, slot: _Slot, batch: Batch) -> _Slot:
        """Give a slot what computes its answer: a graph on a card, the functions themselves elsewhere."""
        self._fill_prompts(slot, batch.tokens[:1] * len(slot.ids))
        resized = self._resizing(slot, batch)
        backbone = self._backbone
        if backbone is None:
            head = self._graph(lambda: self._actions(slot, slot.features))

            def run() -> torch.Tensor:
                slot.features.copy_(self._stock_features(slot, resized()))
                return head()

            slot.run = run
        else:
            slot.run = self._graph(
                lambda: self._actions(slot, backbone.features(resized(), slot.ids, slot.picture_places))
            )
        if self._device.type == "cuda":
            slot.answer = torch.zeros(slot.noise.shape, dtype=torch.float32, pin_memory=True)
        return slot

    def _actions(self, slot: _Slot, features: torch.Tensor) -> torch.Tensor:
        return self._head.actions(
            features,
            pictures=slot.picture_places,
            text=slot.text_places,
            mask=slot.text_mask,
            attended=slot.attended.bool(),
            state=slot.state.flatten(1)[:, None] if self._preparation.release.joins_states else slot.state,
            noise=slot.noise,
        )

    def _resizing(self, slot: _Slot, batch: Batch) -> Callable[[], torch.Tensor]:
        """Return what makes (B * P, S, S, 3) of the slot's pictures: a row's moments in order, of each its cameras."""
        sizes = list(dict.fromkeys(batch.sizes))
        chains = [self._preparation.chain(size) for size in sizes]
        steps = [chain.resized for chain in chains]
        if self._is_compiled:  # whole numbers stay what they are; float32 sums might be fused
            steps = [torch.compile(chain.resized) if chain.is_whole else chain.resized for chain in chains]
        grouped = [camera for size in sizes for camera, own in enumerate(batch.sizes) if own == size]
        order = torch.tensor(np.argsort(grouped), device=self._device)

        def resized() -> torch.Tensor:
            parts = [
                step(pictures.flatten(0, 2)).view(
                    *pictures.shape[:3], self._preparation.size, self._preparation.size, 3
                )
                for step, pictures in zip(steps, slot.pictures)  # noqa: B905  # of one length
            ]
            together = parts[0] if len(parts) == 1 else torch.cat(parts, 2).index_select(2, order)
            return self._preparation.normalised(together.flatten(0, 2), self._dtype)

        return resized

    def _stock_features(self, slot: _Slot, pictures: torch.Tensor) -> torch.Tensor:
        inputs = {
            "input_ids": slot.ids,
            "attention_mask": slot.attended,
            **self._preparation.release.pixels(pictures),
        }
        features: torch.Tensor = self._model.backbone(inputs)["backbone_features"]
        return features

    def _graph(self, function: Callable[[], torch.Tensor]) -> Callable[[], torch.Tensor]:
        if self._device.type != "cuda" or not self._is_captured:
            return function
        aside = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
        aside.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(aside):
            for _ in range(_WARM_UPS):
                function()
        torch.cuda.current_stream(self._device).wait_stream(aside)
        torch.cuda.synchronize(self._device)
        graph = torch.cuda.CUDAGraph()
        # One pool for all buckets: only one of them runs at a time, and its answer is copied out at once.
        with torch.cuda.graph(graph, pool=self._pool):
            answer = function()
        self._pool = self._pool or graph.pool()

        def replay() -> torch.Tensor:
            graph.replay()
            return answer

        return replay
