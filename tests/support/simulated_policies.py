"""Policies whose chances are known, played by the real rollout.

The env is a clock: it reads off its planned seed how far an episode comes, and a failure takes three times as long.
Plan, rollout, counting and intervals are those of groot-play.
"""

from functools import cache
from types import SimpleNamespace

import numpy as np

from groot_wrappers.embodiment.stages import Progress
from runners.config.schema import StopOn
from runners.episodes.plan import make_plan
from runners.recorders import Recorder
from runners.rollout.rollout import Rollout
from runners.statistics.stop_rule import StopRule

ENVS = 4
SUCCESS_BEATS, FAILURE_BEATS = 1, 3
MOST_SEEDS = 2**31


class Clock:
    """Stands for env and client: what rollout asks of them.

    ``chances`` are those of having passed each stage of the task, and of success at last; one alone is that of success,
    in an env without stages.
    """

    reset_mode, execution = "per_env", 1

    def __init__(self, num_envs, chances):
        self.num_envs, self.has_rewards, self.chances = num_envs, False, np.asarray(chances, float)
        self.passed, self.left = np.zeros(num_envs, int), np.zeros(num_envs, int)

    def reset(self, options=None):
        """As env, begin episodes; as server, do nothing."""
        if options is not None:
            fates = np.array(options["seeds"])[:, None] < self.chances * MOST_SEEDS
            self.passed[options["env_ids"]] = fates.sum(axis=1)
            self.left[options["env_ids"]] = np.where(fates[:, -1], SUCCESS_BEATS, FAILURE_BEATS)
            return {}, {}
        return {}

    def get_modality_config(self):
        return {"action": SimpleNamespace(modality_keys=())}

    def get_action(self, observation, row_noise):
        return {}, {}

    def step(self, chunk):
        self.left -= 1
        over, nothing = self.left <= 0, np.zeros(self.num_envs)
        succeeds = self.passed == len(self.chances)
        info = {"success": over & succeeds, "steps": nothing, "error": [None] * self.num_envs}
        stages = {f"stage_{i}": (self.passed > i).astype(int) for i in range(len(self.chances) - 1)}
        info |= {"held": nothing, "unanswered": None, "progress": Progress(stages, {}) if stages else None}
        return {}, nothing, nothing, over & ~succeeds, info


class Log:
    """An EpisodeLog in memory."""

    def __init__(self):
        self.rows = []

    def append(self, row):
        self.rows.append(row)


@cache
def plan_of(seed, episodes, instructions=("reach",)):
    return make_plan(episodes, seed, list(instructions))


def play(seed, chances, *, episodes, num_envs=ENVS, ci_width=None, on=StopOn.success, instructions=("reach",)):
    """Play one evaluation; return its rows in the order in which episodes ended, and the rule."""
    plan = plan_of(seed, episodes, tuple(instructions))
    clock, log, stop = Clock(num_envs, chances), Log(), StopRule(plan, ci_width, on)
    Rollout(clock, clock, plan, log, Recorder(), enough=stop.enough).play()
    return log.rows, stop


POLICIES = {
    "evenly": (0.8, 0.64, 0.51, 0.41),
    "at one stage": (0.98, 0.5, 0.49, 0.48),
    "seldom": (0.99, 0.97, 0.96, 0.95),
    "nearly always": (0.5, 0.2, 0.08, 0.04),
}
"""Where a policy fails: its chances of having passed each of three stages, and of success."""


def mean_progress(chances):
    """Return the true mean of the progress of a policy with these chances."""
    return float(np.mean(chances))
