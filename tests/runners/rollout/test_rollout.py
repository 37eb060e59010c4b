"""The rollout loop: every planned episode once, each from its own seed, asked for and counted rightly."""

import signal

import numpy as np
import pytest
import torch
from msgspec.structs import replace

from groot_wrappers.errors import ServerError, ServerUnreachableError
from runners.config.schema import ServerReset
from runners.recorders import Recorder
from tests.support.rollouts import SpyPolicy
from tests.support.toys.env import NEEDED_STEPS, ToyEnv, ToyTerminations


def goal_of(seed):
    """Return the goal that ToyEnv draws from a seed, whatever was drawn before."""
    return int(torch.randint(1, 200, (1,), generator=torch.Generator().manual_seed(seed)))


def outcome(run):
    return {
        row.index: (row.seed, row.success, row.ended, row.steps, row.episode_return, run.watcher.goals[row.index])
        for row in run.rows
    }


@pytest.mark.parametrize(("num_envs", "episodes"), [(1, 5), (2, 5), (4, 5), (5, 5), (9, 5), (3, 1)])
def test_every_planned_episode_runs_exactly_once(play, num_envs, episodes):
    run = play(num_envs, episodes)
    assert run.error is None
    assert sorted(row.index for row in run.rows) == list(range(episodes))
    assert run.watcher.running == {}
    for row in run.rows:
        assert (row.seed, row.instruction) == (run.plan[row.index].seed, run.plan[row.index].instruction)


def test_each_start_depends_on_its_own_seed_alone(play):
    for num_envs in (1, 3, 8):
        run = play(num_envs, 8)
        assert run.watcher.goals == {episode.index: goal_of(episode.seed) for episode in run.plan}
        started = {seed for env_id, seed in run.toy.starts if seed is not None}
        assert started == {episode.seed for episode in run.plan}


@pytest.mark.parametrize("execution", [1, 4])
def test_outcomes_are_the_same_for_any_number_of_envs(play, execution):
    runs = [play(num_envs, 12, execution=execution) for num_envs in (1, 2, 4, 12)]
    assert {row.ended for row in runs[0].rows} == {"success", "time_out"}, "the plan must hold both"
    assert all(outcome(run) == outcome(runs[0]) for run in runs[1:])


