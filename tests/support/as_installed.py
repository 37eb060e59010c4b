"""``--as-installed``: in a lighter environment, tests that need more than is installed are left out, and counted."""

from collections import Counter
from pathlib import Path

from tests.support.installed import missing_of

TOLD = ("torch", "gymnasium", "hydra", "isaaclab")
"""What a test needs is told by these; what comes with them is not."""


def pytest_addoption(parser):
    parser.addoption("--as-installed", action="store_true", help="leave out what needs more than is installed")


def pytest_ignore_collect(collection_path, config):
    is_asked = config.getoption("--as-installed") and collection_path.match("test_*.py")
    return bool(is_asked and missing_of(collection_path)) or None


def pytest_terminal_summary(terminalreporter, config):
    if not config.getoption("--as-installed"):
        return
    folders = [Path(argument) for argument in config.args]
    missing = [missing_of(path.resolve()) for folder in folders for path in folder.rglob("test_*.py")]
    told = Counter(", ".join([name for name in TOLD if name in names] or sorted(names)) for names in missing if names)
    for names, files in told.most_common():
        terminalreporter.write_line(f"Left out: {files} files of tests that need {names}, not installed here")
