"""Hydra in the tests: what it does twice for each command is done once, as hundreds of tests compose settings.

* Hydra composes all settings once more only to look at ``hydra.mode``, which nothing of ours sets: ``-m`` alone does.
* A YAML file of ``conf/`` is parsed once in a process; each test has a copy of what was read.
"""

import copy

import pytest
from hydra._internal.core_plugins.importlib_resources_config_source import ImportlibResourcesConfigSource
from hydra._internal.hydra import Hydra
from hydra.plugins.config_source import ConfigResult

_read = ImportlibResourcesConfigSource._read_config
_known: dict[tuple[str, str, str], ConfigResult] = {}


def _read_copy(self, resource):
    key = (self.provider, self.path, str(resource))
    if key not in _known:
        _known[key] = _read(self, resource)
    return copy.deepcopy(_known[key])


@pytest.fixture(autouse=True, scope="session")
def hydra_composes_once():
    """Let Hydra do once what it does twice."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Hydra, "get_mode", lambda self, config_name, overrides: None)
        patch.setattr(ImportlibResourcesConfigSource, "_read_config", _read_copy)
        yield
