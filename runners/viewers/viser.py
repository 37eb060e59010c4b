"""``viewer=viser``: the scene in three dimensions in a browser, by IsaacLab's viewer of that name."""

import logging
import math
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from groot_wrappers.control_step import ControlStep
from groot_wrappers.errors import ContractError
from groot_wrappers.installation.extras import MissingExtraError
from runners.episodes.plan import PlannedEpisode
from runners.episodes.row import EpisodeRow, last_rows
from runners.recorders.recorder import Recorder, RunInfo
from runners.statistics.outcomes import outcomes_of
from runners.statistics.summary import Summary
from runners.viewers.address import HOST, require_port, tell_address

try:
    import viser  # noqa: F401  # what IsaacLab's viewer shows with
except ModuleNotFoundError as error:
    raise MissingExtraError(
        "viewer=viser needs viser, not installed here. Install it, in the clone: pip install '.[viser]'"
    ) from error

__all__ = ["ViserViewer"]

logger = logging.getLogger(__name__)

MOST_ENVS = 16
"""Envs that are shown, from the first: a browser draws no more fluently."""

APART_M = 2.0
"""Between envs that stand in one place, as they may in simulation: more than an arm's reach to both sides."""

FRAME_S = 1 / 30
"""Shortest time between two pictures, of the wall's: a simulation runs faster than anybody looks."""

LABEL_ABOVE_M = 0.8
"""Of the text over the robot, above what the view looks at: higher than an arm at work, and than a humanoid's head."""

FARTHER = 1 / math.sin(math.radians(75) / 2)
"""Metres of the camera for each from the middle of the envs to one: viser's sees 75 degrees from top to bottom."""

DEFAULT_VIEW = (2.0, -1.5, 1.2), (0.4, 0.0, 0.3)
"""Where from and at what, m, in an env whose config does not say."""


class ViserViewer(Recorder):
    """Shows what is simulated, while somebody looks, and changes nothing of it.

    It reads IsaacLab's scene beside the simulation instead of being one of its visualizers, whose panel can reset
    episodes and hold the simulation up: here there is nothing to press.

    Args:
        port: Where; another free one is taken where it is not free.
    """

    def __init__(self, port: int = 8090) -> None:
        self._port = require_port(port)
        self._viewer: Any = None
        self._labels: list[Any] = []
        self._steps = 0
        self._shown = -math.inf

    def on_run_start(self, run: RunInfo) -> None:
        """Build the scene, listen, and say where.

        Raises:
            ContractError: The env is not simulated by Newton.
        """
        self._run = run
        sim, self._physics = _simulation()
        # Brought by the simulator, which has started by now.
        from isaaclab_visualizers.viser.viser_visualizer import NewtonViewerViser  # noqa: PLC0415

        self._viewer = NewtonViewerViser(port=self._port, bind_address=HOST, label="groot-play", verbose=False)
        self._server = self._viewer._server  # the only way to learn who looks: IsaacLab reads it so too
        self._server.gui.configure_theme(show_share_button=False)
        # Any page in the same browser may ask for it, button or not, and it would show the run to everybody.
        self._server.request_share_url = _not_shared
        model = self._physics.get_model()
        shown = min(MOST_ENVS, model.world_count)
        scene = sim.get_scene_data_provider().get_interactive_scene()
        apart = 0.0 if scene.cfg.env_spacing else APART_M
        self._viewer.set_model(model)
        self._viewer.set_visible_worlds(range(shown))
        self._viewer.set_world_offsets((apart, apart, 0.0))
        places = scene.env_origins[:shown].cpu().numpy() + self._viewer.world_offsets.numpy()[:shown]
        view = sim.cfg.default_visualizer_cfg
        eye, at = DEFAULT_VIEW if view is None else (view.eye, view.lookat)
        self._look(eye, at, places)
        above = np.add(places, (0, 0, at[2] + LABEL_ABOVE_M))
        self._labels = [self._add_label(env_id, position) for env_id, position in enumerate(above)]
        gui = self._server.gui  # fields of text: nothing in them is markup, whoever wrote it
        gui.add_text("task", run.task, disabled=True)
        self._progress = gui.add_text("episodes", f"0 of {len(run.stop.plan)}", disabled=True)
        self._rate = gui.add_text("success", "", disabled=True)
        tell_address(self._server.get_port())

    def on_episodes_start(self, episodes: Mapping[int, PlannedEpisode], observation: Mapping[str, Any]) -> None:
        """Tell which episode each env plays."""
        for env_id, planned in episodes.items():
            if env_id < len(self._labels):
                self._labels[env_id].text = f"episode {planned.index}"

    def on_control_step(self, step: ControlStep) -> None:
        """Show the scene as it is, while somebody looks."""
        self._steps += 1
        now = time.monotonic()
        if now - self._shown < FRAME_S or not self._server.get_clients():
            return
        self._shown = now
        self._viewer.begin_frame(self._steps / self._run.fps)
        self._viewer.log_state(self._physics.get_state_0())
        self._viewer.end_frame()

    def on_row_written(self, row: EpisodeRow, rows: Sequence[EpisodeRow]) -> None:
        """Tell how the run stands."""
        final = last_rows(rows)
        stop = self._run.stop
        told = outcomes_of([each for each in final if stop.counts(each)], stop.method)
        self._progress.value = f"{len(final)} of {len(self._run.stop.plan)}"
        if told.success_rate is not None:
            self._rate.value = f"{told.success_rate:.0%} ({told.ci_low:.0%} to {told.ci_high:.0%})"
        if row.env < len(self._labels):
            self._labels[row.env].text = f"episode {row.index}: {row.ended}"

    def on_run_end(self, summary: Summary | None) -> None:
        """Listen no more."""
        if self._viewer is not None:
            self._viewer.close()

    def _look(self, eye: Sequence[float], at: Sequence[float], places: np.ndarray[Any, Any]) -> None:
        """Look at all envs as the config says for one, from so much farther that each is in the picture."""
        back = np.subtract(eye, at)
        distance = float(np.linalg.norm(back))
        middle = places.mean(axis=0)
        reach = float(np.linalg.norm(places - middle, axis=1).max())
        position = at + middle + back * (1 + FARTHER * reach / distance)
        x, y, z = -back / distance
        self._viewer.set_camera(tuple(position), math.degrees(math.asin(z)), math.degrees(math.atan2(y, x)))

    def _add_label(self, env_id: int, position: np.ndarray[Any, Any]) -> Any:
        """Return the text above an env."""
        at = tuple(position.tolist())
        return self._server.scene.add_label(f"/episodes/{env_id}", "", position=at, anchor="bottom-center")


def _simulation() -> tuple[Any, Any]:
    """Return IsaacLab's simulation and its physics, which must be Newton's.

    Raises:
        ContractError: There is none.
    """
    found = "no simulation of IsaacLab"
    if "isaaclab.sim" in sys.modules:
        from isaaclab.sim import SimulationContext  # noqa: PLC0415  # not in every environment

        if (sim := SimulationContext.instance()) is not None:
            if hasattr(sim.physics_manager, "get_model"):
                return sim, sim.physics_manager
            found = sim.physics_manager.__name__
    raise ContractError(
        f"viewer=viser was asked for. It shows what Newton simulates, and this env has {found}. "
        "Set sim=newton, or viewer=page, which shows what the policy sees of any env."
    )


def _not_shared(verbose: bool = True) -> None:
    """Stand in for what would ask a server of viser's makers to show this one to everybody."""
    logger.warning("A browser asked for a public address of this viewer, which stays on this machine")
