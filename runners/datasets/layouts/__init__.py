"""Where each version of the format keeps rows and frames of an episode, behind one interface.

* ``open_layout``: that of the data set in a folder.
* ``require_episodes``: the episodes of one that is to be played or shown.
"""

from pathlib import Path

from groot_wrappers.errors import ContractError
from runners.datasets.layouts.episode_files import EpisodeFiles
from runners.datasets.layouts.layout import Layout
from runners.datasets.layouts.shared_files import SharedFiles
from runners.datasets.metadata import Info
from runners.datasets.schema import RecordedEpisode

__all__ = ["Layout", "open_layout", "require_episodes"]


def open_layout(folder: Path) -> Layout:
    """Return how the files of a data set are read, v2.0, v2.1 or v3.0; ``meta/info.json`` alone is looked at.

    Raises:
        DatasetError: It is missing, damaged or of another version.
    """
    info = Info.read(folder)
    return SharedFiles(folder, info) if info.has_shared_files else EpisodeFiles(folder, info)


def require_episodes(layout: Layout) -> list[RecordedEpisode]:
    """Return the episodes of a data set that is to be played or shown.

    Raises:
        Gr00tError: They cannot be read, or there is none.
    """
    episodes = layout.episodes()
    if not episodes:
        raise ContractError(
            f"{layout.folder} holds no episode, so that there is nothing to play or to show. Record some: groot-play "
            '"recorder=[lerobot]"; recorder.lerobot.episodes=all keeps those too that do not succeed.'
        )
    return episodes
