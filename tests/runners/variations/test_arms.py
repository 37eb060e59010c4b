"""The arms of an episode, as a plan has them and as the rollout plays them: which count, which are pairs."""

import json

import pytest

from groot_wrappers.errors import ContractError
from runners.config.validation import require_arms
from runners.episodes.plan import PlannedEpisode, make_plan, shard_of
from runners.episodes.row import last_rows
from runners.recorders.progress_bar import ProgressBar
from runners.recorders.recorder import RunInfo
from runners.statistics.stop_rule import StopRule
from runners.statistics.summary import summarise
from runners.variations.arms import strengths_of, with_arms
from runners.variations.drawing import varied
from runners.variations.settings import VariationSettings
from runners.viewers.page import PageViewer

BRIGHTNESS = {"_target_": "groot_wrappers.variations.brightness.Brightness", "strength": 1.0, "stops": 0.05}
VARIED = {"strength": 1.0, "control": True, "grid": None, "suite": None, "brightness": BRIGHTNESS}
"""Half of the toy's goals are read wrongly in pictures that are so much brighter or darker."""

GRID = [0, 0.25, 1]


@pytest.mark.parametrize(
    ("settings", "strengths"),
    [
        (VARIED, [0, 1]),
        (VARIED | {"control": False}, [1]),
        (VARIED | {"grid": [1, 0.25, 1]}, [0, 0.25, 1]),
        (VARIED | {"grid": [0, 0.5], "control": False}, [0, 0.5]),
        (VARIED | {"grid": [0.5], "control": False}, [0.5]),
        ({"strength": 1.0, "control": True, "grid": None, "suite": None}, []),
        ({}, []),
    ],
    ids=["control", "alone", "grid", "grid with a control", "grid without", "none", "of before"],
)
def test_arms_are_the_control_and_each_strength(settings, strengths):
    assert strengths_of(settings) == strengths


def test_each_start_stands_once_for_each_arm_with_the_control_first():
    plan = make_plan(3, 0, ["a", "b"])
    paired = with_arms(plan, [0.0, 0.5, 1.0])
    assert [episode.index for episode in paired] == list(range(9))
    assert [episode.pair for episode in paired] == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert [episode.arm for episode in paired] == ["control", "varied", "varied"] * 3
    assert [episode.strength for episode in paired] == [0.0, 0.5, 1.0] * 3
    for episode in paired:
        assert (episode.seed, episode.instruction) == (plan[episode.pair].seed, plan[episode.pair].instruction)


def test_more_episodes_change_no_index():
    assert with_arms(make_plan(9, 0, ["a"]), [0.0, 1.0])[:10] == with_arms(make_plan(5, 0, ["a"]), [0.0, 1.0])


@pytest.mark.parametrize("count", [1, 2, 3])
def test_shards_keep_pairs_together(count):
    paired = with_arms(make_plan(7, 0, ["a"]), [0.0, 0.5, 1.0])
    shards = [shard_of(paired, index, count) for index in range(count)]
    assert sorted((episode for shard in shards for episode in shard), key=lambda each: each.index) == paired
    for number, shard in enumerate(shards):
        assert {episode.pair % count for episode in shard} == {number}
        assert len(shard) == 3 * len({episode.pair for episode in shard})


def test_shard_of_a_plan_without_arms_has_every_nth_episode():
    plan = make_plan(7, 0, ["a"])
    assert shard_of(plan, 1, 3) == plan[1::3]
    with pytest.raises(ContractError, match="4 was asked for, but there are 3 episodes"):
        shard_of(with_arms(plan[:3], [0.0, 1.0]), 0, 4)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"control": "yes"}, "variation.control=yes was asked for, but it takes true or false"),
        ({"grid": [0, 0.5]}, r"variation.grid=\[0, 0.5\] was asked for, but nothing is varied"),
        ({"brightness": BRIGHTNESS, "grid": [0, 2]}, r"grid=\[0, 2\] was asked for, but it takes strengths of 0 to 1"),
        ({"brightness": BRIGHTNESS, "grid": 0.5}, "at least one of them above 0"),
        ({"brightness": BRIGHTNESS, "grid": [0]}, "at least one of them above 0"),
        ({"brightness": BRIGHTNESS, "grid": [True]}, "it takes strengths"),
    ],
)
def test_arms_that_are_none_are_refused(settings, told):
    with pytest.raises(ContractError, match=told):
        require_arms(settings)


@pytest.fixture(scope="module")
def rows_by_num_envs():
    return {}


@pytest.mark.parametrize("num_envs", [1, 4, 16])
def test_rows_of_both_arms_are_the_same_for_any_number_of_envs(play, rows_by_num_envs, num_envs):
    run = play(num_envs, 6, variation=VARIED | {"grid": GRID}, solves=lambda goal: True)
    assert run.error is None
    told = []
    for row in last_rows(run.rows):
        of_row = row.to_json()
        del of_row["env"]
        told.append(of_row)
    assert len(told) == 18
    assert {row["success"] for row in told} == {True, False}
    assert rows_by_num_envs.setdefault("rows", told) == told


