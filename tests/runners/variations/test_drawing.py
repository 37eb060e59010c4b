"""What variations draw: for each episode by its seed, apart from what else is chosen, scaled by the strength."""

import dataclasses
import json

import pytest

from groot_wrappers.errors import ContractError
from runners.config.setting_kinds import options_of
from runners.config.validation import require_strengths
from runners.episodes.plan import make_plan, write_plan
from runners.variations.drawing import draws_of, varied
from runners.variations.settings import VariationSettings
from tests.support.composing import compose

KINDS = [kind for kind in options_of("variation") if kind != "none"]


def settings(*overrides):
    return VariationSettings.of(compose("play", *overrides).variation)


@pytest.fixture(scope="module")
def all_kinds():
    return settings(f"variation=[{','.join(KINDS)}]")


def test_there_is_what_was_promised():
    promised = "camera_pose camera_focal light background texture object_colour distractors object_pose robot_start"
    promised += " friction_mass sensor_noise blur brightness occlusion dropped_camera state_noise"
    assert set(promised.split()) <= set(KINDS)


def test_none_varies_nothing():
    plan = make_plan(3, 0, ["reach"])
    assert varied(plan, VariationSettings.of({"strength": 1.0})) == plan
    assert varied(plan, VariationSettings.of({})) == plan, "as in the settings of an earlier version's run"


def test_each_kind_is_of_the_wire_or_of_the_scene(all_kinds):
    assert set(all_kinds.kinds) == set(KINDS)
    assert {*all_kinds.wire} ^ {*all_kinds.scene} == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_kind_draws_by_the_seed_alone_whatever_is_stacked_on_it(all_kinds, kind):
    alone = VariationSettings({kind: all_kinds.kinds[kind]})
    drawn = [draws_of(alone, seed) for seed in range(20)]
    assert [draws_of(all_kinds, seed)[kind] for seed in range(20)] == [each[kind] for each in drawn]
    assert len({tuple(each[kind].values()) for each in drawn}) > 5
    assert all(type(number) is float for each in drawn for number in each[kind].values())


@pytest.mark.parametrize("kind", KINDS)
def test_smaller_strength_draws_the_same_change_scaled_down(all_kinds, kind):
    whole, half, none = (
        VariationSettings({kind: dataclasses.replace(all_kinds.kinds[kind], strength=share)}) for share in (1, 0.5, 0)
    )
    assert draws_of(whole, 5, 0.5) == draws_of(half, 5)
    assert draws_of(whole, 5, 0) == draws_of(none, 5)
    assert draws_of(whole, 5) != draws_of(half, 5) != draws_of(none, 5)
    some, full = draws_of(half, 5)[kind], draws_of(whole, 5)[kind]
    assert set(some) <= set(full)
    assert all(abs(some[name]) <= abs(full[name]) + 1e-9 or full[name] < some[name] < 1 for name in some), (
        "towards none"
    )


def test_strength_is_that_of_the_kind_where_it_has_its_own():
    both = settings("variation=[brightness,blur]", "variation.strength=0.2", "variation.blur.strength=0.7")
    assert {kind: variation.strength for kind, variation in both.kinds.items()} == {"brightness": 0.2, "blur": 0.7}
    assert list(settings("variation=[blur,brightness]").kinds) == ["blur", "brightness"], "in the order that was asked"


def test_plan_holds_what_was_drawn(tmp_path, all_kinds):
    plan = varied(make_plan(2, 0, ["reach"]), all_kinds)
    write_plan(plan, tmp_path / "plan.json")
    written = json.loads((tmp_path / "plan.json").read_text())
    drawn = [None if episode.arm == "control" else draws_of(all_kinds, episode.seed) for episode in plan]
    assert [entry.get("variation") for entry in written] == drawn
    write_plan(make_plan(1, 0, ["reach"]), tmp_path / "plan.json")
    assert "variation" not in json.loads((tmp_path / "plan.json").read_text())[0]


@pytest.mark.parametrize("strength", [2, -0.1, True, float("nan"), "strong", None])
def test_strength_that_is_no_share_is_refused(strength):
    for key, asked in (
        ("variation.strength", {"strength": strength}),
        ("variation.blur.strength", {"strength": 1.0, "blur": {"strength": strength}}),
    ):
        with pytest.raises(ContractError, match=f"{key}={strength} .*share of the full range, 0 to 1"):
            require_strengths(asked)


def test_what_draws_nothing_is_refused():
    with pytest.raises(ContractError, match=r"variation\.mine is a dict.*variation\.mine\._target_"):
        VariationSettings.of({"strength": 1.0, "mine": {"strength": 1.0}})
