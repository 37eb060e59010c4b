"""Which IsaacLab is installed is told by its packages, none of which is imported."""

import importlib
import sys

import pytest

from groot_wrappers.installation import extras
from groot_wrappers.installation.extras import MissingExtraError, require_extra
from groot_wrappers.installation.isaaclab_release import has_isaaclab, has_isaaclab3

PACKAGES = ("isaaclab", "isaaclab_newton", "isaaclab_physx", "isaaclab_tasks")


@pytest.fixture
def install(monkeypatch, tmp_path):
    """Let these packages alone be installed; to import one of them is an error."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *(path for path in sys.path if "site-packages" not in path)])
    for name in PACKAGES:
        monkeypatch.delitem(sys.modules, name, raising=False)

    def put(*names):
        for name in names:
            (tmp_path / name).mkdir()
            (tmp_path / name / "__init__.py").write_text("raise RuntimeError('imported')")
        importlib.invalidate_caches()

    return put


@pytest.mark.parametrize(
    ("names", "any_release", "release_3"),
    [
        ([], False, False),
        (["isaaclab"], True, False),  # 2.3 as its wheel has it
        (["isaaclab", "isaaclab_tasks"], True, False),  # 2.3 from its source
        (["isaaclab", "isaaclab_newton", "isaaclab_physx"], True, True),
        (["isaaclab", "isaaclab_physx"], True, True),
    ],
)
def test_release_is_told_by_its_packages(install, names, any_release, release_3):
    install(*names)
    assert (has_isaaclab(), has_isaaclab3()) == (any_release, release_3)


def test_runner_that_is_not_installed_is_not_offered_beside_an_earlier_isaaclab(install, monkeypatch):
    install("isaaclab")
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    monkeypatch.setattr(sys, "version_info", (3, 11, 7))  # an older one is told of instead
    with pytest.raises(MissingExtraError, match=r"^The runner cannot be used here: .* 2\.3 or earlier .*isaaclab2\.md"):
        require_extra("runner", "The runner")
    with pytest.raises(MissingExtraError, match=r"pip install '\.\[wrappers\]'"):
        require_extra("wrappers", "A wrapper")


def test_runner_that_is_not_installed_is_offered_beside_isaaclab_3(install, monkeypatch):
    install("isaaclab", "isaaclab_newton")
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    monkeypatch.setattr(sys, "version_info", (3, 11, 7))  # an older one is told of instead
    with pytest.raises(MissingExtraError, match=r"pip install '\.\[runner\]'"):
        require_extra("runner", "The runner")
