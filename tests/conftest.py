"""What all tests share: the fixtures of tests/support."""

import signal

pytest_plugins = [
    "tests.support.hydra_in_tests",
    "tests.support.markers",
    "tests.support.processes",
    "tests.support.rollouts",
    "tests.support.samples.datasets",
    "tests.support.servers.fixtures",
]

# A shell that starts the tests in the background has Ctrl-C ignored, which every process below would inherit: those
# that are to be interrupted would not notice.
signal.signal(signal.SIGINT, signal.default_int_handler)
