"""What is written to the terminal: no escape sequence and no lone surrogate of foreign text, and readers that leave."""

import logging
import os
import subprocess
import sys

import pytest

from runners.utils.terminal import one_line, prepare_terminal, printable, say


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("lift the cube", "lift the cube"),
        ("würfel anheben, 箱を持ち上げる", "würfel anheben, 箱を持ち上げる"),
        ("two\nlines", "two\nlines"),
        ("\x1b[2Jcleared\x07\r", r"\x1b[2Jcleared\x07\r"),
        ("\x9b31m", r"\x9b31m"),
        ("\ud800 alone", r"\ud800 alone"),
        ("right\u202eto left", r"right\u202eto left"),
    ],
)
def test_hidden_characters_are_escaped_and_the_others_kept(text, shown):
    assert printable(text) == shown


def test_cell_of_a_table_is_one_line_and_cut_where_it_is_long():
    assert one_line("lift\nit") == r"lift\nit"
    assert one_line("x" * 300, most=20) == "x" * 17 + "..."
    assert len(one_line("\x1b" * 300, most=20)) == 20


SCRIPT = """
import logging, os, subprocess, sys
from runners.utils.terminal import prepare_terminal, say
prepare_terminal()
logging.basicConfig(stream=sys.stdout, level=logging.INFO)
for _ in range(3):
    say("ü" + "x" * 9000)
    print("ü\\ud800")
    logging.info("ü\\ud800")
print("ü", file=sys.stderr)
subprocess.run(["/bin/sh", "-c", "echo from a child"], check=False)
for number in range(3):
    os.fstat(number)
open("done", "w").write(open("first").read())
"""


@pytest.mark.process
@pytest.mark.usefixtures("clean_environment")
@pytest.mark.parametrize(
    "redirection",
    ["| true", ">/dev/full 2>&1", ">&- 2>&- <&-", ">&-", "<&-", "2>&- | true", ">log"],
    ids=["reader left", "disk full", "all closed", "stdout closed", "stdin closed", "stderr closed", "file"],
)
def test_work_goes_on_whatever_becomes_of_the_streams(tmp_path, redirection):
    (tmp_path / "first").write_text("whole")
    command = ["/bin/sh", "-c", f"{sys.executable} -c '{SCRIPT}' {redirection}"]
    ended = subprocess.run(command, check=False, cwd=tmp_path, capture_output=True, text=True)
    assert "Traceback" not in ended.stderr
    assert "Exception ignored" not in ended.stderr
    assert (tmp_path / "done").read_text() == "whole", "the first file that was opened is no stream"


IN_A_CHILD = """
from runners.utils.child_process import child_process
from tests.support.talking import talk
if __name__ == "__main__":
    with child_process(talk) as (_, pipe):
        open("done", "w").write(pipe.recv())
"""


@pytest.mark.process
@pytest.mark.usefixtures("clean_environment")
def test_child_that_prints_goes_on_where_nobody_reads_any_more(tmp_path):
    (tmp_path / "script.py").write_text(IN_A_CHILD)
    command = f"{sys.executable} script.py | true"
    ended = subprocess.run(["/bin/sh", "-c", command], check=False, cwd=tmp_path, capture_output=True, text=True)
    assert (ended.stderr, (tmp_path / "done").read_text()) == ("", "printed")


@pytest.mark.process
@pytest.mark.usefixtures("clean_environment")
def test_what_an_encoding_does_not_have_is_escaped(tmp_path):
    (tmp_path / "first").touch()
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-c", SCRIPT]
    out = subprocess.run(command, check=True, cwd=tmp_path, env=environment, capture_output=True, text=True).stdout
    assert out.splitlines()[1:3] == [r"\xfc\ud800", r"INFO:root:\xfc\ud800"]


def test_log_message_and_traceback_reach_no_terminal_raw(caplog):
    prepare_terminal()
    try:
        raise ValueError("\x1b[2J")
    except ValueError:
        logging.getLogger("any").warning("\tfrom %s", "\ud800\x1b[31m", exc_info=True)
    told = caplog.text
    assert r"\ud800\x1b[31m" in told
    assert r"ValueError: \x1b[2J" in told
    assert "\x1b" not in told
    assert "\ud800" not in told


def test_tab_is_no_escape(capsys):
    say("\t#0 : seed=1")
    assert capsys.readouterr().out == "        #0 : seed=1\n"


def test_line_is_written_at_once(capsys):
    say("one", "t\x1bwo")
    assert capsys.readouterr().out == "one\nt\\x1bwo\n"
