"""The funnel in words and on the pages: of a run, of each instruction, and of many runs."""

from dataclasses import replace

import pytest

from runners.reports.funnel import format_funnel, funnels_of
from runners.reports.pages import write_report, write_runs_page
from runners.reports.text import format_outcome
from runners.run_folder.reader import Run
from tests.support.samples.rows import make_row, make_staged_row, summary_of

ROWS = [
    make_staged_row(0, 3, success=True, instruction="red"),
    make_staged_row(1, 0, instruction="<blue>", events={"wrong_object": 30}),
    make_staged_row(2, 1, instruction="red"),
    make_staged_row(3, 0, instruction="<blue>", events={"wrong_object": 30}),
]


def test_terminal_tells_stages_the_worst_of_them_and_events():
    (told,) = format_funnel(summary_of([make_staged_row(0, 1), make_staged_row(1, 3, success=True)]))
    assert told.startswith("Mean progress 62% (95% interval ")
    assert "of 2: reached 2, grasped 1, lifted 1, success 1" in told
    assert told.endswith("most fail before grasped (1)")
    assert told in format_outcome(summary_of([make_staged_row(0, 1), make_staged_row(1, 3, success=True)]), [])


def test_terminal_tells_each_instruction():
    whole, red, blue = format_funnel(summary_of(ROWS))
    assert whole.endswith("most fail before reached (2); wrong_object in 2")
    assert red.startswith("  'red': 62% ")
    assert blue.endswith("of 2: reached 0, success 0; most fail before reached (2); wrong_object in 2")


def test_run_without_stages_has_nothing_to_tell(tmp_path):
    summary = summary_of([make_row()])
    assert format_funnel(summary) == funnels_of(summary) == []
    write_report(tmp_path, summary, [make_row()], None)
    assert "How far they came" not in (tmp_path / "report.html").read_text()


def test_page_of_a_run_has_a_table_with_each_instruction_and_stage(tmp_path):
    write_report(tmp_path, summary_of(ROWS), ROWS, None)
    page = (tmp_path / "report.html").read_text()
    table = page[page.index("How far they came") : page.index("episodes without success")]
    assert table.count('<th scope="rowgroup" rowspan="4">all') == 1
    assert "&lt;blue&gt;" in table
    assert "wrong_object in 2" in table
    assert "<b>grasped</b>" in table, "where most of the red ones fail"
    assert table.count("<svg") == 4 + 4 + 2, "a bar a stage"


@pytest.mark.parametrize("stages", [True, False])
def test_page_over_runs_has_them_under_the_names_of_the_runs(tmp_path, stages):
    rows = ROWS if stages else [make_row()]
    run = Run(tmp_path, rows, rows, summary_of(rows), [], None, (tmp_path,), [])
    write_runs_page(tmp_path / "page.html", [run, replace(run, folder=tmp_path / "b")], ["first", "second"])
    page = (tmp_path / "page.html").read_text()
    assert ("How far they came" in page) == stages
    if stages:
        table = page[page.index("How far they came") :]
        assert [table.count(f'>{name}<th scope="rowgroup" rowspan') for name in ("first", "second")] == [3, 3], (
            "all, and two instructions"
        )
