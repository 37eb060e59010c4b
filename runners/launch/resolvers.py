"""What YAML files may ask for in ``${name:...}`` beside Hydra's own."""

from collections.abc import Sequence

from hydra.core.utils import setup_globals
from omegaconf import OmegaConf

from runners.sweeps.jobs import job_name

__all__ = ["register_resolvers"]


def register_resolvers() -> None:
    """Make the resolvers known, Hydra's own too, in any process that reads a configuration.

    * ``first_given``: the first of its values that is not null.
    * ``reset_for``: when a policy server is reset by default: a data set that is played again has a server that has to
      be told which episode begins.
    * ``job_name``: what a job of a sweep is called that has these overrides; see ``runners.sweeps.jobs``.
    """
    setup_globals()
    OmegaConf.register_new_resolver("first_given", _first_given, replace=True)
    OmegaConf.register_new_resolver("reset_for", _reset_for, replace=True)
    OmegaConf.register_new_resolver("job_name", _job_name, replace=True)


def _first_given(*values: object) -> object:
    return next((value for value in values if value is not None), None)


def _reset_for(dataset: str | None) -> str:
    return "per_run" if dataset is None else "per_episode"


def _job_name(overrides: Sequence[str], counted: Sequence[str]) -> str:
    return job_name(overrides, counted)
