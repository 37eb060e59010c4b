"""``evaluate``: an evaluation from Python, in a script or a notebook, as ``groot-play`` does it at the command line."""

import copy
from collections.abc import Sequence
from pathlib import Path

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, open_dict, read_write
from omegaconf.errors import OmegaConfBaseException

from groot_wrappers.errors import ContractError
from runners.apps.play import play_run
from runners.config.composed import Composition, settled
from runners.config.override_errors import explain
from runners.config.schema import register_schemas
from runners.launch.command_line import written_out
from runners.launch.resolvers import register_resolvers
from runners.launch.run_hook import archive_if_fresh
from runners.run_folder.resume import with_earlier_settings
from runners.statistics.summary import Summary

__all__ = ["evaluate"]

APP = "play"


def evaluate(overrides: Sequence[str], *, config_dir: str | Path | None = None) -> Summary:
    """Play a policy in an env and count how often it succeeds.

    The run has a folder, as one of ``groot-play``: with rows, summary, page and videos. ``hydra.run.dir=FOLDER`` names
    it, and ``resume=FOLDER`` goes on with it. Progress goes to standard output and error.

    Example:
        summary = evaluate(["task=lift_cube_franka", "server=expert", "episodes=8"])
        print(summary.success_rate)

    Args:
        overrides: Settings, each as on the command line of ``groot-play``, without the quotes of a shell.
        config_dir: Folder of YAML files of your own, as ``--config-dir``.

    Returns:
        What the run has shown.

    Raises:
        ContractError: The settings make no run, or server, embodiment and env do not fit; the message says what mends
            it.
        Gr00tError: The server cannot be reached, or fails for good. What has ended is kept in the run folder.
    """
    before = HydraConfig.instance().cfg
    try:
        return play_run(_compose(with_earlier_settings(written_out(list(overrides))), config_dir)).summary
    finally:
        HydraConfig.instance().cfg = before  # what is done next in this process is of no run


def _compose(overrides: Sequence[str], config_dir: str | Path | None) -> Composition:
    """Compose the settings as Hydra's own main function would, and make the run folder.

    Raises:
        ContractError: They cannot be composed.
    """
    register_schemas()
    register_resolvers()
    given = list(overrides)
    if config_dir is not None:
        given.append(f"hydra.searchpath=[file://{Path(config_dir).resolve()}]")
    GlobalHydra.instance().clear()
    try:
        with hydra.initialize_config_module("conf", version_base="1.3"):
            config = hydra.compose(APP, given, return_hydra_config=True)
        folder = Path(config.hydra.run.dir).absolute()
    except (HydraException, OmegaConfBaseException) as error:
        raise ContractError(explain(error, APP, given)) from error
    with read_write(config), open_dict(config):
        config.hydra.mode = RunMode.RUN
        config.hydra.runtime.output_dir = str(folder)
    HydraConfig.instance().set_config(config)
    settings: DictConfig = copy.deepcopy(config)
    with read_write(settings), open_dict(settings):
        del settings["hydra"]
    composition = settled(Composition.of(settings, HydraConfig.get(), APP, folder))
    archive_if_fresh(composition.config, folder)
    folder.mkdir(parents=True, exist_ok=True)
    return composition
