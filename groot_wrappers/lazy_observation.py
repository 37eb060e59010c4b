"""Observation: one moment's {video, state, language}, of which only what is looked at is read.

Classes:
    Observation: the lazy dict.
    InstructionSpace: the gymnasium space of its language.
"""

from collections.abc import Callable, Mapping
from typing import Any

import gymnasium as gym

from groot_wrappers.errors import ContractError

__all__ = ["InstructionSpace", "Observation"]


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
