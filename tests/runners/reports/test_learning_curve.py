"""Success over checkpoints, at the terminal and as a curve: each rate where it belongs, no line through one point."""

import json
import re
import shutil
from pathlib import Path

import pytest

from runners.checkpoints.found import step_of
from runners.reports.learning_curve import format_curve, shown_curve
from runners.reports.shards import join_shards
from runners.run_folder.reader import find_runs, read_run
from runners.sweeps.folder import JobEnd, write_jobs
from runners.sweeps.jobs import jobs_of, settings_of
from runners.sweeps.learning_curves import learning_curves
from runners.sweeps.overview import evaluations_of
from tests.support.samples.runs import make_run

RATES = {"005000": 0.1, "010000": 0.5, "020000": 0.9, "025000": 0.9}


@pytest.fixture
def make_curves(tmp_path):
    """Play a pretended sweep with success rates by checkpoint, and return its curves."""

    def make(*overrides, rates=RATES, episodes=40, **options):
        sweep = tmp_path / "sweep"
        names = ",".join(f"'{name}'" for name in rates)
        jobs = jobs_of(["checkpoints=train/checkpoints", f"checkpoint={names}", *overrides], None)
        write_jobs(sweep, jobs)
        for job in jobs:
            settings = settings_of(job.overrides)
            rate = rates[settings["checkpoint"]]
            if rate is not None:
                shutil.rmtree(sweep / job.name, ignore_errors=True)  # of an earlier command
                shard = (int(settings.get("shard.index", 0)), int(settings.get("shard.count", 1)))
                text = settings.get("instruction.text", "pick up the cube")
                make_run(
                    sweep / job.name,
                    episodes,
                    rate=rate,
                    instructions=(text,),
                    overrides=job.overrides,
                    shard=shard,
                    **options,
                )
                manifest = json.loads((sweep / job.name / "manifest.json").read_text())
                manifest["config"] |= {"checkpoints": "/train/checkpoints", "checkpoint": settings["checkpoint"]}
                (sweep / job.name / "manifest.json").write_text(json.dumps(manifest))
                JobEnd(0).write(sweep / job.name)
        runs = join_shards([read_run(path) for path in find_runs(sweep)])
        return learning_curves(evaluations_of(sweep, runs))

    return make


def test_table_has_a_line_a_checkpoint_by_step_with_its_rate_and_its_neighbour(make_curves):
    (curve,) = make_curves(rates=dict(reversed(RATES.items())))
    told = format_curve(curve)
    assert told[0] == "Success over the checkpoints in train/checkpoints"
    rows = [re.split(r"  +", line.strip()) for line in told[2:6]]
    assert [row[0] for row in rows] == ["5000", "10000", "20000", "25000"]
    for row, point, before in zip(rows, curve.points, (None, *curve.points), strict=False):
        summary = point.run.summary
        assert row[1] == f"{summary.successes} of 40"
        assert row[2] == f"{summary.success_rate:.0%} ({summary.ci_low:.0%} to {summary.ci_high:.0%})"
        if before is None:
            assert row[3:] == ["-", "-"]
        else:
            difference = 100 * (summary.success_rate - before.run.summary.success_rate)
            assert row[3].startswith(f"{difference:+.1f} (")
    assert told[6].startswith("From step 20000 on, no checkpoint is shown to differ from a later one (McNemar's exact")
    assert "by Holm over 6 pairs" in told[6]
    assert told[7].startswith("That is no proof that they are alike: from step 20000 to 25000, success changed by ")


def test_dots_lie_where_the_steps_and_rates_are(make_curves):
    (curve,) = make_curves()
    shown = shown_curve(curve)
    assert [dot.x for dot in shown.dots] == pytest.approx([3, 26.5, 73.5, 97]), "as the steps are, not one by one"
    for dot, point in zip(shown.dots, curve.points, strict=True):
        rate = point.run.summary.rate
        assert (dot.y, dot.low, dot.high) == pytest.approx(
            [100 * (1 - each) for each in (rate.share, rate.low, rate.high)], abs=0.01
        )
    assert shown.line == "M" + " L".join(f"{dot.x},{dot.y}" for dot in shown.dots)
    assert shown.level_x == shown.dots[2].x


