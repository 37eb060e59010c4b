"""VariationSettings: what a run's episodes are to be varied by, ``variation`` of the settings as objects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from groot_wrappers.errors import ContractError
from groot_wrappers.variations.variation import Variation
from groot_wrappers.variations.wire import WireVariation
from runners.config.building import built
from runners.variations.arms import COMMON, FULL, strengths_of
from runners.variations.scene_variation import SceneVariation

__all__ = ["VariationSettings"]


@dataclass(frozen=True)
class VariationSettings:
    """What a run's episodes are to be varied by.

    Args:
        kinds: Name of each variation to what draws it, in the order in which they are made.
        strengths: By what all strengths are multiplied in each arm; see ``runners.variations.arms``.
    """

    kinds: Mapping[str, Variation]
    strengths: Sequence[float] = (FULL,)

    @classmethod
    def of(cls, variation: Mapping[str, Any]) -> "VariationSettings":
        """Build what the settings describe.

        Args:
            variation: The settings of that name; of an earlier version's run they are empty.

        Raises:
            ContractError: Something cannot be built, or is no variation.
        """
        kinds = {
            kind: built(described, f"variation.{kind}") for kind, described in variation.items() if kind not in COMMON
        }
        for kind, variation_of_kind in kinds.items():
            if not isinstance(variation_of_kind, Variation):
                raise ContractError(
                    f"variation.{kind} is a {type(variation_of_kind).__name__}, which has no strength and no draw. "
                    f"Name a class of groot_wrappers.variations, or one like them: variation.{kind}._target_."
                )
        return cls(kinds, strengths_of(variation))

    @property
    def scene(self) -> dict[str, SceneVariation]:
        """Those that change the env's scene."""
        return {kind: variation for kind, variation in self.kinds.items() if isinstance(variation, SceneVariation)}

    @property
    def wire(self) -> dict[str, WireVariation]:
        """Those that change what the policy is sent."""
        return {kind: variation for kind, variation in self.kinds.items() if isinstance(variation, WireVariation)}
