"""What the Hydra apps share at the command line: errors that a person can act on, and exit codes."""

import importlib.resources
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from importlib.resources.abc import Traversable
from typing import NoReturn

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from groot_wrappers.errors import did_you_mean
from runners.config import register_schemas
from runners.endings import (
    DONE,
    DONE_WITH_ERRORS,
    FAILED,
    GATE_NOT_MET,
    INTERRUPTED,
    begin,
    end_with,
    guarded,
)
from runners.resolvers import register_resolvers
from runners.terminal import say

__all__ = [
    "DONE",
    "DONE_WITH_ERRORS",
    "FAILED",
    "GATE_NOT_MET",
    "INTERRUPTED",
    "SweepEnded",
    "launch",
    "worst",
]

_USAGE = 2  # with which argparse ends, within Hydra

ELSEWHERE = "hydra.run.dir=FOLDER, or hydra.sweep.dir=FOLDER for a sweep"
"""By which settings a Hydra app writes to another place."""


class SweepEnded(SystemExit):
    """A multirun is over; ``code`` is its exit code. Its jobs may have run in other processes, or on other machines."""


def worst(codes: Iterable[int]) -> int:
    """Return the worst code: a run that failed weighs more than a gate that was not met, and that more than errors."""
    return max(codes, key=lambda code: (code == FAILED, code), default=DONE)


def launch(
    app: Callable[[DictConfig], int],
    config_name: str,
    old_flags: Mapping[str, str] | None = None,
    complete: Callable[[list[str]], list[str]] = list,
) -> NoReturn:
    """Run a Hydra app and exit with its code; in a multirun, with the worst code of its jobs. Ctrl-C ends them all.

    Args:
        app: Takes the composed configuration, returns an exit code.
        config_name: Name of the primary YAML file in ``conf/``.
        old_flags: Flags of an earlier command line, each with the key that took its place.
        complete: Completes the arguments of the command line before they are parsed; may raise a ContractError.
    """
    begin()
    _refuse_old_flags(sys.argv[1:], old_flags or {})
    _refuse_tokens(sys.argv[1:])
    register_schemas()
    register_resolvers()
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra then lets errors through instead of printing a summary of its own
    codes: list[int] = []
    command: list[str] = []

    @hydra.main(version_base="1.3", config_path="pkg://conf", config_name=config_name)
    def run(config: DictConfig) -> None:
        sys.argv[:] = command  # a process that a launcher has started has a command line of its own
        _refuse_added_keys(config, config_name)
        codes.append(guarded(lambda: app(config), ELSEWHERE))

    def work() -> int:
        sys.argv[1:] = complete(sys.argv[1:])
        command[:] = sys.argv
        try:
            run()
        except (HydraException, OmegaConfBaseException) as error:
            say(_explain(error, config_name), stream=sys.stderr)
            return FAILED
        except SweepEnded:
            raise
        except SystemExit as refusal:
            if refusal.code != _USAGE:
                raise
            say("Flags such as -m come first, then the settings as key=value; --help lists them.", stream=sys.stderr)
            return FAILED
        return worst(codes)

    end_with(work, ELSEWHERE)


def _refuse_old_flags(arguments: list[str], old_flags: Mapping[str, str]) -> None:
    """Exit with the overrides where flags of the earlier command line are given, with the values that were given."""
    told = []
    for position, argument in enumerate(arguments):
        flag, _, value = argument.partition("=")
        if flag in old_flags:
            key = old_flags[flag]
            value = value or (arguments[position + 1] if position + 1 < len(arguments) else "...")
            told.append(f"  {flag} is now {_pasteable(key, _option_with_id(key, value))}")
    if told:
        print("Settings are given as overrides, key=value:\n" + "\n".join(told), file=sys.stderr)
        sys.exit(FAILED)


