"""The cartpole of IsaacLab's registered tasks, taken from a stage that the isaaclab wheel ships for its tests."""

from pathlib import Path

import isaaclab
from pxr import Sdf, Usd

STAGE = (
    "source/isaaclab_tasks/test/golden_stages/registered_tasks_Isaac-Cartpole-Camera-Direct/"
    "default_physics-default_renderer-stage.usda"
)


def write_asset_root(folder: Path) -> Path:
    """Write a folder for ISAACSIM_ASSET_ROOT that holds the cartpole where its registered tasks look for it."""
    whole = Sdf.Layer.FindOrOpen(str(Path(isaaclab.__file__).parent / STAGE))
    usd_path = folder / "Isaac/IsaacLab/Robots/Classic/Cartpole/cartpole.usd"
    usd_path.parent.mkdir(parents=True)
    alone = Sdf.Layer.CreateNew(str(usd_path))
    for prim in whole.rootPrims:
        if prim.name.startswith("Flattened_Prototype"):  # what the robot's parts refer to
            Sdf.CopySpec(whole, prim.path, alone, prim.path)
    Sdf.CopySpec(whole, Sdf.Path("/World/envs/env_0/Robot"), alone, Sdf.Path("/cartpole"))
    alone.defaultPrim = "cartpole"
    stage = Usd.Stage.Open(alone)
    stage.SetMetadata("upAxis", "Z")
    stage.SetMetadata("metersPerUnit", 1.0)
    alone.Save()
    return folder
