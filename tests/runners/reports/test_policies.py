"""What reports say of the policies of runs: that they differ, and what an unseeded pair cannot show."""

import pytest

from runners.reports.policies import describe_difference, format_policy
from runners.reports.shards import join_shards
from runners.run_folder.reader import read_run
from tests.support.samples.runs import make_run

A = {"checkpoint": "gr00t-a", "revision": 3, "compiled": True}
B = {"checkpoint": "gr00t-b", "revision": 3, "compiled": True}


@pytest.fixture
def printed(report):
    """Run groot-report in an empty folder; return what it prints."""

    def run(*arguments):
        code, out, _ = report(*arguments)
        assert code == 0
        return out

    return run


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        (A, A, ""),
        (A, {}, ""),
        ({}, A, ""),
        (A, B, "checkpoint 'gr00t-a' in A, 'gr00t-b' in B"),
        ({"x": 1, "y": 2}, {"y": 2, "z": "q"}, "x 1 in A, nothing in B; z nothing in A, 'q' in B"),
        ({"x": 1}, {"x": True}, "x 1 in A, True in B"),
        ({"x": "a\n\x1b[0m"}, {"x": "a"}, r"x 'a\n\x1b[0m' in A, 'a' in B"),
    ],
)
def test_difference_names_the_fields(one, other, told):
    assert describe_difference(one, other, "in A", "in B") == told


@pytest.mark.slow  # which imports statsmodels
class TestComparison:
    def test_says_what_an_unseeded_pair_cannot_show(self, printed, tmp_path):
        make_run(tmp_path / "before", 30)
        make_run(tmp_path / "seeded", 30, policy=A, seeded=True)
        make_run(tmp_path / "unseeded", 30, policy=A)
        told = "randomness was unseeded in {}: if it draws any noise, a single episode's outcome may differ"
        assert told.format("A and B") in printed("--compare", "before", "unseeded")
        assert told.format("B") in printed("--compare", "seeded", "before")
        assert "unseeded" not in printed("--compare", "seeded", "seeded")

    def test_names_in_what_the_policies_differ(self, printed, tmp_path):
        for name, policy in (("a", A), ("b", B), ("untold", {})):
            make_run(tmp_path / name, 30, policy=policy, seeded=True)
        assert "The policies were not the same: checkpoint 'gr00t-a' in A, 'gr00t-b' in B\n" in printed(
            "--compare", "a", "b"
        )
        for other in ("a", "untold"):
            assert "not the same" not in printed("--compare", "a", other)
        known = (
            "The policy of {}: checkpoint='gr00t-a', revision=3, compiled=True. The server of the other says nothing"
        )
        assert known.format("A") in printed("--compare", "a", "untold")
        assert known.format("B") in printed("--compare", "untold", "a")


@pytest.mark.slow
def test_runs_of_the_same_settings_by_another_policy_have_a_note_and_others_none(printed, tmp_path):
    for name, policy, settings in (
        ("one", A, {}),
        ("same", A, {}),
        ("other", B, {}),
        ("before", None, {}),
        ("elsewhere", B, {"seed": 4}),
    ):
        make_run(tmp_path / "all" / name, policy=policy, **settings)
    out = printed("all")
    note = "another policy than that of one, for the same settings: checkpoint 'gr00t-a' there, 'gr00t-b' here"
    assert [line for line in out.splitlines() if "policy" in line] == [f"other: {note}"]
    assert note.replace("'", "&#39;") in (tmp_path / "all/groot-report.html").read_text()


def test_shards_by_different_policies_are_told(tmp_path):
    for index, policy in enumerate((A, B, A)):
        make_run(tmp_path / str(index), 12, shard=(index, 3), policy=policy)
    (joined,) = join_shards([read_run(tmp_path / str(index)) for index in range(3)])
    assert joined.notes == [
        "the shards were played by different policies: checkpoint 'gr00t-a' in shard 0, 'gr00t-b' in shard 1"
    ]


def test_page_says_who_has_played(tmp_path):
    make_run(tmp_path / "run", policy=A | {"note": "<b>"}, seeded=True)
    page = (tmp_path / "run/report.html").read_text()
    assert "Policy: checkpoint=gr00t-a, revision=3, compiled=True, note=&lt;b&gt;" in page
    assert "randomness: per_episode" in page
    make_run(tmp_path / "before")
    assert format_policy(read_run(tmp_path / "before").manifest)[0] == "Policy: its server says nothing of it"
