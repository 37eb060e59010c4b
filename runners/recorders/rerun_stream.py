"""One episode on Rerun's timeline: cameras, state, and each chunk beside what was played.

Classes:
    Track: what was seen and played since it was last sent.
    EpisodeStream: sends tracks into a file, and to a viewer that is open.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from groot_wrappers.installation.extras import MissingExtraError
from runners.utils.jpeg import as_jpeg

try:
    import rerun as rr
    import rerun.blueprint as rrb
except ModuleNotFoundError as error:
    raise MissingExtraError(
        "recorder=[rerun] needs rerun-sdk, not installed here. Install it, in the clone: pip install '.[rerun]'"
    ) from error

__all__ = ["EpisodeStream", "Track"]

TIMELINE = "control_step"
PLOTS_ABREAST = 4

PLAYED = (38, 132, 255)
CHUNKS = ((255, 160, 60), (225, 100, 170), (120, 190, 90), (170, 140, 240))
STATE = (140, 150, 160)

Array = np.ndarray[Any, Any]


@dataclass
class Track:
    """What was seen and played since it was last sent, each with the control step at which.

    Args:
        frames: Camera key to what the policy saw, uint8 (H, W, 3).
        states: State key to float32 (D,), before the step.
        played: Action key to float32 (D,), on the step.
        chunks: Action key to float32 (T_action, D), of which the first is for the step.
        latencies: Seconds that the server took for them.
    """

    frames: list[tuple[int, Mapping[str, Array]]] = field(default_factory=list)
    states: list[tuple[int, Mapping[str, Array]]] = field(default_factory=list)
    played: list[tuple[int, Mapping[str, Array]]] = field(default_factory=list)
    chunks: list[tuple[int, Mapping[str, Array]]] = field(default_factory=list)
    latencies: list[tuple[int, float]] = field(default_factory=list)


class EpisodeStream:
    """Writes one episode.

    Args:
        path: Of the file; there once the stream is closed.
        name: Of the recording, in the viewer.
        about: What is told of it, Markdown.
        shapes: Modality to key to the shape of one env's frame, state and action.
        execution: Control steps that are played of each chunk, at most.
        connect: Address of a viewer that shows it as it is sent; None for none.
    """

    def __init__(
        self,
        path: Path,
        name: str,
        about: str,
        shapes: Mapping[str, Mapping[str, tuple[int, ...]]],
        *,
        execution: int,
        connect: str | None,
    ) -> None:
        self._execution = execution
        self._stream = rr.RecordingStream("gr00t-isaaclab", recording_id=f"{path.parent.parent.name}-{name}")
        sinks: list[Any] = [rr.FileSink(str(path))]
        if connect is not None:
            sinks.append(rr.GrpcSink(connect))
        self._stream.set_sinks(*sinks, default_blueprint=_blueprint(shapes))
        self._stream.send_recording_name(name)
        self._stream.log("about", rr.TextDocument(about, media_type="text/markdown"), static=True)
        self._named: set[str] = set()

    def send(self, track: Track) -> None:
        """Send what a track holds, a column at a time."""
        for key in track.frames[0][1] if track.frames else ():
            blobs = [as_jpeg(frames[key]) for _, frames in track.frames]
            columns = rr.EncodedImage.columns(blob=blobs, media_type=["image/jpeg"] * len(blobs))
            self._send(f"camera/{key}", [step for step, _ in track.frames], columns)
        for kind, entries, colour in (("state", track.states, STATE), ("action", track.played, PLAYED)):
            name = "played" if kind == "action" else "state"
            for key in entries[0][1] if entries else ():
                steps = [step for step, _ in entries]
                for joint, values in enumerate(np.stack([of_keys[key] for _, of_keys in entries]).T):
                    self._line(f"{kind}/{key}/{joint}/{name}", name, colour, steps, values)
        for at, chunk in track.chunks:
            for key, entries_of_key in chunk.items():
                self._chunk(key, at, entries_of_key)
        if track.latencies:
            values = 1e3 * np.asarray([seconds for _, seconds in track.latencies])
            self._line("latency_ms", "latency, ms", PLAYED, [step for step, _ in track.latencies], values)

    def close(self, told: str, *, success: bool | None, step: int) -> None:
        """End the episode.

        Args:
            told: How it ended.
            success: Whether with success; None where nobody judged it.
            step: Control steps that it had.
        """
        self._stream.set_time(TIMELINE, sequence=step)
        self._stream.log("outcome", rr.TextLog(told, level="INFO" if success else "WARN"))
        self._stream.disconnect()  # waits until all is written

    def _chunk(self, key: str, at: int, entries: Array) -> None:
        """Send a chunk. Those that overlap have a line each, in turn, and a gap ends a line before its next chunk."""
        length, width = entries.shape
        lanes = -(-(length + 1) // self._execution)
        lane = at // self._execution % lanes
        steps = [at + offset for offset in range(length + 1)]
        for joint in range(width):
            values = np.append(entries[:, joint], np.nan)
            colour = CHUNKS[lane % len(CHUNKS)]
            self._line(f"action/{key}/{joint}/chunk_{lane}", "predicted", colour, steps, values)

    def _line(self, path: str, name: str, colour: tuple[int, int, int], steps: Sequence[int], values: Array) -> None:
        if path not in self._named:
            self._named.add(path)
            width = 2.0 if name == "played" else 1.0
            self._stream.log(path, rr.SeriesLines(colors=colour, names=name, widths=width), static=True)
        self._send(path, steps, rr.Scalars.columns(scalars=np.asarray(values, np.float64)))

    def _send(self, path: str, steps: Sequence[int], columns: Any) -> None:
        self._stream.send_columns(path, [rr.TimeColumn(TIMELINE, sequence=list(steps))], columns)


def _blueprint(shapes: Mapping[str, Mapping[str, tuple[int, ...]]]) -> rrb.Blueprint:
    """Return what the viewer opens with: cameras and text above, a plot an action number below."""
    cameras = [rrb.Spatial2DView(origin=f"camera/{key}", name=key) for key in shapes.get("video", {})]
    tabs = []
    for key, (width,) in shapes["action"].items():
        beside = [f"+ /state/{key}/{{}}/**"] if shapes.get("state", {}).get(key) == (width,) else []
        plots = [
            rrb.TimeSeriesView(
                name=f"{key} {joint}",
                origin="/",
                contents=[f"+ /action/{key}/{joint}/**", *(path.format(joint) for path in beside)],
                plot_legend=rrb.PlotLegend(visible=joint == 0),
            )
            for joint in range(width)
        ]
        tabs.append(rrb.Grid(*plots, grid_columns=min(width, PLOTS_ABREAST), name=key))
    texts = rrb.Vertical(
        rrb.TextDocumentView(origin="about", name="episode"), rrb.TextLogView(origin="outcome", name="outcome")
    )
    latency = rrb.TimeSeriesView(origin="latency_ms", name="latency, ms")
    rest = [key for key in shapes.get("state", {}) if key not in shapes["action"]]
    states = [rrb.TimeSeriesView(origin=f"state/{key}", name=f"state {key}") for key in rest]
    return rrb.Blueprint(
        rrb.Vertical(rrb.Horizontal(*cameras, texts), rrb.Tabs(*tabs, *states, latency), row_shares=[2, 3]),
        rrb.TimePanel(timeline=TIMELINE, state="collapsed"),
        collapse_panels=True,
    )
