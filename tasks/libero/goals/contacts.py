"""Which things touch, in each world of MuJoCo-Warp, from the solver's own contacts and on its device: ``Contacts``.

Newton looks for contacts of shapes that are up to a gap apart; those touch that are no further apart than 0, as in
LIBERO's models, which have no margin. They are those of the last physics step, as MuJoCo's are: an env that has been
reset shows the ones from before until it has been stepped.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
import warp as wp

from tasks.libero.suites.fixtures import main_body

__all__ = ["LEFT_FINGER", "RIGHT_FINGER", "Contacts", "things_of_shapes"]

LEFT_FINGER, RIGHT_FINGER = "left finger", "right finger"
"""Of the gripper: what they touch is asked for as of things."""

_FINGERS = {
    "gripper0_leftfinger": LEFT_FINGER,
    "gripper0_finger_joint1_tip": LEFT_FINGER,
    "gripper0_rightfinger": RIGHT_FINGER,
    "gripper0_finger_joint2_tip": RIGHT_FINGER,
}


class Contacts:
    """Pairs of things that touch.

    Args:
        data: MuJoCo-Warp's ``Data``.
        owners: Of each geom of its model, the thing that it is a part of; None for any other.
        pairs: Of things, which may be asked for.

    Raises:
        ValueError: A thing of a pair has no geom.
    """

    def __init__(self, data: Any, owners: Sequence[str | None], pairs: Sequence[tuple[str, str]]):
        self._data = data
        self._columns: dict[frozenset[str], int] = {}
        names = sorted({thing for pair in pairs for thing in pair})
        for name in names:
            if name not in owners:
                raise ValueError(f"{name} has no shape that could touch anything")
        table = np.zeros((len(names) + 1, len(names) + 1), dtype=np.int64)  # 0: of no interest
        for pair in pairs:
            first, second = sorted(names.index(thing) + 1 for thing in pair)
            if not table[first, second]:
                self._columns[frozenset(pair)] = len(self._columns)
                table[first, second] = table[second, first] = len(self._columns)
        device = wp.device_to_torch(data.nacon.device)
        numbers = [names.index(owner) + 1 if owner in names else 0 for owner in owners]
        self._owners = torch.tensor(numbers, device=device)
        self._table = torch.tensor(table, device=device)
        self._places = torch.arange(data.contact.dist.shape[0], device=device)

    def touching(self) -> torch.Tensor:
        """Return which pairs touch now, bool (worlds, pairs); see ``column``."""
        contact = self._data.contact
        geoms = wp.to_torch(contact.geom).long().view(-1, 2)
        found = (self._places < wp.to_torch(self._data.nacon)) & (wp.to_torch(contact.dist) <= 0)
        # What stands behind the last contact is left over from earlier steps, and may be of any value.
        first, second = self._owners[geoms.clamp(0, len(self._owners) - 1)].unbind(-1)
        pair = torch.where(found & (geoms >= 0).all(dim=-1), self._table[first, second], 0)
        world = wp.to_torch(contact.worldid).long().clamp(0, self._data.nworld - 1)
        touching = torch.zeros(self._data.nworld, len(self._columns) + 1, dtype=torch.bool, device=pair.device)
        touching[world, pair] = True
        return touching[:, 1:]

    def column(self, first: str, second: str) -> int:
        """Return the column of a pair.

        Raises:
            KeyError: It is none that may be asked for.
        """
        return self._columns[frozenset((first, second))]


def things_of_shapes(labels: Sequence[str], things: Iterable[str]) -> list[str | None]:
    """Return the thing that each shape is a part of, by the path in its label; None for one of none of them.

    Args:
        labels: Of shapes: paths, in which the body of a thing has the name that MuJoCo's main body has, as in
            ``/World/envs/env_0/plate_1_main/g12`` or ``/World/envs/env_0/arena/wine_rack_1_main/g7``.
        things: Names of things, as BDDL has them, and the fingers.
    """
    known = {main_body(thing): thing for thing in things} | _FINGERS
    return [next((known[part] for part in re.split("[/ ]", label) if part in known), None) for label in labels]
