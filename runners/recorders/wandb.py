"""WandbRecorder: configuration, manifest, a row an episode, success rates, latency and videos in Weights & Biases."""

import json
import logging
import os
import statistics
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec
import scipy.stats  # noqa: F401  # for the intervals: it takes a second, and episodes end in the middle of a beat
import wandb

from groot_wrappers.errors import ContractError, did_you_mean
from groot_wrappers.modality import ModalityConfigs
from runners.episodes.row import EpisodeRow
from runners.recorders.recorder import Recorder, RunInfo
from runners.statistics.summary import Summary

__all__ = ["WandbRecorder"]

logger = logging.getLogger(__name__)

INIT_TIMEOUT_S = 15.0
"""Longest wait for W&B before the run is logged offline: the env stands ready and nobody sees why it waits."""

Mode = Literal["offline", "online"]

FOLDERS = "WANDB_DATA_DIR", "WANDB_CACHE_DIR"
"""Variables that say where W&B keeps what is to be sent; without them that is below HOME, which may be read-only on a
cluster."""

ARTIFACTS = {"report": "report.html", "dataset": "dataset", "rerun": "rerun"}
"""What may be kept there, and what it is in the run folder."""

MOST_VIDEOS, MOST_VIDEO_BYTES = 100, 200_000_000
"""Of the table of episodes: videos of those without success first, as long as they fit."""

INIT_KEYS = ("name", "tags", "group", "notes", "job_type")

TAG_LENGTH = 64
"""Longest tag that W&B takes."""

FINISH_TIMEOUT_S = 120.0
"""Longest wait for uploads when a run ends: without a limit, W&B waits for as long as it cannot be reached."""


