"""A data set that is made once, and copies of it to be damaged."""

import shutil

import pytest

from tests.support.samples.datasets import make_dataset


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    """Return a data set of three episodes, which no test may change."""
    return make_dataset(tmp_path_factory.mktemp("made") / "set")


@pytest.fixture
def dataset(made_once, tmp_path):
    """Return a data set of three episodes, 5, 7 and 4 rows long."""
    return shutil.copytree(made_once, tmp_path / "set")
