"""The success rates of a sweep over the checkpoints of a training, by step: a curve for all that was set alike else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runners.checkpoints.found import step_of
from runners.run_folder.reader import Run
from runners.statistics.levelling import Levelling, find_level
from runners.sweeps.jobs import makes_another_job
from runners.sweeps.overview import Evaluation, swept_keys

__all__ = ["CHECKPOINT", "LearningCurve", "Point", "learning_curves"]

CHECKPOINT, FOLDER = "checkpoint", "checkpoints"


@dataclass(frozen=True)
class Point:
    """A checkpoint that has played.

    Args:
        step: Of the training.
        folder: Of the checkpoints, as it was asked for.
        run: What has been played of it; at least one episode was judged.
    """

    step: int
    folder: str
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
    """Return the curves of a sweep, none where it is not over checkpoints.

    What makes no other job by itself may differ along a curve, as ``episodes`` of a later command; unless it was swept.
    """
    played = [
        (each.settings, Point(step, each.settings.get(FOLDER, ""), each.run))
        for each in evaluations
        if (step := step_of(each.settings.get(CHECKPOINT, ""))) is not None
        and each.run is not None
        and each.run.summary.success_rate is not None
    ]
    swept = [key for key in swept_keys(evaluations) if key != CHECKPOINT]
    keys = [key for key in swept if makes_another_job(key)]
    grouped = _grouped(played, keys)
    if any(len({point.step for point in points}) < len(points) for points in grouped.values()):
        keys, grouped = swept, _grouped(played, swept)
    curves = []
    for alike, points in grouped.items():
        points.sort(key=lambda point: point.step)
        curves.append(
            LearningCurve(
                folder=points[0].folder,
                label=" ".join(f"{key}={value}" for key, value in zip(keys, alike, strict=True) if value is not None),
                points=tuple(points),
                levelling=find_level([point.run.counted for point in points]),
            )
        )
    return curves


def _grouped(
    played: Sequence[tuple[Mapping[str, str], Point]], keys: Sequence[str]
) -> dict[tuple[str | None, ...], list[Point]]:
    """Return points by what was set of some keys, None where nothing was."""
    grouped: dict[tuple[str | None, ...], list[Point]] = {}
    for settings, point in played:
        grouped.setdefault(tuple(settings.get(key) for key in keys), []).append(point)
    return grouped
