"""What a task's YAML holds for each embodiment that it can be played with: ``task.embodiments``.

A part has the scripted policy that ``server=expert`` hosts (``expert``), and the changes of the env's config that the
embodiment needs there (``env``). The part of the chosen embodiment is taken as the settings are composed; what a person
has set as ``task.expert`` or ``task.env`` comes before it: another class instead, other arguments and changes on top.
"""

from collections.abc import Mapping

from omegaconf import DictConfig, OmegaConf

from groot_wrappers.errors import ContractError

__all__ = ["SCRIPTED", "take_embodiments_part"]

SCRIPTED = ("expert", "latency")
"""Options of ``server`` that host the task's scripted policy."""

KEYS = {"expert", "env"}


def take_embodiments_part(task: DictConfig, choices: Mapping[str, str], *, asked: str | None) -> DictConfig:
    """Return a task's settings with those for the chosen embodiment in them, instead of those for all.

    Args:
        task: ``task`` of the composed settings.
        choices: Group to the option that was chosen.
        asked: What asks for the task's scripted policy, ``server=expert``; None where nothing does.

    Raises:
        ContractError: A part holds another key; or the run is to host the task's scripted policy, and the task has none
            for the chosen embodiment. The message names those there are.
    """
    task = task.copy()
    OmegaConf.set_struct(task, False)
    parts = task.pop("embodiments", None) or OmegaConf.create({})
    for name, part in parts.items():
        if unknown := {*map(str, part or ())} - KEYS:
            raise ContractError(
                f"task.embodiments.{name!s} holds {', '.join(sorted(unknown))}, but a part has an expert and an env."
            )
    chosen = parts.get(choices.get("embodiment", "")) or OmegaConf.create({})
    own = task.get("expert")
    if chosen.get("expert") is not None and "_target_" not in (own or {}):
        task.expert = OmegaConf.merge(chosen.expert, own or {})
    if chosen.get("env") is not None:
        task.env = OmegaConf.merge(chosen.env, task.get("env") or {})
    if asked is not None and task.get("expert") is None:
        known = sorted(str(name) for name, part in parts.items() if part and part.get("expert") is not None)
        remedy = f"Set embodiment={known[0]}, or name" if known else "Name"
        raise ContractError(
            f"{asked} was asked for, but task={choices.get('task')} has no scripted policy for "
            f"embodiment={choices.get('embodiment')}. It has one for: {', '.join(known) or 'none'}. {remedy} a policy "
            "server (server.host=... server.port=...), or a policy of your own "
            "(+task.expert._target_=my_package.MyPolicy)."
        )
    return task
