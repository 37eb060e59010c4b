"""What is wrong with a command line or a YAML file, in words: the nearest right key, what it takes, and an example.

Hydra and OmegaConf tell it in terms of their own; ``explain`` takes from them which key and which value is meant.

* ``is_hydras``: whether an error is of that kind.
* ``explain``: what is wrong, of any such error.
* ``explain_unknown_key``, ``explain_missing``: the same of keys that are too many or too few.
"""

import re
from collections.abc import Sequence

from hydra.core.override_parser.types import Override
from hydra.errors import HydraException, OverrideParseException
from omegaconf.errors import InterpolationResolutionError, OmegaConfBaseException
from yaml import MarkedYAMLError  # type: ignore[import-untyped]

from groot_wrappers.errors import did_you_mean
from runners.config.override_syntax import explain_several_values, explain_syntax
from runners.config.overrides import all_parsed, key_of
from runners.config.setting_kinds import OF_HYDRA, Wanted, default_config, known_keys, options_of
from runners.utils.terminal import one_line

__all__ = ["explain", "explain_missing", "explain_unknown_key", "is_hydras"]

HYDRA = ("hydra", "hydra_plugins", "omegaconf", "antlr4", "yaml", "logging", "joblib", "submitit")
"""Packages that compose the settings, set up what they say of Hydra itself, and launch jobs."""

EXTRAS = {"joblib": "joblib", "submitit": "slurm"}
"""Launchers that are plugins of Hydra, by the extra that installs each."""

OPEN = ("task.", "recorder.", "server.policy.", "policy.", "sim.")
"""Where a class of anybody's may take keys that nobody else knows."""

_INNER_WORDS = re.compile(
    r"\n\s*(full_key|object_type|reference_type|provider=|See https://).*|\n\s*(Config search|Search) path:(.|\n)*"
)


def is_hydras(error: Exception) -> bool:
    """Return whether an error is about settings: raised by Hydra, or by what it uses, not by the work of a command."""
    innermost = error.__traceback__
    while innermost is not None and innermost.tb_next is not None:
        innermost = innermost.tb_next
    module = "" if innermost is None else str(innermost.tb_frame.f_globals.get("__name__"))
    return isinstance(error, HydraException | OmegaConfBaseException) or module.partition(".")[0] in HYDRA


def explain(error: Exception, config_name: str, arguments: Sequence[str] = ()) -> str:
    """Say what is wrong with the command line or a YAML file.

    Args:
        error: What Hydra or OmegaConf has raised.
        config_name: Name of the command's primary YAML file in ``conf/``.
        arguments: The command line, without the program.
    """
    text, overrides = str(error), all_parsed(arguments)
    inner = error if isinstance(error, OmegaConfBaseException) else error.__cause__ or error.__context__
    told = (
        _explain_reading(error, text, config_name)
        or _explain_option(text, overrides)
        or _explain_key(text, getattr(inner, "full_key", None), config_name, overrides)
    )
    if told is not None:
        return told
    if isinstance(inner, OmegaConfBaseException):
        return _explain_value(inner, text, config_name, overrides)
    if isinstance(error, HydraException):
        return _plain(text)
    if isinstance(error, MarkedYAMLError) and error.problem_mark:
        return f"{error.problem_mark.name}, line {error.problem_mark.line + 1}: {error.problem}. No YAML is written so."
    if "int_max_str_digits" in text:
        return "A number with more than 4300 digits was given, which no key takes."
    return f"The settings cannot be used ({type(error).__name__}: {_plain(text)}). Look at those that begin with hydra."


def explain_unknown_key(asked: str, config_name: str, hint: str | None = None) -> str:
    """Say that there is no such key, and which is the nearest that there is, unless a hint is given."""
    known = known_keys(default_config(config_name), of_hydra=asked.partition(".")[0] == OF_HYDRA)
    told = f"There is no key '{one_line(asked)}'."
    if asked.startswith("hydra.launcher."):
        return f"{told} Launchers have keys of their own: is hydra/launcher=joblib or hydra/launcher=slurm meant?"
    if asked.startswith("embodiment.") and asked.count(".") == 2:
        return f"{told} An embodiment's own YAML file adds one: groot-inspect drafts it."
    same_leaf = [key for key in known if key.split(".")[-1] == asked.rsplit(".", maxsplit=1)[-1]]
    hint = hint or did_you_mean(asked, known) or (f" Did you mean '{same_leaf[0]}'?" if same_leaf else "")
    if asked.startswith(OPEN):
        hint += f" What a class of yours takes beyond is added by +{one_line(asked)}=..."
    return f"{told}{hint} `--help` lists all keys."


def explain_missing(key: str, config_name: str) -> str:
    """Say that a key cannot be taken away, and how it is set."""
    if key == "recorder":
        return '~recorder takes no recorder away. "recorder=[]" leaves out all of them, ~recorder.video one.'
    options = options_of(key)
    if options:
        return f"'{key}' cannot be taken away. Choose one of its options: {key}={', '.join(options)}."
    wanted = Wanted.of_key(key, default_config(config_name))
    return f"'{key}' cannot be taken away. {wanted.tell()}" if wanted else explain_unknown_key(key, config_name)


