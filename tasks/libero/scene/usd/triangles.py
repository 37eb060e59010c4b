"""What a geom of a ``MjModel`` looks like, as triangles with places in a picture: ``triangles_of``.

Newton's renderer puts pictures on meshes alone, so all that is seen becomes one. The triangles are those that MuJoCo's
own renderer draws, as it lights their corners: a table of four corners would come out darker. Places in a picture are
its as well; it lays a flat picture along a shape's x and y where the shape has none of its own.
"""

from dataclasses import dataclass

import mujoco
import numpy as np

from tasks.libero.scene.usd.round_shapes import grid_faces, round_shape

__all__ = ["Triangles", "picture_of", "triangles_of"]

_WIDE = 20.0
"""Half the side of a plane without an end, m."""
_PLANE_LINES = 200
"""Lines of a plane's grid at most: MuJoCo's ``mjMAXPLANEGRID``."""
_SMOOTH = 0.8
"""Cosine between a corner's normal and its triangle's below which MuJoCo takes the latter."""

_CUBE = {
    (0, 1): ((2, -1), (1, -1)),
    (0, -1): ((2, 1), (1, -1)),
    (1, 1): ((0, 1), (2, 1)),
    (1, -1): ((0, 1), (2, -1)),
    (2, 1): ((0, 1), (1, -1)),
    (2, -1): ((0, -1), (1, -1)),
}
"""Axis and sign of a box's side -> axis and sign of what runs along its picture, and up, as OpenGL lays out a cube."""


@dataclass(frozen=True)
class Triangles:
    """Points (n, 3), m, three of each triangle (m, 3), normals (n, 3), and places in a picture (n, 2), v upwards."""

    points: np.ndarray
    faces: np.ndarray
    normals: np.ndarray
    places: np.ndarray | None = None


def picture_of(model: mujoco.MjModel, geom: int) -> int:
    """Return the number of the texture on a geom, -1 for none."""
    material = model.geom_matid[geom]
    return -1 if material < 0 else int(model.mat_texid[material, mujoco.mjtTextureRole.mjTEXROLE_RGB])


def triangles_of(model: mujoco.MjModel, geom: int) -> Triangles:
    """Return what is seen of a geom, in its own frame.

    Raises:
        NotImplementedError: It is of a kind that no scene of LIBERO's has.
    """
    kind, size = mujoco.mjtGeom(int(model.geom_type[geom])), np.array(model.geom_size[geom])
    if kind == mujoco.mjtGeom.mjGEOM_MESH:
        return _mesh(model, geom)
    if kind == mujoco.mjtGeom.mjGEOM_PLANE:
        half = np.array([size[0] or _WIDE, size[1] or _WIDE, 0.0])
        lines = [_plane_lines(side, size[2]) for side in half[:2]]
        return _sides(model, geom, half, {(2, 1): (lines[0], lines[1])})
    if kind == mujoco.mjtGeom.mjGEOM_BOX:
        line = np.linspace(-1, 1, model.vis.quality.numquads + 1)
        return _sides(model, geom, size, dict.fromkeys(_CUBE, (line, line)))
    points, faces, normals = round_shape(kind, size, model.vis.quality.numslices, model.vis.quality.numstacks)
    places = None
    if picture_of(model, geom) >= 0:  # a cube's, too: it has one side in USD
        places = _flat(model, model.geom_matid[geom], points, np.array([size[0], size[0]]))
    return Triangles(points, faces, normals, places)


