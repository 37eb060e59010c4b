"""Settings composed in this process, as a command has them before its work begins."""

from pathlib import Path

import hydra
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig, open_dict

from runners.config.composed import Composition, settled
from runners.config.schema import register_schemas
from runners.launch.command_line import written_out
from runners.launch.resolvers import register_resolvers


def compose(app: str, *overrides: str, config_dir: Path | None = None) -> DictConfig:
    """Return the settings of a command, whose YAML files are looked for in a folder of one's own too."""
    register_schemas()
    register_resolvers()
    GlobalHydra.instance().clear()
    extra = [f"hydra.searchpath=[file://{config_dir}]"] if config_dir else []
    with hydra.initialize_config_module("conf", version_base="1.3"):
        config = hydra.compose(app, [*written_out(overrides), *extra], return_hydra_config=True)
    with open_dict(config):
        of_hydra = config.pop("hydra")
    return settled(Composition.of(config, of_hydra, app, Path())).config
