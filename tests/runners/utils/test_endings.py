"""How every command ends: one message instead of a traceback, whatever the disk does, and the exit code."""

import signal

import pytest

from runners.apps import bench, inspect_env, play, serve
from runners.apps import dataset as dataset_app
from runners.apps import report as report_app
from runners.utils.endings import end_with, guarded, tell
from tests.support.samples.runs import make_run

LONG = "x" * 300


def told_once(err, told):
    """Check that a message is all that there is."""
    assert "Traceback" not in err
    assert len(err.strip().splitlines()) == 1, err
    assert told in err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["hydra.run.dir=/proc/x"], "/proc/x: No such file or directory. Name another place: hydra.run.dir=FOLDER"),
        (["hydra.run.dir=file"], "file: File exists. Name another place: hydra.run.dir=FOLDER"),
        (["hydra.run.dir=file/x", "fresh=true"], "file/x: Not a directory"),
        ([f"hydra.run.dir={LONG}"], "File name too long. Most file systems take 255 bytes"),
        ([f"hydra.run.dir={LONG}", "fresh=true"], "File name too long"),
        (["hydra.run.dir=taken"], "taken/groot-play.log: Is a directory"),
        (["-m", "seed=0,1", f"sweep.name={LONG}"], "File name too long"),
        (["-m", "seed=0,1", "hydra.sweep.dir=/proc/x"], "/proc/x: No such file or directory. Name another place: "),
        (["-m", "seed=0,1", "hydra.sweep.dir=file"], "file: File exists"),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, list) else "",
)
def test_run_folder_that_cannot_be_made_is_told_once(command, tmp_path, arguments, told):
    (tmp_path / "file").touch()
    (tmp_path / "taken/groot-play.log").mkdir(parents=True)
    code, _, err = command(play, *arguments)
    assert code == 1
    told_once(err, told)


@pytest.fixture(params=[play, inspect_env, serve, bench], ids=lambda module: module.__name__)
def ending(command, monkeypatch, request):
    """Run a command whose work raises an error; return exit code, stdout and stderr."""

    def run(error, *arguments):
        def fails(config):
            raise error

        module = request.param
        monkeypatch.setattr(module, {bench: "bench"}.get(module, module.__name__.rpartition(".")[2]), fails)
        return command(module, *arguments)

    return run


def test_work_that_meets_a_full_disk_ends_with_a_message(ending):
    code, _, err = ending(OSError(28, "No space left on device", "/data/x"))
    assert code == 1
    told_once(err, "/data/x: No space left on device. Make room there")


def test_work_that_is_interrupted_ends_without_a_word(ending):
    code, _, err = ending(KeyboardInterrupt())
    assert (code, err) == (130, "")


def test_job_that_meets_a_full_disk_stops_no_other(command, monkeypatch):
    seeds = []

    def fails(composition):
        seeds.append(composition.config.seed)
        raise OSError(28, "No space left on device", "/data/x")

    monkeypatch.setattr(play, "play", fails)
    code, out, err = command(play, "-m", "seed=0,1")
    assert (code, seeds) == (1, [0, 1])
    assert err.count("/data/x: No space left on device. Make room there") == 2
    assert "0 of 2 jobs are done" in out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_ends_a_run_and_its_sweep_as_ctrl_c_does(command, monkeypatch, number):
    played = []

    def interrupted(composition):
        played.append(composition.config.seed)
        signal.raise_signal(number)

    monkeypatch.setattr(play, "play", interrupted)
    assert command(play, "hydra.run.dir=run")[0] == 130
    assert command(play, "-m", "seed=1,2,3")[0] == 130
    assert played == [0, 1]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run", "--output", "/proc/x.html"], "/proc/x.html: No such file or directory. Name another place: --output"),
        (["run", "--output", f"{LONG}.html"], "File name too long"),
        ([LONG], "File name too long"),
        (["--compare", "run", "/proc/1/x"], "is no folder"),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, list) else "",
)
def test_page_and_folder_that_cannot_be_used_are_told(monkeypatch, capsys, tmp_path, arguments, told):
    monkeypatch.chdir(tmp_path)
    make_run(tmp_path / "run", 2)
    with pytest.raises(SystemExit) as ended:
        report_app.main(arguments)
    assert ended.value.code == 1
    told_once(capsys.readouterr().err, told)


@pytest.mark.parametrize("arguments", [["show", LONG], ["check", "/proc/x"], ["check", LONG]], ids=" ".join)
def test_data_set_that_cannot_be_read_is_told(capsys, arguments):
    with pytest.raises(SystemExit) as ended:
        dataset_app.main(arguments)
    out, err = capsys.readouterr()
    assert ended.value.code == 1
    assert "Traceback" not in err
    assert (out + err).strip()


def test_interrupted_command_without_settings_ends_without_a_traceback(monkeypatch, capsys, tmp_path):
    make_run(tmp_path / "run", 2)
    monkeypatch.setattr("runners.reports.terminal.read_run", lambda folder: signal.raise_signal(signal.SIGTERM))
    with pytest.raises(SystemExit) as ended:
        report_app.main([str(tmp_path / "run")])
    assert (ended.value.code, capsys.readouterr().err) == (130, "")


def test_fault_of_ours_keeps_its_traceback(capsys):
    def faulty():
        raise KeyError("video")

    with pytest.raises(KeyError):
        guarded(faulty)
    with pytest.raises(KeyError):
        end_with(faulty)
    assert tell(KeyError("video")) == "KeyError: 'video'"
    assert "KeyError: 'video'" in capsys.readouterr().err
