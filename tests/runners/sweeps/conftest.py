"""Sweeps in the process of the test, up to where each job would be played."""

import pytest

from runners.apps import play
from runners.apps.play import play as real_play
from runners.sweeps.folder import JobEnd


@pytest.fixture
def sweep(command, monkeypatch):
    """Run a sweep in this process, up to where each job would be played; return code, stdout, stderr and the jobs.

    ``ends`` says by a job's seed with which code it ends.
    """
    monkeypatch.setattr(play, "play", real_play)

    def run(*overrides, ends=None, play_job=None):
        played = []

        def pretend(run, composition):
            folder, config = composition.folder, composition.config
            code = (ends or {}).get(config.seed, 0)
            played.append((folder, config))
            if code is not None:
                JobEnd(code, "it does not fit\nat all" if code else None).write(folder)
            return code

        monkeypatch.setattr(play, "play_job", play_job or pretend)
        return *command(play, "-m", *overrides), played

    return run
