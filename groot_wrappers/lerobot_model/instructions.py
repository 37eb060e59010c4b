"""The instruction as a number, for models that read no text: ``Instructions``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from groot_wrappers.errors import ContractError

__all__ = ["INSTRUCTIONS", "Instructions"]

INSTRUCTIONS = "instructions.json"
_LARGEST = 1 << 20
"""Bytes of the file: a thousand instructions are a tenth of it."""


class Instructions:
    """The texts that a checkpoint was trained to tell apart.

    A checkpoint trained on them takes the one that is meant as ``observation.environment_state``: a 1 at its place, and
    0 elsewhere.

    Args:
        folder: Of the checkpoint, with ``instructions.json``: a list of texts.

    Raises:
        ContractError: The file holds no such list.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / INSTRUCTIONS
        if self._file.stat().st_size > _LARGEST:
            raise ContractError(f"{self._file} has more than {_LARGEST} bytes")
        try:
            texts = json.loads(self._file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ContractError(f"{self._file} is no JSON: {error}. It is the list of the training's texts") from error
        if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
            raise ContractError(f"{self._file} must be the list of the training's texts, got {texts!r:.200}")
        self._numbers = {text: number for number, text in enumerate(texts)}
        if len(self._numbers) != len(texts):
            raise ContractError(f"{self._file} names a text twice")

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._numbers)

    def encoded(self, texts: Sequence[str]) -> np.ndarray:
        """Return float32 (B, number of texts), of each row a 1 at the place of its text.

        Raises:
            ContractError: A text is none of them.
        """
        for text in texts:
            if text not in self._numbers:
                raise ContractError(
                    f"instruction {text!r} is none of those that the checkpoint was trained on: "
                    f"{', '.join(map(repr, self._numbers))}. Ask for one of them: \"instruction.text='...'\""
                )
        return np.eye(len(self), dtype=np.float32)[[self._numbers[text] for text in texts]]
