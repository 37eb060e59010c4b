"""The physics of a compiled ``MjModel`` as USD, a file an asset: links, joints, collision shapes, nothing to look at.

What MuJoCo knows and USD has no word for is written as ``mjc:`` attributes, which Newton reads. Bodies that weigh
something and have no joint stay links of their own below a moving one: MuJoCo's drag acts on each body's own box of
inertia, so that a wrist merged into the last link would be braked by less.
"""

import json
from dataclasses import asdict, dataclass, field

import mujoco
import numpy as np
import trimesh
from pxr import Gf, Sdf, Usd, UsdGeom, UsdPhysics, UsdShade, Vt

IDENTITY = (np.zeros(3), np.array([1.0, 0.0, 0.0, 0.0]))  # position, quaternion w x y z
FLOOR = 0.05  # half the thickness of the box that stands for a plane, metres; Newton's own planes have no size
WIDE = 20.0  # half the side of a plane without an end, metres


@dataclass
class Asset:
    """A file, and how it is spawned: ``static``, ``free`` or ``articulated``; pose in the world, quaternion w x y z."""

    path: str
    kind: str
    pos: list
    quat: list


@dataclass
class Link:
    """A body that moves by itself, and what is fixed to it, poses in its frame; ``pose`` is in the asset's."""

    body: int
    parent: "Link | None"
    at: tuple
    pose: tuple
    bodies: list = field(default_factory=list)
    path: str = ""


def export(model, folder):
    """Write an asset for each body at the top of ``model`` that moves, and one, ``arena``, for all that does not.

    Returns:
        Asset by name, the name of its topmost body; ``assets.json`` in the folder says the same.
    """
    folder.mkdir(parents=True, exist_ok=True)
    assets, fixed = {}, [0]
    for body in (b for b in range(1, model.nbody) if model.body_parentid[b] == 0):
        jointed = [b for b in range(model.nbody) if model.body_rootid[b] == body and model.body_jntnum[b]]
        if not jointed:
            fixed.append(body)
            continue
        free = model.jnt_type[model.body_jntadr[jointed[0]]] == mujoco.mjtJoint.mjJNT_FREE
        name, kind = model.body(body).name, "free" if free else "articulated"
        path = _Writer(model, folder / f"{name}.usdc", name).write([body], kind)
        assets[name] = Asset(str(path), kind, model.body_pos[body].tolist(), model.body_quat[body].tolist())
    path = _Writer(model, folder / "arena.usdc", "arena").write(fixed, "static")
    assets["arena"] = Asset(str(path), "static", *(part.tolist() for part in IDENTITY))
    (folder / "assets.json").write_text(json.dumps({name: asdict(asset) for name, asset in assets.items()}))
    return assets


def _compose(outer, inner):
    position, quaternion = np.zeros(3), np.zeros(4)
    mujoco.mju_mulPose(position, quaternion, *outer, *inner)
    return position, quaternion


def _matrix(quaternion):
    matrix = np.zeros(9)
    mujoco.mju_quat2Mat(matrix, quaternion)
    return matrix.reshape(3, 3)


def _vector(values):
    return Gf.Vec3f(*(float(value) for value in values))


def _quaternion(values):
    return Gf.Quatf(*(float(value) for value in values))


