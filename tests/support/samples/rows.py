"""A row, an episode, a control step, a picture: what the tests of recorders and results need of each."""

import time

import numpy as np

from groot_wrappers.control_step import ControlStep
from runners.episodes.plan import PlannedEpisode
from runners.episodes.row import EpisodeRow, last_rows
from runners.recorders import Recorder
from runners.statistics.stop_rule import StopRule
from runners.statistics.summary import summarise
from runners.utils.interrupts import BURST_S


class Lingering(Recorder):
    """A recorder whose end takes longer than it takes to press Ctrl-C again."""

    def on_run_start(self, run):
        self.folder = run.folder

    def on_run_end(self, summary):
        (self.folder / "lingers").touch()
        time.sleep(2 * BURST_S)
        (self.folder / "lingered").touch()


def make_row(index=0, **fields):
    values = {"seed": 7, "instruction": "reach", "env": 0, "attempt": 0, "success": True, "ended": "success"}
    return EpisodeRow(index=index, **values | {"steps": 3, "episode_return": 3.0, "server_calls": 3} | fields)


STAGES = ("reached", "grasped", "lifted")


def make_staged_row(index=0, reached=0, *, success=False, **fields):
    """Return the row of an episode of a task with STAGES that came through the first ``reached`` of them."""
    stages = {name: 10 * (place + 1) for place, name in enumerate(STAGES[:reached])}
    told = {
        "stages": stages,
        "missed": None if success or reached == len(STAGES) else STAGES[reached],
        "progress": 1.0 if success else reached / (len(STAGES) + 1),
        "events": {},
        "success": success,
        "ended": "success" if success else "time_out",
        "steps": 100,
    }
    return make_row(index, **told | fields)


def summary_of(rows, *, ci_width=None, **facts):
    """Return the summary of rows whose plan is the episodes that they are of."""
    plan = [PlannedEpisode(row.index, row.seed, row.instruction) for row in last_rows(rows)]
    return summarise(rows, StopRule(plan, ci_width), task="Toy-v0", instruction="reach", **facts)


def make_episode(index=0):
    return PlannedEpisode(index=index, seed=7, instruction="reach")


def make_step(observation, playing, **fields):
    playing = np.array(playing)
    values = {
        "played": np.ones_like(playing),
        "action": {},
        "played_action": {},
        "reward": None,
        "success": None,
    } | fields
    return ControlStep(observation, playing=playing, **values)


def picture(height, width, top, bottom):
    """Return one frame with a colour above and another below, uint8 (H, W, 3)."""
    frame = np.empty((height, width, 3), np.uint8)
    frame[: height // 2], frame[height // 2 :] = top, bottom
    return frame
