"""Recorded episodes in the memory of the device that trains: ``read_episodes`` reads them, ``Frames`` holds them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pyarrow.parquet as pq
import torch

STATE, ACTION, CAMERA = "observation.state", "action", "observation.images."


@dataclass(frozen=True)
class Episode:
    """One recorded episode of T control steps.

    Attributes:
        state: float32 (T, S).
        action: float32 (T, A).
        pictures: uint8 (T, 3, H, W), RGB, of each camera's column.
        instruction: Its text.
    """

    state: torch.Tensor
    action: torch.Tensor
    pictures: dict[str, torch.Tensor]
    instruction: str


def read_episodes(folders: Sequence[Path]) -> list[Episode]:
    """Return the episodes of data sets in the LeRobot v2.1 format, in their order.

    Raises:
        SystemExit: A folder is no such data set, or holds no episode.
    """
    asked = [part for folder in folders for part in _parts_of(folder)]
    if not asked:
        raise SystemExit(f"No episode in {', '.join(map(str, folders))}")
    with ThreadPoolExecutor() as pool:
        return list(pool.map(_read, *zip(*asked, strict=True)))


def _parts_of(folder: Path) -> Iterator[tuple[Path, dict[str, Path], str]]:
    """Yield each episode's rows, its video of each camera, and its instruction."""
    meta = folder / "meta"
    try:
        info = json.loads((meta / "info.json").read_text())
        listed = [json.loads(line) for line in (meta / "episodes.jsonl").read_text().splitlines()]
    except OSError as error:
        raise SystemExit(
            f'{folder} is no data set in the LeRobot v2.1 format ({error}). groot-play "recorder=[lerobot]" records '
            "one in the folder dataset of its run folder; groot-dataset convert --to v2.1 makes one of v3.0"
        ) from error
    cameras = [name for name, feature in info["features"].items() if feature["dtype"] == "video"]
    for episode in listed:
        index = int(episode["episode_index"])
        places = {"episode_index": index, "episode_chunk": index // int(info["chunks_size"])}
        videos = {name: folder / info["video_path"].format(video_key=name, **places) for name in cameras}
        yield folder / info["data_path"].format(**places), videos, str(episode["tasks"][0])


def _read(rows: Path, videos: dict[str, Path], instruction: str) -> Episode:
    table = pq.read_table(rows, columns=[STATE, ACTION])
    state, action = (torch.tensor(np.array(table[name].to_pylist(), np.float32)) for name in (STATE, ACTION))
    pictures = {name: _decoded(file) for name, file in videos.items()}
    for name, seen in pictures.items():
        if len(seen) != len(state):
            raise SystemExit(f"{videos[name]} has {len(seen)} frames for {len(state)} rows of {rows}")
    return Episode(state, action, pictures, instruction)


def _decoded(file: Path) -> torch.Tensor:
    with av.open(str(file)) as video:
        frames = [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]
    return torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2).contiguous()


class Frames:
    """All frames of episodes, one after the other, on a device.

    Args:
        episodes: What to hold.
        instructions: The texts that a policy shall tell apart, in their order.
        device: Where.

    Attributes:
        state: float32 (N, S).
        action: float32 (N, A).
        pictures: uint8 (N, 3, H, W) of each camera's column.
        instruction: int64 (N,), the number of each frame's instruction.
    """

    def __init__(self, episodes: Sequence[Episode], instructions: Sequence[str], device: str) -> None:
        lengths = torch.tensor([len(episode.state) for episode in episodes])
        self.state = torch.cat([episode.state for episode in episodes]).to(device)
        self.action = torch.cat([episode.action for episode in episodes]).to(device)
        self.pictures = {
            name: torch.empty((len(self.state), *seen.shape[1:]), dtype=seen.dtype, device=device)
            for name, seen in episodes[0].pictures.items()
        }
        # Episode by episode: laid together on the host, they would be held there twice.
        for name, seen in self.pictures.items():
            for part, episode in zip(seen.split(lengths.tolist()), episodes, strict=True):
                part.copy_(episode.pictures[name])
        texts = torch.tensor([instructions.index(episode.instruction) for episode in episodes])
        self.instruction = texts.repeat_interleave(lengths).to(device)
        ends = lengths.cumsum(0)
        self._first = (ends - lengths).repeat_interleave(lengths).to(device)
        self._last = (ends - 1).repeat_interleave(lengths).to(device)

    def __len__(self) -> int:
        """Return N."""
        return len(self.state)

    def drawn(self, first: int, times: int) -> torch.Tensor:
        """Return frames, int64 (M,): each once, but an episode's ``first`` ones so many ``times``."""
        every = torch.arange(len(self), device=self._first.device)
        return torch.cat([every, *[every[every - self._first < first]] * (times - 1)])

    def chunks(self, at: torch.Tensor, horizon: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the actions from each frame on, and which of them lie past the episode's end.

        Args:
            at: int64 (B,), frames.
            horizon: Actions of a chunk.

        Returns:
            float32 (B, horizon, A), past the end the last action; bool (B, horizon).
        """
        steps = at[:, None] + torch.arange(horizon, device=at.device)
        last = self._last[at][:, None]
        return self.action[torch.minimum(steps, last)], steps > last
