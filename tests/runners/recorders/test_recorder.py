"""Recorders: none can stop a rollout, and each obeys the rules that a new one is to obey."""

import errno
import importlib
import inspect
import logging
import pkgutil

import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf

import runners.recorders
from groot_wrappers.errors import ContractError
from runners.recorders import Recorder, Recorders
from runners.recorders.progress_bar import ProgressBar
from runners.recorders.recorder import RecorderFailure, RunInfo
from tests.support.processes import ROOT
from tests.support.samples.rows import make_row

HOOKS = [name for name, its in vars(Recorder).items() if inspect.isfunction(its) and not name.startswith("_")]
NOT_PLAYED = ("check", "set_up_scene", "on_run_start", "on_run_end", "on_folder_whole")


def shipped_recorders():
    """Return every Recorder class of runners.recorders that a run can choose: each but the bar that all runs have."""
    modules = [
        importlib.import_module(f"runners.recorders.{module.name}")
        for module in pkgutil.iter_modules(runners.recorders.__path__)
    ]
    classes = {kind for module in modules for _, kind in inspect.getmembers(module, inspect.isclass)}
    return sorted(
        (kind for kind in classes if issubclass(kind, Recorder) and kind not in (Recorder, Recorders, ProgressBar)),
        key=lambda kind: kind.__name__,
    )


YAMLS = sorted((ROOT / "conf/recorder").glob("*.yaml"))


def test_there_are_recorders_to_test():
    assert {"VideoRecorder", "WandbRecorder"} <= {kind.__name__ for kind in shipped_recorders()}
    assert HOOKS == [
        "check",
        "set_up_scene",
        "on_run_start",
        "on_episodes_start",
        "on_beat",
        "on_control_step",
        "on_chunk",
        "on_episode_end",
        "on_row_written",
        "on_run_end",
        "on_folder_whole",
    ]


@pytest.mark.parametrize("kind", [*shipped_recorders(), Recorders, ProgressBar])
def test_recorder_overrides_known_hooks_alone(kind):
    public = [name for name, _ in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_")]
    assert set(public) == set(HOOKS), "a misspelt hook would never be called"
    for hook in HOOKS:
        assert list(inspect.signature(getattr(kind, hook)).parameters) == list(
            inspect.signature(getattr(Recorder, hook)).parameters
        )


@pytest.mark.parametrize("path", YAMLS, ids=lambda path: path.stem)
def test_option_is_one_entry_of_its_own_name_that_builds_a_recorder(path):
    option = OmegaConf.load(path)
    assert list(option) == [path.stem], "a list of recorders is merged by these names"
    assert isinstance(instantiate(option[path.stem]), Recorder)


@pytest.mark.parametrize("kind", shipped_recorders())
def test_recorder_can_be_chosen(kind):
    targets = [next(iter(OmegaConf.load(path).values()))["_target_"] for path in YAMLS]
    assert f"{kind.__module__}.{kind.__name__}" in targets, f"{kind.__name__} has no YAML in conf/recorder"


class Counting(Recorder):
    """Counts its calls by hook, and fails in one of them if it is told to."""

    def __init__(self, fails_in=None):
        self.calls, self.fails_in = [], fails_in

    def __getattribute__(self, name):
        if name in HOOKS:
            self.calls.append(name)
            if name == self.fails_in:
                return self.fail
        return object.__getattribute__(self, name)

    def fail(self, *arguments):
        raise OSError("no space left on device")


def test_group_calls_every_hook_with_what_it_was_given():
    seen = []

    class Seeing(Recorder):
        def on_episode_end(self, row):
            seen.append(row)

    row = make_row()
    Recorders([Seeing(), Seeing()]).on_episode_end(row)
    assert seen == [row, row]
    counting = Counting()
    group = Recorders([counting])
    for hook in HOOKS:
        getattr(group, hook)(*[None] * (len(inspect.signature(getattr(Recorder, hook)).parameters) - 1))
    assert counting.calls == HOOKS


@pytest.mark.parametrize("hook", [name for name in HOOKS if name not in NOT_PLAYED])
def test_failing_recorder_is_reported_and_left_out_and_the_rollout_goes_on(play, caplog, hook):
    failing, sound = Counting(fails_in=hook), Counting()
    with caplog.at_level(logging.WARNING):
        run = play(2, 4, recorders=[failing, sound])
    assert run.error is None
    assert len(run.rows) == 4
    assert failing.calls.count(hook) == 1
    assert failing.calls[-1] == hook, "nothing is asked of it after it has failed"
    assert sound.calls.count("on_row_written") == 4
    (told,) = caplog.messages
    assert f"Counting failed in {hook}" in told
    assert "OSError: no space left on device" in told


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ContractError("the shapes differ"), "the shapes differ"),
        (OSError("no room"), "OSError: no room"),
    ],
)
def test_first_failure_of_each_recorder_is_kept_for_the_end_of_the_run(error, told):
    class Failing(Recorder):
        def on_beat(self, observation):
            raise error

        def on_run_end(self, summary):
            raise RuntimeError("a consequence of the first")

    group = Recorders([Failing(), Counting(), Counting(fails_in="on_run_end")])
    group.on_beat(None)
    group.on_run_end(None)
    assert group.failures == [
        RecorderFailure("Failing", "on_beat", told),
        RecorderFailure("Counting", "on_run_end", "OSError: no space left on device"),
    ]