def _mesh(model: mujoco.MjModel, geom: int) -> Triangles:
    mesh = model.geom_dataid[geom]
    faces = slice(model.mesh_faceadr[mesh], model.mesh_faceadr[mesh] + model.mesh_facenum[mesh])
    vertices = model.mesh_vert[model.mesh_vertadr[mesh] :][: model.mesh_vertnum[mesh]]
    first, has_places = model.mesh_texcoordadr[mesh], model.mesh_texcoordadr[mesh] >= 0
    corners, normal_of = model.mesh_face[faces], model.mesh_facenormal[faces]
    normals = model.mesh_normal[model.mesh_normaladr[mesh] :][: model.mesh_normalnum[mesh]]
    if not has_places:
        normals, normal_of = _sharpened(vertices[corners], normals, normal_of)
    has_picture = picture_of(model, geom) >= 0
    keys = [corners.ravel(), normal_of.ravel()]
    if has_picture and has_places:
        keys.append(model.mesh_facetexcoord[faces].ravel())
    unique, order = np.unique(np.stack(keys, 1), axis=0, return_inverse=True)
    points, places = vertices[unique[:, 0]], None
    if has_picture and has_places:
        places = _upwards(model.mesh_texcoord[first + unique[:, 2]])
    elif has_picture:
        places = _flat(model, model.geom_matid[geom], points, model.geom_size[geom])
    return Triangles(points, order.reshape(-1, 3), normals[unique[:, 1]], places)


def _sharpened(triangles: np.ndarray, normals: np.ndarray, normal_of: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the normals of a mesh, and which is whose corner's, with those of triangles that turn too sharply."""
    flat = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-12)
    is_sharp = (normals[normal_of] * flat[:, None]).sum(-1) < _SMOOTH
    own = len(normals) + np.arange(len(flat))[:, None]
    return np.concatenate([normals, flat]), np.where(is_sharp, own, normal_of)


def _plane_lines(half: float, spacing: float) -> np.ndarray:
    """Return where the lines of a plane's grid cross an axis, in [-1, 1]: every two spacings, with a margin."""
    step = max(spacing, half / (_PLANE_LINES - 2))
    count = int(half // step) // 2 * 2
    inner = -count * step + 2 * step * np.arange(count + 1)
    return np.unique(np.concatenate([[-half], inner, [half]]).round(9)) / half


def _sides(
    model: mujoco.MjModel, geom: int, half: np.ndarray, sides: dict[tuple[int, int], tuple[np.ndarray, np.ndarray]]
) -> Triangles:
    """Return flat sides, by axis and sign, as grids of some lines, in [-1, 1] along the two other axes."""
    texture = picture_of(model, geom)
    is_cube = texture >= 0 and model.tex_type[texture] == mujoco.mjtTexture.mjTEXTURE_CUBE
    points: list[np.ndarray] = []
    places, normals, faces, count = [], [], [], 0
    for (axis, sign), lines in sides.items():
        first, second = np.meshgrid(*lines, indexing="ij")
        unit = np.full((first.size, 3), float(sign))
        unit[:, (axis + 1) % 3], unit[:, (axis + 2) % 3] = first.ravel(), second.ravel()
        faces.append(grid_faces(first.shape)[:, ::sign] + count)
        count += first.size
        points.append(unit * half)
        normals.append(np.eye(3)[[axis] * len(unit)] * sign)
        if is_cube:  # the whole picture on each side
            (along, turned), (up, flipped) = _CUBE[(axis, sign)]
            places.append(_upwards(np.stack([turned * unit[:, along] + 1, flipped * unit[:, up] + 1], 1) / 2))
        elif texture >= 0:
            places.append(_flat(model, model.geom_matid[geom], points[-1], half))
    laid = np.concatenate(places) if places else None
    return Triangles(np.concatenate(points), np.concatenate(faces), np.concatenate(normals), laid)


def _flat(model: mujoco.MjModel, material: int, points: np.ndarray, half: np.ndarray) -> np.ndarray:
    """Return places in a picture that lies along x and y, once over the shape or once a metre."""
    is_uniform = model.mat_texuniform[material]
    span = points[:, :2] if is_uniform else points[:, :2] / np.maximum(half[:2], 1e-9)
    return _upwards(span * model.mat_texrepeat[material] * [0.5, -0.5] - 0.5)


def _upwards(places: np.ndarray) -> np.ndarray:
    """Return places with v up from the picture's lower edge, as USD has it; MuJoCo's runs down from its upper one."""
    return np.stack([places[:, 0], 1 - places[:, 1]], 1)
