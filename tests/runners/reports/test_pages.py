"""The pages: nothing from elsewhere, every image decodes, failures first, and all that is to be on them."""

import json
import re
from urllib.parse import unquote

import pytest

from runners.apps import report as report_app
from runners.reports.failed_cards import MOST_CARDS
from runners.reports.text import format_what_is_odd
from tests.runners.reports.page import Page, assert_self_contained
from tests.support.samples.rows import make_row, summary_of
from tests.support.samples.runs import ERROR, make_run

TEXTS = ("pick up the cube", 'say "hi" <b>& lift</b>')


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run of mine") / "a #1 run"
    rows = make_run(folder, 16, rate=0.7, instructions=TEXTS, errors=(5,), min_success=0.8, videos=True)
    return folder, rows, Page(folder / "report.html")


def test_page_of_a_run_is_self_contained(run):
    _, rows, page = run
    assert_self_contained(page)
    assert len(page.of("video")) == len(rows) + 2, "and one for each way to fail"
    assert all(video["poster"] and video["preload"] == "none" for video in page.of("video"))


def test_page_shows_failures_first_each_with_its_video(run):
    _, rows, page = run
    cards = [int(card["id"].removeprefix("episode-")) for card in page.of("article") if "id" in card]
    failed = [row for row in rows if row.ended != "success"]
    assert len(failed) > 2
    assert cards[: len(failed)] == [5, *(row.index for row in failed if row.ended == "time_out")]
    assert cards[len(failed) :] == [row.index for row in rows if row.ended == "success"]
    ways, videos = [5, min(row.index for row in failed if row.ended == "time_out")], page.of("video")
    assert {unquote(video["src"]) for video in videos[:2]} == {rows[index].video for index in ways}
    assert [unquote(video["src"]) for video in videos[2:]] == [rows[index].video for index in cards]
    assert ERROR in page.text, "and is no markup"
    listed = re.findall(r"<tr><th scope=\"row\" class=\"number\">(\d+)<td><span", page.source)
    assert [int(index) for index in listed] == cards
    assert sorted(map(int, listed)) == list(range(16))


def test_page_has_both_rates_means_instructions_latency_throughput_gate_and_config(run):
    folder, _, page = run
    summary = json.loads((folder / "summary.json").read_text())
    for told in (
        f"{summary['success_rate']:.1%}",
        f"{summary['ci_low']:.1%} to {summary['ci_high']:.1%}, 95% interval (Wilson)",
        f"{summary['success_rate_errors_failed']:.1%}",
        "With errors counted as failures",
        f"micro mean {summary['micro_success_rate']:.1%} (every episode weighs the same)",
        f"macro mean {summary['macro_success_rate']:.1%} (every instruction does)",
        "57.5 ms",
        "99th percentile",
        f"{summary['env_steps_per_s']:.1f} steps/s",
        "gate.min_success=0.8 is not met",
        "num_envs: 4",
        "isaaclab",
        "groot-play server=expert num_envs=4",
    ):
        assert told in page.text, told
    for told in summary["instructions"]:
        assert f"{told['success_rate']:.0%} ({told['ci_low']:.0%} to {told['ci_high']:.0%})" in page.text
    assert TEXTS[1] in page.text
    assert len(page.of("path")) == 2, "the rate along the plan, and its interval"
    assert [line for line in page.of("line") if line["class"] == "wanted"] == [
        {"class": "wanted", "x1": "0", "x2": "100", "y1": "20.0", "y2": "20.0"}
    ]


@pytest.mark.parametrize(
    ("episodes", "options"),
    [(1, {}), (3, {"rate": 0.0}), (3, {"rate": 1.0}), (3, {"errors": (0, 1, 2)}), (900, {}), (300, {"ci_width": 0.3})],
    ids=["one", "none", "all", "errors", "many", "early"],
)
def test_page_of_any_run_can_be_written(tmp_path, episodes, options):
    rows = make_run(tmp_path / "run", episodes, **options)
    page = Page(tmp_path / "run" / "report.html")
    assert_self_contained(page)
    assert len(page.source) < 20_000 + 1_000 * len(rows)
    if "ci_width" in options:
        assert "confidence sequence" in page.text
        assert f"Ended early, after {len(rows)} of 300 episodes" in page.text
    if "errors" in options:
        assert "none judged" in page.text


