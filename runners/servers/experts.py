"""The scripted policy that goes with a task and an embodiment."""

import importlib.resources

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from groot_wrappers.errors import ContractError

__all__ = ["require_expert"]

SCRIPTED = ("expert", "latency")
"""Options of ``server`` that host the task's scripted policy."""


def require_expert(config: DictConfig) -> None:
    """Raise if the run is to host the task's scripted policy, and the task has none for the chosen embodiment.

    Experts are files, ``conf/expert/<task>/<embodiment>.yaml``, or ``task.expert`` of a task's own YAML.

    Raises:
        ContractError: It has none; the message names those there are.
    """
    choices = HydraConfig.get().runtime.choices
    server = choices.get("server")
    if server not in SCRIPTED or OmegaConf.select(config, "task.expert") is not None:
        return
    task, embodiment = choices["task"], choices["embodiment"]
    folder = importlib.resources.files("conf") / "expert" / task
    known = sorted(path.name.removesuffix(".yaml") for path in folder.iterdir()) if folder.is_dir() else []
    remedy = f"Set embodiment={known[0]}, or name" if known else "Name"
    raise ContractError(
        f"server={server} was asked for, but task={task} has no scripted policy for embodiment={embodiment}. "
        f"It has one for: {', '.join(known) or 'none'}. {remedy} a policy server (server.host=... server.port=...), or "
        "a policy of your own (+task.expert._target_=my_package.MyPolicy)."
    )
