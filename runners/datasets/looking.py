"""What ``groot-dataset`` prints: a data set in a few lines, what is wrong with it, and where its contact sheet lies."""

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from tqdm import tqdm

from runners.datasets.checks import check_dataset
from runners.datasets.contact_sheet import contact_sheet
from runners.datasets.metadata import Info, Modality, RecordedEpisode

__all__ = ["check", "show"]

MOST_OF_A_KIND = 5
"""Problems with the same remedy that are told one by one."""


def check(folder: Path) -> bool:
    """Check a data set, print what was found, and return whether all is well."""
    problems = check_dataset(folder, lambda episodes: _bar(episodes, "Checking"))
    if not problems:
        print("\n".join(describe(folder, Info.read(folder), RecordedEpisode.read(folder), Modality.read(folder))))
        print("All is well: every row was read, every frame decoded.")
        return True
    told = Counter[str]()
    for problem in problems:
        told[problem.remedy] += 1
        if told[problem.remedy] <= MOST_OF_A_KIND:
            print(f"{problem.file}: {problem.what}\n  {problem.remedy}")
    for remedy, count in told.items():
        if count > MOST_OF_A_KIND:
            print(f"And {count - MOST_OF_A_KIND} more of this kind: {remedy}")
    print(f"\n{len(problems)} {'thing is' if len(problems) == 1 else 'things are'} wrong with {folder}")
    return False


def show(folder: Path, output: Path, episodes: int) -> None:
    """Write the contact sheet of a data set, and print where it lies.

    Raises:
        Gr00tError: The metadata cannot be read, or the picture not be written.
    """
    info, recorded = Info.read(folder), RecordedEpisode.read(folder)
    lines = describe(folder, info, recorded, Modality.read(folder))
    print("\n".join(lines))
    count = min(episodes, len(recorded))
    chosen = [recorded[round(i * (len(recorded) - 1) / max(1, count - 1))] for i in range(count)]
    contact_sheet(folder, info, _bar(chosen, "Drawing"), lines[0], output)
    print(f"{count} of {len(recorded)} episodes: {output}")


def describe(folder: Path, info: Info, episodes: Sequence[RecordedEpisode], modality: Modality) -> list[str]:
    """Say in a few lines what a data set holds."""
    frames = sum(episode.length for episode in episodes)
    tasks = dict.fromkeys(task for episode in episodes for task in episode.tasks)
    judged = [episode.success for episode in episodes if episode.success is not None]
    success = f", {sum(judged)} of {len(judged)} succeeded" if judged else ""
    lines = [
        f"{folder}: {len(episodes)} episodes{success}, {frames} frames at {info.fps:g} a second "
        f"({frames / info.fps:.0f} s)"
    ]
    for kind, parts in (("state", modality.state), ("action", modality.action)):
        lines.append(f"  {kind:<12}{', '.join(f'{key} {part.end - part.start}' for key, part in parts.items())}")
    sizes = {key: info.features[camera]["shape"] for key, camera in modality.video.items() if camera in info.features}
    lines.append(f"  {'video':<12}{', '.join(f'{key} {size[0]} x {size[1]}' for key, size in sizes.items())}")
    shown = [f"'{task}'" for task in list(tasks)[:5]] + ([f"and {len(tasks) - 5} more"] if len(tasks) > 5 else [])
    return [*lines, f"  {'instruction':<12}{', '.join(shown)}"]


def _bar(episodes: Iterable[RecordedEpisode], what: str) -> Iterable[RecordedEpisode]:
    """Show a bar over episodes where it takes longer than a moment."""
    interval_s = 0.1 if sys.stderr.isatty() else 10.0
    bar: Iterable[RecordedEpisode] = tqdm(
        episodes, desc=what, unit="episode", delay=2.0, mininterval=interval_s, dynamic_ncols=True
    )
    return bar
