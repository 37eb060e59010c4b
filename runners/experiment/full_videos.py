"""Videos at full rate of the episodes that failed, made after a run by playing them again: ``recorder.video.failed``.

Rows, summary and all else of the run are complete before, and are not touched.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium as gym

from groot_wrappers.errors import Gr00tError
from runners.again.action_log import ActionLog
from runners.again.comparison import compare_again, format_comparison
from runners.again.kept_client import KeptClient
from runners.episodes.episode_log import EpisodeLog
from runners.episodes.row import EpisodeRow, last_rows
from runners.experiment.preparation import Preparation
from runners.experiment.wrapped_env import wrapped_env
from runners.recorders import Recorders
from runners.recorders.progress_bar import ProgressBar
from runners.recorders.recorder import RunInfo
from runners.reports.pages import write_report
from runners.rollout.rollout import Rollout
from runners.run_folder.results import read_summary
from runners.run_folder.videos import full_video
from runners.utils.remedies import in_overrides, reason_of

__all__ = ["film_failed"]


def film_failed(
    preparation: Preparation, env: gym.Env[Any, Any], run: RunInfo, rows: Sequence[EpisodeRow], say: Callable[..., None]
) -> None:
    """Play the failed episodes of a run once more, in the same env, and film each control step.

    An episode that has such a video is not filmed again. What keeps one from being filmed is told.

    Args:
        preparation: What the run was played with; nothing is done where it has nothing that films.
        env: The env of the run.
        run: What recorders were told of the run.
        rows: All rows of the run.
        say: Writes lines to the terminal.
    """
    failed = [row.index for row in last_rows(rows) if row.success is False]
    failed = [index for index in failed if not (run.folder / full_video(index)).exists()]
    if not preparation.full_videos or not failed:
        return
    say(f"Filming the episodes that failed ({len(failed)}); the run is complete, and Ctrl-C leaves it so")
    try:
        for line in _film(preparation, env, run, failed):
            say(line)
        write_report(run.folder, read_summary(run.folder), rows, run.manifest)  # with links to them
    except (Gr00tError, OSError) as error:
        told = in_overrides(error) if isinstance(error, Gr00tError) else reason_of(error)
        say(f"The failed episodes could not be filmed: {told}")


def _film(preparation: Preparation, env: gym.Env[Any, Any], run: RunInfo, failed: Sequence[int]) -> list[str]:
    """Film episodes, and return what is to be told of it."""
    videos = preparation.full_videos
    client = KeptClient(run.folder, failed)
    with tempfile.TemporaryDirectory() as folder, EpisodeLog(Path(folder) / "episodes.jsonl") as log:
        kept, bar = ActionLog(), ProgressBar(len(failed), "Filming")
        recorders = Recorders([kept, bar, *videos])
        _, played = wrapped_env(
            env,
            preparation.embodiment,
            client.get_modality_config(),
            execution=client.run.execution,
            watcher=recorders.on_control_step,
            variations=preparation.variations.wire,
        )
        beside = replace(run, folder=Path(folder))
        for recorder in (kept, bar):
            recorder.on_run_start(beside)
        for video in videos:
            video.on_run_start(run)
        try:
            Rollout(played, client, client.run.plan, log, recorders).play()
        finally:
            recorders.on_run_end(None)
        told = [f"{failure.recorder} failed: {failure.error}" for failure in recorders.failures]
        found = compare_again(client.run, Path(folder))
        # Where it went as it did there is nothing to tell: the video shows what the row says.
        return told + (format_comparison(found) if not all(each.is_same for each in found) else [])
