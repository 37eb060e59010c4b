"""Writing a compiled ``MjModel`` as USD: ``export``."""

from pathlib import Path
from typing import Any

import mujoco
import numpy as np
from pxr import Gf, Sdf, Usd, UsdGeom, UsdPhysics

from tasks.libero.scene.usd.collision import add_collision, say
from tasks.libero.scene.usd.kinds import ARENA, Asset, Kind
from tasks.libero.scene.usd.links import Link, children_of, links_of, weigh
from tasks.libero.scene.usd.looks import add_site, add_visual
from tasks.libero.scene.usd.poses import IDENTITY, Pose, compose_poses, place, usd_quaternion, usd_vector
from tasks.libero.suites.fixtures import burner_of

__all__ = ["export"]

_SEEN = 1
"""The group of geoms that robosuite lets cameras see."""


def export(model: mujoco.MjModel, folder: Path) -> dict[str, Asset]:
    """Write an asset for each body at the top of ``model`` that moves, and one, ``ARENA``, for all that does not.

    What stands still of a thing with joints, as a cabinet without its drawers, is a part of ``ARENA`` too: in MuJoCo a
    drawer is stopped by its cabinet, as that is fixed to the world; Newton lets pass what a joint is between.

    Args:
        model: The model.
        folder: Where the files go.

    Returns:
        Asset by name, the name of its topmost body.
    """
    assets, tops = {}, [0]
    for body in children_of(model, 0):
        jointed = [other for other in range(model.nbody) if model.body_rootid[other] == body]
        joints = [model.body_jntadr[other] for other in jointed if model.body_jntnum[other]]
        is_free = bool(joints) and model.jnt_type[joints[0]] == mujoco.mjtJoint.mjJNT_FREE
        if not is_free:
            tops.append(body)
        if joints:
            kind: Kind = "free" if is_free else "jointed"
            assets[model.body(body).name] = _Writer(model, folder, model.body(body).name).write([body], kind)
    assets[ARENA] = _Writer(model, folder, ARENA).write(tops, "static")
    return assets


