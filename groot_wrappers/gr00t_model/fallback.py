"""Why a tier is left for the one before.

Classes:
    UnsupportedError: a model that is not the one that is known here.
    CheckFailedError: a tier whose answers are not NVIDIA's.
"""

__all__ = ["CheckFailedError", "UnsupportedError"]


class UnsupportedError(Exception):
    """A model or a processor is set up in a way that a tier does not know; the message says which."""


class CheckFailedError(Exception):
    """A tier's answers are not NVIDIA's; the message says by how much."""
