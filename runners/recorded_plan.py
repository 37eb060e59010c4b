"""The plan of episodes that a data set holds, each to be played again from its own seed: ``dataset=``."""

from pathlib import Path

from omegaconf import DictConfig

from groot_wrappers.errors import ContractError
from runners.config import ServerReset
from runners.datasets.layout import EPISODES
from runners.datasets.metadata import RecordedEpisode
from runners.plan import PlannedEpisode

__all__ = ["recorded_episodes", "recorded_plan"]


def recorded_episodes(config: DictConfig) -> list[PlannedEpisode]:
    """Return the plan of the recorded episodes that are to be played again, empty where none are.

    Raises:
        ContractError: A server that is told which episode begins would be told of several at once.
    """
    if config.dataset is None:
        return []
    if config.num_envs > 1 and config.server.reset is ServerReset.per_episode:
        raise ContractError(
            f"num_envs={config.num_envs} was asked for, but a server that replays dataset={config.dataset} has one "
            "place in one episode, which each reset moves. Set num_envs=1."
        )
    return recorded_plan(Path(config.dataset), config.episode, config.episodes)


def recorded_plan(dataset: Path, first: int, episodes: int) -> list[PlannedEpisode]:
    """Plan recorded episodes once more, each from its own seed and with its own instruction.

    Args:
        dataset: Folder of the data set.
        first: Index of the first of them.
        episodes: How many.

    Raises:
        Gr00tError: The data set cannot be read, has too few episodes, or does not say from which seeds they began.
    """
    recorded = RecordedEpisode.read(dataset)
    if not recorded:
        raise ContractError(
            f"dataset={dataset} was asked for, but it holds no episode, so that there is nothing to play. Record some: "
            '"recorder=[lerobot]".'
        )
    if first < 0 or first + episodes > len(recorded):
        raise ContractError(
            f"episode={first} episodes={episodes} was asked for, but {dataset} holds {len(recorded)} episodes, from 0 "
            f"on. Set episodes={max(1, len(recorded) - max(0, first))} or less, and episode to one that is there."
        )
    plan = []
    for episode in recorded[first : first + episodes]:
        if episode.seed is None:
            raise ContractError(
                f"{dataset / EPISODES} names no seed for episode {episode.index}, so that its start cannot be had "
                "again. recorder=[lerobot] writes seeds. Without one, the actions can be played from other starts: "
                "groot-serve policy=replay dataset=..., and groot-play in another terminal."
            )
        plan.append(PlannedEpisode(episode.index, episode.seed, episode.tasks[0]))
    return plan
