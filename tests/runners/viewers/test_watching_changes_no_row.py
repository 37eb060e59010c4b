"""The same episodes watched by everything that a configuration can name and by nothing: the rows are the same.

On the toy env, with the real server, client and recorders; on the simulator, and for ``viewer=viser``, which shows
nothing else, `make verify-watching` proves it.
"""

import urllib.request
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf

from runners.episodes.plan import make_plan
from runners.episodes.row import EpisodeRow
from runners.recorders import Recorders
from runners.recorders.recorder import RunInfo
from runners.statistics.stop_rule import StopRule
from runners.viewers.page import PageViewer
from tests.support.toys.env import ToyEnv
from tests.support.toys.policy import ToyPolicy

CONF = Path(__file__).parents[3] / "conf"
RECORDERS = [path.stem for path in (CONF / "recorder").glob("*.yaml")]
SHAPES = {"video": {"camera": (8, 8, 3)}, "state": {"joints": (2,)}, "action": {"joints": (2,)}}
EPISODES, ENVS, EXECUTION = 8, 4, 2
JPEG = b"\xff\xd8"
LEFT = {
    "lerobot": "dataset/meta/info.json",
    "rerun": "rerun/*.rrd",
    "tensorboard": "tensorboard/events.*",
    "video": "videos/*.mp4",
    "wandb": "wandb/offline-run-*",
}
"""What each recorder leaves in the run folder."""
KILLED_AT = 9
"""Control step at which some episodes have ended and others run."""


class KilledEnv(ToyEnv):
    """A toy env in whose middle the process ends."""

    def step(self, action):
        if len(self.played) == KILLED_AT:
            raise KeyboardInterrupt
        return super().step(action)


class LookedAt(PageViewer):
    """The page, whose picture somebody loads on every control step."""

    def __init__(self):
        super().__init__(port=0)
        self.seen = 0

    def on_control_step(self, step):
        super().on_control_step(step)
        address = f"http://127.0.0.1:{self._server.server_port}/view.jpg"
        with urllib.request.urlopen(address, timeout=5) as reply:
            self.seen += reply.read().startswith(JPEG)


@contextmanager
def watching(folder, names):
    """Yield the page and some recorders, with the defaults of their YAML; by the end each must have worked."""
    folder.mkdir(exist_ok=True)
    page = LookedAt()
    recorders = [instantiate(OmegaConf.load(CONF / f"recorder/{name}.yaml")[name]) for name in names]
    group = Recorders([page, *recorders])
    group.check(ToyPolicy().get_modality_config())
    stop = StopRule(make_plan(EPISODES, 0, ["reach"]), None)
    group.on_run_start(RunInfo(folder, {}, 20.0, "Toy-v0", execution=EXECUTION, shapes=SHAPES, stop=stop))
    try:
        yield group
    finally:
        group.on_run_end(None)
    assert group.failures == []
    assert page.seen > 0
    assert {name for name, left in LEFT.items() if any(folder.glob(left))} >= set(names)


def outcomes(rows):
    """Return what must not differ of each episode, by index."""
    return {row.index: msgspec.structs.replace(row, env=0, video=None) for row in rows}


@pytest.mark.process
def test_rows_are_the_same_watched_or_not_and_ended_in_the_middle_and_gone_on_with(play, tmp_path, clean_environment):
    settings = {"num_envs": ENVS, "episodes": EPISODES, "execution": EXECUTION}
    expected = outcomes(play(**settings).rows)
    assert len(expected) == EPISODES
    assert {row.success for row in expected.values()} == {True, False}, "some succeed, some fail"

    with watching(tmp_path / "whole", RECORDERS) as recorders:
        assert outcomes(play(**settings, recorders=[recorders]).rows) == expected

    before = set(tmp_path.glob("episodes_*.jsonl"))
    with watching(tmp_path / "parts", ["video", "tensorboard"]) as recorders, pytest.raises(KeyboardInterrupt):
        play(**settings, env_class=KilledEnv, recorders=[recorders])
    (log,) = set(tmp_path.glob("episodes_*.jsonl")) - before
    kept = [msgspec.json.decode(line, type=EpisodeRow) for line in log.read_bytes().splitlines()]
    assert 0 < len(kept) < EPISODES
    with watching(tmp_path / "parts", ["lerobot", "rerun"]) as recorders:
        assert outcomes(play(**settings, rows=kept, recorders=[recorders]).rows) == expected
