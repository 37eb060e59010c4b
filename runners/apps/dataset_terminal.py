"""What ``groot-dataset`` prints: a data set in a few lines, what is wrong with it, and where its contact sheet lies."""

import re
import shlex
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

from tqdm import tqdm

from runners.datasets.checks import Problem, check_dataset
from runners.datasets.contact_sheet import contact_sheet
from runners.datasets.conversion import convert as converted
from runners.datasets.layouts import open_layout, require_episodes
from runners.datasets.metadata import VECTORS, Info, Modality
from runners.datasets.reading import DatasetError
from runners.datasets.schema import RecordedEpisode
from runners.utils.terminal import one_line, say

__all__ = ["check", "convert", "show"]

OF_ROWS = re.compile(r"timestamp$|frame_index$|episode_index$|index$|task_index$|next\.|annotation\.")
"""Columns that say something of the row, rather than of the robot."""

MOST_OF_A_KIND = 5
"""Problems with the same remedy that are told one by one."""


def check(folder: Path) -> bool:
    """Check a data set, print what was found, and return whether a training reads it, and learns what was recorded.

    The training is GR00T's for v2.0 and v2.1, LeRobot's for v3.0.
    """
    problems = check_dataset(folder, partial(_bar, what="Checking"))
    trainer = _trainer(folder)
    wrong = [problem for problem in problems if not problem.untidy]
    untidy = [problem for problem in problems if problem.untidy]
    _tell(f"Cannot be read by {trainer}, or would be learned wrong:", wrong)
    _tell(f"Untidy, but read by {trainer}:", untidy)
    if wrong:
        say(f"{_counted(wrong)} wrong with {folder}, so that {trainer} cannot learn from it")
        return False
    layout = open_layout(folder)
    say(*describe(folder, layout.info, layout.episodes()))
    well = f"{trainer} reads it, though {_counted(untidy)} untidy" if untidy else "All is well"
    say(f"{well}: every row was read, every frame decoded.")
    return True


def show(folder: Path, output: Path, episodes: int) -> None:
    """Write the contact sheet of a data set, and print where it lies.

    Raises:
        Gr00tError: The metadata cannot be read, there is no episode, or the picture cannot be drawn.
        OSError: The picture cannot be written.
    """
    layout = open_layout(folder)
    recorded = require_episodes(layout)
    lines = describe(folder, layout.info, recorded)
    say(*lines)
    count = min(episodes, len(recorded))
    chosen = [recorded[round(i * (len(recorded) - 1) / max(1, count - 1))] for i in range(count)]
    bar = partial(_bar, what="Drawing")
    contact_sheet(layout, chosen, title=lines[0], output=output, bar=bar)
    say(f"{count} of {len(recorded)} episodes: {output}")


def convert(folder: Path, version: str, output: Path, lerobot_python: Path) -> None:
    """Convert a data set into a new folder, and print what is in it.

    Raises:
        Gr00tError: As ``runners.datasets.conversion.convert``.
        OSError: The disk does not take it.
    """
    made = converted(folder, version, output, lerobot_python=lerobot_python, progress=_bar)
    say(*describe(output, made.info, made.episodes()))
    say(f"{version}, for {made.info.trainer}: every number is the same, and no frame was encoded anew.")


def describe(folder: Path, info: Info, episodes: Sequence[RecordedEpisode]) -> list[str]:
    """Say in a few lines what a data set holds, under GR00T's names where it has them."""
    frames = sum(episode.length for episode in episodes)
    judged = [episode.success for episode in episodes if episode.success is not None]
    success = f", {sum(judged)} of {len(judged)} succeeded" if judged else ""
    lines = [
        f"{folder}: {len(episodes)} episodes{success}, {frames} frames at {info.fps:g} a second "
        f"({frames / info.fps:.0f} s)"
    ]
    keys, notes = _keys(folder, info)
    lines += [
        f"  {kind:<12}{', '.join(f'{one_line(key)} {size}' for key, size in of.items())}" for kind, of in keys.items()
    ]
    tasks = list(dict.fromkeys(task for episode in episodes for task in episode.tasks))
    shown = [f"'{one_line(task)}'" for task in tasks[:5]] + ([f"and {len(tasks) - 5} more"] if len(tasks) > 5 else [])
    return [*lines, f"  {'instruction':<12}{', '.join(shown)}", *notes]


def _keys(folder: Path, info: Info) -> tuple[dict[str, dict[str, str]], list[str]]:
    """Return each kind of content with its keys and sizes, under LeRobot's names where there are none of GR00T's."""
    sizes = {
        name: " x ".join(map(str, feature.size)) if feature.dtype == "video" else str(feature.width)
        for name, feature in info.features.items()
        if feature.dtype == "video" or (feature.is_numbers and not OF_ROWS.match(name))
    }
    keys: dict[str, dict[str, str]] = {}
    notes = []
    try:
        modality = Modality.read(folder)
    except DatasetError as error:
        if not info.has_shared_files:  # which need none
            notes.append(
                f"  {error.file} {error.what}: these are LeRobot's names. groot-dataset check "
                f"{shlex.quote(str(folder))} says more."
            )
        named = set()
        for kind, column in VECTORS.items():
            keys[kind] = {column: sizes[column]} if column in sizes else {}
            named.add(column)
        keys["video"] = {}
    else:
        parts = {"state": modality.state, "action": modality.action}
        keys |= {kind: {key: str(part.end - part.start) for key, part in of.items()} for kind, of in parts.items()}
        keys["video"] = {key: sizes[camera] for key, camera in modality.video.items() if camera in sizes}
        named = {part.column for of in parts.values() for part in of.values()} | set(modality.video.values())
    keys["video"] |= {camera: sizes[camera] for camera in info.cameras if camera not in named}
    if other := {name: size for name, size in sizes.items() if name not in named and name not in keys["video"]}:
        keys["other"] = other
    return keys, notes


def _trainer(folder: Path) -> str:
    try:
        return Info.read(folder).trainer
    except DatasetError:  # of which the check tells
        return "GR00T"


def _tell(heading: str, problems: Sequence[Problem]) -> None:
    """Print problems, of each kind the first few."""
    if problems:
        say(heading)
    told = Counter[str]()
    for problem in problems:
        told[problem.remedy] += 1
        if told[problem.remedy] <= MOST_OF_A_KIND:
            say(f"{problem.file}: {one_line(problem.what, 500)}\n  {problem.remedy}")
    for remedy, count in told.items():
        if count > MOST_OF_A_KIND:
            say(f"And {count - MOST_OF_A_KIND} more of this kind: {remedy}")
    if problems:
        say("")


def _counted(problems: Sequence[Problem]) -> str:
    return "1 thing is" if len(problems) == 1 else f"{len(problems)} things are"


def _bar(episodes: Sequence[RecordedEpisode], what: str) -> Iterable[RecordedEpisode]:
    """Show a bar over episodes where it takes longer than a moment."""
    interval_s = 0.1 if sys.stderr.isatty() else 10.0
    bar: Iterable[RecordedEpisode] = tqdm(
        episodes, desc=what, unit="episode", delay=2.0, mininterval=interval_s, dynamic_ncols=True
    )
    return bar
