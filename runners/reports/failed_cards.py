"""The card of an episode that failed: what there is to see of why.

* ``FailedCard``: what the template ``cards.html`` shows of it.
* ``failed_cards``: makes them.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from groot_wrappers.errors import ContractError
from runners.again.kept_episodes import KeptEpisode, KeptEpisodeError, kept_episode
from runners.again.played_run import PlayedRun
from runners.episodes.row import EpisodeRow
from runners.reports.drawings import Drawing, KeyDrawings, draw_distance, draw_last_chunk
from runners.reports.posters import poster_of
from runners.reports.ways_to_fail import name_of
from runners.run_folder.rerun_files import rerun_file
from runners.run_folder.videos import full_video
from runners.utils.pasting import override

__all__ = ["MOST_CARDS", "FailedCard", "failed_cards"]

MOST_CARDS = 24
"""Failed episodes with a card of their own; with pictures and drawings it takes up to 60 kB of the page."""


@dataclass(frozen=True)
class FailedCard:
    """What is shown of an episode that failed.

    Args:
        row: How it ended.
        way: The same in plain words.
        poster: The last frame of its video, as an address; None without one.
        distance: The distance to success after each control step; None where it is not kept.
        chunk: Its last chunk, by action key; empty where it is not kept.
        again: The command that plays it again; None where that cannot be done.
        full_video: Where its video of each control step is; None without one.
        rerun_file: Where its file for Rerun's viewer is; None without one.
        note: Why what it kept is not shown, None where it is, or nothing was kept.
    """

    row: EpisodeRow
    way: str
    poster: str | None
    distance: Drawing | None
    chunk: Sequence[KeyDrawings]
    again: str | None
    full_video: str | None
    rerun_file: str | None
    note: str | None


def failed_cards(folder: Path, rows: Sequence[EpisodeRow], played_in: Mapping[int, Path]) -> list[FailedCard]:
    """Return the cards of episodes that failed.

    Args:
        folder: Where the page is written, to which the videos of the rows are relative.
        rows: One for each card.
        played_in: Index to the run folder of those that were not played in ``folder``.
    """
    runs = cache(_run_that_can_be_played_again)
    cards = []
    for row in rows:
        run_folder = played_in.get(row.index, folder)
        run = runs(run_folder)
        kept, note = _kept(run_folder, row)
        cards.append(
            FailedCard(
                row=row,
                way=name_of(row),
                poster=poster_of(folder / row.video) if row.video else None,
                distance=None if kept is None else draw_distance(kept, row),
                chunk=[] if kept is None else draw_last_chunk(kept, [] if run is None else run.settings.relative_keys),
                again=None if kept is None or run is None else _command_to_play_again(run_folder, row.index),
                full_video=_address(folder, run_folder / full_video(row.index)),
                rerun_file=_address(folder, run_folder / rerun_file(row.index, row.attempt)),
                note=note,
            )
        )
    return cards


def _run_that_can_be_played_again(folder: Path) -> PlayedRun | None:
    try:
        return PlayedRun.read(folder, None)
    except ContractError:  # of an earlier version, or of envs whose episodes do not begin one by one
        return None


def _kept(folder: Path, row: EpisodeRow) -> tuple[KeptEpisode | None, str | None]:
    """Return what is kept of an episode, and why it cannot be read."""
    try:
        return kept_episode(folder, row.index, row.attempt), None
    except KeptEpisodeError as error:
        return None, str(error)


def _command_to_play_again(folder: Path, index: int) -> str:
    """Return the command, which can be given in any folder of the machine that the run was played on."""
    return f'groot-play {override("again", folder.absolute())} "only=[{index}]"'


def _address(folder: Path, path: Path) -> str | None:
    """Return the address of a file from a page in a folder, None where there is none."""
    return Path(os.path.relpath(path, folder)).as_posix() if path.is_file() else None