def test_one_checkpoint_has_a_dot_and_no_line(make_curves, report):
    (curve,) = make_curves(rates={"005000": 0.5, "010000": None})
    shown = shown_curve(curve)
    assert (shown.line, shown.level_x, shown.dots[0].x) == (None, None, 50)
    assert format_curve(curve)[-1] == "A single checkpoint has played: there is nothing to compare"
    code, out, _ = report("sweep")
    assert code == 0
    assert "not begun: checkpoint=010000" in out
    (svg,) = re.findall(r"<svg.*?</svg>", curve_section(Path("sweep/groot-report.html").read_text()), re.DOTALL)
    assert (svg.count('class="dot"'), svg.count('class="whisker"'), svg.count('class="line"')) == (1, 1, 0)


@pytest.mark.parametrize(
    ("rates", "told"),
    [
        (
            {"1": 0.1, "2": 0.9},
            "Success has not levelled off: the last checkpoint, step 2, is shown to differ from the one",
        ),
        ({"1": 0.9, "2": 0.9}, "No checkpoint is shown to differ from a later one"),
        ({"1": 0.95, "2": 0.3, "3": 0.3}, "The highest rate was before that, "),
    ],
)
def test_what_the_comparison_shows_is_told(make_curves, rates, told):
    (curve,) = make_curves(rates=rates)
    assert any(line.startswith(told) for line in format_curve(curve)), format_curve(curve)


def test_early_ends_are_told_as_the_test_does_not_know_of_them(make_curves):
    (curve,) = make_curves(rates={"1": 0.99, "2": 0.5}, ci_width=0.5)
    assert format_curve(curve)[-1].startswith("Some were ended early by stop.ci_width")


def test_each_of_what_else_is_swept_has_a_curve_of_its_own_and_shards_are_joined(make_curves, report):
    rates = {"005000": 0.1, "010000": 0.5}
    curves = make_curves("instruction.text=go,'go on'", "shard.count=2", "shard.index=0,1", rates=rates)
    assert [curve.label for curve in curves] == ["instruction.text=go", "instruction.text=go on"]
    for curve in curves:
        assert [point.step for point in curve.points] == [step_of(name) for name in rates]
        for point in curve.points:
            assert (point.run.summary.episodes, point.run.summary.checkpoint_step) == (40, point.step)
    code, out, err = report("sweep")
    assert (code, err) == (0, "")
    page = Path("sweep/groot-report.html").read_text()
    for label in ("instruction.text=go", "instruction.text=go on"):
        assert f"Success over the checkpoints in train/checkpoints, {label}\n" in out
        assert f"<h2>Success over the checkpoints in train/checkpoints, {label}</h2>" in page
    assert page.count('class="plot curve"') == 2
    assert 'class="heat"' in page, "instructions by checkpoints"


def test_a_later_command_may_ask_for_more_episodes(make_curves):
    make_curves(rates={"1": 0.5, "2": 0.7})
    (curve,) = make_curves("episodes=60", "num_envs=8", rates={"2": 0.7, "3": 0.9}, episodes=60)
    assert [(point.step, len(point.run.rows)) for point in curve.points] == [(1, 40), (2, 60), (3, 60)]


def test_steps_of_many_checkpoints_are_not_all_written_below(make_curves):
    (curve,) = make_curves(rates={str(step): 0.5 for step in range(1, 10)}, episodes=4)
    labelled = [dot.step for dot in shown_curve(curve).dots if dot.has_label]
    assert labelled == [1, 3, 5, 7, 9]


def curve_section(page):
    """Return the part of a page with its first curve."""
    return page[page.index('class="plot curve"') : page.index('id="runs"')]
