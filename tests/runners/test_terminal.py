"""What is written to the terminal: no escape sequence and no lone surrogate of foreign text, and readers that leave."""

import os
import subprocess
import sys

import pytest

from runners.terminal import one_line, printable, say


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


def test_work_goes_on_where_nobody_reads_any_more(tmp_path):
    script = "from runners.terminal import say\nfor _ in range(3): say('x' * 9000)\nopen('done', 'w')"
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-c", script]
    process = subprocess.run(command, check=False, cwd=tmp_path, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert (process.returncode, process.stderr) == (0, "")
    assert (tmp_path / "done").exists()


def test_line_is_written_at_once(capsys):
    say("one", "t\x1bwo")
    assert capsys.readouterr().out == "one\nt\\x1bwo\n"
