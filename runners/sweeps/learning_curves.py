"""The success rates of a sweep over the checkpoints of a training, by step: a curve for all that was set alike else."""

from collections.abc import Sequence
from dataclasses import dataclass

from runners.checkpoints.found import step_of
from runners.run_folder.reader import Run
from runners.statistics.levelling import Levelling, find_level
from runners.sweeps.overview import Evaluation, swept_keys

__all__ = ["CHECKPOINT", "LearningCurve", "Point", "learning_curves"]

CHECKPOINT, FOLDER = "checkpoint", "checkpoints"


@dataclass(frozen=True)
class Point:
    """A checkpoint that has played.

    Args:
        step: Of the training.
        run: What has been played of it; at least one episode was judged.
    """

    step: int
    run: Run


@dataclass(frozen=True)
class LearningCurve:
    """Success over the checkpoints of a training.

    Args:
        folder: Of the checkpoints, as it was asked for.
        label: What else was swept, empty where nothing was.
        points: By step, at least one.
        levelling: From which of the points on none is shown to differ.
    """

    folder: str
    label: str
    points: tuple[Point, ...]
    levelling: Levelling


def learning_curves(evaluations: Sequence[Evaluation]) -> list[LearningCurve]:
    """Return the curves of a sweep, none where it is not over checkpoints."""
    keys = [key for key in swept_keys(evaluations) if key not in {CHECKPOINT, FOLDER}]
    grouped: dict[tuple[tuple[str, str], ...], list[Point]] = {}
    for each in evaluations:
        step = step_of(each.settings.get(CHECKPOINT, ""))
        if step is None or each.run is None or each.run.summary.success_rate is None:
            continue
        alike = tuple((key, value) for key, value in each.settings.items() if key != CHECKPOINT)
        grouped.setdefault(alike, []).append(Point(step, each.run))
    curves = []
    for alike, points in grouped.items():
        settings = dict(alike)
        points.sort(key=lambda point: point.step)
        curves.append(
            LearningCurve(
                folder=settings.get(FOLDER, ""),
                label=Evaluation(settings, {}, None).label(keys),
                points=tuple(points),
                levelling=find_level([point.run.counted for point in points]),
            )
        )
    return curves