class _Writer:
    """Writes one asset."""

    def __init__(self, model: mujoco.MjModel, folder: Path, name: str):
        self._model, self._file, self._root = model, f"{name}.usdc", f"/{name}"
        self._stage: Any = Usd.Stage.CreateNew(str(folder / self._file))
        UsdGeom.SetStageUpAxis(self._stage, UsdGeom.Tokens.z)
        UsdGeom.SetStageMetersPerUnit(self._stage, 1.0)
        self._top = UsdGeom.Xform.Define(self._stage, self._root).GetPrim()
        self._stage.SetDefaultPrim(self._top)

    def write(self, bodies: list[int], kind: Kind) -> Asset:
        model = self._model
        links = links_of(model, bodies, is_fixed=kind == "static")
        if kind == "static":
            links = links[:1]
        for link in links:
            link.path = f"{self._root}/{model.body(link.body).name}" if kind == "jointed" else self._root
            prim = self._top
            if kind == "jointed":
                prim = place(UsdGeom.Xform.Define(self._stage, link.path), link.pose).GetPrim()
            if kind != "static":
                self._weigh(prim, link)
            if kind != "jointed" or link.parent is not None:
                self._dress(link, kind)
        if kind == "jointed":
            UsdPhysics.ArticulationRootAPI.Apply(self._top)
            UsdGeom.Scope.Define(self._stage, f"{self._root}/joints")
            anchor = UsdPhysics.FixedJoint.Define(self._stage, f"{self._root}/joints/root")
            anchor.CreateBody1Rel().SetTargets([links[0].path])
            for link in links:
                if link.parent is not None:
                    self._join(link, link.parent)
        self._stage.GetRootLayer().Save()
        pose = IDENTITY if kind == "static" else (model.body_pos[bodies[0]], model.body_quat[bodies[0]])
        return _asset(self._file, kind, pose)

    def _dress(self, link: Link, kind: Kind) -> None:
        """Add what is seen of a link, and what collides; of what stands still, below the name of what it is part of."""
        model = self._model
        for body, pose in link.bodies:
            path = link.path
            if kind == "static":
                path = f"{link.path}/{model.body(model.body_rootid[body]).name}"
            for geom in range(model.body_geomadr[body], model.body_geomadr[body] + model.body_geomnum[body]):
                at = compose_poses(pose, (model.geom_pos[geom], model.geom_quat[geom]))
                if model.geom_group[geom] == _SEEN and model.geom_rgba[geom, 3] > 0:
                    add_visual(self._stage, model, f"{path}/seen{geom}", geom, at)
                if model.geom_contype[geom] or model.geom_conaffinity[geom]:
                    add_collision(self._stage, model, f"{path}/touched{geom}", geom, at)
            for site in np.flatnonzero(model.site_bodyid == body):
                if burner_of(model.site(site).name) is not None:
                    at = compose_poses(pose, (model.site_pos[site], model.site_quat[site]))
                    add_site(self._stage, model, f"{path}/{model.site(site).name}", int(site), at)

    def _weigh(self, prim: Any, link: Link) -> None:
        weight = weigh(self._model, link)
        UsdPhysics.RigidBodyAPI.Apply(prim)
        api = UsdPhysics.MassAPI.Apply(prim)
        api.CreateMassAttr(weight.mass)
        api.CreateCenterOfMassAttr(usd_vector(weight.centre))
        api.CreateDiagonalInertiaAttr(usd_vector(weight.moments))
        api.CreatePrincipalAxesAttr(usd_quaternion(weight.axes))

    def _join(self, link: Link, parent: Link) -> None:
        model, folder = self._model, f"{self._root}/joints"
        joint = model.body_jntadr[link.body]
        if joint < 0:
            prim = UsdPhysics.FixedJoint.Define(self._stage, f"{folder}/{model.body(link.body).name}")
            inner = IDENTITY
        else:
            prim, inner = self._moving_joint(f"{folder}/{model.joint(joint).name}", joint)
        prim.CreateBody0Rel().SetTargets([parent.path])
        prim.CreateBody1Rel().SetTargets([link.path])
        outer = compose_poses(link.at, inner)
        prim.CreateLocalPos0Attr(usd_vector(outer[0]))
        prim.CreateLocalRot0Attr(usd_quaternion(outer[1]))
        prim.CreateLocalPos1Attr(usd_vector(inner[0]))
        prim.CreateLocalRot1Attr(usd_quaternion(inner[1]))

    def _moving_joint(self, path: str, joint: int) -> tuple[Any, Pose]:
        """Define a hinge or a slide, and return it with its pose in its link's frame, z along its axis."""
        model = self._model
        slides = model.jnt_type[joint] == mujoco.mjtJoint.mjJNT_SLIDE
        prim = (UsdPhysics.PrismaticJoint if slides else UsdPhysics.RevoluteJoint).Define(self._stage, path)
        turn = Gf.Rotation(Gf.Vec3d(0, 0, 1), Gf.Vec3d(*model.jnt_axis[joint].tolist())).GetQuat()
        prim.CreateAxisAttr("Z")
        degrees = 1 if slides else 180 / np.pi
        prim.CreateLowerLimitAttr(float(model.jnt_range[joint, 0] * degrees))
        prim.CreateUpperLimitAttr(float(model.jnt_range[joint, 1] * degrees))
        dof, number, numbers = model.jnt_dofadr[joint], Sdf.ValueTypeNames.Double, Sdf.ValueTypeNames.DoubleArray
        for name in ("armature", "damping", "frictionloss"):
            say(prim.GetPrim(), name, number, float(getattr(model, f"dof_{name}")[dof]))
        # Newton makes a limit from IsaacLab's gains where none is said: with a time constant of 24 s, it is none.
        say(prim.GetPrim(), "solreflimit", numbers, model.jnt_solref[joint].tolist())
        say(prim.GetPrim(), "solimplimit", numbers, model.jnt_solimp[joint].tolist())
        return prim, (model.jnt_pos[joint], np.array([turn.GetReal(), *turn.GetImaginary()]))


def _asset(file: str, kind: Kind, pose: Pose) -> Asset:
    x, y, z = (float(part) for part in pose[0])
    w, i, j, k = (float(part) for part in pose[1])
    return Asset(file, kind, (x, y, z), (i, j, k, w))