def _option_with_id(group: str, value: str) -> str:
    """Return the option of a config group that stands for a gym id; the value itself where none does."""
    for path in _option_files(group):
        if re.search(rf"^ +id: {re.escape(value)}$", path.read_text(), flags=re.MULTILINE):
            return path.name.removesuffix(".yaml")
    return value


def _pasteable(key: str, value: str) -> str:
    """Return ``key=value`` in the quotes that Hydra and the shell need, if any."""
    if re.fullmatch(r"[\w.:/-]+", value):
        return f"{key}={value}"
    # Within Hydra's quotes, a quote is escaped, and so are the backslashes that stand before one.
    escaped = re.sub(r"(\\*)('|$)", lambda match: match[1] * 2 + ("\\'" if match[2] else ""), value)
    override = f"{key}='{escaped}'"
    return shlex.quote(override) if re.search(r'["$`\\!]', override) else f'"{override}"'


def _refuse_tokens(arguments: list[str]) -> None:
    """Exit where a token is given as a setting, before Hydra writes it into the run folder."""
    for argument in arguments:
        key = argument.partition("=")[0].lstrip("+~")
        if "=" in argument and key.rpartition(".")[2] in ("api_token", "token"):
            print(
                f"'{key}': a token is never part of the configuration. Set the environment variable GR00T_API_TOKEN.",
                file=sys.stderr,
            )
            sys.exit(FAILED)


def _refuse_added_keys(config: DictConfig, config_name: str) -> None:
    """Exit where ``+key=value`` has added a key that has no type, and so no meaning."""
    kind = OmegaConf.get_type(config)
    known = {field.name for field in fields(kind)} if is_dataclass(kind) else None
    for key in config:
        name = str(key)
        full_key = config._get_full_key(name)
        if known is not None and name not in known:
            print(_explain_unknown_key(full_key, config_name), file=sys.stderr)
            sys.exit(FAILED)
        open_ = OmegaConf.is_missing(config, name) or OmegaConf.is_interpolation(config, name)
        if not open_ and isinstance(config[name], DictConfig):
            _refuse_added_keys(config[name], config_name)


def _explain(error: Exception, config_name: str) -> str:
    """Say what is wrong with the command line or a YAML file, and name the nearest right key."""
    text = str(error).strip()
    if isinstance(error.__cause__, OmegaConfBaseException):
        text += f"\n{error.__cause__}"
    unknown_key = re.search(r"Could not override '([^']+)'", text)
    if unknown_key:
        return _explain_unknown_key(unknown_key.group(1), config_name)
    launcher = re.search(r"Could not (?:find|load) 'hydra/launcher/(joblib|submitit)", text)
    if launcher:
        extra = {"joblib": "joblib", "submitit": "slurm"}[launcher.group(1)]
        return f"This launcher is not installed. Install it by pip install -e '.[{extra}]'"
    unknown_option = re.search(r"Could not (?:find|load) '([^']+)/([^'/]+)'", text)
    if unknown_option:
        group, option = unknown_option.groups()
        options = re.findall(r"^\t(\w+)$", text, flags=re.MULTILINE)
        options = options or sorted(path.name.removesuffix(".yaml") for path in _option_files(group))
        return f"There is no {group}={option}.{did_you_mean(option, options)} It can be {', '.join(options)}."
    return text


def _explain_unknown_key(asked: str, config_name: str) -> str:
    known = sorted(_known_keys(config_name))
    same_leaf = [key for key in known if key.split(".")[-1] == asked.rsplit(".", maxsplit=1)[-1]]
    hint = did_you_mean(asked, known) or (f" Did you mean '{same_leaf[0]}'?" if same_leaf else "")
    return f"There is no key '{asked}'.{hint} `--help` lists all keys."


def _option_files(group: str) -> list[Traversable]:
    """Return the YAML files of a config group of ours; none for a key that is no group."""
    folder = importlib.resources.files("conf") / group
    return [path for path in folder.iterdir() if path.name.endswith(".yaml")] if folder.is_dir() else []


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