def test_rows_hold_what_happened(play):
    run = play(2, 6, execution=4, instructions=["reach", "touch"])
    for row in run.rows:
        solved = goal_of(row.seed) % 3 != 0
        steps = NEEDED_STEPS if solved else 7
        assert row.to_json() == {
            "index": row.index,
            "seed": run.plan[row.index].seed,
            "instruction": ["reach", "touch"][row.index % 2],
            "env": row.env,
            "attempt": 0,
            "success": solved,
            "ended": "success" if solved else "time_out",
            "steps": steps,
            "return": float(NEEDED_STEPS if solved else 0),
            "server_calls": -(-steps // 4),
            "held_steps": 0,
            "video": None,
            "error": None,
            "warning": None,
            "stages": None,
            "missed": None,
            "progress": None,
            "events": None,
            "checkpoint": None,
            "checkpoint_step": None,
            "variation": None,
            "pair": None,
            "arm": None,
            "strength": None,
        }


def test_each_env_is_told_its_own_episodes_instruction(play):
    told = []

    class Listening(SpyPolicy):
        def get_action(self, observation, options=None):
            goals = observation["video"]["camera"][:, -1, 0, 0, 0].tolist()
            told.extend(zip(goals, [text for (text,) in observation["language"]["task"]], strict=True))
            return super().get_action(observation, options)

    run = play(3, 9, policy_class=Listening, instructions=["a", "b"])
    wanted = {(run.watcher.goals[episode.index], episode.instruction) for episode in run.plan}
    assert set(told) == wanted


@pytest.mark.parametrize("execution", [1, 2, 8])
def test_there_is_one_request_a_beat_for_the_running_envs_alone(play, execution):
    run = play(4, 10, execution=execution)
    batches = [len(goals) for kind, goals in run.policy.asked if kind == "action"]
    assert run.stats.calls == len(batches)
    assert run.stats.observations == sum(batches) == sum(row.server_calls for row in run.rows)
    assert min(batches) < 4, "the plan must end with fewer episodes than envs"
    planned = {goal_of(episode.seed) for episode in run.plan}
    assert {goal for kind, goals in run.policy.asked if kind == "action" for goal in goals} <= planned, (
        "the server saw an episode of the env's own, which nobody planned"
    )
    assert len(run.toy.played) == run.watcher.steps


def test_envs_that_outnumber_the_episodes_are_never_asked_for(play):
    run = play(6, 2)
    assert all(len(goals) <= 2 for kind, goals in run.policy.asked if kind == "action")


class Signing(SpyPolicy):
    """Moves joint_b, which does not matter to the env, to the goal that the row's picture shows."""

    def get_action(self, observation, options=None):
        action, info = super().get_action(observation, options)
        action["joints"][:, :, 0] = observation["video"]["camera"][:, -1, 0, 0, 0][:, None]
        return action, info


@pytest.mark.parametrize("execution", [1, 4])
def test_each_env_plays_the_row_that_its_own_picture_brought(play, execution):
    """Rows of a request are closed up around envs that wait: a mix-up would sign with a neighbour's goal."""
    seen = []

    class Checking(Recorder):
        def on_episodes_start(self, episodes, observation):
            self.goals = observation["video"]["camera"][:, -1, 0, 0, 0].tolist()

        def on_control_step(self, step):
            signed = step.observation["state"]["joints"][:, 0, 1].tolist()
            seen.extend((env_id, signed[env_id], self.goals[env_id]) for env_id in np.flatnonzero(step.playing))

    run = play(3, 8, execution=execution, policy_class=Signing, recorders=[Checking()])
    assert run.error is None
    assert all(signed == goal for _, signed, goal in seen), seen
    assert run.stats.observations < 3 * run.stats.calls, "the plan must leave envs idle while others play"


def test_server_is_reset_once_a_run(play):
    run = play(2, 8)
    assert run.policy.asked[0] == ("reset", [])
    assert [kind for kind, _ in run.policy.asked].count("reset") == 1, "a reset concerns all envs"


def test_server_is_told_each_episodes_seed_where_it_is_reset_for_each(play):
    told = []

    class Seeded(SpyPolicy):
        def reset(self, options=None):
            told.append(options["seed"])
            return super().reset(options)

    run = play(2, 5, policy_class=Seeded, server_reset=ServerReset.per_episode)
    assert sorted(told) == sorted(episode.seed for episode in run.plan)


def test_an_episode_that_ends_within_a_chunk_waits_for_the_next_beat(play):
    run = play(2, 4, execution=8, episode_steps=16)
    fates = {index: goal % 3 != 0 for index, goal in run.watcher.goals.items()}
    assert set(fates.values()) == {True, False}
    for row in run.rows:
        assert row.steps == (NEEDED_STEPS if fates[row.index] else 16), "steps of a parked env are not counted"
    # A beat is cut short only once every env of it is parked.
    assert len(run.toy.played) <= 8 * run.stats.calls


class NotANumber(SpyPolicy):
    """Spoils the action of the goals that are not to be solved."""

    def get_action(self, observation, options=None):
        action, info = super().get_action(observation, options)
        goals = observation["video"]["camera"][:, -1, 0, 0, 0]
        action["joints"][[not self.solves(goal) for goal in goals]] = np.nan
        return action, info


def test_action_that_is_not_finite_ends_its_own_episode_alone(play):
    sound, run = play(3, 9), play(3, 9, policy_class=NotANumber)
    assert run.error is None
    for index, row in run.by_index.items():
        if run.watcher.goals[index] % 3:
            assert outcome(run)[index] == outcome(sound)[index]
        else:
            assert (row.ended, row.success, row.steps) == ("error", None, 0)
            assert "joints holds NaN" in row.error
    assert {row.ended for row in run.rows} == {"success", "error"}


class Failing(SpyPolicy):
    """Answers some requests, then fails."""

    def get_action(self, observation, options=None):
        if len(self.calls) == NEEDED_STEPS + 1:
            raise ValueError("out of memory")
        return super().get_action(observation, options)


def test_server_failure_keeps_finished_episodes_and_ends_running_ones_as_errors(play):
    run = play(2, 6, solves=lambda goal: True, policy_class=Failing)
    assert isinstance(run.error, ServerError)
    assert [(row.index, row.ended) for row in run.rows] == [
        (0, "success"),
        (1, "success"),
        (2, "error"),
        (3, "error"),
    ]
    for row in run.rows[2:]:
        assert (row.success, row.steps, row.server_calls) == (None, 1, 1)
        assert "out of memory" in row.error
    assert run.watcher.running == {}, "recorders are told of them"
    assert len(run.log.path.read_text().splitlines()) == 4


class FailingTwice(SpyPolicy):
    """Fails at its fifth and sixth request, as a server that is out of memory for a while."""

    def __init__(self, watcher, **options):
        super().__init__(watcher, **options)
        self.failures = 0

    def get_action(self, observation, options=None):
        if len(self.calls) == NEEDED_STEPS + 1 and self.failures < 2:
            self.failures += 1
            raise ValueError("out of memory")
        return super().get_action(observation, options)


def test_episodes_that_a_server_failed_are_tried_again(play):
    sound, revived = play(2, 6, solves=lambda goal: True), []
    run = play(2, 6, solves=lambda goal: True, policy_class=FailingTwice, retries=2, revive=revived.append)
    assert run.error is None
    assert len(revived) == 2
    assert [(row.index, row.attempt) for row in run.rows if row.ended == "error"] == [(2, 0), (3, 0), (2, 1), (3, 1)]
    assert outcome(run) == outcome(sound), "the last row of an index counts, and is as if nothing had happened"
    assert {row.attempt for index, row in run.by_index.items() if index in (2, 3)} == {2}


def test_server_that_fails_for_good_ends_the_run(play):
    run = play(2, 6, solves=lambda goal: True, policy_class=Failing, retries=2)
    assert isinstance(run.error, ServerError)
    assert [(row.index, row.attempt) for row in run.rows if row.ended == "error"] == [
        (index, attempt) for attempt in range(3) for index in (2, 3)
    ]


def test_server_that_does_not_come_back_ends_the_run(play):
    def gone(error):
        raise ServerUnreachableError("it did not come back")

    run = play(2, 6, solves=lambda goal: True, policy_class=Failing, retries=2, revive=gone)
    assert isinstance(run.error, ServerUnreachableError)
    assert len(run.rows) == 4


def test_diverged_episode_is_tried_again_up_to_the_limit(play):
    run = play(3, 9, policy_class=NotANumber, retries=1)
    assert run.error is None
    for index, row in run.by_index.items():
        spoiled = run.watcher.goals[index] % 3 == 0
        assert (row.ended, row.attempt) == (("error", 1) if spoiled else ("success", 0))
    assert len(run.rows) == 9 + sum(row.attempt for row in run.by_index.values())


def test_what_an_earlier_start_has_played_is_not_played_again(play):
    whole = play(2, 8)
    earlier = [row for row in whole.rows if row.index in (0, 1, 3)]
    earlier.append(replace(whole.by_index[2], ended="error", success=None, attempt=1))
    run = play(3, 8, rows=earlier)
    assert sorted(row.index for row in run.rows[4:]) == [2, 4, 5, 6, 7]
    assert run.by_index[2].attempt == 2
    assert {i: (r.success, r.steps) for i, r in run.by_index.items()} == {
        i: (r.success, r.steps) for i, r in whole.by_index.items()
    }


def test_plan_that_is_played_already_asks_the_server_nothing(play):
    run = play(2, 3, rows=play(2, 3).rows)
    assert run.policy.asked == []
    assert len(run.rows) == 3


def test_each_env_can_have_an_instruction_of_its_own(play):
    run = play(3, 9, instructions=["a", "b", "c"], env_instructions=["a", "b", "c"])
    assert {row.env: row.instruction for row in run.rows} == {0: "a", 1: "b", 2: "c"}
    assert sorted(row.index for row in run.rows) == list(range(9))


def test_interruption_leaves_no_row_half_told(play):
    """Ctrl-C that comes while a row is written waits until the recorders after it know of the row too."""

    class Interrupting(Recorder):
        def on_episode_end(self, row):
            signal.raise_signal(signal.SIGINT)

    class Told(Recorder):
        def __init__(self):
            self.rows = []

        def on_row_written(self, row, rows):
            self.rows = list(rows)

    told = Told()
    with pytest.raises(KeyboardInterrupt):
        play(2, 6, recorders=[Interrupting(), told])
    assert [row.index for row in told.rows] == [0]


def test_env_without_a_success_term_gives_null(play):
    run = play(2, 3, has_success=False)
    assert [row.success for row in run.rows] == [None] * 3
    # The toy env still terminates at its goal, which without a success term is no success.
    assert {row.ended for row in run.rows} == {"failure", "time_out"}


def test_recorders_that_do_not_look_cost_no_drawing(play):
    run = play(2, 4, execution=4, recorders=[Recorder()])
    # The watcher of these tests looks at each start; the policy looks once a beat, mostly at the same moment.
    assert run.env.env.renders == run.stats.calls


class StickyTerminations(ToyTerminations):
    """Keeps its success over a reset, as a term does that latches."""

    ever = False

    def compute(self):
        super().compute()
        self.ever = self.success = self.success | self.ever
        return self.success | self.time_outs


class StickyEnv(ToyEnv):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self._terminations = self.termination_manager = StickyTerminations(self, True)


@pytest.mark.parametrize("execution", [1, 4])
def test_success_on_the_first_control_step_has_a_warning(play, execution):
    run = play(2, 6, env_class=StickyEnv, execution=execution, solves=lambda goal: True)
    at_once = [row for row in run.rows if row.steps == 1]
    assert len(at_once) == 4, "all but the first episode of each env"
    assert all("still true from the one before" in row.warning for row in at_once)
    assert not any(row.warning for row in run.rows if row.steps > 1)
    assert not any(row.warning for row in play(2, 6).rows)


def test_what_a_server_sends_beside_its_actions_is_not_looked_at(play):
    class Talkative(SpyPolicy):
        def get_action(self, observation, options=None):
            action, info = super().get_action(observation, options)
            return action | {"confidence": "high", "values": np.zeros((1, 2))}, info

    run = play(2, 4, policy_class=Talkative)
    assert run.error is None
    assert len(run.rows) == 4
