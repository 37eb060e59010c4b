"""What settings describe, and the policy that a server hosts: built, or told why not and what mends it."""

import sys
from importlib import import_module

import pytest
from omegaconf import OmegaConf

from groot_wrappers.errors import ContractError, Gr00tError
from runners.config.building import built
from runners.servers.hosting import policy_server
from tests.support.toys.policy import ToyPolicy

NESTED = {"_target_": "runners.servers.latency_policy.LatencyPolicy", "base_ms": 1, "per_observation_ms": 1}


class Undecided(ToyPolicy):
    """Fails when it is asked what it wants."""

    def get_modality_config(self):
        raise KeyError("front")


def refused(message):
    raise Gr00tError(message)


def ends():
    sys.exit(2)


def needing():
    import_module("notthere")


@pytest.mark.parametrize(
    ("described", "told"),
    [
        (
            {"_target_": "nowhere.Policy"},
            r"policy: nowhere.Policy could not be built: .*No module named 'nowhere'\. "
            r".*PYTHONPATH=FOLDER names the one that holds nowhere",
        ),
        ({"_target_": "tests.nowhere.Policy"}, r"PYTHONPATH=FOLDER names the one that holds tests"),
        ({"_target_": "Policy"}, r"PYTHONPATH=FOLDER names the one that holds Policy"),
        (NESTED | {"policy": {"_target_": "nowhere.Expert"}}, r"nowhere.Expert could not be built.*PYTHONPATH"),
        (
            {"_target_": "tests.support.toys.policy.ToyPolic"},
            r"tests.support.toys.policy has no ToyPolic. Did you mean 'ToyPolicy'\?",
        ),
        (
            {"_target_": "tests.runners.config.test_building.needing"},
            r"No module named 'notthere', which it needs. Install that into /",
        ),
        ({"_target_": "tests.support.toys.policy.ToyPolicy", "horizo": 8}, r"TypeError: .*'horizo'"),
        ({"_target_": "builtins.open", "file": "/nowhere/x"}, r"/nowhere/x: No such file or directory"),
        ({"_target_": "tests.runners.config.test_building.ends"}, r"SystemExit: 2"),
        (
            {"_target_": "tests.runners.config.test_building.refused", "message": "seed=x is no seed."},
            r"^seed=x is no seed.$",
        ),
    ],
    ids=lambda value: value["_target_"] if isinstance(value, dict) else "",
)
@pytest.mark.parametrize("kind", [dict, OmegaConf.create])
def test_what_cannot_be_built_is_told_with_what_mends_it(described, told, kind):
    with pytest.raises(ContractError, match=told) as raised:
        built(kind(described), "policy")
    assert "full_key" not in str(raised.value)


def test_what_is_described_is_built_with_plain_values():
    described = OmegaConf.create(
        {"_target_": "builtins.dict", "indices": [0, 1], "inner": {"_target_": "builtins.int"}}
    )
    made = built(described, "sim")
    assert made == {"indices": [0, 1], "inner": 0}
    assert type(made["indices"]) is list
    assert built(3, "sim") == 3


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("tests.runners.config.test_building.Undecided", r"policy: .*Undecided could not be built: KeyError: 'front'"),
        ("builtins.dict", r"policy._target_=builtins.dict gives a dict, which has no get_modality_config and no get_a"),
    ],
)
def test_policy_that_is_none_is_told(target, told):
    with pytest.raises(ContractError, match=told):
        policy_server({"_target_": target}, port=0)


def test_port_that_is_taken_is_told():
    described = {"_target_": "tests.support.toys.policy.ToyPolicy"}
    with policy_server(described, port=0) as server, pytest.raises(Gr00tError, match=r"in use.*Choose another port"):
        policy_server(described, port=server.port)
