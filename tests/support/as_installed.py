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
    # A folder whose fixtures cannot be made is left out as a whole.
    path = collection_path / "conftest.py" if collection_path.is_dir() else collection_path
    is_read = path.is_file() and path.match("*/test_*.py" if path == collection_path else "*/conftest.py")
    return True if is_read and missing_of(path) else None


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
