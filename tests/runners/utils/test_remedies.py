"""What is told of an error of the operating system: the file, and what mends it."""

import errno
import os
import re
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
import zmq
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import OmegaConf

import groot_wrappers
from groot_wrappers.errors import ContractError, ServerUnreachableError
from runners.utils.remedies import OVERRIDES, cache_remedy, disk_failed, message_of, reason_of


def failure(number, path="/data/run/episodes.jsonl"):
    return OSError(number, os.strerror(number), path)


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (errno.ENOSPC, "No space left on device. Make room there: df -h"),
        (errno.EDQUOT, "Make room there"),
        (errno.EFBIG, "ulimit -f"),
        (errno.EROFS, "Read-only file system. Name a place that can be written: hydra.run.dir=FOLDER"),
        (errno.EACCES, "Permission denied. Let this user read and write there, or name another place: hydra.run.dir="),
        (errno.EPERM, "or name another place: hydra.run.dir=FOLDER"),
        (errno.ENAMETOOLONG, "File name too long. Most file systems take 255 bytes"),
        (errno.EMFILE, "Too many open files. Allow more open files: ulimit -n"),
        (errno.ENFILE, "Allow more open files"),
        (errno.ENOMEM, "num_envs="),
        (errno.ENOLCK, "Its file system has no locks: name another place: hydra.run.dir=FOLDER"),
        (errno.EIO, "Input/output error. Name another place: hydra.run.dir=FOLDER"),
        (errno.ENOENT, "No such file or directory. Name another place: hydra.run.dir=FOLDER"),
    ],
)
def test_error_is_told_with_its_file_and_what_mends_it(number, told):
    message = message_of(failure(number), "hydra.run.dir=FOLDER")
    assert message.startswith("/data/run/episodes.jsonl: ")
    assert told in message
    assert "\n" not in message
    assert "{" not in message


def test_error_that_was_raised_from_one_of_the_system_is_told_as_that():
    """Of logging, whose file cannot be opened."""
    error = ValueError("Unable to configure handler 'file'")
    error.__cause__ = failure(errno.EROFS)
    assert message_of(error).startswith("/data/run/episodes.jsonl: Read-only file system.")


def test_error_of_a_socket_is_told_as_one_of_the_system():
    assert message_of(zmq.ZMQError(errno.EMFILE)).startswith("Too many open files. Allow more open files")


def test_error_of_ours_tells_its_own_story_and_a_fault_of_ours_none():
    error = ContractError("horizons.video=3 was asked for.")
    error.__cause__ = failure(errno.ENOENT)
    assert message_of(error) == "horizons.video=3 was asked for."
    assert message_of(KeyError("video")) is None


def test_error_of_the_wrappers_is_told_with_the_overrides_that_mend_it():
    error = ServerUnreachableError("No answer. Check `host`; raise `timeout_s` (now 60), not `workers`.")
    assert error.arguments == ["host", "timeout_s", "workers"]
    assert message_of(error) == "No answer. Check server.host; raise server.timeout_s (now 60), not `workers`."


def test_who_finds_no_server_is_told_how_to_do_without():
    message = message_of(ServerUnreachableError("Nobody answers. Start it, or raise `connect_timeout_s`."))
    assert message.endswith("or raise server.connect_timeout_s. Or try without one: server=expert.")


def test_every_argument_that_the_wrappers_name_has_an_override():
    sources = "".join(path.read_text() for path in Path(groot_wrappers.__file__).parent.rglob("*.py"))
    named = set(re.findall(r"[^`:]`([a-z_.]+)`[^`]", sources)) - set(OVERRIDES)
    assert named == set()


def test_reason_is_told_within_a_sentence_whatever_was_raised():
    assert reason_of(failure(errno.EMFILE)).endswith("ulimit -n 65536")
    assert reason_of(KeyError("video")) == "KeyError: 'video'"


def test_error_without_a_number_is_told_by_its_own_words():
    assert message_of(OSError("cannot identify image file")) == "OSError: cannot identify image file"


@pytest.mark.parametrize("name", ["x" * 5000, b"\xff/run", 3, "\x1b[2J\n/run"])
def test_name_of_a_file_is_told_whatever_it_is(name):
    message = message_of(failure(errno.ENOSPC, name))
    assert len(message) < 400
    assert message.isprintable()


@pytest.fixture
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_CACHE_HOME", "WARP_CACHE_PATH"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


WARP = "WARP_CACHE_PATH=FOLDER moves Warp's compiled kernels"
ALL = "XDG_CACHE_HOME=FOLDER moves all caches"


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (".cache", [WARP, ALL]),
        (".cache/warp/1.17.0/wp_newton_p1_t2", [WARP, ALL]),
        (".cache/gr00t-isaaclab/assets/panda.lock", [ALL]),
        ("outputs/run", []),
        (".cached/run", []),
    ],
)
@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.ENOSPC, errno.ENOENT])
def test_cache_is_told_with_the_variable_that_moves_it(home, path, told, number):
    message = message_of(failure(number, str(home / path)), "hydra.run.dir=FOLDER")
    assert [variable for variable in (WARP, ALL) if variable in message] == told


def test_variable_that_has_moved_a_cache_is_told_alone(home, monkeypatch):
    monkeypatch.setenv("WARP_CACHE_PATH", "/kernels")
    message = message_of(failure(errno.EROFS, "/kernels/1.17.0/wp_newton"))
    assert WARP in message
    assert ALL not in message


def test_missing_place_for_temporary_files_is_told_with_its_variable(home, monkeypatch):
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/nowhere"])
    monkeypatch.setattr(tempfile, "tempdir", None)
    with pytest.raises(FileNotFoundError) as raised:
        tempfile.mkdtemp()
    assert cache_remedy(raised.value) == "TMPDIR=FOLDER names a folder for temporary files."


@pytest.mark.parametrize(
    ("mode", "begun", "told"), [("RUN", True, True), ("RUN", False, False), ("MULTIRUN", True, False)]
)
def test_run_that_has_begun_is_told_how_it_goes_on(monkeypatch, tmp_path, mode, begun, told):
    folder = tmp_path / "a run"
    folder.mkdir()
    if begun:
        (folder / "manifest.json").touch()
    hydra = SimpleNamespace(mode=RunMode[mode], runtime=OmegaConf.create({"output_dir": str(folder)}))
    monkeypatch.setattr(HydraConfig, "initialized", lambda: True)
    monkeypatch.setattr(HydraConfig, "get", lambda: hydra)
    message = message_of(failure(errno.ENOSPC))
    assert (f"""goes on by: groot-play "resume='{folder}'\"""" in message) == told


@pytest.mark.parametrize(
    ("error", "failed"),
    [
        (failure(errno.ENOSPC), True),
        (failure(errno.EDQUOT), True),
        (failure(errno.EROFS), True),
        (failure(errno.EIO), True),
        (failure(errno.EACCES), False),
        (OSError("codec"), False),
        (ValueError(errno.ENOSPC), False),
    ],
)
def test_disk_that_takes_nothing_more_is_known(error, failed):
    assert disk_failed(error) == failed
