"""``python -m groot_wrappers.serve``: what it hosts, how it ends, and what it says of what it cannot host."""

import logging
import re
import signal
import subprocess
import sys

import pytest

from groot_wrappers.errors import ContractError
from groot_wrappers.protocol.client import PolicyClient
from groot_wrappers.protocol.hosting import TOKEN_VARIABLE
from groot_wrappers.serve.__main__ import main
from groot_wrappers.serve.loading import load_policy
from tests.support.servers.policies import ToyPolicy
from tests.support.warm_parent import ROOT

MODULE = "tests.support.servers.policies"

THEIRS = """
from tests.support.servers.policies import ToyPolicy

ready = ToyPolicy()

class Shelf:
    @staticmethod
    def policy():
        return ToyPolicy()

def broken():
    raise OSError("no checkpoint at /models/x")

def number():
    return 7
"""


@pytest.fixture
def theirs(tmp_path, monkeypatch):
    """Put a module of a user's into the folder that Python looks in first."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "my_policy.py").write_text(THEIRS)
    (tmp_path / "needy_policy.py").write_text("import a_package_of_theirs\n")
    yield
    for name in ("my_policy", "needy_policy"):
        sys.modules.pop(name, None)


class TestLoading:
    @pytest.mark.parametrize("name", ["ready", "ToyPolicy", "Shelf.policy"])
    def test_takes_a_policy_a_class_and_a_function(self, theirs, name):
        assert isinstance(load_policy(f"my_policy:{name}"), ToyPolicy)

    @pytest.mark.parametrize(
        ("where", "told"),
        [
            ("my_policy", "named by module:factory, for instance my_policy:make_policy, got 'my_policy'"),
            (":make", "named by module:factory"),
            ("my_polcy:make", r"no module 'my_polcy' in .* nor among .*PYTHONPATH"),
            ("my_policy.deeper:make", "no module 'my_policy.deeper'"),
            ("my_policy.py:ready", "A module is named without .py: my_policy:ready"),
            ("my_policy:redy", r"'my_policy' has no 'redy'\. Did you mean 'ready'\?"),
            ("my_policy:number", r"my_policy:number gives a int, which has no get_modality_config and no get_action"),
        ],
    )
    def test_says_what_cannot_be_hosted(self, theirs, where, told):
        with pytest.raises(ContractError, match=told):
            load_policy(where)

    def test_leaves_a_package_that_theirs_lacks_to_be_told_as_it_is(self, theirs):
        with pytest.raises(ModuleNotFoundError, match="a_package_of_theirs"):
            load_policy("needy_policy:make")


class TestCommand:
    def test_ends_with_one_line_where_it_cannot_serve(self, theirs, serve, capsys):
        taken = serve()
        assert main([f"{MODULE}:ToyPolicy", "--port", str(taken.port)]) == 1
        assert f"cannot listen on tcp://127.0.0.1:{taken.port}" in capsys.readouterr().err

    def test_tells_what_the_policys_own_code_raised_and_where(self, theirs, caplog, capsys):
        with caplog.at_level(logging.ERROR):
            assert main(["my_policy:broken", "--port", "0"]) == 1
        assert capsys.readouterr().err.endswith("my_policy:broken raised OSError: no checkpoint at /models/x\n")
        assert "in broken" in caplog.text

    @pytest.mark.process
    @pytest.mark.parametrize("dialect", ["npy", "msgpack_numpy"])
    def test_serves_until_it_is_told_to_stop(self, dialect, monkeypatch):
        monkeypatch.setenv(TOKEN_VARIABLE, "secret")
        command = [sys.executable, "-m", "groot_wrappers.serve", f"{MODULE}:ToyPolicy", "--port", "0"]
        with subprocess.Popen([*command, "--dialect", dialect], cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
            line = process.stderr.readline()
            port = int(re.search(r"Serving on tcp://127\.0\.0\.1:(\d+); Ctrl-C ends it", line)[1])
            with PolicyClient("127.0.0.1", port, api_token="secret") as client:
                assert client.get_modality_config() == ToyPolicy().get_modality_config()
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
            assert "Stopped" in process.stderr.read()
