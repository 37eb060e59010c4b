"""Burners where no camera looks; those that are seen are part of the test of the env."""

from types import SimpleNamespace

import numpy as np
import pytest
import warp as wp
from isaaclab_newton.physics import NewtonManager

from tasks.libero.burners import BurnerLights
from tasks.libero.scene.asset import libero_scene
from tests.tasks.libero.tiny.data import SUITE

pytestmark = pytest.mark.isaaclab


def test_a_stove_whose_burner_is_not_there_is_left_alone(monkeypatch, folder):
    """IsaacLab spawns what is only seen if a camera looks."""
    monkeypatch.setenv("LIBERO_ASSETS", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    colours = wp.ones((1, 3), dtype=wp.float32, device="cpu")
    labels = ["/World/envs/env_0/flat_stove_1_main/flat_stove_1_knob/g0"]
    model = SimpleNamespace(shape_color=colours, shape_label=labels, shape_world=wp.zeros(1, dtype=wp.int32))
    monkeypatch.setattr(NewtonManager, "get_model", lambda: model)
    env = SimpleNamespace(scene=SimpleNamespace(articulations={}, rigid_objects={}))
    BurnerLights(env, libero_scene(SUITE, 0)).look()
    assert np.all(colours.numpy() == 1.0)
