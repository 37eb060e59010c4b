"""Which rooms of groot_wrappers know which: the beat is on top, and nothing beneath knows it."""

import re
from pathlib import Path

import pytest

import groot_wrappers

FOLDER = Path(groot_wrappers.__file__).parent
IMPORT = re.compile(r"^\s*(?:from|import) ((?:groot_wrappers|runners|tasks)[\w.]*)", re.MULTILINE)


def imported(paths):
    """Return what modules import of ours, without the package's own name."""
    return {name.removeprefix("groot_wrappers.") for path in paths for name in IMPORT.findall(path.read_text())}


@pytest.mark.parametrize(
    ("room", "known"),
    [
        ("protocol", {"errors", "modality", "observation_checks"}),
        ("embodiment", {"errors", "modality", "history"}),
    ],
)
def test_room_knows_little_beside_itself(room, known):
    assert {name for name in imported(FOLDER.glob(f"{room}/**/*.py")) if not name.startswith(room)} <= known


def test_nothing_knows_who_uses_it():
    assert not [name for name in imported(FOLDER.rglob("*.py")) if name.startswith(("runners", "tasks"))]
