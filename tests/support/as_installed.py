"""``--as-installed``: in a lighter environment, tests that need more than is installed are left out, and counted."""

from collections import Counter
from pathlib import Path

import pytest

from groot_wrappers.installation.isaaclab_release import has_isaaclab3
from tests.support.installed import missing_of

TOLD = ("torch", "gymnasium", "hydra", "isaaclab")
"""What a test needs is told by these; what comes with them is not."""


def pytest_addoption(parser):
    parser.addoption("--as-installed", action="store_true", help="leave out what needs more than is installed")


def pytest_ignore_collect(collection_path, config):
    if not config.getoption("--as-installed"):
        return None
    of_folder = collection_path / "conftest.py"  # of which all tests of the folder have fixtures
    path = of_folder if of_folder.is_file() else collection_path
    return (bool(path.match("*/test_*.py") or path == of_folder) and bool(missing_of(path))) or None


def pytest_collection_modifyitems(items, config):
    """Skip what needs IsaacLab elsewhere than in its imports, where there is none."""
    if config.getoption("--as-installed") and not has_isaaclab3():
        for item in items:
            if item.get_closest_marker("isaaclab"):
                item.add_marker(pytest.mark.skip(reason="IsaacLab 3 is not installed here"))


def pytest_terminal_summary(terminalreporter, config):
    if not config.getoption("--as-installed"):
        return
    folders = [Path(argument) for argument in config.args]
    missing = [missing_of(path.resolve()) for folder in folders for path in folder.rglob("test_*.py")]
    told = Counter(", ".join([name for name in TOLD if name in names] or sorted(names)) for names in missing if names)
    for names, files in told.most_common():
        terminalreporter.write_line(f"Left out: {files} files of tests that need {names}, not installed here")
