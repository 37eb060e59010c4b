"""The policy: a checkpoint of GR00T, served by the fastest tier that proves equal.

* ``Tier``: how much of the way from an observation to a chunk is ours.
* ``Gr00tModel``: the policy; ``groot_wrappers.serve`` and ``policy=gr00t`` host it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from groot_wrappers.errors import ContractError, Gr00tError
from groot_wrappers.gr00t_model import loading
from groot_wrappers.gr00t_model.checks import SelfCheck, inputs_differ
from groot_wrappers.gr00t_model.fallback import CheckFailedError, UnsupportedError
from groot_wrappers.gr00t_model.forward import TEXT_STEP, Forward
from groot_wrappers.gr00t_model.inputs import Batch, Preparation
from groot_wrappers.gr00t_model.noise import RowNoise, row_noise_of
from groot_wrappers.gr00t_model.stock import noise_shape, put_noise, stock_actions
from groot_wrappers.gr00t_model.token_mixing import sees_padding
from groot_wrappers.installation.compat import StrEnum
from groot_wrappers.modality import ModalityConfigs
from groot_wrappers.protocol.offer import JOINED_BATCHES, ROW_NOISE

__all__ = ["BATCH_SIZES", "Gr00tModel", "Tier"]

logger = logging.getLogger(__name__)

BATCH_SIZES = (1, 2, 4, 8, 16, 32)
_MOST_TOLD = 1000
_NO_ANSWER_DEPENDS_ON = ("model_path", "tier_asked", "batch_sizes", "gr00t-isaaclab")  # that of NVIDIA's model


class Tier(StrEnum):
    """How much of the way from an observation to a chunk is ours; each has what those before it have."""

    stock = "stock"
    """NVIDIA's ``get_action``."""
    preprocess = "preprocess"
    """Pictures as one batch on the card, prompts tokenised once, relative actions added in one go."""
    head = "head"
    """The action head as a CUDA graph, with keys and values and what depends on the step alone computed once."""
    graphs = "graphs"
    """The backbone too: all of the model is one CUDA graph."""
    compile = "compile"
    """The layers through ``torch.compile``; needs a C compiler, and half a minute when it starts."""

    @classmethod
    def _missing_(cls, value: object) -> Tier:
        if value == "auto":
            return cls.graphs
        raise ContractError(f"policy.tier is auto or one of {', '.join(cls)}, got {value!r}")


