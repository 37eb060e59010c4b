"""What is to be taken in at one sight stays as small as that."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_act_that_plays_stays_on_one_page():
    tree = ast.parse((ROOT / "runners/experiment/experiment.py").read_text())
    (play,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "play"]
    assert play.end_lineno - play.lineno < 60


def test_the_wrappers_themselves_are_read_in_an_hour():
    lines = sum(len(path.read_text().splitlines()) for path in (ROOT / "groot_wrappers").glob("*.py"))
    assert lines < 1600, "but for embodiment/ and protocol/"
