"""What the keys of a configuration are: which there are, what each takes in words, and an example of it.

* ``default_config``, ``known_keys``: all keys of a command, Hydra's own among them.
* ``option_files``, ``options_of``: the options of a config group.
* ``Wanted``: what a key takes.
"""

import functools
import importlib.resources
import typing
from collections.abc import Iterator
from dataclasses import dataclass, is_dataclass
from enum import Enum
from importlib.resources.abc import Traversable
from types import NoneType, UnionType
from typing import Any, Union

import hydra
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig, OmegaConf

from groot_wrappers.errors import did_you_mean
from runners.utils.pasting import override

__all__ = ["OF_HYDRA", "SEVERAL", "Wanted", "default_config", "known_keys", "option_files", "options_of"]

OF_HYDRA = "hydra"

SEVERAL = ("recorder", "variation")
"""Groups of which several options may be chosen, each a key of the group."""

_KINDS: dict[Any, tuple[str, Any]] = {
    bool: ("true or false", True),
    int: ("a whole number", 1),
    float: ("a number", 0.5),
    str: ("a text", "name"),
    list: ("a list", ["a", "b"]),
}
"""What types are called, with an example of each."""


@functools.cache
def default_config(config_name: str) -> DictConfig:
    """Compose a command's configuration as it is without overrides, Hydra's own settings included."""
    GlobalHydra.instance().clear()
    with hydra.initialize_config_module("conf", version_base="1.3"):
        return hydra.compose(config_name, return_hydra_config=True)


def known_keys(config: DictConfig, *, of_hydra: bool = False) -> list[str]:
    """Return the keys of a configuration, or those of Hydra's own settings in it, in the order of the alphabet."""
    keys = sorted(_walk(config, ""))
    return [key for key in keys if (key.partition(".")[0] == OF_HYDRA) == of_hydra]


def option_files(group: str) -> list[Traversable]:
    """Return the YAML files of a config group of ours; none for a key that is no group."""
    folder = importlib.resources.files("conf")
    for part in group.split("/"):
        if not part.isidentifier():
            return []
        folder = folder / part
    return [path for path in folder.iterdir() if path.name.endswith(".yaml")] if folder.is_dir() else []


def options_of(group: str) -> list[str]:
    """Return the names of the options of a config group of ours; none for a key that is no group."""
    return sorted(path.name.removesuffix(".yaml") for path in option_files(group))


@dataclass(frozen=True)
class Wanted:
    """What a key takes.

    Args:
        key: Its full name.
        hint: Its type.
        default: Its value without overrides, None where there is none.
    """

    key: str
    hint: Any
    default: Any = None

    @classmethod
    def of_field(cls, holder: Any, key: str, default: Any = None) -> "Wanted | None":
        """Return what the field of a dataclass takes that a full key ends with; None where nothing is known of it."""
        hints = typing.get_type_hints(holder) if is_dataclass(holder) else {}
        hint = hints.get(key.rpartition(".")[2], Any)
        return None if hint is Any else cls(key, hint, default)

    @classmethod
    def of_key(cls, key: str, config: DictConfig) -> "Wanted | None":
        """Return what a key of a configuration takes; None where nothing is known of it."""
        parent = key.rpartition(".")[0]
        holder = OmegaConf.select(config, parent, throw_on_resolution_failure=False) if parent else config
        if not isinstance(holder, DictConfig):
            return None
        default = OmegaConf.select(config, key, throw_on_resolution_failure=False)
        return cls.of_field(OmegaConf.get_type(holder), key, None if OmegaConf.is_config(default) else default)

    @property
    def kinds(self) -> tuple[Any, ...]:
        """The types of what it takes, of a list that of a list alone."""
        is_union = typing.get_origin(self.hint) in (Union, UnionType)
        hints = typing.get_args(self.hint) if is_union else (self.hint,)
        return tuple(typing.get_origin(hint) or hint for hint in hints)

    def tell(self, given: Any = None) -> str:
        """Say what the key takes, what was perhaps meant, and an example."""
        kind = next(each for each in self.kinds if each is not NoneType)
        or_null = " or null" if NoneType in self.kinds else ""
        if issubclass(kind, Enum):
            names = [each.name for each in kind]
            return f"{self.key} takes one of {', '.join(names)}{or_null}.{did_you_mean(str(given), names)}"
        if is_dataclass(kind):
            inner = ", ".join(f"{self.key}.{name}" for name in typing.get_type_hints(kind))
            return f"{self.key} is a group of keys, each set by itself: {inner}."
        called, example = _KINDS.get(kind, ("another kind of value", "..."))
        meant = next(each for each in (_meant(kind, given), self.default, example) if each is not None)
        return f"{self.key} takes {called}{or_null}, such as {self._pasted(meant)}."

    def _pasted(self, value: Any) -> str:
        if isinstance(value, list):
            return f'"{self.key}=[{",".join(map(str, value))}]"'
        return override(self.key, str(value).lower() if isinstance(value, bool) else value)


def _meant(kind: Any, given: Any) -> Any:
    """Return the value of a kind that somebody may have meant who has written another; None where none is near."""
    if kind is list and isinstance(given, str | int | float) and given != "":
        return [given]
    text = str(given).removesuffix("%")
    try:
        number = float(text) / (1 if text == str(given) else 100)
    except ValueError:
        return None
    if isinstance(given, bool) or kind not in (int, float) or (kind is int and not number.is_integer()):
        return None
    return kind(number)


def _walk(node: DictConfig, prefix: str) -> Iterator[str]:
    for key in map(str, node):
        name = f"{prefix}{key}"
        yield name
        if not OmegaConf.is_missing(node, key) and not OmegaConf.is_interpolation(node, key):
            value = node[key]
            if isinstance(value, DictConfig):
                yield from _walk(value, f"{name}.")
