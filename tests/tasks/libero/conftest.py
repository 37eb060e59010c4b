"""LIBERO's data as the tests have them: a tiny scene of our own making."""

import pytest

from tests.tasks.libero.tiny.data import write_tiny_libero


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return the folder that ``LIBERO_ASSETS`` may name."""
    folder = tmp_path_factory.mktemp("libero")
    write_tiny_libero(folder)
    return folder