def test_pairs_begin_alike_and_differ_by_what_was_drawn_alone(play):
    run = play(3, 8, variation=VARIED, solves=lambda goal: True)
    for pair in range(8):
        control, varied = run.by_index[2 * pair], run.by_index[2 * pair + 1]
        assert (control.seed, control.instruction, control.pair) == (varied.seed, varied.instruction, varied.pair)
        assert (control.arm, control.variation) == ("control", None)
        assert varied.arm == "varied"
        assert 0 < abs(varied.variation["brightness"]["stops"]) <= 0.05
        assert control.success, "which the policy solves as it sees it"
    assert not all(run.by_index[2 * pair + 1].success for pair in range(8))


def test_figures_are_of_the_varied_episodes(play):
    run = play(4, 8, variation=VARIED | {"grid": GRID}, solves=lambda goal: True)
    stop = StopRule(run.plan, None)
    summary = summarise(run.rows, stop, task="", instruction="", min_success=0.9)
    strongest = [row for row in last_rows(run.rows) if row.strength == 1]
    successes = sum(row.success for row in strongest)
    assert successes < 8
    assert (summary.episodes, summary.counted, summary.successes, summary.ended) == (8, 8, successes, 24)
    assert (summary.stop.planned, summary.gate.met) == (8, False)
    assert summary.may_count(run.rows) == strongest
    assert [(arm.strength, arm.episodes) for arm in summary.arms.outcomes] == [(0, 8), (0.25, 8), (1, 8)]
    assert summary.arms.control.successes == 8
    assert summary.arms.success.only_control == 8 - successes
    assert summary.arms.kinds == ["brightness"]


def test_what_is_shown_while_it_plays_is_of_the_varied_episodes(play, capfd, tmp_path):
    plan = varied(make_plan(6, 0, ["reach"]), VariationSettings.of(VARIED))
    info = RunInfo(tmp_path, {}, 20.0, "Toy-v0", stop=StopRule(plan, None))
    bar, viewer = ProgressBar(12), PageViewer(port=0)
    for each in (bar, viewer):
        each.on_run_start(info)
    run = play(2, 6, variation=VARIED, solves=lambda goal: True, recorders=[bar, viewer])
    state = json.loads(viewer.state())
    for each in (bar, viewer):
        each.on_run_end(None)
    successes = sum(row.success for row in run.rows if row.arm == "varied")
    assert 0 < successes < 6
    assert f"success {successes}/6" in capfd.readouterr().err
    assert (state["planned"], state["done"], state["success_rate"]) == (12, 12, successes / 6)


def test_run_that_ends_early_has_the_control_of_each_episode_that_counts(play):
    for num_envs in (1, 3):
        run = play(num_envs, 60, variation=VARIED, ci_width=0.5, solves=lambda goal: True)
        stop = StopRule(run.plan, 0.5)
        counted = stop.counted(run.rows)
        assert stop.state(run.rows).ended_early
        assert {row.arm for row in counted} == {"varied"}
        assert {2 * row.pair for row in counted} <= run.by_index.keys()
        assert len(run.rows) < 120


def test_a_varied_episode_counts_once_its_control_has_ended(play):
    run = play(1, 4, variation=VARIED, solves=lambda goal: True)
    stop = StopRule(run.plan, None)
    without = [row for row in run.rows if row.index != 2]
    assert [row.pair for row in stop.counted(without)] == [0]


def test_run_that_was_cut_off_plays_what_is_missing_of_its_pairs(play):
    whole = play(2, 5, variation=VARIED, solves=lambda goal: True)
    begun = [row for row in whole.rows if row.index in (0, 1, 2, 5)]
    rest = play(2, 5, variation=VARIED, solves=lambda goal: True, rows=begun)
    assert len(rest.rows) == len(whole.rows)
    for index, row in whole.by_index.items():
        assert (rest.by_index[index].success, rest.by_index[index].variation) == (row.success, row.variation)


def test_shards_play_what_the_whole_plays(play):
    whole = play(2, 5, variation=VARIED, solves=lambda goal: True)
    parts = [play(2, 5, variation=VARIED, solves=lambda goal: True, shard=(i, 2)) for i in range(2)]
    played = {index: row.success for part in parts for index, row in part.by_index.items()}
    assert played == {index: row.success for index, row in whole.by_index.items()}


def test_nothing_is_doubled_where_nothing_is_varied(play):
    run = play(2, 4, variation={"strength": 1.0, "control": True, "grid": None, "suite": None})
    assert [episode.index for episode in run.plan] == [0, 1, 2, 3]
    assert {(row.pair, row.arm, row.strength, row.variation) for row in run.rows} == {(None, None, None, None)}
    assert summarise(run.rows, StopRule(run.plan, None), task="", instruction="").arms is None


def test_server_that_is_told_which_episode_begins_is_told_the_same_of_both_arms():
    paired = with_arms([PlannedEpisode(12, 0, "a")], [0.0, 1.0])
    assert [(episode.index, episode.place) for episode in paired] == [(24, 12), (25, 12)]
    assert PlannedEpisode(12, 0, "a").place == 12
