"""A robot's URDF as a USD, by urdf-usd-converter, and what the names of built folders are made of.

* ``installed_version``, ``digest_of``: of the packages and of the code that an asset is built from.
* ``convert``: the conversion.
* ``write_mujocos_limits``: limits of joints that do not throw them back.
"""

import hashlib
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from tasks.assets.cache import AssetError

__all__ = ["CONVERTER", "convert", "digest_of", "installed_version", "write_mujocos_limits"]

CONVERTER = "urdf-usd-converter"


def installed_version(distribution: str, robot: str, install: str) -> str:
    """Return the version of a package that a robot is built from.

    Args:
        distribution: Its name.
        robot: What it is that is built, as a sentence begins: ``The Panda``.
        install: What installs the package.

    Raises:
        AssetError: It is missing.
    """
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        raise AssetError(f"{robot} is built from the {distribution} package, which is missing. {install}") from None


def digest_of(*builders: Path) -> str:
    """Return twelve hexadecimal digits that are others once a builder's code is, this module's among it."""
    return hashlib.sha256(b"".join(source.read_bytes() for source in (*builders, Path(__file__)))).hexdigest()[:12]


def convert(source: Path, robot: str, install: str, packages: Mapping[str, Path] | None = None) -> Path:
    """Convert a URDF into a USD of its name beside it, and return that.

    Args:
        source: The URDF.
        robot: What it is of, as a sentence begins.
        install: What installs the converter.
        packages: Root of each ROS package that the URDF names.

    Raises:
        AssetError: The converter is missing, or it failed.
    """
    try:
        # Only for a build: it takes a second, and a cached USD needs no converter.
        import urdf_usd_converter  # noqa: PLC0415
        from pxr import Tf  # noqa: PLC0415
    except ImportError as error:
        raise AssetError(f"{robot} cannot be built: {error}. {install}") from error
    named = [{"name": name, "path": str(path)} for name, path in (packages or {}).items()]
    converter = urdf_usd_converter.Converter(scene=False, ros_packages=named)
    # The converter reports every link and file on the console; only a failure is worth a reader's time.
    with Tf.DiagnosticTrap() as reports:
        try:
            built = Path(converter.convert(str(source), str(source.parent)).path)
        except Exception as error:
            raise AssetError(f"{CONVERTER} failed on {source}: {error}. {install}") from error
        finally:
            reports.Clear()
    if built != source.with_suffix(".usda"):
        raise AssetError(f"{CONVERTER} wrote {built}, not {source.stem}.usda. {install}")
    return built


def write_mujocos_limits(stage: Any) -> None:
    """Give each joint that turns MuJoCo's own limit (a way back with 0.02 s and no overshoot) instead of Newton's.

    Newton's is a spring of 1e4 N m/rad, which on a light link swings more than twice within a physics step: a joint
    that is pressed against its limit is thrown back ever faster, until the simulation breaks.

    Args:
        stage: ``pxr.Usd.Stage`` of the robot, which the caller saves.
    """
    from pxr import Gf, Sdf, UsdPhysics  # noqa: PLC0415, only for a build

    for prim in stage.Traverse():
        if prim.IsA(UsdPhysics.RevoluteJoint):
            prim.CreateAttribute("mjc:solreflimit", Sdf.ValueTypeNames.Double2).Set(Gf.Vec2d(0.02, 1.0))
