"""``hydra/job_logging=...``: each option gives every command a logging configuration that holds together."""

import pytest
from hydra import compose, initialize_config_module
from omegaconf import OmegaConf

from runners.config.schema import register_schemas
from runners.launch.resolvers import register_resolvers


@pytest.mark.slow
@pytest.mark.parametrize("option", ["default", "disabled", "none", "stdout", "quiet", "warnings"])
@pytest.mark.parametrize("app", ["play", "serve", "inspect", "bench"])
def test_every_option_names_only_handlers_that_there_are(app, option):
    register_schemas()
    register_resolvers()
    with initialize_config_module("conf", version_base="1.3"):
        composed = compose(app, [f"hydra/job_logging={option}"], return_hydra_config=True)
    logging = OmegaConf.to_container(composed.hydra.job_logging)
    if logging is None or "version" not in logging:
        assert option == "none"
        return
    handlers = logging.get("handlers") or {}
    assert all("class" in handler for handler in handlers.values()), handlers
    for logger in [logging.get("root") or {}, *(logging.get("loggers") or {}).values()]:
        assert set(logger.get("handlers") or ()) <= set(handlers)
