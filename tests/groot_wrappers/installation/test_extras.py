"""What is missing is told by the line that installs it."""

import importlib.util
import sys

import pytest

import groot_wrappers
from groot_wrappers.installation import extras
from groot_wrappers.installation.compat import StrEnum
from groot_wrappers.installation.extras import MissingExtraError, require_extra


@pytest.fixture
def without(monkeypatch):
    """Let packages be missing."""

    def hide(*names):
        found = importlib.util.find_spec
        monkeypatch.setattr(extras, "find_spec", lambda name: None if name in names else found(name))

    return hide


def test_wrapper_without_torch_is_refused_with_the_line_that_installs_it(without, monkeypatch):
    without("torch")
    for module in ("action", "installation.wrappers_needed"):
        monkeypatch.delitem(sys.modules, f"groot_wrappers.{module}", raising=False)
    with pytest.raises(MissingExtraError, match=r"^What reads or drives an env needs torch.*install '\.\[wrappers\]'"):
        groot_wrappers.Gr00tActionWrapper  # noqa: B018  # it is imported as it is asked for


def test_what_is_refused_is_an_import_error():
    assert issubclass(MissingExtraError, ImportError)


def test_command_ends_with_the_line_alone(without, monkeypatch):
    without("hydra", "msgspec", "torch", "gymnasium", "wandb")
    monkeypatch.setattr(sys, "version_info", (3, 12, 1))
    monkeypatch.setattr(sys, "argv", ["/somewhere/bin/groot-play", "episodes=1"])
    with pytest.raises(SystemExit, match=r"^The runner needs hydra, .*pip install '\.\[runner\]'$"):
        require_extra("runner", "The runner")


def test_runner_says_which_python_it_needs(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 10, 13))
    with pytest.raises(
        MissingExtraError, match=r"needs Python 3\.11 or later, and this is 3\.10.*groot_wrappers\.serve"
    ):
        require_extra("runner", "The runner")


def test_string_enum_is_written_as_its_value_in_every_python():
    class Kind(StrEnum):
        one = "one"

    assert f"{Kind.one} {Kind.one!s}" == "one one"
    assert Kind("one") == "one"


@pytest.mark.parametrize("module", ["observation", "action", "embodiment.isaaclab_env"])
def test_module_of_the_wrappers_is_refused_with_the_line_too(monkeypatch, module):
    for name in (f"groot_wrappers.{module}", "groot_wrappers.installation.wrappers_needed"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    with pytest.raises(MissingExtraError, match=r"gymnasium, not installed here.*'\.\[wrappers\]'"):
        importlib.import_module(f"groot_wrappers.{module}")
