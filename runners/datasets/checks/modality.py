"""Whether the keys of ``meta/modality.json`` stand for something, and how to write a file that is not there."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from runners.datasets.checks.problem import Problem
from runners.datasets.metadata import VECTORS, Info, Modality, Part
from runners.datasets.paths import INFO, MODALITY

__all__ = ["check_modality", "missing_modality"]

IMAGES = "observation.images."


def check_modality(info: Info, modality: Modality) -> list[Problem]:
    """Check that the keys stand for something, and that no number is left without a key."""
    problems = [*_slices("state", modality.state, info), *_slices("action", modality.action, info)]
    for key, camera in modality.video.items():
        if camera not in info.cameras:
            problems.append(Problem(MODALITY, f"video.{key} is {camera}, which is no video of {INFO}", "Name a video."))
    for key, column in modality.annotation.items():
        if column not in info.features:
            remedy = "Name a column of task indices."
            problems.append(Problem(MODALITY, f"{key} is {column}, which is no feature of {INFO}", remedy))
    return problems


def missing_modality(info: Info) -> Problem:
    """Return what is to be said of a data set without ``meta/modality.json``: one to be pasted."""
    return Problem(
        MODALITY,
        "is missing",
        "GR00T reads no data set without it; LeRobot knows no such file. Write it: each key of state and action is the "
        "numbers [start, end) of a vector, each key of video a folder of videos. The least for this data set, to be "
        f"parted into the keys of your embodiment:\n{json.dumps(_least(info), indent=2)}",
    )


def _least(info: Info) -> dict[str, Any]:
    """Return a ``modality.json`` with one key for each vector, each video and the instruction."""
    least: dict[str, Any] = {}
    for kind, column in VECTORS.items():
        prefix = f"{column}." if kind == "action" else "observation."
        least[kind] = {
            name.removeprefix(prefix): {"start": 0, "end": feature.width}
            | ({} if name == column else {"original_key": name})
            for name, feature in info.features.items()
            if feature.is_numbers and "float" in feature.dtype and (name == column or name.startswith(prefix))
        }
    least["video"] = {name.removeprefix(IMAGES): {"original_key": name} for name in info.cameras}
    annotations = [name for name in info.features if name.startswith("annotation.")]
    least["annotation"] = {name.removeprefix("annotation."): {} for name in annotations} or {
        "human.task_description": {"original_key": "task_index"}
    }
    return least


def _slices(kind: str, parts: Mapping[str, Part], info: Info) -> Iterator[Problem]:
    """Say which slices of state or action do not share out their columns, and what mends it."""
    if not parts:
        yield Problem(MODALITY, f"names no key of {kind}", "GR00T learns from the named keys only.")
    for column in sorted({part.column for part in parts.values()}):
        feature = info.features.get(column)
        if feature is None or not feature.is_numbers:
            yield Problem(MODALITY, f"{kind} names {column}, which is no vector of {INFO}", "Name a feature.")
            continue
        owners: list[list[str]] = [[] for _ in range(feature.width)]
        for key, part in parts.items():
            if part.column == column:
                if part.end > feature.width:
                    what = f"{kind}.{key} is the numbers [{part.start}, {part.end}), but {column} has {feature.width}"
                    yield Problem(MODALITY, what, "Slices end within the vector.")
                for owner in owners[part.start : part.end]:
                    owner.append(key)
        if nobodys := [number for number, keys in enumerate(owners) if not keys]:
            what = f"no key of {kind} has the numbers {nobodys!r:.80} of {column}"
            yield Problem(MODALITY, what, "GR00T never learns them. Slices cover the vector.", untidy=True)
        for keys in sorted({tuple(keys) for keys in owners if len(keys) > 1}):
            what = f"{' and '.join(keys)} of {kind} share numbers of {column}"
            yield Problem(MODALITY, what, "GR00T learns them twice. Each number has one key.", untidy=True)
