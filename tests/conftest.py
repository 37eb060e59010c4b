"""What all tests share: the fixtures of tests/support."""

import signal

from tests.support.installed import is_complete

PLUGINS = (
    "tests.support.hydra_in_tests",
    "tests.support.markers",
    "tests.support.processes",
    "tests.support.rollouts",
    "tests.support.samples.datasets",
    "tests.support.samples.shared_files",
    "tests.support.servers.fixtures",
)
# In a lighter environment, those whose fixtures can be made there: see tests/support/as_installed.py.
pytest_plugins = ["tests.support.as_installed", *filter(is_complete, PLUGINS)]

# A shell that starts the tests in the background has Ctrl-C ignored, which every process below would inherit: those
# that are to be interrupted would not notice.
signal.signal(signal.SIGINT, signal.default_int_handler)
