"""A stand-in for Kit and USD: modules that have every name, so that IsaacLab 2.3 can be imported without Isaac Sim.

* ``stand_in``: puts them where Python looks last, and IsaacLab's source where it looks first.
"""

import builtins
import importlib.machinery
import importlib.util
import inspect
import sys
from abc import ABCMeta
from pathlib import Path
from types import ModuleType

__all__ = ["stand_in"]

OF_KIT = {"carb", "isaacsim", "omni", "pxr", "usdrt"}
NEVER_CALLED = {"cv2", "flatdict", "h5py", "hid", "matplotlib", "scipy", "trimesh", "warp"}
"""What else IsaacLab imports and nothing here calls; warp alone would be 400 MB."""


class AnyClass(ABCMeta):
    """The type of classes that have every attribute, each another such class.

    They can be inherited from, stand in annotations, and decorate: a function that one is called with comes back as it
    was.
    """

    def __getattr__(cls, name):
        return made_for(cls, name)

    def __call__(cls, *arguments, **keywords):
        if len(arguments) == 1 and inspect.isfunction(arguments[0]):
            return arguments[0]
        return super().__call__(*arguments, **keywords)


class Anything(metaclass=AnyClass):
    """Its objects have every attribute too, and can be called."""

    def __new__(cls, *arguments, **keywords):
        return super().__new__(cls)

    def __init__(self, *arguments, **keywords):
        """Take whatever comes."""

    def __call__(self, *arguments, **keywords):
        return type(self)(*arguments, **keywords)

    def __getattr__(self, name):
        return getattr(type(self), name)


def make_class(name):
    return AnyClass(name, (Anything,), {})


def made_for(owner, name):
    """Make the class that an owner is asked for, once; names that Python itself asks for are not there."""
    if name.startswith("__"):
        raise AttributeError(name)
    made = make_class(name)
    setattr(owner, name, made)
    return made


class AnyModule(ModuleType):
    """A module, and a package, that has every name."""

    def __getattr__(self, name):
        return made_for(self, name)


class Finder:
    """Finds the modules that are stood in for, and makes them."""

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in OF_KIT | NEVER_CALLED:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        return AnyModule(spec.name)

    def exec_module(self, module):
        """There is nothing to run."""


def stand_in():
    """Let Kit's modules be found after all that is installed, and IsaacLab's below its wheel's own folder.

    The wheel's top module starts Kit, and then shows what lies in its folder ``source``.
    """
    found = importlib.util.find_spec("isaaclab")
    source = Path(found.submodule_search_locations[0]) / "source" if found else None
    if source is None or not source.is_dir():
        raise ImportError("IsaacLab 2.3 is wanted as its wheel brings it: make verify-isaaclab2 installs it.")
    sys.path[:0] = [str(source / name) for name in ("isaaclab", "isaaclab_contrib")]
    sys.meta_path.append(Finder())
    builtins.ISAAC_LAUNCHED_FROM_TERMINAL = False  # which AppLauncher says