class Gr00tModel:
    """A checkpoint of Isaac-GR00T, by NVIDIA's own loader.

    Example:
        >>> policy = Gr00tModel("GR00T-N1.6-3B", "libero_panda")  # doctest: +SKIP
        >>> action, _ = policy.get_action(observation, {"row_noise": [[seed, 0] for seed in seeds]})  # doctest: +SKIP

    Args:
        model_path: Folder of the checkpoint, or its name on Hugging Face's hub.
        embodiment_tag: NVIDIA's tag of the robot.
        tier: See ``Tier``; auto is graphs. One that does not prove equal falls back to the one before.
        batch_sizes: Rows of the buckets that graphs are captured for. Requests are padded to the next one, and split
            where they are larger than the last.
        device: Where the model runs.
        modality_config_path: A Python file that registers modality configs, as NVIDIA's fine-tuning takes it.
        denoising_steps: Of a chunk; None is the checkpoint's own.

    Attributes:
        identity: What the answers depend on, by name: str, int, float or bool.
        capabilities: What the server may ask for beyond the protocol: ``row_noise`` (the noise of a row comes from
            ``options["row_noise"]``) and, of the tiers with buckets, ``joined_batches`` (rows of several clients may
            come in one request).
        batch_sizes: Those of the buckets, ascending.

    Raises:
        ContractError: NVIDIA's package, the checkpoint or the tag is not there, or a setting is none.
    """

    def __init__(
        self,
        model_path: str,
        embodiment_tag: str,
        tier: str = "auto",
        *,
        batch_sizes: Sequence[int] = BATCH_SIZES,
        device: str = "cuda:0",
        modality_config_path: str | None = None,
        denoising_steps: int | None = None,
    ) -> None:
        self._asked = Tier(tier)
        self.batch_sizes = _checked_sizes(batch_sizes)
        if denoising_steps is not None and denoising_steps < 1:
            raise ContractError(f"policy.denoising_steps is null or 1 and more, got {denoising_steps}")
        _check_device(device)
        began = time.perf_counter()
        self._nvidia = loading.load_nvidia_policy(model_path, embodiment_tag, device, modality_config_path)
        model = self._nvidia.model
        if denoising_steps is not None:
            model.action_head.num_inference_timesteps = denoising_steps
        self._modality = loading.modality_configs_of(self._nvidia)
        self._tier, self._reasons = Tier.stock, list[str]()
        self._identity = self._facts(model_path, str(tier))
        self._noise: RowNoise | None = None
        self._preparation: Preparation | None = None
        self._actions: Callable[[Batch, torch.Tensor | None], np.ndarray] | None = None
        self._known_sizes: set[tuple[tuple[int, int], ...]] = set()
        loaded = time.perf_counter()
        self._settle()
        logger.info(
            "GR00T answers by tier %s (loaded in %.0f s, checked and captured in %.0f s)",
            self._tier,
            loaded - began,
            time.perf_counter() - loaded,
        )

    @property
    def identity(self) -> dict[str, str | int | float | bool]:
        """What the answers depend on, by name."""
        told = self._identity | {"tier": str(self._tier)}
        return told | {"fallback": "; ".join(self._reasons)[:_MOST_TOLD]} if self._reasons else told

    @property
    def nvidia(self) -> Any:
        """NVIDIA's policy, whose weights answer."""
        return self._nvidia

    @property
    def capabilities(self) -> tuple[str, ...]:
        """What can be asked for beyond the protocol."""
        # NVIDIA's backbone and head round by the batch that they are given, which the buckets keep fixed.
        is_fixed = self._tier not in (Tier.stock, Tier.preprocess)
        return (ROW_NOISE, JOINED_BATCHES) if is_fixed else (ROW_NOISE,)

    def get_modality_config(self) -> ModalityConfigs:
        """Return what the checkpoint wants and gives for this embodiment."""
        return self._modality

    def get_action(
        self, observation: dict[str, Any], options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return a chunk of actions.

        Args:
            observation: nested form: ``{"video": {k: uint8 (B, T, H, W, 3)}, "state": {k: float32 (B, T, D)},
                "language": {k: [[str]] * B}}``.
            options: ``{"row_noise": [[episode_seed, request_number]] * B}`` lets the chunk of a row begin from noise
                that comes from those two numbers alone; without it the noise is torch's next, as in NVIDIA's code.

        Returns:
            action: ``{k: float32 (B, T_action, D)}``.
            info: empty.

        Raises:
            ContractError: The row noise is not that.
        """
        batch = len(next(iter(observation["video"].values())))
        rows = row_noise_of(options, batch)
        noise = None if rows is None else self._row_noise().draw(rows)
        if self._tier is not Tier.stock:
            prepared = self._prepared(observation)
            if prepared is not None and self._actions is not None and self._preparation is not None:
                return self._preparation.decoded(self._actions(prepared, noise), observation), {}
        others = {key: value for key, value in (options or {}).items() if key != ROW_NOISE}
        with put_noise(noise):
            action, info = self._nvidia.get_action(observation, others or None)
        return action, info

    def reset(self, options: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return what NVIDIA's policy returns; a chunk depends on its own request alone."""
        told: dict[str, Any] = self._nvidia.reset(options)
        return told

    def _prepared(self, observation: dict[str, Any]) -> Batch | None:
        """Return the rows of an observation; None, and the stock tier from now on, where its pictures fail a check."""
        preparation = self._preparation
        if preparation is None:
            return None
        batch = preparation.batch(observation)
        if batch.sizes not in self._known_sizes:
            first = {
                modality: {key: value[:1] for key, value in values.items()} for modality, values in observation.items()
            }
            try:
                told = inputs_differ(self._nvidia, preparation, first)
            except UnsupportedError as error:
                told = str(error)
            if told is not None:
                self._fall_back(self._tier, told)
                self._tier, self._actions, self._preparation = Tier.stock, None, None
                return None
            self._known_sizes.add(batch.sizes)
        return batch

    def _settle(self) -> None:
        """Take the asked tier, or the nearest before it that proves equal."""
        if self._asked is Tier.stock:
            return
        try:
            preparation = Preparation(self._nvidia)
            own = {key: value for key, value in self._identity.items() if key not in _NO_ANSWER_DEPENDS_ON}
            check = SelfCheck(self._nvidia, own)
            check.check_inputs(preparation)
        except Gr00tError:
            raise
        except Exception as error:
            self._fall_back(self._asked, _told(error))
            return
        self._preparation = preparation
        order = list(Tier)
        for tier in reversed(order[1 : order.index(self._asked) + 1]):
            try:
                actions = self._actions_of(tier, preparation)
                found = check.check_actions(actions, preparation)
                self._capture(tier, check.observation, actions)
            except Exception as error:
                self._fall_back(tier, _told(error))
                if self._nvidia.model.device.type == "cuda":
                    torch.cuda.empty_cache()
                continue
            self._tier, self._actions = tier, actions
            self._known_sizes.add(preparation.batch(check.observation).sizes)
            logger.info(
                "Tier %s is %.2g from the reference (%.2g in a bucket), %.2g is allowed",
                tier,
                found["alone"],
                found["together"],
                check.allowed["alone"],
            )
            return

    def _actions_of(self, tier: Tier, preparation: Preparation) -> Callable[[Batch, torch.Tensor | None], np.ndarray]:
        """Return what a tier makes of rows and their noise: normalised actions, float32 (B, H, A)."""
        if tier is Tier.preprocess:

            def by_nvidia(batch: Batch, noise: torch.Tensor | None) -> np.ndarray:
                actions = np.empty((len(batch), *noise_shape(self._nvidia.model)), np.float32)
                for rows in self._unpadded(batch):
                    drawn = None if noise is None else noise[torch.from_numpy(rows).to(noise.device)]
                    inputs = preparation.model_inputs(batch.rows(rows))
                    actions[rows] = stock_actions(self._nvidia, inputs, drawn).cpu().numpy()
                return actions

            return by_nvidia
        model = self._nvidia.model
        shape = noise_shape(model)
        forward = Forward(
            self._nvidia,
            preparation,
            self.batch_sizes,
            own_backbone=tier is not Tier.head,
            compiled=tier is Tier.compile,
        )

        def by_us(batch: Batch, noise: torch.Tensor | None) -> np.ndarray:
            if noise is None:  # the same draw as NVIDIA's head makes
                noise = torch.randn((len(batch), *shape), dtype=model.dtype, device=model.device)
            return forward.actions(batch, noise)

        return by_us

    def _unpadded(self, batch: Batch) -> list[np.ndarray]:
        """Return the rows that NVIDIA's model is given together: all, but where its head would see padding."""
        lengths = np.array([len(tokens.ids) for tokens in batch.tokens])
        if not sees_padding(self._nvidia.model.action_head):
            return [np.arange(len(batch))]
        return [np.flatnonzero(lengths == length) for length in np.unique(lengths)]

    def _capture(
        self, tier: Tier, observation: dict[str, Any], actions: Callable[[Batch, torch.Tensor | None], np.ndarray]
    ) -> None:
        """Capture what is left of the buckets, so that no request waits for it."""
        if tier is Tier.preprocess or self._preparation is None:
            return
        batch = self._preparation.batch(observation)
        text = [-(-len(tokens.text) // TEXT_STEP) for tokens in batch.tokens]
        usual = max(set(text), key=text.count)
        one = np.array([text.index(usual)])
        for size in self.batch_sizes:
            actions(batch.rows(np.repeat(one, size)), None)

    def _fall_back(self, tier: Tier, reason: str) -> None:
        logger.warning("Tier %s is left: %s", tier, reason)
        self._reasons.append(f"{tier}: {reason}")

    def _row_noise(self) -> RowNoise:
        if self._noise is None:
            model = self._nvidia.model
            self._noise = RowNoise(noise_shape(model), model.device, model.dtype)
        return self._noise

    def _facts(self, model_path: str, asked: str) -> dict[str, str | int | float | bool]:
        model = self._nvidia.model
        is_card = model.device.type == "cuda"
        return {
            "policy": "gr00t",
            "model_path": model_path,
            "checkpoint": loading.checkpoint_digest(loading.checkpoint_folder(model_path)),
            "model": type(model).__name__,
            "embodiment_tag": str(self._nvidia.embodiment_tag.value),
            "tier_asked": asked,
            "batch_sizes": ",".join(map(str, self.batch_sizes)),
            "precision": str(model.dtype).removeprefix("torch."),
            "denoising_steps": int(getattr(model.action_head, "num_inference_timesteps", 0)),
            "card": torch.cuda.get_device_name(model.device) if is_card else str(model.device),
            **loading.versions(),
        }


def _told(error: Exception) -> str:
    if isinstance(error, UnsupportedError | CheckFailedError):
        return str(error)
    logger.debug("A tier failed", exc_info=error)
    return f"{type(error).__name__}: {error}".strip().splitlines()[0]


def _checked_sizes(sizes: Sequence[int]) -> tuple[int, ...]:
    whole = [int(size) for size in sizes]
    if not whole or min(whole) < 1 or len(set(whole)) != len(whole):
        raise ContractError(f"policy.batch_sizes are numbers of rows, each once, for instance [1,4,16], got {sizes!r}")
    return tuple(sorted(whole))


def _check_device(device: str) -> None:
    try:
        wanted = torch.device(device)
    except RuntimeError as error:
        raise ContractError(f"policy.device={device} is no device: {error}") from error
    if wanted.type == "cuda" and not torch.cuda.is_available():
        raise ContractError(
            f"policy.device={device} was asked for, but PyTorch {torch.__version__} finds no card here. Start the "
            "server where the card is (nvidia-smi lists it), or try a small model with policy.device=cpu"
        )
    if wanted.type == "cuda" and (wanted.index or 0) >= torch.cuda.device_count():
        raise ContractError(
            f"policy.device={device} was asked for, but there are {torch.cuda.device_count()} cards: the last is "
            f"policy.device=cuda:{torch.cuda.device_count() - 1}"
        )
