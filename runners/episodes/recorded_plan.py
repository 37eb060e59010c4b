"""The plan of episodes that a data set holds, each to be played again from its own seed: ``dataset=``.

* ``recorded_episodes``, ``recorded_plan``: the plan.
* ``require_fitting``: that they are played where they were recorded.
"""

import math
import re
from collections.abc import Mapping
from pathlib import Path

from groot_wrappers.errors import ContractError, raise_all
from runners.config.schema import PlayConfig, ServerReset
from runners.datasets.metadata import Info, Modality
from runners.datasets.paths import INFO, MODALITY
from runners.episodes.plan import PlannedEpisode

__all__ = ["recorded_episodes", "recorded_plan", "require_fitting"]

GYM_ID = re.compile(r".+-v\d+")
"""What the recorder writes as ``robot_type``; robots of other data sets (``so100``, ``GR1ArmsOnly``) are called
otherwise."""


def recorded_episodes(config: PlayConfig) -> list[PlannedEpisode]:
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
    from runners.datasets.layouts import open_layout, require_episodes  # noqa: PLC0415  # brings PyAV, for videos

    layout = open_layout(dataset)
    recorded = require_episodes(layout)
    if first < 0 or first + episodes > len(recorded):
        raise ContractError(
            f"episode={first} episodes={episodes} was asked for, but {dataset} holds {len(recorded)} episodes, from 0 "
            f"on. Set episodes={max(1, len(recorded) - max(0, first))} or less, and episode to one that is there."
        )
    plan = []
    for episode in recorded[first : first + episodes]:
        if episode.seed is None:
            raise ContractError(
                f"{dataset / layout.episodes_file} names no seed for episode {episode.index} (0 to 2**32 - 1), so that "
                "its start cannot be had again. recorder=[lerobot] writes seeds. Without one, the actions can be "
                "played from other starts: groot-serve policy=replay dataset=..., and groot-play in another terminal."
            )
        plan.append(PlannedEpisode(episode.index, episode.seed, episode.tasks[0]))
    return plan


def require_fitting(dataset: Path, *, task: str, fps: float, action: Mapping[str, int]) -> None:
    """Check that a data set was recorded where it is to be played.

    A data set from elsewhere, whose ``robot_type`` is no gym id, may be of any robot: there the keys, their widths and
    the control rate are all that can be compared. Keys that only one side has are for the server to judge.

    Args:
        dataset: Its folder.
        task: Gym id of the env.
        fps: Control steps per second of simulated time.
        action: Action key to the numbers that the env takes under it.

    Raises:
        Gr00tError: The data set cannot be read, or was recorded in another task, at another control rate, or with other
            joints; all differences are named in one message.
    """
    info = Info.read(dataset)
    recorded = Modality.read(dataset).action if (dataset / MODALITY).exists() else {}
    robot = info.file.robot_type
    problems = []
    if isinstance(robot, str) and GYM_ID.fullmatch(robot) and robot != task:
        problems.append(f"It was recorded in {robot}, but {task} is played. Choose the task of that id: task=...")
    if not math.isclose(info.fps, fps, rel_tol=1e-3):
        problems.append(
            f"It holds {info.fps:g} control steps a second ({INFO}), but {fps:g} are played. Set the env's decimation "
            f"and physics step to those of the recording."
        )
    for key, part in recorded.items():
        width = part.end - part.start
        if width != action.get(key, width):
            problems.append(
                f"Its action {key} holds {width} numbers ({MODALITY}), but {action[key]} are played. Mend the target "
                f"of embodiment.action.{key}, or choose the embodiment of the recording."
            )
    raise_all(f"{dataset} does not fit what is played:", problems)