def _explain_reading(error: Exception, text: str, config_name: str) -> str | None:
    """Say why an override cannot be read, or that it names several values; None of any other error."""
    several = re.search(r"Ambiguous value for argument '(.*?)'\n1\. |Sweep parameters '(.*)' req", text, re.DOTALL)
    if isinstance(error, OverrideParseException):
        argument = error.override
    elif several:
        argument = several[1] or several[2]
    else:
        return None
    key = argument.partition("=")[0].lstrip("+~")
    wanted = Wanted.of_key(key, default_config(config_name))
    if several:
        anything = wanted is None and not options_of(key)
        return explain_several_values(
            argument,
            may_be_list=anything or key == "recorder" or (wanted is not None and list in wanted.kinds),
            may_be_text=anything or (wanted is not None and str in wanted.kinds),
        )
    return explain_syntax(argument, text, None if wanted is None or str in wanted.kinds else wanted.tell())


def _explain_key(text: str, full_key: str | None, config_name: str, overrides: Sequence[Override]) -> str | None:
    """Say that a key is there twice, was taken away, or is none; None of any other error."""
    if twice := re.search(r"^(\S+) appears more than once|An item is already at '([^']+)'", text):
        return f"'{twice[1] or twice[2]}' is there already, so that + cannot add it. Leave out the +."
    gone = next((key_of(each) for each in overrides if each.is_delete()), None)
    if gone is not None and ("delet" in text or gone == full_key or f"${{{gone}}}" in text):
        return explain_missing(gone, config_name)
    if unknown := re.search(r"Could not override '([^']+)'", text):
        group = re.search(r"Did you mean to override (.*)\?", text)
        asked = full_key if full_key and full_key.startswith(f"{unknown[1]}.") else unknown[1]  # within a mapping
        return explain_unknown_key(asked, config_name, f" Did you mean '{group[1]}'?" if group else None)
    return None


def _explain_value(error: OmegaConfBaseException, text: str, config_name: str, overrides: Sequence[Override]) -> str:
    """Say what a key takes that was given something else."""
    key, why = error.full_key or str(error.key), _plain(str(error))
    override = re.match(r"Error merging override (.*)", text, re.DOTALL)
    file = re.match(r"In '([^']+)'", text)
    given = override[1] if override else next((each.input_line for each in overrides if key_of(each) == key), None)
    where = f"In {file[1]}.yaml: " if file else ""
    if re.match(r"Key '.*' (is )?not in ", why):
        return where + explain_unknown_key(key, config_name)
    if override and "is not a subclass of" in why and override[1].lstrip("+").startswith("embodiment."):
        return explain_unknown_key(override[1].lstrip("+").partition("=")[0], config_name)
    if "does not support deletion" in why:
        return explain_missing(key, config_name)
    asked = one_line(given or f"{key}={error.value}")
    if isinstance(error, InterpolationResolutionError) and error.value is None:
        return f"{where}{asked}: {_dangling(why)}"
    wanted = Wanted.of_key(key, default_config(config_name)) or Wanted.of_field(error.object_type, key)
    told = wanted.tell(error.value) if wanted else f"it does not fit: {why}."
    return f"{where}{asked} was asked for, but {told}"


def _dangling(why: str) -> str:
    """Return why a reference to another value cannot be followed, as a sentence."""
    if missing := re.search(r"Interpolation key '(.+)' not found", why):
        return f"there is no key '{missing[1]}' that ${{{missing[1]}}} could stand for."
    if unknown := re.search(r"Unsupported interpolation type (\S+)", why):
        return f"there is no function '{unknown[1]}' that ${{{unknown[1]}:...}} could stand for."
    if "Recursive" in why:
        return "it refers to itself."
    return why.partition("while resolving interpolation: ")[2].strip("\"'") + "."


def _explain_option(text: str, overrides: Sequence[Override]) -> str | None:
    """Say which options a config group has in place of one that it has not; None of any other error."""
    found = re.search(r"Could not (?:find|load) '([^']+)/([^'/]*)'", text)
    if not found and "Config group override must be" not in text:
        return None
    group, option = found.groups() if found else ("", "")
    for each in overrides:
        value, is_odd = each.value(), options_of(each.key_or_group) and not isinstance(each.value(), str | list | dict)
        if f"'{each.key_or_group}/{value}'" in text or (not found and is_odd):
            group, option = each.key_or_group, each.get_value_string()
    if not group:
        return "A setting takes the name of an option here, or begins with =, where a key is missing before it."
    plugin = next((each for each in EXTRAS if option.startswith(each)), None)
    if group == "hydra/launcher" and plugin:
        return f"This launcher is not installed. Install it by pip install -e '.[{EXTRAS[plugin]}]'"
    options = re.findall(r"^\t(\w+)$", text, flags=re.MULTILINE) or options_of(group)
    told = f"There is no {group}={one_line(option)}.{did_you_mean(option, options)}"
    if options:
        told += f" It can be {', '.join(options)}."
    if group == "recorder":
        told += ' Several are "recorder=[video,wandb]", none "recorder=[]".'
    if group == "instruction":
        told += " A text of your own is \"instruction.text='lift the red block'\"."
    return told


def _plain(text: str) -> str:
    """Return what Hydra or OmegaConf says without what it says of its own inside."""
    return _INNER_WORDS.sub("", text).strip().removesuffix(".")
