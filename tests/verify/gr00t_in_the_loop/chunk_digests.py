"""ChunkDigests: a recorder that keeps which chunk was the answer to which request of which episode."""

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from runners.episodes.plan import PlannedEpisode
from runners.recorders.recorder import Recorder, RunInfo

__all__ = ["ChunkDigests"]


class ChunkDigests(Recorder):
    """Writes ``chunks.jsonl`` into the run folder: a line a request of an episode.

    Index, request number, a digest of all numbers of the row, and when it had been played (``at``, seconds).
    """

    def __init__(self) -> None:
        self._playing: dict[int, list[int]] = {}  # env to the episode's index and its next request

    def on_run_start(self, run: RunInfo) -> None:
        self._file = (run.folder / "chunks.jsonl").open("a")

    def on_episodes_start(self, episodes: Mapping[int, PlannedEpisode], observation: Mapping[str, Any]) -> None:
        self._playing |= {env_id: [planned.index, 0] for env_id, planned in episodes.items()}

    def on_chunk(self, rows: Sequence[int], chunk: Mapping[str, Any], latency_s: float) -> None:
        at = time.monotonic()
        for env_id in rows:
            digest = hashlib.sha256(b"".join(chunk[key][env_id].tobytes() for key in sorted(chunk))).hexdigest()
            index, request = self._playing[env_id]
            self._playing[env_id][1] += 1
            told = {"index": index, "request": request, "chunk": digest, "at": at}
            self._file.write(json.dumps(told) + "\n")

    def on_run_end(self, summary: Any) -> None:
        self._file.close()