def test_recorder_that_refuses_the_run_lets_it_through_and_closes_what_has_begun():
    class Refusing(Recorder):
        def on_run_start(self, run):
            raise ContractError("it cannot be recorded")

    begun, never_begun = Counting(), Counting()
    group = Recorders([begun, Refusing(), never_begun])
    with pytest.raises(ContractError, match="it cannot be recorded"):
        group.on_run_start(None)
    assert (begun.calls, never_begun.calls) == (["on_run_start", "on_run_end"], [])
    with pytest.raises(ContractError, match="not this"):
        Recorders([Counting(), Checking()]).check({})


class Checking(Recorder):
    def check(self, modality):
        raise ContractError("not this")


FULL = OSError(errno.ENOSPC, "No space left on device", "videos/recording_000000.mp4")


class Full(Recorder):
    """Finds no room for a picture."""

    def on_beat(self, observation):
        raise FULL


def test_full_disk_ends_the_run_so_that_it_goes_on_with_all_its_recorders(play, caplog):
    run = play(2, 4, recorders=[Full()])
    assert run.error is FULL
    assert (run.rows, caplog.messages) == ([], []), "an episode that was not recorded has no row, and is played again"


def test_full_disk_at_the_start_closes_what_has_begun():
    class FullAtOnce(Recorder):
        def on_run_start(self, run):
            raise FULL

    begun, never_begun = Counting(), Counting()
    with pytest.raises(OSError, match="No space left"):
        Recorders([begun, FullAtOnce(), never_begun]).on_run_start(None)
    assert (begun.calls, never_begun.calls) == (["on_run_start", "on_run_end"], [])


def test_full_disk_at_the_end_keeps_no_recorder_from_closing():
    class FullAtLast(Recorder):
        def on_run_end(self, summary):
            raise FULL

    sound = Counting()
    group = Recorders([FullAtLast(), sound])
    group.on_run_end(None)
    assert (sound.calls, len(group.failures)) == (["on_run_end"], 1)


def test_recorder_that_was_left_out_is_still_closed_at_the_end():
    failing = Counting(fails_in="on_control_step")
    group = Recorders([failing])
    group.on_control_step(None)
    group.on_run_end(None)
    assert failing.calls == ["on_control_step", "on_run_end"]


def test_recorder_that_fails_as_the_run_ends_keeps_no_other_from_closing(caplog):
    sound = Counting()
    Recorders([Counting(fails_in="on_run_end"), sound]).on_run_end(None)
    assert sound.calls == ["on_run_end"]


def test_interrupt_goes_through():
    class Interrupted(Recorder):
        def on_control_step(self, step):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Recorders([Interrupted()]).on_control_step(None)


def test_progress_shows_episodes_and_running_success_rate(play, capfd, tmp_path):
    bar = ProgressBar(6)
    bar.on_run_start(RunInfo(folder=tmp_path, config={}, fps=20.0, task="Toy-v0"))
    run = play(2, 6, recorders=[bar])
    bar.on_run_end(None)
    successes = sum(row.success for row in run.rows)
    shown = capfd.readouterr().err
    assert "6/6" in shown
    assert f"success {successes}/6 ({successes / 6:.0%})" in shown
