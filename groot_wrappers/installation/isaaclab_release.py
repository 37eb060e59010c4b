"""Which IsaacLab is installed, told without importing it: that of 2.3 starts Isaac Sim, that of 3 takes seconds.

* ``has_isaaclab``, ``has_isaaclab3``: whether any is, and whether it is one that the runner can start.
* ``EARLIER_ISAACLAB``: what is said where it is an earlier one.
"""

from importlib.util import find_spec

__all__ = ["EARLIER_ISAACLAB", "has_isaaclab", "has_isaaclab3"]

_BACKENDS = ("isaaclab_newton", "isaaclab_physx")
"""IsaacLab 3 has its physics in packages of their own. A version would tell less: the source of 2.3.2 has 0.54."""

EARLIER_ISAACLAB = (
    "the IsaacLab that is installed here is 2.3 or earlier (it has no isaaclab_newton and no isaaclab_physx), and the "
    "runner starts IsaacLab 3. Beside 2.3 the wrappers work, in a script of your own that starts AppLauncher, with "
    "GR00T's server or python -m groot_wrappers.serve module:factory: docs/isaaclab2.md has such a script. "
    "For the runner, in an environment of its own with Python 3.12, in the clone: pip install '.[isaaclab]'"
)


def has_isaaclab() -> bool:
    """Whether an IsaacLab is installed, of whichever release."""
    return find_spec("isaaclab") is not None


def has_isaaclab3() -> bool:
    """Whether IsaacLab 3 is installed."""
    return has_isaaclab() and any(find_spec(name) for name in _BACKENDS)
