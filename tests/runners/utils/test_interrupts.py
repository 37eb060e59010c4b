"""What interrupts a command, and what an interruption must not cut off."""

import signal
import subprocess
import sys

import pytest

from runners.utils import interrupts
from runners.utils.interrupts import INTERRUPTIONS, heed_interruptions, heeded, interrupts_held, signals_ignored


@pytest.fixture
def patient(monkeypatch):
    """Let each interruption count, however fast they follow one another."""
    monkeypatch.setattr(interrupts, "BURST_S", 0.0)


@pytest.mark.parametrize("number", INTERRUPTIONS)
def test_sigterm_and_a_closed_terminal_interrupt_as_ctrl_c_does(number):
    heed_interruptions(heeded())
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)


def test_burst_is_one_interruption_so_that_its_second_does_not_cut_off_the_end():
    heed_interruptions(heeded())
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)
    for number in INTERRUPTIONS:
        signal.raise_signal(number)


@pytest.mark.usefixtures("patient")
def test_later_interruption_counts_again_where_the_first_was_lost():
    heed_interruptions(heeded())
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("number", INTERRUPTIONS)
def test_what_nohup_or_a_script_lets_a_command_ignore_stays_ignored(number):
    signal.signal(number, signal.SIG_IGN)
    heed_interruptions(heeded())
    with interrupts_held():
        signal.raise_signal(number)
    signal.raise_signal(number)
    assert signal.getsignal(number) is signal.SIG_IGN


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("number", INTERRUPTIONS)
def test_block_that_must_not_be_done_by_halves_is_done_first(number):
    heed_interruptions(heeded())
    done = []

    def interrupted():
        with interrupts_held():
            signal.raise_signal(number)
            signal.raise_signal(signal.SIGINT)
            done.append("the whole block")

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert done == ["the whole block"]
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)


@pytest.mark.process
def test_what_is_started_ignores_what_its_starter_does_not():
    heed_interruptions(heeded())
    code = "import signal; print(*(signal.getsignal(n) is signal.SIG_IGN for n in (1, 2, 15)))"
    with signals_ignored(*INTERRUPTIONS):
        ignoring = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert ignoring.split() == ["True"] * 3
    assert set(heeded()) == set(INTERRUPTIONS)
