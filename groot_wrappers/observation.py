"""Gr00tObservationWrapper: what an env offers, as the observation that a GR00T server checks.

Classes:
    Observation: one moment's {video, state, language}, read from the env when it is first looked at.
    InstructionSpace: the space of one instruction per env.
    Gr00tObservationWrapper: the wrapper.
"""

import difflib
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces

from groot_wrappers.embodiment import Embodiment
from groot_wrappers.errors import ContractError
from groot_wrappers.history import History

__all__ = ["Gr00tObservationWrapper", "InstructionSpace", "Observation"]

Reader = Callable[[], torch.Tensor]


class Observation(dict[str, Any]):
    """The observation of one moment, whose modalities are read from the env when they are first looked at.

    ``{"video": {key: uint8 (num_envs, T, H, W, 3)}, "state": {key: float32 (num_envs, T, D)},
    "language": {key: [[str]] * num_envs}}``, numpy arrays on the host. A modality that nobody looks at costs nothing:
    no rendering and no copy. What has been read stays readable; what has not is gone once the env has moved on.

    Args:
        readers: Modality to the function that reads it.
        is_present: Whether the env still stands where this observation was made.
    """

    def __init__(self, readers: Mapping[str, Callable[[], Any]], is_present: Callable[[], bool]) -> None:
        super().__init__(dict.fromkeys(readers))
        self._unread = dict(readers)
        self._is_present = is_present

    def __getitem__(self, modality: str) -> Any:
        if modality in self._unread:
            if not self._is_present():
                raise ContractError(
                    f"The {modality} of an observation was asked for after the env had moved on. Read it before the "
                    "next step or reset, or keep what you read: observation['" + modality + "']."
                )
            self[modality] = self._unread[modality]()
            del self._unread[modality]
        return super().__getitem__(modality)

    def get(self, modality: str, default: Any = None) -> Any:
        """Return a modality, read now if it was not yet, or ``default`` where there is none of that name."""
        try:
            return self[modality]
        except KeyError:
            return default

    def values(self) -> Any:
        """Return all modalities, read now if they were not yet."""
        return self._read_all().values()

    def items(self) -> Any:
        """Return all modalities with their names, read now if they were not yet."""
        return self._read_all().items()

    def _read_all(self) -> dict[str, Any]:
        return {modality: self[modality] for modality in self}


class InstructionSpace(gym.Space[list[list[str]]]):
    """One instruction per env, in the nesting that GR00T asks for: ``[[str]] * num_envs``."""

    def __init__(self, num_envs: int) -> None:
        super().__init__()
        self.num_envs = num_envs

    def contains(self, x: Any) -> bool:
        """Whether ``x`` holds one list of one string per env."""
        return (
            isinstance(x, list | tuple)
            and len(x) == self.num_envs
            and all(isinstance(row, list | tuple) and len(row) == 1 and isinstance(row[0], str) for row in x)
        )

    def sample(self, mask: Any = None, probability: Any = None) -> list[list[str]]:
        """Return empty instructions: free text has no distribution to draw from."""
        return [[""] for _ in range(self.num_envs)]

    def __repr__(self) -> str:
        return f"InstructionSpace({self.num_envs})"


