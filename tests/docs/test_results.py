"""What docs/ say of results and errors is so: fields, exit codes and messages are those of the code."""

import re

import msgspec

from runners.episodes.row import EpisodeRow
from runners.utils import exit_codes
from tests.docs.pages import ROOT, SPAN, table
from tests.support.samples.rows import summary_of


def test_rows_and_summary_have_the_fields_that_are_told():
    row = EpisodeRow(0, 0, "", 0, 0, True, "success", 1, 1.0, 1)
    told = [name for cells in table("field") for name in SPAN.findall(cells[0])]
    assert sorted(told) == sorted(row.to_json())
    summary = msgspec.to_builtins(summary_of([row]))
    told = [name for cells in table("in `summary.json`") for name in SPAN.findall(" ".join(cells))]
    names = {name for name in told if re.fullmatch(r"[a-z_]+", name)}
    assert names <= set(summary)
    assert {"renders", "server", "errors", "success_rate", "ci_low", "ci_high"} <= set(summary)


def test_exit_codes_are_those_of_the_command_line():
    told = [int(row[0]) for row in table("exit code")]
    assert told == [
        exit_codes.DONE,
        exit_codes.FAILED,
        exit_codes.DONE_WITH_ERRORS,
        exit_codes.GATE_NOT_MET,
        exit_codes.PLAYED_OTHERWISE,
        exit_codes.INTERRUPTED,
    ]


def test_messages_under_troubleshooting_are_those_of_the_code():
    """Placeholders of f-strings and ``...`` part what must be found, word for word, in the sources."""
    sources = "".join(p.read_text() for room in ("groot_wrappers", "runners") for p in ROOT.glob(f"{room}/**/*.py"))
    sources = re.sub(r"\"\s+f?\"", "", sources)
    known = [  # a placeholder's value, as the page shows it
        (r"Gr00t server at ", "{self._server}: "),
        (r"'video'", "'{name}'"),
        (r"Video key 'video.scene_camera'", "{name.capitalize()} key '{flat_key}'"),
        (r"answer get_action", "answer {endpoint}"),
        (r"horizons.video=2", "`horizons.{kind}`={expected}"),
        (r"horizons.execution=32", "`execution`={execution}"),
        (r"'joint_positions'", "'{key}'"),
    ]
    checked = 0
    for symptom, _ in (row for row in table("message or symptom")):
        for message in SPAN.findall(symptom):
            if " " not in message or message.startswith("ended:"):
                continue
            for shown, written in known:
                message = message.replace(shown, written)  # noqa: PLW2901
            for part in message.split("..."):
                assert part.strip() in sources or part.strip() == "unrecognized arguments", part
            checked += 1
    assert checked > 15
