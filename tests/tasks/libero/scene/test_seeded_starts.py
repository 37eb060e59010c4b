"""Starts drawn anew by LIBERO's rules, in the tiny scene."""

import dataclasses

import numpy as np
import pytest

from groot_wrappers.errors import ContractError
from tasks.libero.scene.asset import compose
from tasks.libero.scene.categories import Extent, extent_of
from tasks.libero.scene.seeded_starts import seeded_start
from tasks.libero.suites.bddl import Predicate, Region
from tasks.libero.suites.suites import libero_task
from tests.tasks.libero.tiny.data import SUITE

pytestmark = pytest.mark.isaaclab


@pytest.fixture(autouse=True)
def tiny_libero(monkeypatch, folder):
    monkeypatch.setenv("LIBERO_ASSETS", str(folder))
    extent_of.cache_clear()


@pytest.fixture
def problem():
    return libero_task(SUITE, 0).problem


@pytest.fixture
def model(problem):
    return compose(problem)


def starts(problem, model, count=40):
    return np.stack([seeded_start(problem, model, np.random.default_rng(seed)) for seed in range(count)])


def places(model, drawn, thing):
    first = 1 + model.joint(f"{thing}_joint0").qposadr[0]
    return drawn[:, first : first + 3]


def test_a_seed_is_a_start(problem, model):
    first, again = starts(problem, model, 2), starts(problem, model, 2)
    assert first.shape == (2, 1 + model.nq + model.nv)
    assert (first == again).all()
    assert (first[0] != first[1]).any()


def test_things_hang_over_all_of_their_regions(problem, model):
    """A region of 2 cm is narrower than the bowl's room of 4: it is anywhere in 2 cm less 4, as LIBERO has it."""
    assert extent_of("bowl") == Extent(0.02, 0.0, 0.04)
    bowl = places(model, starts(problem, model), "bowl_1")
    assert bowl[:, 0].min() == pytest.approx(-0.11, abs=2e-3)
    assert bowl[:, 0].max() == pytest.approx(-0.09, abs=2e-3)
    assert np.ptp(bowl[:, 1]) == pytest.approx(0.02, abs=4e-3)
    assert bowl[:, 2] == pytest.approx(0.91)


def test_the_arm_is_a_little_off_its_posture(problem, model):
    arm = starts(problem, model)[:, 1:8]
    assert arm.std(axis=0) == pytest.approx(0.02, rel=0.5)
    assert arm.mean(axis=0) == pytest.approx([0, -0.161, 0, -2.445, 0, 2.227, np.pi / 4], abs=0.01)


def test_what_is_said_of_a_joint_holds_at_the_start(problem, model):
    opened = Predicate("open", ("wooden_cabinet_1_middle_region",))
    changed = dataclasses.replace(problem, initial=(*problem.initial, opened))
    level = 1 + model.joint("wooden_cabinet_1_level").qposadr[0]
    drawn = starts(changed, model)[:, level]
    assert -0.16 <= drawn.min() < drawn.max() <= -0.14
    assert (starts(problem, model)[:, level] == 0).all()


def test_a_thing_on_another_hangs_above_it(problem, model):
    initial = [Predicate("on", ("bowl_1", "plate_1")), *problem.initial[1:]]
    drawn = starts(dataclasses.replace(problem, initial=tuple(initial)), model)
    above = places(model, drawn, "bowl_1") - places(model, drawn, "plate_1")
    assert above == pytest.approx(np.tile([0.0, 0.0, 0.05], (len(above), 1)))


def test_things_stand_apart(problem, model):
    wide = Region("main_table_bowl_region", "main_table", ((0.06, 0.13, 0.14, 0.2),), (0.0, 0.0))
    drawn = starts(dataclasses.replace(problem, regions={**problem.regions, wide.name: wide}), model)
    apart = places(model, drawn, "bowl_1") - places(model, drawn, "plate_1")
    assert np.linalg.norm(apart[:, :2], axis=1).min() > 0.04


def test_what_finds_no_place_is_refused(problem, model):
    same = problem.regions["main_table_plate_region"]
    here = dataclasses.replace(same, name="main_table_bowl_region", ranges=((0.05, 0.15, 0.05, 0.15),))
    there = dataclasses.replace(same, ranges=((0.05, 0.15, 0.05, 0.15),))
    regions = {**problem.regions, here.name: here, there.name: there}
    with pytest.raises(ContractError, match="finds no place"):
        starts(dataclasses.replace(problem, regions=regions), model, 1)
