"""What the pages show of variations: arms, curve, which number matters, the worst draws, and losses of several runs."""

import re
from dataclasses import replace

import pytest

from runners.apps import report as report_app
from runners.reports.shards import join_shards
from runners.reports.variations.losses import losses_of
from runners.reports.variations.text import format_arms
from runners.reports.variations.worst_draws import MOST_WORST, worst_draws
from runners.run_folder.reader import read_run
from tests.runners.reports.page import Page, assert_self_contained
from tests.support.samples.rows import make_row
from tests.support.samples.runs import make_run

pytestmark = pytest.mark.slow  # statsmodels takes seconds to import, and draws as many
GRID = [0.0, 0.5, 1.0]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("varied") / "run"
    rows = make_run(folder, 40, seed=2, rate=0.95, varied=("camera_pose", GRID), videos=True)
    return folder, rows, Page(folder / "report.html")


def test_page_is_self_contained_and_tells_the_varied_arm(run):
    _, rows, page = run
    assert_self_contained(page)
    strongest = [row for row in rows if row.strength == 1]
    successes = sum(row.success for row in strongest)
    assert f"{successes} succeeded, {40 - successes} timed out" in page.text
    assert f"{100 * successes / 40:.1f}%" in page.text
    assert "over the 40 varied episodes that finished" in page.text
    assert len(re.findall(r"<tr><th scope=\"row\" class=\"number\">(\d+)<td><span", page.source)) == 120


def test_page_has_the_arms_the_pairs_and_the_curve(run):
    folder, rows, page = run
    told = read_run(folder).summary
    for line in format_arms(told):
        assert line in page.text
    for strength, name in ((0, "control, not varied"), (0.5, "0.5"), (1, "1")):
        successes = sum(row.success for row in rows if row.strength == strength)
        assert f'<tr><th scope="row">{name}\n<td class="number">{successes} of 40<' in page.source
    assert "Success over the strength of the variations" in page.text
    assert (told.arms.half_loss is not None, told.arms.success.pairs) == (True, 40)


def test_page_says_which_number_matters(run):
    _, _, page = run
    table = page.source.partition('id="parameters"')[2].partition("</table>")[0]
    assert re.findall(r'<th scope="row">([\w.]+)', table) == ["camera_pose.angle", "camera_pose.share"]
    (first, second) = re.findall(r"<td class=\"number\">(<b>)?[\d.e-]+", table)
    assert (first, second) == ("<b>", "")
    assert sum("camera_pose." in drawing for drawing in re.findall(r"<svg.*?</svg>", page.source, re.DOTALL)) == 2


def test_few_episodes_draw_no_line_and_say_so(tmp_path):
    make_run(tmp_path / "run", 12, varied=("camera_pose", [0.0, 1.0]))
    page = Page(tmp_path / "run/report.html")
    assert "No model is fitted" in page.text
    assert 'id="parameters">' not in page.source
    assert page.source.count('class="ranges" d=') == 2
    assert 'class="line"' not in page.source.partition("Which drawn number matters</h2>")[2].partition("<h2>")[0]


def test_worst_draws_stand_beside_their_controls(run):
    _, rows, page = run
    worst = page.source.partition("The worst draws</h2>")[2].partition("<h2>")[0]
    cards = re.findall(r"Pair (\d+): timed out", worst)
    assert len(cards) == MOST_WORST
    controls = {row.pair: row for row in rows if row.arm == "control"}
    assert all(controls[int(pair)].success for pair in cards)
    assert worst.count("<video") == 2 * MOST_WORST
    assert "camera_pose: angle " in worst


