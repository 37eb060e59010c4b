"""The cache of built assets: built once, by one of many, whole or not at all."""

import errno
import os
import subprocess
import sys
import textwrap
from importlib import metadata
from pathlib import Path

import pytest

from tasks.assets import panda
from tasks.assets.cache import AssetError, build_once, cache_root


def in_two_processes(code, **environment):
    """Run the same Python code in two processes at once; return what each printed."""
    command = [sys.executable, "-c", textwrap.dedent(code)]
    started = [
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | environment
        )
        for _ in range(2)
    ]
    ended = [process.communicate(timeout=120) for process in started]
    assert [process.returncode for process in started] == [0, 0], ended
    return ended


def test_cache_follows_xdg(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_root() == tmp_path / "gr00t-isaaclab"


@pytest.mark.parametrize("configured", ["", "relative/path"])
def test_cache_is_under_home_unless_told(monkeypatch, configured):
    monkeypatch.setenv("XDG_CACHE_HOME", configured)
    assert cache_root() == Path.home() / ".cache" / "gr00t-isaaclab"


def test_user_without_a_home_is_told_which_variable_names_a_folder(monkeypatch):
    def nowhere():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", nowhere)
    with pytest.raises(AssetError, match="XDG_CACHE_HOME=FOLDER"):
        cache_root()


def test_a_folder_is_built_once(tmp_path):
    built = []

    def build(folder):
        built.append(folder)
        (folder / "asset").write_text("whole")

    for _ in range(2):
        assert (build_once(tmp_path / "deep" / "robot", build) / "asset").read_text() == "whole"
    assert len(built) == 1
    assert built[0].parent == tmp_path / "deep", "built beside the finished folder, so that a rename suffices"


def test_a_failed_build_leaves_nothing_and_is_tried_again(tmp_path):
    def fail(folder):
        (folder / "half").touch()
        raise RuntimeError("no disk")

    with pytest.raises(RuntimeError, match="no disk"):
        build_once(tmp_path / "robot", fail)
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == []
    assert build_once(tmp_path / "robot", lambda folder: None).is_dir()


@pytest.mark.parametrize(
    "error",
    [
        AssetError("converter failed: 'Error occurred writing file: No space left on device'. pip install it again."),
        OSError(errno.ENOSPC, "No space left on device"),
        RuntimeError("Disk quota exceeded"),
    ],
)
def test_build_for_which_there_is_no_room_is_told_as_that_with_its_folder(tmp_path, error):
    def fail(folder):
        raise error

    with pytest.raises(OSError, match=r"No space left|Disk quota") as raised:
        build_once(tmp_path / "robot", fail)
    assert raised.value.errno in (errno.ENOSPC, errno.EDQUOT)
    assert raised.value.filename == str(tmp_path / "robot")


@pytest.mark.process
def test_of_two_processes_one_builds(tmp_path):
    code = f"""
        import os, time
        from pathlib import Path
        from tasks.assets.cache import build_once

        def build(folder):
            time.sleep(1.0)
            (folder / "builder").write_text(str(os.getpid()))

        print((build_once(Path({str(tmp_path)!r}) / "robot", build) / "builder").read_text(), os.getpid())
    """
    printed = [out.split() for out, _ in in_two_processes(code)]
    builders, processes = zip(*printed, strict=True)
    assert len(set(builders)) == 1
    assert builders[0] in processes
    assert len(set(processes)) == 2


@pytest.mark.process
def test_two_processes_get_one_panda_in_silence(tmp_path):
    code = "from tasks.assets.panda import panda_usd; print(panda_usd())"
    ended = in_two_processes(code, XDG_CACHE_HOME=str(tmp_path))
    assert len({out for out, _ in ended}) == 1
    assert [err for _, err in ended] == ["", ""]
    usd = Path(ended[0][0].strip())
    assert usd.is_file()
    assert usd.is_relative_to(tmp_path / "gr00t-isaaclab" / "assets")
    folders = [path for path in usd.parents[1].iterdir() if path.is_dir()]
    assert folders == [usd.parent], "no scratch folder is left"


def test_the_pandas_folder_names_what_it_was_built_from(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(panda, "_build", lambda folder: None)
    name = panda.panda_usd().parent.name
    assert metadata.version("example-robot-data") in name
    assert metadata.version("urdf-usd-converter") in name


@pytest.mark.parametrize("missing", ["example-robot-data", "urdf-usd-converter"])
def test_a_missing_package_names_the_command_that_installs_it(monkeypatch, missing):
    version = metadata.version

    def without(name):
        if name == missing:
            raise metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(panda.metadata, "version", without)
    with pytest.raises(AssetError, match=rf"{missing}.*pip install '\.\[isaaclab\]'"):
        panda.panda_usd()


def test_a_failed_conversion_says_so(monkeypatch, tmp_path):
    import urdf_usd_converter

    def fail(self, source, folder):
        raise ValueError("bad mesh")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(urdf_usd_converter.Converter, "convert", fail)
    with pytest.raises(AssetError, match=r"failed on .*panda\.urdf: bad mesh\. In the clone: pip install"):
        panda.panda_usd()


def test_only_the_gripper_collides():
    colliding = {
        link.get("name") for link in panda._simplified(panda.panda_urdf()).iter("link") if link.findall("collision")
    }
    assert colliding == {"panda_hand", "panda_leftfinger", "panda_rightfinger"}