class WandbRecorder(Recorder):
    """Logs to Weights & Biases, offline unless told otherwise.

    The success rate over time is that of the beginning of the plan, with its 95% interval: ``success_rate``,
    ``ci_low`` and ``ci_high`` over ``counted``, its number of episodes. The rate of what has ended so far would favour
    short episodes.

    Args:
        mode: ``offline`` writes ``wandb/offline-run-*`` in the run folder, for ``wandb sync``; ``online`` uploads as
            the run goes, and falls back to offline where W&B cannot be reached.
        project: W&B project.
        entity: W&B user or team; None for the account's default.
        init: What the run is called there, as ``wandb.init`` takes it: ``name``, ``tags`` (beside the task's),
            ``group`` (a sweep's by default), ``notes``, ``job_type``.
        artifacts: What is kept there too once the run has ended, each as an artifact: ``report``, ``dataset`` (of
            ``recorder=[lerobot]``), ``rerun``. Of what the run has not written there is none.

    Raises:
        ContractError: ``mode`` is neither, or ``init`` or ``artifacts`` hold something else.
    """

    def __init__(
        self,
        mode: Mode,
        project: str,
        entity: str | None = None,
        init: Mapping[str, Any] | None = None,
        artifacts: Sequence[str] = (),
    ) -> None:
        if mode not in get_args(Mode):
            raise ContractError(
                f"recorder.wandb.mode={mode} was asked for. Set it to one of {', '.join(get_args(Mode))}."
            )
        self._mode, self._project, self._entity, self._named = mode, project, entity, dict(init or {})
        for key in self._named:
            if key not in INIT_KEYS:
                raise ContractError(
                    f"recorder.wandb.init.{key} was asked for. It takes {', '.join(INIT_KEYS)}; mode, project and "
                    f"entity are beside it.{did_you_mean(key, INIT_KEYS)}"
                )
        self._artifacts = list(artifacts)
        for name in self._artifacts:
            if name not in ARTIFACTS:
                raise ContractError(
                    f"recorder.wandb.artifacts=[{name}] was asked for. There are {', '.join(ARTIFACTS)}."
                    f"{did_you_mean(name, ARTIFACTS)}"
                )
        self._latencies_ms: list[float] = []
        self._requests = 0
        self._rows: Sequence[EpisodeRow] = ()
        self._logged = 0
        self._run: Any = None
        self._folders = ExitStack()

    def check(self, modality: ModalityConfigs) -> None:
        """Let W&B itself say whether the project can have that name.

        Raises:
            ContractError: It cannot.
        """
        try:
            wandb.Settings(project=self._project, entity=self._entity)
        except (wandb.errors.UsageError, ValueError) as error:
            reason = str(error).partition("\n")[0]
            raise ContractError(
                f"recorder.wandb.project={self._project} was asked for, but W&B does not take it: {reason}. Set "
                "recorder.wandb.project to letters, digits, '-', '_' and '.' alone."
            ) from error

    def on_run_start(self, run: RunInfo) -> None:
        """Open the W&B run, with the run's configuration."""
        self._run_info = run
        self._folders.enter_context(_folders_within(run.folder / "wandb"))
        try:
            self._run = self._init(self._mode)
        except (wandb.errors.CommError, wandb.errors.UsageError, wandb.errors.AuthenticationError) as error:
            logger.warning(
                "W&B could not be reached (%s); this run is logged offline. Upload it later: wandb sync %s",
                str(error).partition("\n")[0],  # W&B's advice that follows concerns settings that are not at hand here
                run.folder / "wandb" / "offline-run-*",
            )
            self._run = self._init("offline")
        for name in ("success_rate", "ci_low", "ci_high", "progress", "progress_ci_low", "progress_ci_high"):
            self._run.define_metric(name, step_metric="counted")
        self._run.define_metric("latency_ms", step_metric="requests")
        # Else the summary of the run would hold what its last episode happened to be.
        self._run.define_metric("episode/*", summary="none")

    def on_chunk(self, rows: Sequence[int], chunk: Mapping[str, Any], latency_s: float) -> None:
        """Keep how long the server took."""
        self._latencies_ms.append(1e3 * latency_s)
        self._requests += 1

    def on_row_written(self, row: EpisodeRow, rows: Sequence[EpisodeRow]) -> None:
        """Log one episode, and the success rate of the plan as far as it has come."""
        told = row.to_json().items()
        values = {f"episode/{key}": value for key, value in told if value is not None and not isinstance(value, dict)}
        if row.video is not None:
            values["episode/video"] = wandb.Video(str(self._run_info.folder / row.video), format="mp4")
        self._run.log(values)
        if self._latencies_ms:  # of the requests since the last row: one by one they would be most of the log
            self._run.log({"requests": self._requests, "latency_ms": statistics.median(self._latencies_ms)})
            self._latencies_ms.clear()
        self._rows = rows
        self._log_rates(rows)

    def _log_rates(self, rows: Sequence[EpisodeRow]) -> None:
        """Log success rate and mean progress after each episode by which the beginning of the plan has grown."""
        stop, after = self._run_info.stop, self._logged
        for count, rate, low, high in stop.rates(rows, after):
            self._run.log({"counted": count, "success_rate": rate, "ci_low": low, "ci_high": high})
            self._logged = count
        for count, mean, low, high in stop.progress(rows, after):
            self._run.log({"counted": count, "progress": mean, "progress_ci_low": low, "progress_ci_high": high})
            self._logged = count

    def on_run_end(self, summary: Summary | None) -> None:
        """Log the tables of episodes, instructions and servers, and the summary; close the run if no artifact waits."""
        waits = False
        try:
            if self._run is not None and summary is not None:
                figures = msgspec.to_builtins(summary)
                self._log_tables(figures)
                self._run.summary.update({key: value for key, value in figures.items() if key != "instructions"})
                waits = bool(self._artifacts)
        finally:  # a run that is left open keeps the process from ending
            if not waits:
                self._finish()

    def on_folder_whole(self) -> None:
        """Keep the artifacts, and close the run."""
        try:
            if self._run is not None:
                for name in self._artifacts:
                    self._keep(name, self._run_info.folder / ARTIFACTS[name])
        finally:
            self._finish()

    def _keep(self, name: str, path: Path) -> None:
        """Keep a file or folder as an artifact of the W&B run, if there is any."""
        if not path.exists():
            logger.warning("recorder.wandb.artifacts=[%s] was asked for, and the run has written no %s", name, path)
            return
        artifact = wandb.Artifact(f"{name}-{self._run.id}", type=name)
        if path.is_dir():
            artifact.add_dir(str(path))
        else:
            artifact.add_file(str(path))
        self._run.log_artifact(artifact)

    def _finish(self) -> None:
        """Close the run, once."""
        run, self._run = self._run, None
        with self._folders:
            if run is not None:
                run.finish()

    def _log_tables(self, figures: Mapping[str, Any]) -> None:
        """Log what has rows, under names that no figure of the summary has."""
        server = figures["server"] or {}
        tables = {
            "tables/episodes": self._episodes(),
            "tables/instructions": figures["instructions"],
            "tables/servers": server.get("endpoints"),
        }
        for name, rows in tables.items():
            if rows:
                table = wandb.Table(columns=list(rows[0]), data=[_cells(row) for row in rows])
                self._run.log({name: table})

    def _episodes(self) -> list[dict[str, Any]]:
        """Return the table of episodes: all that a row holds, whatever that comes to be, with videos that play."""
        left = MOST_VIDEO_BYTES
        videos: dict[tuple[int, int], Any] = {}
        for row in sorted(self._rows, key=lambda row: row.success is True):
            path = self._run_info.folder / (row.video or "")
            if len(videos) < MOST_VIDEOS and path.is_file() and (size := path.stat().st_size) <= left:
                left -= size
                videos[row.index, row.attempt] = wandb.Video(str(path), format="mp4")
        return [row.to_json() | {"video": videos.get((row.index, row.attempt))} for row in self._rows]

    def _init(self, mode: Mode) -> Any:
        manifest = self._run_info.manifest
        provenance = {} if manifest is None else msgspec.to_builtins(manifest)
        provenance.pop("config", None)
        # Whoever counts rollouts there counts no episode twice.
        job_type = "rollout" if self._run_info.config.get("again") is None else "again"
        named = {"group": None if manifest is None else manifest.sweep, "job_type": job_type} | self._named
        tags = [self._run_info.task, *named.pop("tags", ())]
        return wandb.init(
            mode=mode,
            project=self._project,
            entity=self._entity,
            dir=self._run_info.folder,
            # The id of the manifest: a run that is gone on with is the same run there.
            id=None if manifest is None else manifest.wandb_id,
            resume="allow" if mode == "online" else None,
            config=dict(self._run_info.config) | {"manifest": provenance},
            tags=[tag[:TAG_LENGTH] for tag in tags],
            **named,
            settings=wandb.Settings(
                console="off",
                silent=True,
                save_code=False,
                init_timeout=INIT_TIMEOUT_S,
                finish_timeout=FINISH_TIMEOUT_S,
            ),
        )


def _cells(row: Mapping[str, Any]) -> list[Any]:
    """Return a table's line; what has parts is JSON there, as W&B wants the same parts in each line."""
    return [json.dumps(value) if isinstance(value, dict | list) else value for value in row.values()]


@contextmanager
def _folders_within(folder: Path) -> Iterator[None]:
    """Within the block, let W&B keep in a folder what it would keep below HOME, unless the environment says where."""
    missing = [name for name in FOLDERS if name not in os.environ]
    os.environ.update(dict.fromkeys(missing, str(folder)))
    try:
        yield
    finally:
        for name in missing:
            os.environ.pop(name, None)
