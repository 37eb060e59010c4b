"""The episode plan: what an index means does not depend on anything around it."""

import json

from runners.episodes.plan import make_plan, write_plan


def test_episode_is_the_same_for_any_number_of_episodes():
    long = make_plan(50, 3, ["a", "b", "c"])
    for episodes in (1, 2, 7, 49):
        assert make_plan(episodes, 3, ["a", "b", "c"]) == long[:episodes]
    assert [episode.index for episode in long] == list(range(50))


def test_seed_of_an_episode_is_pinned():
    """Results that were published must stay reproducible: this fails if the hash behind the plan changes."""
    assert [episode.seed for episode in make_plan(3, 0, ["a"])] == [1484405855, 1982462498, 1570558271]


def test_neighbouring_seeds_share_no_episode():
    seen = [episode.seed for seed in range(20) for episode in make_plan(100, seed, ["a"])]
    assert len(set(seen)) == len(seen)
    assert all(0 <= seed < 2**31 for seed in seen)


def test_instructions_take_turns():
    assert [episode.instruction for episode in make_plan(5, 0, ["a", "b"])] == ["a", "b", "a", "b", "a"]


def test_plan_is_written_as_a_list(tmp_path):
    plan = make_plan(2, 0, ["a"])
    write_plan(plan, tmp_path / "plan.json")
    written = json.loads((tmp_path / "plan.json").read_text())
    assert written == [{"index": e.index, "seed": e.seed, "instruction": "a"} for e in plan]
