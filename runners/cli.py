"""What the Hydra apps share at the command line: errors that a person can act on, and exit codes."""

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import NoReturn

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from groot_wrappers.errors import Gr00tError, did_you_mean
from runners.config import register_schemas

__all__ = ["DONE", "DONE_WITH_ERRORS", "FAILED", "INTERRUPTED", "launch"]

DONE, FAILED, DONE_WITH_ERRORS, INTERRUPTED = 0, 1, 2, 130


def launch(app: Callable[[DictConfig], int], config_name: str, old_flags: Mapping[str, str] | None = None) -> NoReturn:
    """Run a Hydra app and exit with its code; in a multirun, with the largest code of the runs.

    Args:
        app: Takes the composed configuration, returns an exit code.
        config_name: Name of the primary YAML file in ``conf/``.
        old_flags: Flags of an earlier command line, each with the key that took its place.
    """
    _refuse_old_flags(sys.argv[1:], old_flags or {})
    register_schemas()
    # Hydra then lets errors through instead of printing a summary of its own.
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")
    codes: list[int] = []

    @hydra.main(version_base="1.3", config_path="pkg://conf", config_name=config_name)
    def run(config: DictConfig) -> None:
        codes.append(_guarded(app, config))

    try:
        run()
    except (HydraException, OmegaConfBaseException) as error:
        print(_explain(error, config_name), file=sys.stderr)
        sys.exit(FAILED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    sys.exit(max(codes, default=DONE))


def _guarded(app: Callable[[DictConfig], int], config: DictConfig) -> int:
    """Run an app; an error that a person can mend is a message, not a traceback."""
    try:
        return app(config)
    except Gr00tError as error:
        print(f"\n{error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


def _refuse_old_flags(arguments: list[str], old_flags: Mapping[str, str]) -> None:
    """Exit with the overrides where flags of the earlier command line are given, with the values that were given."""
    told = []
    for position, argument in enumerate(arguments):
        flag, _, value = argument.partition("=")
        if flag in old_flags:
            value = value or (arguments[position + 1] if position + 1 < len(arguments) else "...")
            override = f"{old_flags[flag]}={value}" if value.isidentifier() or value.isdigit() else None
            told.append(f"  {flag} is now {override or repr(f'{old_flags[flag]}={value!r}')}")
    if told:
        print("Settings are given as overrides, key=value:\n" + "\n".join(told), file=sys.stderr)
        sys.exit(FAILED)


def _explain(error: Exception, config_name: str) -> str:
    """Say what is wrong with the command line or a YAML file, and name the nearest right key."""
    text = str(error).strip()
    if isinstance(error.__cause__, OmegaConfBaseException):
        text += f"\n{error.__cause__}"
    unknown_key = re.search(r"Could not override '([^']+)'", text)
    if unknown_key:
        return _explain_unknown_key(unknown_key.group(1), config_name)
    unknown_option = re.search(r"Could not find '([^'/]+)/([^']+)'", text)
    if unknown_option:
        group, option = unknown_option.groups()
        options = re.findall(r"^\t(\w+)$", text, flags=re.MULTILINE)
        return f"There is no {group}={option}.{did_you_mean(option, options)} It can be {', '.join(options)}."
    return text


def _explain_unknown_key(asked: str, config_name: str) -> str:
    if "token" in asked:
        return f"'{asked}': a token is never part of the configuration. Set the environment variable GR00T_API_TOKEN."
    known = sorted(_known_keys(config_name))
    same_leaf = [key for key in known if key.split(".")[-1] == asked.rsplit(".", maxsplit=1)[-1]]
    hint = did_you_mean(asked, known) or (f" Did you mean '{same_leaf[0]}'?" if same_leaf else "")
    return f"There is no key '{asked}'.{hint} `--help` lists all keys."


def _known_keys(config_name: str) -> Iterator[str]:
    """Yield the keys of the configuration as it is without overrides."""
    GlobalHydra.instance().clear()
    with hydra.initialize_config_module("conf", version_base="1.3"):
        config = hydra.compose(config_name)

    def walk(node: DictConfig, prefix: str) -> Iterator[str]:
        for key in map(str, node):
            name = f"{prefix}{key}"
            yield name
            if not OmegaConf.is_missing(node, key) and not OmegaConf.is_interpolation(node, key):
                value = node[key]
                if isinstance(value, DictConfig):
                    yield from walk(value, f"{name}.")

    yield from walk(config, "")
