"""Names of version 0.1.0: what YAML files of then name is found where it is now, at whatever depth."""

import importlib.util

import pytest

from runners.config.building import built
from runners.config.renamed import TARGETS, renamed_targets


@pytest.mark.parametrize(("then", "now"), TARGETS.items())
def test_module_that_took_the_place_is_there(then, now):
    assert importlib.util.find_spec(now) is not None
    assert now not in TARGETS, "one step leads to the name of now"


def test_targets_are_renamed_at_any_depth_and_nothing_else_is():
    of_then = {
        "_target_": "runners.latency_policy.LatencyPolicy",
        "base_ms": 1,
        "policies": [{"_target_": "tasks.lift_cube_franka.expert.LiftCubeExpert"}, "tasks.scene_parts"],
    }
    before = repr(of_then)
    assert renamed_targets(of_then) == {
        "_target_": "runners.servers.latency_policy.LatencyPolicy",
        "base_ms": 1,
        "policies": [{"_target_": "tasks.lift_cube_franka.expert.joint_expert.LiftCubeExpert"}, "tasks.scene_parts"],
    }
    assert repr(of_then) == before
    assert renamed_targets({"_target_": "my_package.Policy"}) == {"_target_": "my_package.Policy"}


@pytest.mark.isaaclab
def test_expert_of_a_yaml_of_then_is_built():
    expert = built({"_target_": "tasks.lift_cube_franka.expert.LiftCubeExpert"}, "task.expert")
    assert type(expert).__module__ == "tasks.lift_cube_franka.expert.joint_expert"
