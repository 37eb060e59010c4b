"""The examples in docstrings: they run as they stand, on a toy env and against a server of a toy policy."""

import doctest

import numpy as np
import pytest

import groot_wrappers
from groot_wrappers.embodiment.embodiment import ActionTarget, StateSource, VideoSource
from tests.support.toys.env import ToyEnv
from tests.support.toys.policy import ToyPolicy


@pytest.mark.parametrize("name", ["Gr00tActionWrapper", "Gr00tObservationWrapper", "PolicyClient", "PolicyServer"])
def test_example_runs(name, serve):
    offered = {name: getattr(groot_wrappers, name) for name in groot_wrappers.__all__}
    offered |= {"np": np, "ActionTarget": ActionTarget, "StateSource": StateSource, "VideoSource": VideoSource}
    offered |= {"env": ToyEnv(num_envs=4), "port": serve(ToyPolicy()).port}
    offered["observation"] = {
        "video": {"camera": np.zeros((4, 1, 8, 8, 3), np.uint8)},
        "state": {"joints": np.zeros((4, 1, 2), np.float32)},
        "language": {"task": [["reach"]] * 4},
    }
    (example,) = doctest.DocTestFinder(recurse=False).find(offered[name], name, globs=offered)
    assert example.examples
    told: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example, out=told.append)
    assert not told, "".join(told)
