"""A task of LIBERO's kind on Newton, from the scene to its success, without LIBERO's wheels."""

import json
import subprocess
import sys

import numpy as np
import pytest

from tests.support.processes import ROOT

pytestmark = [pytest.mark.simulator, pytest.mark.timeout(280)]


@pytest.fixture(scope="module")
def facts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("libero")
    command = [sys.executable, "-m", "tests.tasks.libero.tiny.simulate", folder / "data", folder / "facts.json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=270, check=False)
    assert (folder / "facts.json").exists(), done.stdout[-2000:] + done.stderr[-4000:]
    return json.loads((folder / "facts.json").read_text())


def test_an_episode_begins_at_the_start_of_its_place_in_the_plan(facts):
    """The bowl stands a millimetre further on in each start; 52 begins anew at 2, and who has no place begins at i."""
    along = np.array(facts["starts"])[:, 0]
    assert along == pytest.approx([-0.1 + 0.001 * start for start in (7, 2, 2, 3)], abs=5e-4)


def test_what_rests_in_mujoco_rests_on_newton(facts):
    moved = np.linalg.norm(np.subtract(facts["later"], facts["starts"]), axis=1)
    assert moved.max() < 2e-3
    assert facts["drawer"] == pytest.approx([-0.1] * 4, abs=1e-3)


def test_the_same_geoms_collide_as_in_mujoco(facts):
    """Neither finger tips with each other, nor with what has their masks; but a drawer with its cabinet."""
    assert facts["pairs"]["newton"] == facts["pairs"]["mujoco"]


def test_success_is_all_that_the_goal_asks_for(facts):
    assert facts["success"] == {"nothing": False, "placed": False, "closed": False, "both": True}


def test_stages_tell_how_far_it_came(facts):
    """An env that succeeds begins anew before it is looked at."""
    first = [f"progress_first_{what}" for what in ("reached", "held", "done")]
    assert facts["stages"] == {"nothing": [], "placed": first, "closed": first, "both": []}


def test_a_burner_glows_while_its_stove_is_on(facts):
    """An episode that begins is looked at too: that of the last case has succeeded, and the next one's stove is off."""
    assert facts["glowing at first"] == [False] * 4
    assert facts["glowing"] == {"nothing": False, "placed": True, "closed": False, "both": False}