class _Writer:
    """Writes one asset."""

    def __init__(self, model, path, name):
        self.model, self.path, self.root = model, path, f"/{name}"
        self.stage = Usd.Stage.CreateNew(str(path))
        UsdGeom.SetStageUpAxis(self.stage, "Z")
        UsdGeom.SetStageMetersPerUnit(self.stage, 1.0)
        self.top = UsdGeom.Xform.Define(self.stage, self.root).GetPrim()
        self.stage.SetDefaultPrim(self.top)

    def write(self, bodies, kind):
        model = self.model
        base = Link(bodies[0], None, IDENTITY, IDENTITY)
        links = [base]
        for body in bodies:
            here = (model.body_pos[body], model.body_quat[body]) if kind == "static" else IDENTITY
            self._gather(body, here, base, links)
        for link in links:
            name = model.body(link.body).name
            link.path = f"{self.root}/{name}" if kind == "articulated" else self.root
            prim = self.top
            if kind == "articulated":
                prim = self._place(UsdGeom.Xform.Define(self.stage, link.path), link.pose).GetPrim()
            if kind != "static":
                UsdPhysics.RigidBodyAPI.Apply(prim)
                self._weigh(prim, link.bodies)
            for body, pose in link.bodies:
                for geom in range(model.body_geomadr[body], model.body_geomadr[body] + model.body_geomnum[body]):
                    if model.geom_contype[geom] or model.geom_conaffinity[geom]:
                        at = _compose(pose, (model.geom_pos[geom], model.geom_quat[geom]))
                        self._collide(f"{link.path}/g{geom}", geom, at)
        if kind == "articulated":
            UsdPhysics.ArticulationRootAPI.Apply(self.top)
            UsdGeom.Scope.Define(self.stage, f"{self.root}/joints")
            anchor = UsdPhysics.FixedJoint.Define(self.stage, f"{self.root}/joints/root")
            anchor.CreateBody1Rel().SetTargets([base.path])
            for link in links[1:]:
                self._join(link)
        self.stage.GetRootLayer().Save()
        return self.path

    def _gather(self, body, pose, link, links):
        model = self.model
        link.bodies.append((body, pose))
        if body == 0:  # each other body is below the world
            return
        for child in (b for b in range(1, model.nbody) if model.body_parentid[b] == body):
            here = _compose(pose, (model.body_pos[child], model.body_quat[child]))
            if model.body_jntnum[child] or (link.parent is not None and model.body_mass[child] > 0):
                links.append(Link(child, link, here, _compose(link.pose, here)))
                self._gather(child, IDENTITY, links[-1], links)
            else:
                self._gather(child, here, link, links)

    def _weigh(self, prim, bodies):
        model = self.model
        total = sum(model.body_mass[body] for body, _ in bodies)
        parts = [(body, _compose(pose, (model.body_ipos[body], model.body_iquat[body]))) for body, pose in bodies]
        centre = sum(model.body_mass[body] * pose[0] for body, pose in parts) / total
        inertia = np.zeros((3, 3))
        for body, (position, quaternion) in parts:
            axes, away = _matrix(quaternion), position - centre
            inertia += axes @ np.diag(model.body_inertia[body]) @ axes.T
            inertia += model.body_mass[body] * (away @ away * np.eye(3) - np.outer(away, away))
        moments, axes = np.linalg.eigh(inertia)
        axes[:, 0] *= np.sign(np.linalg.det(axes))
        quaternion = np.zeros(4)
        mujoco.mju_mat2Quat(quaternion, axes.ravel())
        api = UsdPhysics.MassAPI.Apply(prim)
        api.CreateMassAttr(float(total))
        api.CreateCenterOfMassAttr(_vector(centre))
        api.CreateDiagonalInertiaAttr(_vector(moments))
        api.CreatePrincipalAxesAttr(_quaternion(quaternion))

    def _join(self, link):
        model = self.model
        path, joint = f"{self.root}/joints", model.body_jntadr[link.body]
        if joint < 0:
            prim = UsdPhysics.FixedJoint.Define(self.stage, f"{path}/{model.body(link.body).name}")
            inner = IDENTITY
        else:
            slides = model.jnt_type[joint] == mujoco.mjtJoint.mjJNT_SLIDE
            kind = UsdPhysics.PrismaticJoint if slides else UsdPhysics.RevoluteJoint
            prim = kind.Define(self.stage, f"{path}/{model.joint(joint).name}")
            turn = Gf.Rotation(Gf.Vec3d(0, 0, 1), Gf.Vec3d(*model.jnt_axis[joint].tolist())).GetQuat()
            inner = (model.jnt_pos[joint], np.array([turn.GetReal(), *turn.GetImaginary()]))
            prim.CreateAxisAttr("Z")
            degrees = 1 if slides else 180 / np.pi
            prim.CreateLowerLimitAttr(float(model.jnt_range[joint, 0] * degrees))
            prim.CreateUpperLimitAttr(float(model.jnt_range[joint, 1] * degrees))
            dof = model.jnt_dofadr[joint]
            for name in ("armature", "damping", "frictionloss"):
                self._say(prim.GetPrim(), name, Sdf.ValueTypeNames.Double, float(getattr(model, f"dof_{name}")[dof]))
            # Newton makes a limit from IsaacLab's gains where none is said: with a time constant of 24 s, it is none.
            self._say(prim.GetPrim(), "solreflimit", Sdf.ValueTypeNames.DoubleArray, model.jnt_solref[joint].tolist())
            self._say(prim.GetPrim(), "solimplimit", Sdf.ValueTypeNames.DoubleArray, model.jnt_solimp[joint].tolist())
        prim.CreateBody0Rel().SetTargets([link.parent.path])
        prim.CreateBody1Rel().SetTargets([link.path])
        outer = _compose(link.at, inner)
        prim.CreateLocalPos0Attr(_vector(outer[0]))
        prim.CreateLocalRot0Attr(_quaternion(outer[1]))
        prim.CreateLocalPos1Attr(_vector(inner[0]))
        prim.CreateLocalRot1Attr(_quaternion(inner[1]))

    def _collide(self, path, geom, pose):
        model, size = self.model, self.model.geom_size[geom]
        kind = mujoco.mjtGeom(int(model.geom_type[geom]))
        if kind == mujoco.mjtGeom.mjGEOM_BOX:
            shape = self._box(path, pose, size)
        elif kind == mujoco.mjtGeom.mjGEOM_PLANE:
            below = _compose(pose, (np.array([0, 0, -FLOOR]), IDENTITY[1]))
            shape = self._box(path, below, (size[0] or WIDE, size[1] or WIDE, FLOOR))
        elif kind == mujoco.mjtGeom.mjGEOM_CYLINDER:
            shape = UsdGeom.Cylinder.Define(self.stage, path)
            shape.CreateAxisAttr("Z")
            shape.CreateRadiusAttr(float(size[0]))
            shape.CreateHeightAttr(float(2 * size[1]))
            self._place(shape, pose)
        elif kind == mujoco.mjtGeom.mjGEOM_MESH:
            shape = self._hull(path, pose, model.geom_dataid[geom])
        else:
            raise NotImplementedError(
                f"a collision shape {kind.name} in {self.path.name}; boxes, planes, cylinders and meshes are written"
            )
        prim = shape.GetPrim()
        UsdPhysics.CollisionAPI.Apply(prim)
        for name in ("condim", "priority"):
            self._say(prim, name, Sdf.ValueTypeNames.Int, int(getattr(model, f"geom_{name}")[geom]))
        for name in ("solref", "solimp"):
            self._say(prim, name, Sdf.ValueTypeNames.DoubleArray, getattr(model, f"geom_{name}")[geom].tolist())
        self._rub(prim, *(float(friction) for friction in model.geom_friction[geom]))

    def _box(self, path, pose, half):
        shape = UsdGeom.Cube.Define(self.stage, path)
        shape.CreateSizeAttr(2.0)
        self._place(shape, pose).AddScaleOp().Set(_vector(half))
        return shape

    def _hull(self, path, pose, mesh):
        first = self.model.mesh_vertadr[mesh]
        hull = trimesh.convex.convex_hull(self.model.mesh_vert[first : first + self.model.mesh_vertnum[mesh]])
        shape = UsdGeom.Mesh.Define(self.stage, path)
        shape.CreatePointsAttr(Vt.Vec3fArray.FromNumpy(np.ascontiguousarray(hull.vertices, np.float32)))
        shape.CreateFaceVertexCountsAttr([3] * len(hull.faces))
        shape.CreateFaceVertexIndicesAttr(hull.faces.ravel().tolist())
        shape.CreateSubdivisionSchemeAttr("none")
        UsdPhysics.MeshCollisionAPI.Apply(shape.GetPrim()).CreateApproximationAttr("convexHull")
        self._place(shape, pose)
        return shape

    def _rub(self, prim, slide, spin, roll):
        name = f"f{slide:g}_{spin:g}_{roll:g}".replace(".", "p").replace("-", "m")
        material = UsdShade.Material.Define(self.stage, f"{self.root}/Looks/{name}")
        api = UsdPhysics.MaterialAPI.Apply(material.GetPrim())
        api.CreateStaticFrictionAttr(slide)
        api.CreateDynamicFrictionAttr(slide)
        self._say(material.GetPrim(), "torsionalfriction", Sdf.ValueTypeNames.Double, spin)
        self._say(material.GetPrim(), "rollingfriction", Sdf.ValueTypeNames.Double, roll)
        UsdShade.MaterialBindingAPI.Apply(prim).Bind(material, materialPurpose="physics")

    @staticmethod
    def _say(prim, name, kind, value):
        prim.CreateAttribute(f"mjc:{name}", kind).Set(value)

    @staticmethod
    def _place(shape, pose):
        prim = UsdGeom.Xformable(shape)
        prim.AddTranslateOp().Set(Gf.Vec3d(*pose[0].tolist()))
        prim.AddOrientOp().Set(_quaternion(pose[1]))
        return prim
