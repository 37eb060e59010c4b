"""A small policy in place of NVIDIA's, and a cache of its own."""

import pytest
import torch

from groot_wrappers.gr00t_model import checks, loading
from groot_wrappers.gr00t_model.policy import Gr00tModel
from tests.groot_wrappers.gr00t_model.small_gr00t import EDGE, SmallPolicy


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture(autouse=True)
def one_thread():
    """Let small matrices be multiplied where they are: threads that wait for one another cost seconds."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def small(monkeypatch):
    """Make a policy of a tier over the small model; ``change`` may spoil that first."""
    whole = checks.SelfCheck.__init__
    monkeypatch.setattr(
        checks.SelfCheck, "__init__", lambda self, policy, key, size=(EDGE, EDGE): whole(self, policy, key, size)
    )

    def make(tier="auto", change=None, **settings):
        policy = SmallPolicy()
        if change is not None:
            change(policy)
        monkeypatch.setattr(loading, "load_nvidia_policy", lambda *_: policy)
        return Gr00tModel("checkpoint", "toy", tier, device="cpu", **{"batch_sizes": (1, 2, 4), **settings})

    return make
