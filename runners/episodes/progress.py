"""EpisodeProgress: how far one episode has come, of what its env tells of all of them; see ``docs/results.md``."""

from dataclasses import dataclass

from groot_wrappers.embodiment.stages import Progress
from runners.episodes.row import Ended

__all__ = ["EpisodeProgress"]


@dataclass(frozen=True)
class EpisodeProgress:
    """How far one episode has come.

    Args:
        stages: Each stage of the task, in its order, to the first control step, from 1, at which it was reached; 0 for
            those that were not. Those that were are a beginning of the order.
        events: The same of each event.
    """

    stages: dict[str, int]
    events: dict[str, int]

    @classmethod
    def of(cls, progress: Progress, env_id: int) -> "EpisodeProgress":
        """Take one env's part."""
        return cls(
            *({name: int(first[env_id]) for name, first in its.items()} for its in (progress.stages, progress.events))
        )

    @property
    def reached(self) -> dict[str, int] | None:
        """The stages that were reached, with their first control steps; None where the env tells no stages."""
        return _those_with_a_step(self.stages)

    @property
    def happened(self) -> dict[str, int] | None:
        """The events that happened, with their first control steps; None where the env tells no events."""
        return _those_with_a_step(self.events)

    def missed(self, success: bool | None) -> str | None:
        """Return the first stage that was not reached; None where the episode succeeded, or only success is left."""
        return None if success else next((name for name, step in self.stages.items() if not step), None)

    def share(self, success: bool | None, ended: Ended) -> float | None:
        """Return the share of the way, in [0, 1], to four digits.

        Each stage is a step of the way, and success one more where it is judged; so it is 1 for a success alone, and
        never falls while an episode goes on. The distance to success has no part in it: it may grow on a way that is
        right. None of an episode that ended in an error, and where there are no stages.
        """
        if not self.stages or ended == "error":
            return None
        if success:
            return 1.0
        return round(len(self.reached or ()) / (len(self.stages) + (success is not None)), 4)


def _those_with_a_step(steps: dict[str, int]) -> dict[str, int] | None:
    return {name: step for name, step in steps.items() if step} if steps else None
