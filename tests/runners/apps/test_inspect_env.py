"""groot-inspect on the toy task, as a whole: the table, the verdict in groot-play's own words, and the YAML."""

import subprocess
import sys

import pytest
import yaml

from groot_wrappers import Embodiment, ModalityConfig
from groot_wrappers.embodiment.drafting import draft_embodiment
from groot_wrappers.embodiment.isaaclab_env import IsaacLabEnv
from runners.apps.inspection import _entries, _joined, _yaml
from tests.support.processes import ROOT, finish
from tests.support.toys.env import ToyEnv, toy_embodiment
from tests.support.toys.g1 import GROUPS, SIDES, WRISTS, G1Env
from tests.support.toys.policy import ToyPolicy


@pytest.fixture
def inspect(clean_environment, tmp_path):
    def run(*overrides):
        return subprocess.run(
            [
                sys.executable,
                "-m",
                "runners.apps.inspect_env",
                "--config-dir",
                ROOT / "tests/support/toys/conf",
                "task=toy",
                *overrides,
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run


def pasted(out):
    """Return the embodiment that a person would paste."""
    return Embodiment.from_config(yaml.safe_load(out.partition("--config-dir my_conf embodiment=my_robot):\n")[2]))


@pytest.mark.isaaclab
def test_what_fits_is_told_and_can_be_pasted(inspect, tmp_path):
    run = inspect("server=expert")
    assert run.returncode == 0, run.stderr
    assert "It fits." in run.stdout
    assert "camera       camera                   8 x 8 rgb" in run.stdout
    assert "joints       robot                    joint_a, joint_b" in run.stdout
    assert "video        camera                   [0]                    {sensor: camera}" in run.stdout
    assert list(pasted(run.stdout).action) == ["joints"]
    assert not list(tmp_path.iterdir()), "looking leaves nothing behind"


@pytest.mark.isaaclab
def test_what_does_not_fit_is_told_in_the_words_of_groot_play(inspect, groot_play):
    wrong = ["embodiment.video.camera.sensor=camara", "embodiment.action.joints.joints=[joint_a]"]
    run = inspect("server=expert", *wrong)
    assert run.returncode == 1
    told = [line for line in run.stdout.splitlines() if line.startswith("- ")]
    assert len(told) == 2
    assert "Did you mean 'camera'" in told[0]
    assert "no key drives joint_b" in told[1]
    assert pasted(run.stdout).video["camera"].sensor == "camera", "the draft has what was meant"
    code, _, err = finish(groot_play("server=expert", "recorder=[]", *wrong))
    assert code == 1
    assert [line for line in err.splitlines() if line.startswith("- ")] == told


@pytest.mark.parametrize(
    ("wanted", "rows", "pasted_key"),
    [
        (("words", "task"), {"words": "task ok", "task": "task ok"}, "task"),
        (("words", "text"), {"words": "missing", "text": "missing", "task": "task"}, "words"),
    ],
)
def test_of_several_language_keys_one_is_enough(wanted, rows, pasted_key):
    modality = ToyPolicy().get_modality_config() | {"language": ModalityConfig((0,), wanted)}
    lines = [
        line.split() for line in _joined(IsaacLabEnv(ToyEnv()), toy_embodiment(), modality, _entries(toy_embodiment()))
    ]
    told = {line[1]: " ".join(line[3:]) for line in lines if line[0] == "language"}
    assert told == rows
    assert f"language: {pasted_key}" in list(_yaml([], toy_embodiment(), modality))


def test_poses_and_shared_numbers_are_told_by_the_keys_width_and_can_be_pasted():
    pose = {"rotation": "rot6d", "order": "rows"}
    others = [name for key, names in GROUPS.items() if not key.endswith("arm") for name in names]
    embodiment = Embodiment.from_config(
        {
            "state": {key: {"body": body} | pose for key, body in WRISTS.items()},
            "action": {f"{side}_wrist_eef_9d": {"term": f"{side}_arm"} | pose for side in SIDES}
            | {"others": {"joints": others, "shared": True}},
        }
    )
    env, entries = IsaacLabEnv(G1Env(takes_poses=True)), _entries(embodiment)
    lines = [line.split() for line in _joined(env, embodiment, None, entries)]
    told = {(line[0], line[1]): " ".join(line[-2:]) for line in lines if line[-1] == "ok"}
    assert told["state", "left_wrist_eef_9d"] == told["action", "left_wrist_eef_9d"] == "9, ok"
    assert told["action", "others"] == "1, ok"
    drafted = "\n".join(_yaml(draft_embodiment(env, None, entries), embodiment, None))
    assert pasted(drafted).action == embodiment.action
    assert pasted(drafted).state == embodiment.state


@pytest.mark.isaaclab
def test_without_an_embodiment_the_env_is_drafted(inspect):
    run = inspect("embodiment=declared")
    assert run.returncode == 1
    assert "declares no camera_keys" in run.stdout
    assert set(pasted(run.stdout).state) == {"joints"}
