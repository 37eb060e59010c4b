"""What a policy says of itself beyond GR00T's protocol: who it is, and what it can do more.

A policy may have three attributes more than the protocol asks for. Servers tell the first two in their reply to ping,
which other clients ignore.

* ``identity``: flat mapping of str to str, int, float or bool, such as a checkpoint and its revision.
* ``capabilities``: names of what it can do more, ``ROW_NOISE`` and ``JOINED_BATCHES`` among them.
* ``batch_sizes``: ascending ints, the batches that it was made ready for. Of a policy with ``JOINED_BATCHES``.

Names:
    PolicyOffer: the first two, checked.
    offer_of, batch_sizes_of: those of a policy that is to be served.
    offer_in: those in a reply to ping, which nobody has checked.
    offer_differences: in what two offers differ.
    check_row_noise: the option of ``ROW_NOISE``, checked.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar, cast

import numpy as np

from groot_wrappers.errors import ContractError, describe_value

__all__ = [
    "JOINED_BATCHES",
    "OFFERED",
    "ROW_NOISE",
    "Identity",
    "PolicyOffer",
    "batch_sizes_of",
    "check_row_noise",
    "offer_differences",
    "offer_in",
    "offer_of",
]

logger = logging.getLogger(__name__)

T = TypeVar("T")

Identity: TypeAlias = dict[str, str | int | float | bool]

ROW_NOISE = "row_noise"
"""Capability: all that is random in the answer for a row comes from ``options["row_noise"]``, int64 (B, 2), of each row
the episode's seed and the number of the request in its episode, from 0. It is the option's name too."""

JOINED_BATCHES = "joined_batches"
"""Capability: an answer for a row depends neither on the rows beside it nor on earlier requests, so that a server may
ask for the rows of several clients at once, whose options are the same but for ``row_noise``. Its info goes to all of
them."""

OFFERED = ("identity", "capabilities", "batch_sizes")
"""The attributes, for what stands before another policy."""

_MOST_NAMES = 64
_LONGEST_NAME, _LONGEST_TEXT = 64, 1024
_WIDEST = 1 << 63


@dataclass(frozen=True)
class PolicyOffer:
    """What a policy says of itself; nothing, of a policy or a server that says nothing.

    Attributes:
        identity: who it is.
        capabilities: what it can do more.
    """

    identity: Identity = field(default_factory=dict)
    capabilities: tuple[str, ...] = ()


def offer_of(policy: object) -> PolicyOffer:
    """Return what a policy that is to be served says of itself.

    Raises:
        ContractError: An attribute is there, but cannot be sent; or ``batch_sizes`` is missing or does not fit.
    """
    identity, capabilities = getattr(policy, "identity", None), getattr(policy, "capabilities", None)
    name = type(policy).__name__
    if identity is not None and (problem := _identity_problem(identity)):
        raise ContractError(
            f"{name}.identity must be a flat dict of str to str, int, float or bool; {problem}. Leave out what it is "
            "not known by"
        )
    if capabilities is not None and (problem := _capabilities_problem(capabilities)):
        raise ContractError(f"{name}.capabilities must be a tuple of names; {problem}")
    offer = PolicyOffer(dict(identity or {}), tuple(capabilities or ()))
    if JOINED_BATCHES in offer.capabilities:
        batch_sizes_of(policy)
    return offer


def batch_sizes_of(policy: object) -> tuple[int, ...]:
    """Return the batches that a policy whose requests may be joined was made ready for.

    Raises:
        ContractError: It does not say so, or they are not ascending ints.
    """
    sizes: Any = getattr(policy, "batch_sizes", None)
    fit = isinstance(sizes, Sequence) and len(sizes) > 0 and all(type(size) is int and size > 0 for size in sizes)
    if not fit or list(sizes) != sorted(set(sizes)):
        raise ContractError(
            f"{type(policy).__name__} names '{JOINED_BATCHES}' among its capabilities, so its batch_sizes must be "
            f"ascending ints, such as (1, 4, 16). Got {sizes!r:.80}"
        )
    return tuple(sizes)


def offer_in(reply: Mapping[str, Any], *, secret: str | None = None) -> PolicyOffer:
    """Return what a reply to ping says of the policy.

    Who answers may be a server of anybody's, so what is not as it should be says nothing, and the log says that.

    Args:
        reply: of any content.
        secret: what must never be shown, if not empty: a server may quote the request.
    """
    identity: Identity = _believed("policy", reply.get("policy", {}), _identity_problem, {})
    capabilities: Sequence[str] = _believed("capabilities", reply.get("capabilities", ()), _capabilities_problem, ())
    if secret:
        identity = {
            key.replace(secret, "***"): value.replace(secret, "***") if isinstance(value, str) else value
            for key, value in identity.items()
        }
    return PolicyOffer(dict(identity), tuple(dict.fromkeys(capabilities)))


def offer_differences(one: PolicyOffer, other: PolicyOffer) -> list[tuple[str, Any, Any]]:
    """Return each field of the identity in which two offers differ, and "capabilities"; None where one has no such."""
    first, second = ({**offer.identity, "capabilities": sorted(offer.capabilities)} for offer in (one, other))
    return [(key, first.get(key), second.get(key)) for key in {**first, **second} if first.get(key) != second.get(key)]


def check_row_noise(noise: object, rows: int) -> None:
    """Check what a row's noise is drawn from.

    Raises:
        ContractError: It is not int64 (rows, 2).
    """
    if not isinstance(noise, np.ndarray) or noise.dtype != np.int64 or noise.shape != (rows, 2):
        raise ContractError(
            f"the option '{ROW_NOISE}' must be int64 ({rows}, 2), of each row the episode's seed and the number of the "
            f"request in its episode. Got {describe_value(noise)}"
        )


def _believed(key: str, told: Any, problem_of: Callable[[object], str | None], nothing: T) -> T:
    problem = problem_of(told)
    if problem is None:
        return cast(T, told)
    logger.warning("What a server says of itself under '%s' is left out: %s", key, problem)
    return nothing


def _identity_problem(identity: object) -> str | None:
    if not isinstance(identity, Mapping):
        return f"got {describe_value(identity)}"
    if len(identity) > _MOST_NAMES:
        return f"it has {len(identity)} fields, more than {_MOST_NAMES}"
    for key, value in identity.items():
        if not isinstance(key, str) or not 0 < len(key) <= _LONGEST_NAME:
            return f"a key is {describe_value(key)}, which is no name of 1 to {_LONGEST_NAME} characters"
        if problem := _value_problem(value):
            return f"'{key}' {problem}"
    return None


def _value_problem(value: object) -> str | None:
    if not isinstance(value, str | int | float):
        return f"is {describe_value(value)}"
    if isinstance(value, str) and len(value) > _LONGEST_TEXT:
        return f"has {len(value)} characters, more than {_LONGEST_TEXT}"
    if isinstance(value, float) and not math.isfinite(value):
        return f"is {value}"
    if isinstance(value, int) and not -_WIDEST <= value < _WIDEST:
        return "takes more than 64 bits"
    return None


def _capabilities_problem(capabilities: object) -> str | None:
    if isinstance(capabilities, str) or not isinstance(capabilities, Sequence):
        return f"got {describe_value(capabilities)}"
    if len(capabilities) > _MOST_NAMES:
        return f"it has {len(capabilities)} names, more than {_MOST_NAMES}"
    for name in capabilities:
        if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_NAME:
            return f"{describe_value(name)} is no name of 1 to {_LONGEST_NAME} characters"
    return None
