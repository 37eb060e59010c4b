"""ActionsOver: says why an episode ended as an error that went on after all that it had played."""

from runners.again.played_run import PlayedRun
from runners.episodes.row import EpisodeRow
from runners.recorders.recorder import Recorder

__all__ = ["ActionsOver"]


class ActionsOver(Recorder):
    """Watches a playing again; what a policy would be blamed for is here another course than it was.

    Args:
        run: The run that is played again.
    """

    def __init__(self, run: PlayedRun) -> None:
        self._then = {row.index: row for row in run.rows}

    def on_episode_end(self, row: EpisodeRow) -> None:
        """Name the reason."""
        then = self._then[row.index]
        if row.ended == "error" and then.ended != "error" and row.steps >= then.steps:
            row.error = (
                f"It did not end where it did, after {then.steps} control steps, and all that it had played was played "
                "again. Its course is another one: again.json says from where."
            )
