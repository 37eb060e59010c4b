"""Files on a disk that is full: whole or not there, and named in the error."""

import contextlib
import errno
import json
import resource

import pytest

from runners.episodes.episode_log import EpisodeLog, read_rows
from runners.sweeps.folder import JobEnd
from runners.utils.atomic_files import write_whole
from tests.support.samples.rows import make_row


@contextlib.contextmanager
def room(size):
    """Let no file grow beyond a number of bytes: what is written last then ends in its middle, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_row_for_which_there_is_no_room_leaves_nothing_and_is_written_when_there_is(tmp_path):
    path = tmp_path / "episodes.jsonl"
    with EpisodeLog(path) as log:
        log.append(make_row(0))
        written = path.read_bytes()
        with room(len(written) + 20), pytest.raises(OSError, match="File too large") as raised:
            log.append(make_row(1))
        assert raised.value.filename == str(path)
        assert path.read_bytes() == written
        assert [row.index for row in log.rows] == [0]
        log.append(make_row(2))
    rows, notes = read_rows(path)
    assert ([row.index for row in rows], notes) == ([0, 2], [])


def test_row_that_was_refused_is_not_written_by_halves_when_the_log_is_closed(tmp_path):
    path = tmp_path / "episodes.jsonl"
    with contextlib.suppress(OSError), room(20), EpisodeLog(path) as log:
        log.append(make_row(0))
    assert path.read_bytes() == b""


def test_row_is_appended_behind_what_a_kill_has_left_half_written(tmp_path):
    path = tmp_path / "episodes.jsonl"
    path.write_text('{"index": 7')
    with EpisodeLog(path) as log:
        with room(20), pytest.raises(OSError, match="File too large"):
            log.append(make_row(0))
        log.append(make_row(1))
    assert [json.loads(line)["index"] for line in path.read_text().splitlines()] == [1]


def test_file_for_which_there_is_no_room_stays_what_it_was(tmp_path):
    path = tmp_path / "summary.json"
    write_whole(path, "earlier")
    with room(20), pytest.raises(OSError, match="File too large") as raised:
        write_whole(path, "x" * 100)
    assert (raised.value.errno, raised.value.filename) == (errno.EFBIG, str(path))
    assert [file.name for file in tmp_path.iterdir()] == ["summary.json"], "half a file would take the room of others"
    assert path.read_text() == "earlier"


def test_job_whose_end_finds_no_room_counts_as_cut_off(tmp_path):
    with room(5):
        JobEnd(0).write(tmp_path)
    assert JobEnd.read(tmp_path) is None
    assert list(tmp_path.iterdir()) == []
