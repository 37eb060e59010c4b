"""WandbRecorder: configuration, manifest, a row an episode, success rates, latency and videos in Weights & Biases."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import wandb

from runners.recorders.recorder import Recorder, RunInfo
from runners.results import EpisodeRow

__all__ = ["WandbRecorder"]

logger = logging.getLogger(__name__)

INIT_TIMEOUT_S = 15.0
"""Longest wait for W&B before the run is logged offline: the env stands ready and nobody sees why it waits."""

FINISH_TIMEOUT_S = 120.0
"""Longest wait for uploads when a run ends: without a limit, W&B waits for as long as it cannot be reached."""


class WandbRecorder(Recorder):
    """Logs to Weights & Biases, offline unless told otherwise.

    Args:
        mode: ``offline`` writes ``wandb/offline-run-*`` in the run folder, for ``wandb sync``; ``online`` uploads as
            the run goes, and falls back to offline where W&B cannot be reached.
        project: W&B project.
        entity: W&B user or team; None for the account's default.
    """

    def __init__(self, mode: Literal["offline", "online"], project: str, entity: str | None = None) -> None:
        self._mode, self._project, self._entity = mode, project, entity
        self._rows: list[list[Any]] = []

    def on_run_start(self, run: RunInfo) -> None:
        """Open the W&B run, with the run's configuration."""
        self._run_info = run
        try:
            self._run = self._init(self._mode)
        except (wandb.errors.CommError, wandb.errors.UsageError, wandb.errors.AuthenticationError) as error:
            logger.warning(
                "W&B could not be reached (%s); this run is logged offline. Upload it later: wandb sync %s",
                str(error).partition("\n")[0],  # W&B's advice that follows concerns settings that are not at hand here
                run.folder / "wandb" / "offline-run-*",
            )
            self._run = self._init("offline")

    def on_row_written(self, row: EpisodeRow, rows: Sequence[EpisodeRow]) -> None:
        """Log one episode, and the success rate so far."""
        judged = [bool(r.success) for r in rows if r.success is not None]
        values = {f"episode/{key}": value for key, value in row.to_json().items() if value is not None}
        if row.video is not None:
            values["episode/video"] = wandb.Video(str(self._run_info.folder / row.video), format="mp4")
        if judged:
            values["success_rate"] = sum(judged) / len(judged)
        self._run.log(values)
        self._rows.append(list(row.to_json().values()))
        self._columns = list(row.to_json())

    def on_run_end(self, summary: Mapping[str, Any]) -> None:
        """Log the tables of episodes, instructions and servers, and the summary, and close the run."""
        try:
            if self._rows:
                self._run.log({"episodes": wandb.Table(columns=list(self._columns), data=self._rows)})
            tables = {
                "instructions": summary.get("instructions"),
                "servers": summary.get("server", {}).get("endpoints"),
            }
            for name, told in tables.items():
                if told:
                    table = wandb.Table(columns=list(told[0]), data=[list(row.values()) for row in told])
                    self._run.log({name: table})
            self._run.summary.update({key: value for key, value in summary.items() if key != "instructions"})
        finally:  # a run that is left open keeps the process from ending
            self._run.finish()

    def _init(self, mode: Literal["offline", "online"]) -> Any:
        manifest = {key: value for key, value in self._run_info.manifest.items() if key != "config"}
        return wandb.init(
            mode=mode,
            project=self._project,
            entity=self._entity,
            dir=self._run_info.folder,
            # The id of the manifest: a run that is gone on with is the same run there.
            id=self._run_info.manifest.get("wandb_id"),
            resume="allow" if mode == "online" else None,
            config=dict(self._run_info.config) | {"manifest": manifest},
            group=self._run_info.manifest.get("sweep"),
            job_type="rollout",
            tags=[self._run_info.task],
            settings=wandb.Settings(
                console="off",
                silent=True,
                save_code=False,
                init_timeout=INIT_TIMEOUT_S,
                finish_timeout=FINISH_TIMEOUT_S,
            ),
        )