def test_worst_is_whose_control_succeeded_came_further_and_was_varied_less(tmp_path):
    def row(index, pair, strength, success, progress=0.0):
        arm, drawn = ("varied", {"light": {"gain": strength}}) if strength else ("control", None)
        told = {"success": success, "ended": "success" if success else "time_out", "progress": progress}
        return make_row(index, pair=pair, strength=strength, arm=arm, variation=drawn, **told)

    rows = [
        *(row(0, 0, 0.0, False, 0.75), row(1, 0, 1.0, False, 0.0)),
        *(row(2, 1, 0.0, True, 1.0), row(3, 1, 1.0, False, 0.5)),
        *(row(4, 2, 0.0, True, 1.0), row(5, 2, 0.5, False, 0.0), row(6, 2, 1.0, False, 0.0)),
        *(row(7, 3, 0.0, True, 1.0), row(8, 3, 1.0, True, 1.0)),
        row(9, 4, 1.0, False, 0.0),
    ]
    found = worst_draws(tmp_path, [("", tmp_path, rows)])
    assert [draw.row.index for draw in found] == [5, 6, 3, 1, 9]
    assert [draw.control and draw.control.index for draw in found] == [4, 4, 2, 0, None]
    assert found[0].draws == "light: gain 0.5"


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    folder = tmp_path_factory.mktemp("suite")
    for kind, harm in (("light", 0.1), ("camera_pose", 0.95), ("texture", 0.5)):
        make_run(folder / kind, 30, rate=0.95, varied=(kind, GRID, harm), suite="robust_v1", videos=True)
    make_run(folder / "plain", 6)
    return folder


def test_page_over_runs_has_the_losses_sorted(several, capsys):
    with pytest.raises(SystemExit) as end:
        report_app.main([str(several)])
    assert end.value.code == 0
    page = Page(several / "groot-report.html")
    assert_self_contained(page)
    table = page.source.partition('id="losses"')[2].partition("</table>")[0]
    assert re.findall(r'<a href="[^"]+">(\w+)</a>', table) == ["camera_pose", "texture", "light"]
    dots = page.source.partition('<div class="dots">')[2].partition("</div>\n<div")[0]
    assert re.findall(r"<span>(\w+)</span>\n<svg", dots) == ["camera_pose", "texture", "light"]
    places = [float(x) for x in re.findall(r'class="state" d="M([\d.]+),5', dots)]
    assert places == sorted(places)
    assert "Suite robust_v1." in page.text
    worst = page.source.partition("The worst draws</h2>")[2].partition("<h2>")[0]
    assert worst.count("<video") == 2 * MOST_WORST
    assert "camera_pose, pair" in worst
    assert "Varied by light: control" in capsys.readouterr().out


def test_runs_varied_alike_are_told_apart_by_their_names(several):
    runs = [read_run(several / "light"), read_run(several / "light"), read_run(several / "texture")]
    losses = losses_of(several, runs, ["strength=1", "strength=0.5", "other"])
    assert {item.name for item in losses.items} == {"strength=1", "strength=0.5", "texture"}
    other = replace(runs[2], settings=replace(runs[2].settings, variation=type(runs[2].settings.variation)()))
    assert losses_of(several, [runs[0], other], ["a", "b"]).suite is None
    assert losses_of(several, [read_run(several / "plain")], ["plain"]) is None


def test_p_values_are_corrected_for_as_many_as_there_are(several):
    run = read_run(several / "texture")
    alone, thrice = (losses_of(several, [run] * number, list("abc")[:number]).items[0] for number in (1, 3))
    assert alone.p_value == run.summary.arms.success.p_value
    assert thrice.p_value == pytest.approx(3 * alone.p_value)


def test_shards_are_joined_into_the_pairs_of_the_whole(tmp_path):
    make_run(tmp_path / "whole", 9, varied=("light", GRID))
    shards = []
    for index in range(2):
        make_run(tmp_path / f"shard{index}", 9, varied=("light", GRID), shard=(index, 2))
        shards.append(read_run(tmp_path / f"shard{index}"))
    (joined,) = join_shards(shards)
    whole = read_run(tmp_path / "whole").summary
    assert joined.summary.arms == whole.arms
    assert (joined.summary.counted, joined.summary.stop) == (9, whole.stop)
    assert joined.notes == []
    (half,) = join_shards(shards[:1])
    assert (half.summary.stop.planned, half.summary.counted) == (9, 1), "up to the first start that is missing"


def test_run_without_variations_tells_nothing_of_them(tmp_path):
    make_run(tmp_path / "run", 6)
    assert format_arms(read_run(tmp_path / "run").summary) == []
    assert "What varying did" not in (tmp_path / "run/report.html").read_text()
