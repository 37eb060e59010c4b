"""Gr00tObservationWrapper: what an env offers, as the observation that a GR00T server checks."""

import groot_wrappers.installation.wrappers_needed  # isort: skip  # noqa: F401  # before torch
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces

from groot_wrappers.embodiment.embodiment import Embodiment
from groot_wrappers.embodiment.host_copy import HostCopy
from groot_wrappers.embodiment.isaaclab2 import drawn_at_resets
from groot_wrappers.embodiment.isaaclab_env import IsaacLabEnv
from groot_wrappers.embodiment.sources import Source, state_source, video_source
from groot_wrappers.episode_context import EpisodeContext, set_episode_context
from groot_wrappers.errors import ContractError
from groot_wrappers.history import History
from groot_wrappers.lazy_observation import InstructionSpace, Observation
from groot_wrappers.variations.variation import EpisodeVariation
from groot_wrappers.variations.wire import WireVariation, check_keys, varied

__all__ = ["Gr00tObservationWrapper"]


class Gr00tObservationWrapper(gym.Wrapper[Any, Any, Any, Any]):
    """Returns a GR00T observation from the cameras and observation terms of a vectorised IsaacLab env.

    Observations are :class:`Observation`. Cameras are lazy sensors (IsaacLab draws one when its data is read), so that
    pixels cost only where somebody looks, or on every control step where the video history reaches into the past. So it
    is with Isaac Sim's (``isaaclab_physx.renderers``: ``ensure_isaac_rtx_render_update``), unless a Kit window draws
    every step anyway; the env's ``render_enabled`` would stop the window and its cameras alike, and is left alone.
    IsaacLab 2.3 draws on every control step, and after a reset where it is let (``embodiment.isaaclab2``).

    Example:
        With an env of four envs side by side, whose scene has a sensor ``camera``:

        >>> embodiment = Embodiment(
        ...     video={"front": VideoSource(sensor="camera", resize=[224, 224])},
        ...     state={"arm": StateSource(obs="policy.joints")},
        ... )
        >>> env = Gr00tObservationWrapper(env, embodiment, instruction="pick up the cube")
        >>> observation, info = env.reset(seed=0)
        >>> observation["video"]["front"].shape  # (num_envs, T, H, W, 3)
        (4, 1, 224, 224, 3)
        >>> observation["language"]["task"][0]
        ['pick up the cube']

    Args:
        env: A vectorised IsaacLab env (``ManagerBasedRLEnv`` or ``DirectRLEnv``), or one that offers the same; one env
            is ``num_envs=1``.
        embodiment: Sources of the video and state keys, and the language key.
        instruction: What the policy is told until ``reset`` gives another instruction. The env's terms find what each
            env is told in its :class:`EpisodeContext`. Where its reset events draw from that alone
            (:attr:`IsaacLabEnv.uses_episode_generators`), one call resets all envs that begin an episode.
        delta_indices: Control steps that the server asks for, per modality (``video``, ``state``), as its
            ``get_modality_config`` has them; the present alone by default.
        language_keys: Keys that the server takes the instruction under: each env's text goes under all of them. The
            embodiment's own by default.
        variations: Name to what changes what is sent, in the episodes for which ``reset`` is told that it drew.

    Raises:
        ContractError: The env lacks what the embodiment names, or a variation names a key that is not sent; the message
            lists what there is.
    """

    def __init__(
        self,
        env: gym.Env[Any, Any],
        embodiment: Embodiment,
        *,
        instruction: str = "",
        delta_indices: Mapping[str, Sequence[int]] | None = None,
        language_keys: Sequence[str] = (),
        variations: Mapping[str, WireVariation] | None = None,
    ) -> None:
        super().__init__(env)
        self._isaaclab = isaaclab = IsaacLabEnv(env)
        self.num_envs = isaaclab.num_envs
        self.device = isaaclab.device
        self.reset_mode = isaaclab.reset_mode
        """``per_env``: each env can begin an episode alone; ``per_batch``: only all of them together."""

        self.embodiment = embodiment
        self.instructions = [instruction] * self.num_envs
        # The same list, not a copy: the env's terms read from it what reset writes into it.
        self._context = EpisodeContext(self.instructions)
        set_episode_context(isaaclab.base, self._context)
        self._language_keys = tuple(language_keys) or (embodiment.language,)
        self._draws_by_episode = isaaclab.uses_episode_generators
        self.renders = 0
        """Moments at which the cameras were drawn."""

        self._raw: Any = None
        self._moment = 0
        self._drawn_at = -1
        self._was_reset = False
        self._sources: dict[str, dict[str, Source]] = {
            "video": {key: video_source(isaaclab, key, source) for key, source in embodiment.video.items()},
            "state": {key: state_source(isaaclab, key, source) for key, source in embodiment.state.items()},
        }
        indices = {"video": (0,), "state": (0,)} | dict(delta_indices or {})
        check_keys(variations or {}, self._sources)
        for modality, of_keys in self._sources.items():
            for key, source in of_keys.items():
                of_keys[key] = varied(source, isaaclab.base, modality, key, variations or {})
        self._histories = {m: {key: History(indices[m]) for key in sources} for m, sources in self._sources.items()}
        self._histories_that_reach_back = [
            (modality, key, history)
            for modality, histories in self._histories.items()
            for key, history in histories.items()
            if history.reaches_back
        ]

        shapes = {
            modality: {key: (self.num_envs, len(indices[modality]), *source.shape) for key, source in sources.items()}
            for modality, sources in self._sources.items()
        }
        self._copy_to_host = {
            "video": HostCopy(shapes["video"], torch.uint8, self.device),
            "state": HostCopy(shapes["state"], torch.float32, self.device),
        }
        self.observation_space = spaces.Dict(
            {
                "video": spaces.Dict({k: spaces.Box(0, 255, shape, np.uint8) for k, shape in shapes["video"].items()}),
                "state": spaces.Dict(
                    {k: spaces.Box(-np.inf, np.inf, shape, np.float32) for k, shape in shapes["state"].items()}
                ),
                "language": spaces.Dict({key: InstructionSpace(self.num_envs) for key in self._language_keys}),
            }
        )

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin episodes in all envs or in some, each from its own seed.

        Args:
            seed: Where no ``seeds`` are given, env i gets ``seed + i``.
            options: ``env_ids`` (sequence of int; all by default), ``seeds`` (one int each), ``instructions`` (one str
                each) and ``variations`` (one ``{name: draw}`` each). Other entries go to the env. Where envs begin
                episodes only all together (``reset_mode`` is ``per_batch``), ``env_ids`` must name them all, and the
                first seed is that of the batch.

        Returns:
            The observation of all envs, and the env's info.

        Raises:
            ContractError: The lists differ in length, an env id is out of range, or the env cannot reset some alone.
        """
        options = dict(options or {})
        env_ids = [int(i) for i in options.pop("env_ids", range(self.num_envs))]
        seeds = options.pop("seeds", None if seed is None else [seed + i for i in env_ids])
        instructions = options.pop("instructions", None)
        drawn = options.pop("variations", None)
        for name, given in (("seeds", seeds), ("instructions", instructions), ("variations", drawn)):
            if given is not None and len(given) != len(env_ids):
                raise ContractError(
                    f"reset was asked for {len(env_ids)} envs, but got {len(given)} {name}. Give one each."
                )
        if not set(env_ids) <= set(range(self.num_envs)):
            raise ContractError(f"reset was asked for the envs {env_ids}, but there are 0 to {self.num_envs - 1}.")
        for position, text in enumerate(instructions or ()):
            self.instructions[env_ids[position]] = text
        for position, env_id in enumerate(env_ids):
            varies = EpisodeVariation(seeds[position] if seeds else 0, drawn[position] if drawn else {})
            self._context.variations[env_id] = varies

        info = self._reset_env(env_ids, seeds, options)
        self._moment += 1
        started = torch.as_tensor(env_ids, dtype=torch.int64, device=self.device)
        for modality, key, history in self._histories_that_reach_back:
            history.restart(self._read(modality, key), started)
        return self._observe(), info

    def step(  # type: ignore[override]  # gym.Env declares scalars, IsaacLab's envs are vectorised
        self, action: torch.Tensor
    ) -> tuple[Observation, torch.Tensor, torch.Tensor, torch.Tensor, dict[str, Any]]:
        """Play one control step.

        Args:
            action: (num_envs, action_dim), on the env's device.

        Returns:
            The observation (of a finished env: the first of IsaacLab's own next episode), and reward, terminated,
            truncated of shape (num_envs,), and the env's info.
        """
        env: Any = self.env
        with drawn_at_resets(self._isaaclab.base):  # IsaacLab's own, of envs whose episode ends
            self._raw, reward, terminated, truncated, info = env.step(action)
        self._moment += 1
        for modality, key, history in self._histories_that_reach_back:
            history.append(self._read(modality, key))
        return self._observe(), reward, terminated, truncated, info

    def present_state(self, key: str) -> torch.Tensor:
        """Return the present value of a state key, float32 (num_envs, D), on the env's device."""
        return self._read("state", key)

    def _reset_env(self, env_ids: list[int], seeds: Sequence[int] | None, options: dict[str, Any]) -> dict[str, Any]:
        """Reset some envs and keep the raw observation of all."""
        base: Any = self.env.unwrapped
        if self.reset_mode == "per_batch" and sorted(env_ids) != list(range(self.num_envs)):
            raise ContractError(
                f"{type(base).__name__} begins episodes in all its envs together (its reset takes no env_ids), but "
                f"reset was asked for {env_ids} alone. Ask for all, or use an env of IsaacLab's manager-based workflow."
            )
        if not self._was_reset or self.reset_mode == "per_batch":
            # gym.make's OrderEnforcing wrapper wants to have seen one reset of the whole.
            with drawn_at_resets(base):
                self._raw, info = self.env.reset(seed=None if seeds is None else int(seeds[0]), options=options)
            self._was_reset = True
        if self.reset_mode == "per_batch":
            # Some direct envs begin a first batch at random ages, to spread what a training sees.
            base.episode_length_buf[:] = 0
            return info
        # IsaacLab's own terms draw the starts of all envs of one reset call from one generator. A call an env makes
        # each start depend on its own seed alone, for any number of envs.
        calls: list[tuple[list[int], int | None]] = [(env_ids, None)]
        if seeds is not None and self._draws_by_episode:
            self._context.generators.update(
                {i: torch.Generator().manual_seed(int(seed)) for i, seed in zip(env_ids, seeds, strict=True)}
            )
        elif seeds is not None:
            calls = [([i], int(seed)) for i, seed in zip(env_ids, seeds, strict=True)] or calls
        try:
            self._raw, info = self._isaaclab.begin_episodes(calls, options)
        finally:
            self._context.generators.clear()  # what IsaacLab resets by itself draws from torch's generator again
        return info

    def _observe(self) -> Observation:
        moment = self._moment
        readers: dict[str, Callable[[], Any]] = {
            "video": lambda: self._sample("video"),
            "state": lambda: self._sample("state"),
            "language": lambda: {key: [[text] for text in self.instructions] for key in self._language_keys},
        }
        return Observation(readers, lambda: moment == self._moment)

    def _sample(self, modality: str) -> dict[str, np.ndarray[Any, Any]]:
        histories = self._histories[modality]

        def frames(key: str) -> torch.Tensor:
            return histories[key].sample() if histories[key].reaches_back else self._read(modality, key).unsqueeze(1)

        return self._copy_to_host[modality](frames)

    def _read(self, modality: str, key: str) -> torch.Tensor:
        """Read the present frame of one key, (num_envs, ...)."""
        source = self._sources[modality][key]
        if source.renders and self._drawn_at != self._moment:
            self._drawn_at = self._moment
            self.renders += 1
        frame = source.read(self._raw)
        if frame.shape != (self.num_envs, *source.shape):  # torch would repeat a row or a channel without a word
            raise ContractError(
                f"embodiment.{modality}.{key}: the env says that it gives {source.shape} for each of {self.num_envs} "
                f"envs, but gives {tuple(frame.shape)} in all. Mend the camera's image_shape or the observation space "
                f"of the env{', or set resize' if modality == 'video' else ''}."
            )
        return frame.clone() if self._histories[modality][key].reaches_back else frame
