"""v2.1 to v3.0 by LeRobot's converter, of which a stand-in works as it does: in place, on whatever lies there."""

import hashlib
import json
import sys
from pathlib import Path

import pytest

from groot_wrappers.errors import ContractError, Gr00tError
from runners.datasets import paths
from runners.datasets.checks import check_dataset
from runners.datasets.conversion import convert
from tests.support.dataset_damage import edit_json, edit_lines

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[4]
IN_PLACE = """
import os
from pathlib import Path
from tests.support.samples.shared_files import make_shared_files

def convert_dataset(repo_id, root, push_to_hub):
    assert not push_to_hub and os.environ["HF_HUB_OFFLINE"] == "1" and Path(os.environ["TMPDIR"]).is_dir()
    root = Path(root)
    assert len(list(root.glob("data/*/*.parquet"))) == 3, "whatever lies there is taken"
    made = make_shared_files(root, root.with_name("made"))
    root.rename(root.with_name("old"))
    made.rename(root)
    {more}
"""


@pytest.fixture
def lerobot(tmp_path):
    """Return a function that makes a Python with a stand-in for LeRobot, which does something more at its end."""

    def make(more="pass", converter=IN_PLACE):
        scripts = tmp_path / "lerobot_there/lerobot/scripts"
        scripts.mkdir(parents=True)
        (scripts / "convert_dataset_v21_to_v30.py").write_text(converter.replace("{more}", more))
        python = tmp_path / "python"
        python.write_text(f'#!/bin/sh\nPYTHONPATH={scripts.parents[1]}:{ROOT} exec {sys.executable} "$@"\n')
        python.chmod(0o755)
        return python

    return make


def state_of(folder):
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {path: (hashlib.sha256(path.read_bytes()).digest(), path.stat().st_mtime_ns) for path in files}


def test_data_set_is_converted_beside_itself(dataset, lerobot, tmp_path):
    (dataset / paths.MODALITY_CONFIG).write_text("# keys")
    (dataset / paths.data_path(3)).write_bytes(b"what a kill left")
    edit_lines(paths.EPISODES_STATS, lambda rows: rows.append(rows[-1] | {"episode_index": 3}))(dataset)
    before = state_of(dataset)
    made = convert(dataset, "v3.0", tmp_path / "new", lerobot_python=lerobot())
    assert state_of(dataset) == before
    assert made.info.file.codebase_version == "v3.0"
    assert [episode.length for episode in made.episodes()] == [5, 7, 4]
    assert check_dataset(tmp_path / "new") == []
    for file in (paths.MODALITY, paths.MODALITY_CONFIG):
        assert (tmp_path / "new" / file).read_bytes() == (dataset / file).read_bytes()
    assert not (tmp_path / "new" / paths.EPISODES).exists()
    assert not list(tmp_path.glob(".*"))


FAILURES = {
    "raise OSError('no room')": "LeRobot's converter ended with 1",
    "import json; info = json.loads((root / 'meta/info.json').read_text()); info['fps'] = 25; "
    "(root / 'meta/info.json').write_text(json.dumps(info))": "or not at their times",
}


@pytest.mark.parametrize("more", FAILURES)
def test_what_comes_out_wrong_is_not_kept(dataset, lerobot, tmp_path, more, capfd):
    with pytest.raises(Gr00tError, match=FAILURES[more]):
        convert(dataset, "v3.0", tmp_path / "new", lerobot_python=lerobot(more))
    assert not (tmp_path / "new").exists()
    assert not list(tmp_path.glob(".*"))
    assert ("no room" in capfd.readouterr().err) == ("no room" in more)


def test_missing_lerobot_is_refused_with_the_line_that_makes_it(dataset, lerobot, tmp_path, capfd):
    with pytest.raises(ContractError, match=r"there is no such program\. `make learned-env` makes"):
        convert(dataset, "v3.0", tmp_path / "new", lerobot_python=tmp_path / "nowhere")
    with pytest.raises(ContractError, match=r"it cannot import it, as is told above\. .* --lerobot-python PYTHON"):
        convert(dataset, "v3.0", tmp_path / "new", lerobot_python=lerobot(converter="import surely_missing"))
    assert "No module named 'surely_missing'" in capfd.readouterr().err


REFUSED = {
    "rate": (edit_json(paths.INFO, lambda info: info.update(fps=12.5)), "has 12.5 frames a second"),
    "gap": (edit_lines(paths.EPISODES, lambda rows: rows.pop(1)), "gaps in the numbers"),
    "statistics": (edit_lines(paths.EPISODES_STATS, lambda rows: rows.pop(1)), "no line for episode 1"),
    "v2.0": (edit_json(paths.INFO, lambda info: info.update(codebase_version="v2.0")), "'v2.0', but v2.1 alone"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_lerobot_would_make_something_else_of_is_refused(dataset, tmp_path, what):
    damage, message = REFUSED[what]
    damage(dataset)
    with pytest.raises(Gr00tError, match=message):
        convert(dataset, "v3.0", tmp_path / "new", lerobot_python=Path(sys.executable))
    assert not list(tmp_path.glob(".*"))


def test_command_says_what_it_made(groot_dataset, lerobot, tmp_path):
    code, out, _ = groot_dataset("convert", "lift", "--to", "v3.0", "new", "--lerobot-python", lerobot())
    assert code == 0
    assert out.splitlines()[0].startswith("new: 3 episodes, 3 of 3 succeeded, 16 frames")
    assert out.splitlines()[-1] == "v3.0, for LeRobot: every number is the same, and no frame was encoded anew."
    code, out, _ = groot_dataset("convert", "new", "--to", "v2.1", "back")
    assert (code, out.splitlines()[-1]) == (
        0, "v2.1, for GR00T: every number is the same, and no frame was encoded anew."
    )  # fmt: skip
    assert json.loads((tmp_path / "back/meta/modality.json").read_text())["state"]["arm"] == {"start": 0, "end": 3}
    code, _, err = groot_dataset("convert", "new", "--to", "v2.1", "back")
    assert code == 1
    assert "back is there already" in err
