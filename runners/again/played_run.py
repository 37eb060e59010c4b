"""The run whose episodes are played again: which of them, from what, and the refusal of what cannot be.

* ``PlayedRun``: what its folder says of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec

from groot_wrappers.errors import ContractError
from runners.again.kept_episodes import KeptEpisode, KeptEpisodeError, kept_episodes
from runners.config.schema import ClockKind
from runners.episodes.episode_log import read_rows
from runners.episodes.plan import PlannedEpisode, require_planned
from runners.episodes.row import EpisodeRow, last_rows
from runners.run_folder.manifest import MANIFEST, Manifest, read_manifest
from runners.utils.json_files import JsonFileError

__all__ = ["PlayedRun"]

MOST_TOLD = 5


class _Horizons(msgspec.Struct):
    execution: int


class _Target(msgspec.Struct):
    relative_to: str | None = None


class _Embodiment(msgspec.Struct):
    action: dict[str, _Target] = {}


class _Settings(msgspec.Struct):
    """The part of a run's settings that decides how its actions are played."""

    horizons: _Horizons
    clock: ClockKind = ClockKind.paused
    embodiment: _Embodiment = msgspec.field(default_factory=_Embodiment)

    @property
    def relative_keys(self) -> list[str]:
        """Action keys whose numbers are relative to a state."""
        return [key for key, target in self.embodiment.action.items() if target.relative_to is not None]


@dataclass(frozen=True)
class PlayedRun:
    """A run whose episodes are to be played again.

    Args:
        folder: The run folder.
        manifest: Its ``manifest.json``.
        settings: Of it, those that decide how actions are played.
        rows: The row of the last attempt at each episode, by index.
    """

    folder: Path
    manifest: Manifest
    settings: _Settings
    rows: Sequence[EpisodeRow]

    @classmethod
    def read(cls, folder: Path, only: Sequence[int] | None) -> "PlayedRun":
        """Read a run folder.

        Args:
            folder: The run folder.
            only: Indices of the episodes that are to be played again; None for all that have ended.

        Raises:
            ContractError: It holds no run, one that cannot be played again, or no row of one of them.
        """
        try:
            manifest = read_manifest(folder / MANIFEST)
            settings = msgspec.convert(manifest.config, _Settings)
            rows = last_rows(read_rows(folder / "episodes.jsonl")[0])
        except (JsonFileError, msgspec.ValidationError, OSError) as error:
            raise ContractError(
                f"{folder} was to be played again, but there is no run: {error}. Name a run folder, such as "
                "again=outputs/2026-11-25/01-28-34."
            ) from error
        refused = f"The episodes of {folder} cannot be played again:"
        if not rows:
            raise ContractError(f"{refused} none has ended. Go on with it first: resume={folder}.")
        if manifest.reset_mode == "per_batch":
            raise ContractError(
                f"{refused} its env begins them in all envs together, from the seed of the first, so that none can "
                "begin by itself as it did. Those of IsaacLab's manager-based workflow can be."
            )
        if settings.clock is ClockKind.real and settings.relative_keys:
            raise ContractError(
                f"{refused} they were played with clock=real, and {', '.join(settings.relative_keys)} is relative to "
                "the state at a request that was answered later, which is not kept."
            )
        require_planned(only, [row.index for row in rows])
        chosen = rows if only is None else [row for row in rows if row.index in only]
        return cls(folder, manifest, settings, chosen)

    @property
    def plan(self) -> list[PlannedEpisode]:
        """The episodes, each from its own seed, with what was otherwise in it."""
        return [PlannedEpisode.of(row) for row in self.rows]

    @property
    def is_real_time(self) -> bool:
        """Whether the world went on while the policy thought, so that an answer did not feed what came after it."""
        return self.settings.clock is ClockKind.real

    @property
    def execution(self) -> int:
        """Control steps that are played of each answer: one where requests and answers were not side by side."""
        return 1 if self.is_real_time else self.settings.horizons.execution

    @cached_property
    def kept(self) -> list[KeptEpisode]:
        """What is kept of each episode, in the order of ``rows``.

        Raises:
            ContractError: Of some nothing is kept.
            KeptEpisodeError: Something that is kept cannot be read, or is of another run.
        """
        found = list(kept_episodes(self.folder, [(row.index, row.attempt) for row in self.rows]))
        if missing := [row.index for row, kept in zip(self.rows, found, strict=True) if kept is None]:
            told = ", ".join(map(str, missing[:MOST_TOLD])) + (", ..." if len(missing) > MOST_TOLD else "")
            raise ContractError(
                f"{self.folder} keeps no actions of {len(missing)} episodes ({told}), so that they cannot be played "
                "again: the run is of an earlier version, or they could not be written then. Name others by "
                "only=[...]; the run's own command plays them anew."
            )
        whole = [kept for kept in found if kept is not None]
        for row, kept in zip(self.rows, whole, strict=True):
            self._require_own(row, kept, {key: values.shape[1] for key, values in whole[0].action.items()})
        return whole

    def _require_own(self, row: EpisodeRow, kept: KeptEpisode, widths: Mapping[str, int]) -> None:
        """Check that what is kept is of the row's episode, and that its action keys are those of the others."""
        told = {"seed": row.seed, "steps": row.steps, "action keys": dict(widths)}
        has = {
            "seed": kept.seed,
            "steps": kept.steps,
            "action keys": {key: values.shape[1] for key, values in kept.action.items()},
        }
        if wrong := [name for name, wanted in told.items() if has[name] != wanted]:
            raise KeptEpisodeError(
                f"{self.folder} keeps actions of episode {row.index} with the {wrong[0]} {has[wrong[0]]} in place of "
                f"{told[wrong[0]]}. They are of different runs; leave it out by only=[...]."
            )
