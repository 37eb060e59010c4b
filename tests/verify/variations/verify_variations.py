"""Variations on real simulators: rows for any number of envs, what a reset costs, an env of IsaacLab's by YAML alone.

``make verify-variations``, about ten minutes.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.runners.variations.kinds import KINDS
from tests.tasks.registered.cartpole_asset import write_asset_root

pytestmark = [pytest.mark.simulator, pytest.mark.process]

ROOT = Path(__file__).parents[3]
WIRE = ["blur", "brightness", "dropped_camera", "occlusion", "sensor_noise", "state_noise"]
EPISODES = 16


def play(folder, *overrides, env=None):
    """Return exit code, rows by index, and what was told, of a run of its own."""
    command = [sys.executable, "-m", "runners.apps.play", *overrides]
    command += ["variation.control=false", "recorder=[]", f"hydra.run.dir={folder}"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | (env or {})
    run = subprocess.run(
        command, cwd=folder.parent, env=environment, capture_output=True, text=True, timeout=3000, check=False
    )
    path = folder / "episodes.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return run.returncode, sorted(rows, key=lambda row: row["index"]), run.stdout + run.stderr


@pytest.fixture(scope="module")
def lifts(tmp_path_factory):
    """The rows of the same varied episodes of the lift, by the number of envs."""
    folder, found = tmp_path_factory.mktemp("lifts"), {}
    kinds = ",".join([*KINDS, *WIRE])
    for num_envs, episodes in (
        (1, 6),
        (4, EPISODES),
        (16, EPISODES),
    ):  # a shorter plan is the beginning of a longer one
        code, rows, told = play(
            folder / str(num_envs),
            *("server=expert", "horizons=chunked", "horizons.episode=100", f"episodes={episodes}"),
            *(f"num_envs={num_envs}", f"variation=[{kinds}]", "variation.strength=0.03"),
        )
        assert code == 0, told
        found[num_envs] = rows
    return found


@pytest.mark.parametrize("num_envs", [4, 16])
def test_rows_are_the_same_for_any_number_of_envs(lifts, num_envs):
    fewer, among = ([row | {"env": 0} for row in lifts[count]] for count in (num_envs // 4, num_envs))
    assert fewer == among[: len(fewer)]
    assert {*among[0]["variation"]} == {*KINDS, *WIRE}
    succeeded = sum(row["success"] for row in among)
    kinds = len(KINDS + WIRE)
    print(
        f"{num_envs} envs beside {num_envs // 4}: {len(fewer)} rows are the same, of {kinds} kinds; {succeeded} succeed"
    )
    assert 0 < succeeded < EPISODES, "or rows tell little"


def test_lens_is_varied_in_a_run_of_one_env(tmp_path):
    asked = ("server=expert", "horizons=chunked", "horizons.episode=16", "variation=camera_focal")
    code, rows, told = play(tmp_path / "one", *asked, "episodes=2")
    assert code == 0, told
    assert len({row["variation"]["camera_focal"]["zoom"] for row in rows}) == 2
    code, rows, told = play(tmp_path / "two", *asked, "num_envs=2")
    assert (code, rows) == (1, [])
    assert "camera_focal was asked for with num_envs=2" in told


@pytest.fixture(scope="module")
def cartpole(tmp_path_factory):
    """Play the cartpole that IsaacLab registers, of either workflow, by YAML alone."""
    assets, folder = write_asset_root(tmp_path_factory.mktemp("assets")), tmp_path_factory.mktemp("cartpole")

    def run(name, task, *overrides):
        conf = ROOT / "tests/tasks/registered/conf"
        asked = ("--config-dir", str(conf), "server=expert", f"task={task}", "num_envs=2", "episodes=4", *overrides)
        return play(folder / name, *asked, "horizons.episode=30", env={"ISAACSIM_ASSET_ROOT": str(assets)})

    return run


@pytest.mark.parametrize("task", ["cartpole_direct", "cartpole_manager"])
def test_registered_env_is_varied_by_yaml_alone(cartpole, task):
    kinds = ["blur", "sensor_noise", "state_noise"]
    code, rows, told = cartpole(f"{task}_wire", task, f"variation=[{','.join(kinds)}]")
    assert code == 0, told
    assert [[*row["variation"]] for row in rows] == [kinds] * 4
    code, rows, told = cartpole(f"{task}_scene", task, "variation=[camera_pose,robot_start]", "variation.strength=0.2")
    assert code == 0, told
    assert all(row["ended"] in ("time_out", "failure") for row in rows)
    assert len({row["variation"]["camera_pose"]["yaw"] for row in rows}) == 4


def test_registered_env_without_such_a_part_is_refused_by_name_before_the_first_step(cartpole):
    code, rows, told = cartpole("object", "cartpole_direct", "variation=object_colour")
    assert (code, rows) == (1, [])
    assert "variation=object_colour was asked for, but this env's config names no object" in told
    assert "Variations of the wire (brightness, blur, sensor_noise, ...) still work" in told


def test_variations_of_the_scene_add_little_to_a_reset(tmp_path):
    command = [sys.executable, "-m", "tests.verify.variations.reset_cost", str(tmp_path / "costs.json")]
    subprocess.run(command, check=True, timeout=600, cwd=ROOT)
    costs = json.loads((tmp_path / "costs.json").read_text())
    for kind, (of_all, share, of_reset) in costs.items():
        told = f"{share:.1%} of beginning 16 episodes with their first pictures, {of_reset:.1%} of the reset alone"
        print(f"{kind}: {1000 * of_all:.2f} ms, {told}")
    assert costs["nothing drawn"][1] < 0.01
    assert max(share for _, share, _ in costs.values()) < 0.05