def test_two_rates_that_are_the_same_are_one(tmp_path):
    make_run(tmp_path / "run", 6)
    page = Page(tmp_path / "run" / "report.html")
    assert "none ended in an error" in page.text
    assert "errors as failures" not in page.text.lower()
    assert "with errors" not in page.text.lower()


def test_tables_and_drawings_say_what_they_are(run):
    _, _, page = run
    tables = page.of("table")
    assert len(tables) == len(page.of("caption")) == 2
    assert all(heading["scope"] in {"col", "row"} for heading in page.of("th"))
    for table in tables:
        headings = re.search(rf'id="{table["id"]}">.*?</thead>', page.source, re.DOTALL)[0].count("<th scope=")
        labels = re.findall(rf"#{table['id']} tbody tr > :nth-last-child\((\d+)\)::before", page.source)
        assert sorted(map(int, labels)) == [*range(1, headings + 1)], "which stand before its cells on a phone"
    assert {drawing["role"] for drawing in page.of("svg")} == {"img"}
    labelled = r"<svg [^>]*(?:aria-label=\"[^\"]+\">|><title>[^<]+</title><desc>[^<]+</desc>)"
    assert len(re.findall(labelled, page.source)) == len(page.of("svg"))
    assert all(video["aria-label"] for video in page.of("video"))


def test_page_of_many_failures_is_bounded_and_says_so(tmp_path):
    rows = make_run(tmp_path / "run", 60, rate=0.0)
    page = Page(tmp_path / "run" / "report.html")
    assert sum("id" in card for card in page.of("article")) == MOST_CARDS < len(rows)
    assert f"The first {MOST_CARDS}; the others are in the table of all episodes" in page.text


def test_page_of_a_suite_tells_its_instructions_apart_and_names_the_empty_one(tmp_path):
    make_run(tmp_path / "run", 6, rate=1.0, instructions=("lift it", ""))
    page = Page(tmp_path / "run" / "report.html")
    cells = re.findall(r"<tr><th scope=\"row\">(.*)\n<td class=\"number\">(.*)\n", page.source)
    assert cells[:3] == [("all", "6 of 6"), ("lift it", "3 of 3"), ("(empty)", "3 of 3")]
    assert page.source.partition("<h2>All episodes</h2>")[2].count("<td>(empty)\n") == 3


def test_page_over_runs_of_several_instructions_has_a_line_for_each_also_where_a_run_has_one(tmp_path, capsys):
    make_run(tmp_path / "runs/suite", 6, instructions=("lift it", "raise it"))
    make_run(tmp_path / "runs/control", 6, instructions=("",))
    with pytest.raises(SystemExit):
        report_app.main([str(tmp_path / "runs"), "--output", str(tmp_path / "all.html")])
    listed = re.findall(r"<tr><td>(\w*)<td>(.*)\n", Page(tmp_path / "all.html").source)
    assert listed == [("control", "(empty)"), ("suite", "lift it"), ("", "raise it")]


def test_page_of_a_run_without_an_episode_can_be_written(tmp_path):
    make_run(tmp_path / "run", 0)
    assert "No episode ended" in Page(tmp_path / "run" / "report.html").text


def test_page_over_many_runs(tmp_path, run, capsys):
    folder, _, _ = run
    with pytest.raises(SystemExit):
        report_app.main([str(folder.parent), "--output", str(tmp_path / "all.html")])
    assert "%231" in (tmp_path / "all.html").read_text()
    page = Page(tmp_path / "all.html")
    assert_self_contained(page)
    (link,) = page.of("a")
    assert (tmp_path / unquote(link["href"])).resolve() == folder / "report.html"
    assert TEXTS[1] in page.text
    assert len(page.of("svg")) == 3, "the run, and each of its instructions"


def test_a_task_that_stands_for_another_tells_how_near_it_is():
    rows = [make_row(0)]
    assert format_what_is_odd(summary_of(rows, fidelity="near enough"), rows) == ["Fidelity: near enough"]
    assert format_what_is_odd(summary_of(rows), rows) == []
