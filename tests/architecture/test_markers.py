"""Markers are true: a test that starts a process without saying so fails."""

import multiprocessing
import os
import subprocess

import pytest


@pytest.mark.parametrize(
    "start",
    [
        lambda: subprocess.run(["true"], check=True),
        lambda: multiprocessing.get_context("spawn").Process(target=print).start(),
        lambda: os.system("true"),  # noqa: S605  # the shell is what is refused
        lambda: os.fork() or os._exit(0),
    ],
    ids=["subprocess", "multiprocessing", "shell", "fork"],
)
def test_process_is_refused_in_a_test_without_the_marker(start):
    with pytest.raises(pytest.fail.Exception, match=r"pytest\.mark\.process"):
        start()


@pytest.mark.process
def test_process_is_started_in_a_test_with_it():
    assert subprocess.run(["true"], check=True).returncode == 0