class Gr00tObservationWrapper(gym.Wrapper[Any, Any, Any, Any]):
    """Returns a GR00T observation from the cameras and observation terms of a vectorised IsaacLab env.

    Observations are :class:`Observation`. Cameras are lazy sensors (IsaacLab draws one when its data is read), so that
    pixels cost only where somebody looks, or on every control step where the video history reaches into the past.

    Args:
        env: A vectorised IsaacLab env (``ManagerBasedRLEnv``), or one that offers the same: ``num_envs``, ``device``,
            ``scene.sensors``, ``single_observation_space``; one env is ``num_envs=1``.
        embodiment: Sources of the video and state keys, and the language key.
        instruction: What the policy is told until ``reset`` gives another instruction.
        delta_indices: Control steps that the server asks for, per modality (``video``, ``state``), as its
            ``get_modality_config`` has them; the present alone by default.

    Raises:
        ContractError: The env lacks a camera or term that the embodiment names; the message lists what it has.
    """

    def __init__(
        self,
        env: gym.Env[Any, Any],
        embodiment: Embodiment,
        *,
        instruction: str = "",
        delta_indices: Mapping[str, Sequence[int]] | None = None,
    ) -> None:
        super().__init__(env)
        base: Any = env.unwrapped
        self.num_envs: int = base.num_envs
        self.device = torch.device(base.device)
        self.embodiment = embodiment
        self.instructions = [instruction] * self.num_envs
        self.renders = 0
        """Moments at which the cameras were drawn."""

        self._raw: Any = None
        self._moment = 0
        self._rendered_at = -1
        self._was_reset = False
        video = {key: self._video_reader(key) for key in embodiment.video}
        state = {key: self._state_reader(key) for key in embodiment.state}
        self._readers = {
            "video": {key: reader for key, (reader, _) in video.items()},
            "state": {key: reader for key, (reader, _) in state.items()},
        }
        indices = {"video": (0,), "state": (0,)} | dict(delta_indices or {})
        self._histories = {m: {key: History(indices[m]) for key in self._readers[m]} for m in self._readers}
        self.observation_space = spaces.Dict(
            {
                "video": spaces.Dict(
                    {
                        key: spaces.Box(0, 255, (self.num_envs, len(indices["video"]), *shape), np.uint8)
                        for key, (_, shape) in video.items()
                    }
                ),
                "state": spaces.Dict(
                    {
                        key: spaces.Box(-np.inf, np.inf, (self.num_envs, len(indices["state"]), *shape), np.float32)
                        for key, (_, shape) in state.items()
                    }
                ),
                "language": spaces.Dict({embodiment.language: InstructionSpace(self.num_envs)}),
            }
        )

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin episodes in all envs or in some, each from its own seed.

        Args:
            seed: Where no ``seeds`` are given, env i gets ``seed + i``.
            options: ``env_ids`` (sequence of int; all by default), ``seeds`` (one int each) and ``instructions`` (one
                str each). Other entries go to the env.

        Returns:
            The observation of all envs, and the env's info.

        Raises:
            ContractError: The lists differ in length, an env id is out of range, or the env cannot reset some alone.
        """
        options = dict(options or {})
        env_ids = [int(i) for i in options.pop("env_ids", range(self.num_envs))]
        seeds = options.pop("seeds", None if seed is None else [seed + i for i in env_ids])
        instructions = options.pop("instructions", None)
        for name, given in (("seeds", seeds), ("instructions", instructions)):
            if given is not None and len(given) != len(env_ids):
                raise ContractError(
                    f"reset was asked for {len(env_ids)} envs, but got {len(given)} {name}. Give one each."
                )
        if not set(env_ids) <= set(range(self.num_envs)):
            raise ContractError(f"reset was asked for the envs {env_ids}, but there are 0 to {self.num_envs - 1}.")
        for position, text in enumerate(instructions or ()):
            self.instructions[env_ids[position]] = text

        info = self._reset_env(env_ids, seeds, options)
        self._moment += 1
        started = torch.as_tensor(env_ids, dtype=torch.int64, device=self.device)
        for modality, key, history in self._histories_that_reach_back():
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
        self._raw, reward, terminated, truncated, info = env.step(action)
        self._moment += 1
        for modality, key, history in self._histories_that_reach_back():
            history.append(self._read(modality, key))
        return self._observe(), reward, terminated, truncated, info

    def _reset_env(self, env_ids: list[int], seeds: Sequence[int] | None, options: dict[str, Any]) -> dict[str, Any]:
        """Reset some envs and keep the raw observation of all."""
        if not self._was_reset:
            # gym.make's OrderEnforcing wrapper wants to have seen one reset of the whole.
            self._raw, info = self.env.reset(seed=None if seeds is None else int(seeds[0]), options=options)
            self._was_reset = True
        base: Any = self.env.unwrapped
        if "env_ids" not in inspect.signature(base.reset).parameters:
            raise ContractError(
                f"{type(base).__name__} cannot reset one env alone (its reset takes no env_ids), so that an episode's "
                "start would depend on its neighbours. Use an env of IsaacLab's manager-based workflow."
            )
        # IsaacLab draws the starts of all envs of one reset call from one generator. A call an env makes each start
        # depend on its own seed alone, for any number of envs.
        calls = [(env_ids, None)] if seeds is None else [([i], int(s)) for i, s in zip(env_ids, seeds, strict=True)]
        for ids, seed in calls:
            ids_tensor = torch.as_tensor(ids, dtype=torch.int64, device=self.device)
            self._raw, info = base.reset(seed=seed, env_ids=ids_tensor, options=options)
        return info

    def _observe(self) -> Observation:
        moment = self._moment
        readers: dict[str, Callable[[], Any]] = {
            "video": lambda: self._sample("video"),
            "state": lambda: self._sample("state"),
            "language": lambda: {self.embodiment.language: [[text] for text in self.instructions]},
        }
        return Observation(readers, lambda: moment == self._moment)

    def _histories_that_reach_back(self) -> list[tuple[str, str, History]]:
        return [
            (modality, key, history)
            for modality, histories in self._histories.items()
            for key, history in histories.items()
            if history.reaches_back
        ]

    def _sample(self, modality: str) -> dict[str, np.ndarray[Any, Any]]:
        sampled = {}
        for key, history in self._histories[modality].items():
            frames = history.sample() if history.reaches_back else self._read(modality, key).unsqueeze(1)
            # The simulator writes into its buffers again on the next step: what is handed out is always a copy.
            host = torch.empty(frames.shape, dtype=frames.dtype)
            sampled[key] = host.copy_(frames).numpy()
        return sampled

    def _read(self, modality: str, key: str) -> torch.Tensor:
        """Read the present frame of one key, (num_envs, ...), and check its dtype."""
        frame = self._readers[modality][key]()
        wanted = {"video": torch.uint8, "state": torch.float32}[modality]
        if frame.dtype != wanted:
            raise ContractError(
                f"embodiment.{modality}.{key}: GR00T takes {wanted}, but the env gives {frame.dtype} "
                f"of shape {tuple(frame.shape)}. Let the env's term return {wanted}"
                + (" (image terms: normalize=False)." if modality == "video" else ".")
            )
        return frame.clone() if self._histories[modality][key].reaches_back else frame

    def _video_reader(self, key: str) -> tuple[Reader, tuple[int, ...]]:
        """Return the function that reads a video key, and the shape (H, W, 3) of its frames."""
        source = self.embodiment.video[key]
        if source.sensor is None:
            return self._term_reader(f"video.{key}", str(source.obs))
        sensors = self.env.unwrapped.scene.sensors  # type: ignore[attr-defined]
        if source.sensor not in sensors:
            raise ContractError(
                f"embodiment.video.{key}: the env has no sensor '{source.sensor}'. "
                + _what_it_has(source.sensor, sensors)
            )
        camera = sensors[source.sensor]

        def read() -> torch.Tensor:
            if self._rendered_at != self._moment:
                self._rendered_at = self._moment
                self.renders += 1
            return _as_torch(camera.data.output["rgb"])

        return read, (*camera.image_shape, 3)

    def _state_reader(self, key: str) -> tuple[Reader, tuple[int, ...]]:
        """Return the function that reads a state key, and the shape (D,) of its frames."""
        return self._term_reader(f"state.{key}", str(self.embodiment.state[key].obs))

    def _term_reader(self, key: str, path: str) -> tuple[Reader, tuple[int, ...]]:
        """Return the function that reads the observation term at ``group.term``, and its shape."""
        space: Any = self.env.unwrapped.single_observation_space  # type: ignore[attr-defined]
        names = path.split(".")
        for name in names:
            if not isinstance(space, spaces.Dict) or name not in space.spaces:
                offered = space.spaces if isinstance(space, spaces.Dict) else {}
                raise ContractError(
                    f"embodiment.{key}: the env's observation has no '{path}'. {_what_it_has(name, offered)} "
                    "Terms are there by name where their group has concatenate_terms=False."
                )
            space = space[name]

        def read() -> torch.Tensor:
            value = self._raw
            for name in names:
                value = value[name]
            return _as_torch(value)

        return read, tuple(space.shape)


def _as_torch(buffer: Any) -> torch.Tensor:
    """Return a tensor, unpacking the proxy arrays of IsaacLab 3 (their ``torch`` is a view of the same memory)."""
    return buffer if isinstance(buffer, torch.Tensor) else buffer.torch


def _what_it_has(asked: str, offered: Mapping[str, Any]) -> str:
    """Say what there is, the nearest name first."""
    near = difflib.get_close_matches(asked, offered, n=1)
    return (f"Did you mean '{near[0]}'? " if near else "") + f"It has: {', '.join(offered) or 'nothing'}."
