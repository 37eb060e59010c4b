"""Suites: never changed once they are quoted, fixed whatever else is set, and ending in one page."""

from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace

import pytest

from groot_wrappers.errors import ContractError
from runners.config.composed import Composition, typed
from runners.config.setting_kinds import options_of
from runners.launch.run_hook import RunHook
from runners.sweeps.folder import read_jobs
from runners.utils.exit_codes import SweepEnded
from runners.variations.drawing import draws_of
from runners.variations.settings import VariationSettings
from runners.variations.suite import Suite, with_suite, with_suite_kinds
from tests.support.composing import compose
from tests.support.samples.sweeps import make_sweep

NEEDS_ONE_ENV = {"camera_focal"}


def suited(*overrides):
    config = compose("play", *overrides)
    return with_suite(Composition(config, "play", Path(), Path(), overrides, {}, ()))


def test_suite_that_was_quoted_is_never_changed():
    """A change makes it another suite: give it the next number, and leave this one as it is."""
    content = files("runners.variations").joinpath("suites/robust_v1.yaml").read_bytes()
    assert sha256(content).hexdigest() == "fd550567cc7dae71fdf4f8c56d0a9877fcc15ab5cce7bb4aa5ac34f4bae2e273"


def test_suite_varies_by_all_that_there_is_and_each_can_be_drawn():
    suite = Suite.of("robust_v1")
    assert set(suite.kinds) == set(options_of("variation")) - {"none"} - NEEDS_ONE_ENV
    assert suite.grid == [0, 0.5, 1]
    built = VariationSettings.of(suite.kinds)
    assert set(draws_of(built, 0)) == set(suite.kinds)
    assert {variation.strength for variation in built.kinds.values()} == {1.0}


def test_run_of_a_suite_has_its_settings_whatever_those_of_its_options_become():
    fixed = suited("variation=brightness", "variation.suite=robust_v1")
    variation = typed(fixed).variation
    assert variation["brightness"] == Suite.of("robust_v1").kinds["brightness"]
    assert {key: variation[key] for key in ("strength", "control", "grid", "suite")} == {
        "strength": 1.0,
        "control": True,
        "grid": [0, 0.5, 1],
        "suite": "robust_v1",
    }
    assert with_suite(fixed).config == fixed.config


def test_settings_without_a_suite_are_as_they_are():
    config = suited("variation=brightness", "variation.strength=0.3").config
    assert (config.variation.grid, config.variation.brightness.strength) == (None, 0.3)


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["variation.suite=robust"], "suites are robust_v1. Did you mean 'robust_v1'?"),
        (
            ["variation.suite=robust_v1"],
            r"with variation=none, but .* play all: groot-play -m variation.suite=robust_v1",
        ),
        (["variation=[brightness,blur]", "variation.suite=robust_v1"], "varies one at a time"),
        (["variation=camera_focal", "variation.suite=robust_v1"], "with variation=camera_focal, but it varies one"),
        (
            ["variation=blur", "variation.suite=robust_v1", "variation.strength=0.5"],
            r"with variation.strength=0.5, but a suite fixes all that\. Leave out one of them",
        ),
        (
            ["variation=blur", "variation.suite=robust_v1", "variation.blur.radius=0.1"],
            r"with variation.blur.radius=0.1",
        ),
        (["variation=blur", "variation.suite=robust_v1", "variation.control=false"], "with variation.control=false"),
    ],
    ids=["unknown", "none", "several", "not in it", "strength", "range", "control"],
)
def test_what_is_no_run_of_a_suite_is_refused(overrides, told):
    with pytest.raises(ContractError, match=told):
        suited(*overrides)


def test_sweep_over_a_suite_names_its_variations():
    asked = ["-m", "variation.suite=robust_v1", "episodes=20"]
    kinds = ",".join(Suite.of("robust_v1").kinds)
    assert with_suite_kinds(asked) == [*asked, f"variation={kinds}"]
    for untouched in (
        ["variation.suite=robust_v1"],
        ["-m", "variation.suite=robust_v1", "variation=blur,light"],
        ["-m", "variation.suite=null"],
        ["-m", "variation=glob(*,exclude=none)"],
        ["--help"],
    ):
        assert with_suite_kinds(untouched) == untouched
    with pytest.raises(ContractError, match="the suites are robust_v1"):
        with_suite_kinds(["--multirun", "variation.suite=robust_v2"])


def end_of(sweep, capsys):
    """End a sweep as its hook does; return what is told."""
    hook = RunHook()
    hook._folder, hook._jobs = sweep, read_jobs(sweep)
    nothing = SimpleNamespace(count=1, min_success=None)
    with pytest.raises(SweepEnded):
        hook.on_multirun_end(SimpleNamespace(shard=nothing, gate=nothing, checkpoints=None))
    return capsys.readouterr().out


def test_sweep_over_variations_ends_in_one_page(tmp_path, capsys):
    make_sweep(tmp_path / "sweep", "variation=light,texture,blur", episodes=6, unfinished=["failed"])
    told = end_of(tmp_path / "sweep", capsys)
    assert "2 of 3 jobs are done" in told
    page = (tmp_path / "sweep/groot-report.html").read_text()
    assert "What each variation costs" in page
    assert page.count('class="ranges" d="M') == 2
    assert "failed: variation=blur" in page
    assert "The server and the embodiment do not fit" in page


def test_sweep_over_something_else_names_the_command_that_makes_a_page(tmp_path, capsys):
    make_sweep(tmp_path / "sweep", "seed=0,1", episodes=6)
    assert f"Look at it: groot-report {tmp_path / 'sweep'}" in end_of(tmp_path / "sweep", capsys)
    assert not (tmp_path / "sweep/groot-report.html").exists()
