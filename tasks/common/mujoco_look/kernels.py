"""Kernels of ``MujocoLookRenderer``: finer rays, and OpenGL's light of before shaders, which MuJoCo draws by.

* ``fine_rays``: lays the rays.
* ``shade``: lights what they have hit.
* ``Lighting``, ``LightData``, ``Scene``, ``Surface``: what ``shade`` reads.
"""

# ruff: noqa: PLR0917 - kernels take arrays by position
# mypy: ignore-errors

import warp as wp

__all__ = ["LightData", "Lighting", "Scene", "Surface", "fine_rays", "shade"]

wp.set_module_options({"max_unroll": 3})  # or the loops over layers are written out, and take minutes to compile

NEAR = wp.constant(1.0e-4)  # metres: within this a second ray still hits what the first one has hit
FAR = wp.constant(1.0e3)  # metres
LAYERS = wp.constant(8)  # backs of a mesh, or transparent things, that a ray passes at most
COARSEST = wp.constant(65536.0)  # texels


@wp.struct
class LightData:
    """One light: it stands somewhere, or is far away in a direction; the camera's own has no direction."""

    stands: wp.bool
    position: wp.vec3f
    direction: wp.vec3f
    ambient: wp.vec3f
    diffuse: wp.vec3f
    specular: wp.vec3f
    cos_cutoff: wp.float32
    exponent: wp.float32
    attenuation: wp.vec3f


@wp.struct
class Surface:
    """Material, texture and vertices of one shape; a shape that is no mesh, or has no texture, has a size of 0."""

    specular: wp.float32
    exponent: wp.float32
    emission: wp.float32
    reflectance: wp.float32
    cover: wp.float32
    tint: wp.vec3f
    mesh: wp.uint64
    normals: wp.array(dtype=wp.vec3f)
    coordinates: wp.array(dtype=wp.vec2f)
    texture: wp.Texture2D
    texels: wp.vec2f


@wp.struct
class Scene:
    """All shapes as they stand, and what finds those that a ray hits. A mesh of a negative colour is hidden."""

    surfaces: wp.array(dtype=Surface)
    colours: wp.array(dtype=wp.vec3f)
    poses: wp.array(dtype=wp.transformf)
    scales: wp.array(dtype=wp.vec3f)
    origins: wp.array(dtype=wp.vec3f)
    tree: wp.uint64
    roots: wp.array(dtype=wp.int32)
    leaves: wp.array(dtype=wp.uint32)


@wp.struct
class Lighting:
    """All lights, what comes from everywhere, and what lies behind all shapes."""

    lights: wp.array(dtype=LightData)
    ambient: wp.float32
    background: wp.vec3f


@wp.struct
class View:
    """A ray from an eye, its neighbours in the picture, and the way the camera looks."""

    eye: wp.vec3f
    ray: wp.vec3f
    right: wp.vec3f
    below: wp.vec3f
    forward: wp.vec3f


@wp.struct
class Hit:
    """A triangle of a shape, where on it by the shares of its corners, and how far along the ray; shape -1: none."""

    shape: wp.int32
    face: wp.int32
    shares: wp.vec3f
    distance: wp.float32


@wp.kernel(enable_backward=False)
def fine_rays(intrinsics: wp.array(dtype=wp.mat33f), finer: wp.int32, rays: wp.array4d(dtype=wp.vec3f)):
    """Lay ``finer`` x ``finer`` rays through each pixel of a pinhole camera; all envs have the first one's lens."""
    y, x = wp.tid()
    matrix = intrinsics[0]
    u = (float(x) + 0.5) / float(finer)
    v = (float(y) + 0.5) / float(finer)
    direction = wp.vec3f((u - matrix[0, 2]) / matrix[0, 0], -(v - matrix[1, 2]) / matrix[1, 1], -1.0)
    rays[0, y, x, 0] = wp.vec3f(0.0)
    rays[0, y, x, 1] = wp.normalize(direction)


@wp.func
def view_through(pose: wp.transformf, rays: wp.array4d(dtype=wp.vec3f), x: int, y: int, finer: int) -> View:
    """Return the view of a camera along one of its rays; its neighbours are there also outside the picture.

    They are half way between the next ray and the next pixel, by factors: OpenGL reads a texture once a pixel, as
    coarsely as that is wide, and the mean of finer rays would blur that further.
    """
    middle = rays[0, y, x, 1]
    right = rays[0, y, wp.where(x + 1 < rays.shape[2], x + 1, x - 1), 1]
    below = rays[0, wp.where(y + 1 < rays.shape[1], y + 1, y - 1), x, 1]
    view = View()
    view.eye = wp.transform_get_translation(pose)
    view.ray = wp.transform_vector(pose, middle)
    apart = wp.sqrt(float(finer))
    view.right = wp.transform_vector(pose, middle + apart * (right - middle))
    view.below = wp.transform_vector(pose, middle + apart * (below - middle))
    view.forward = wp.transform_vector(pose, wp.vec3f(0.0, 0.0, -1.0))
    return view


@wp.func
def reach(light: LightData, to_light: wp.vec3f, distance: float) -> float:
    """Return the share of a standing light that arrives at a point."""
    cosine = -wp.dot(to_light, light.direction)
    if cosine < light.cos_cutoff:
        return 0.0
    fall = light.attenuation[0] + light.attenuation[1] * distance + light.attenuation[2] * distance * distance
    return wp.pow(wp.max(cosine, 0.0), light.exponent) / fall


@wp.func
def lit(
    lighting: Lighting,
    surface: Surface,
    colour: wp.vec3f,
    point: wp.vec3f,
    normal: wp.vec3f,
    to_eye: wp.vec3f,
    forward: wp.vec3f,
) -> wp.vec3f:
    """Return the light of a point in the env's frame, in [0, 1]; its texture is multiplied by it."""
    soft = wp.vec3f(lighting.ambient + surface.emission)
    shine = wp.vec3f(0.0)
    for index in range(lighting.lights.shape[0]):
        light = lighting.lights[index]
        share = wp.float32(1.0)
        to_light = -light.direction
        if light.stands:
            away = light.position - point
            distance = wp.length(away)
            to_light = away / distance
            share = reach(light, to_light, distance)
        elif wp.length_sq(light.direction) == 0.0:
            to_light = -forward
        soft += share * light.ambient
        facing = wp.dot(normal, to_light)
        if facing > 0.0:
            half = wp.max(wp.dot(normal, wp.normalize(to_light + to_eye)), 0.0)
            soft += share * facing * light.diffuse
            shine += share * wp.pow(half, surface.exponent) * light.specular
    total = wp.cw_mul(colour, soft) + surface.specular * shine
    return wp.min(wp.max(total, wp.vec3f(0.0)), wp.vec3f(1.0))


@wp.func
def in_mesh(scene: Scene, shape: int, start: wp.vec3f, ray: wp.vec3f, near: float, far: float) -> Hit:
    """Return where a ray hits a mesh between two distances along it: neither its back is drawn nor what is hidden."""
    hit = Hit()
    hit.shape = -1
    mesh = scene.surfaces[shape].mesh
    if mesh == wp.uint64(0) or scene.colours[shape][0] < 0.0:
        return hit
    back, scale = wp.transform_inverse(scene.poses[shape]), scene.scales[shape]
    along = wp.cw_div(wp.transform_vector(back, ray), scale)
    first = wp.cw_div(wp.transform_point(back, start), scale)
    for _layer in range(LAYERS):
        found = wp.mesh_query_ray(mesh, first + near * along, along, far - near)
        if not found.result:
            return hit
        if wp.dot(found.normal, along) < 0.0:
            hit.shape = shape
            hit.face = found.face
            hit.shares = wp.vec3f(found.u, found.v, 1.0 - found.u - found.v)
            hit.distance = near + found.t
            return hit
        near += found.t + NEAR
    return hit


@wp.func
def behind(scene: Scene, world: int, start: wp.vec3f, ray: wp.vec3f, near: float, far: float) -> Hit:
    """Return the first mesh that a ray hits between two distances along it, of an env or of what all envs share."""
    best = Hit()
    best.shape = -1
    best.distance = far
    for turn in range(2):
        root = scene.roots[wp.where(turn == 0, world, scene.roots.shape[0] - 1)]
        if root >= 0:
            query = wp.bvh_query_ray(scene.tree, start, ray, root)
            leaf = wp.int32(0)
            while wp.bvh_query_next(query, leaf, best.distance):
                hit = in_mesh(scene, wp.int32(scene.leaves[leaf]), start, ray, near, best.distance)
                if hit.shape >= 0:
                    best = hit
    return best


@wp.func
def corners_of(scene: Scene, lighting: Lighting, world: int, hit: Hit, view: View, share: float) -> wp.mat33f:
    """Return the light of a triangle's corners, a column each; ``share`` is how much of the shape's colour is lit."""
    surface = scene.surfaces[hit.shape]
    pose, scale = scene.poses[hit.shape], scene.scales[hit.shape]
    colour = share * wp.cw_mul(scene.colours[hit.shape], surface.tint)
    a = wp.mesh_get_point(surface.mesh, hit.face * 3)
    flat = wp.cross(
        wp.mesh_get_point(surface.mesh, hit.face * 3 + 1) - a, wp.mesh_get_point(surface.mesh, hit.face * 3 + 2) - a
    )
    corners = wp.mat33f(0.0)
    for k in range(3):
        index = wp.mesh_get_index(surface.mesh, hit.face * 3 + k)
        normal = flat
        if surface.normals.shape[0] > 0:
            normal = surface.normals[index]
        place = wp.transform_point(pose, wp.cw_mul(wp.mesh_get_point(surface.mesh, hit.face * 3 + k), scale))
        upright = wp.normalize(wp.transform_vector(pose, wp.cw_div(normal, scale)))
        to_eye = wp.normalize(view.eye - place)
        light = lit(lighting, surface, colour, place - scene.origins[world], upright, to_eye, view.forward)
        for row in range(3):
            corners[row, k] = light[row]
    return corners


@wp.func
def spread(edge: wp.vec3f, other: wp.vec3f, height: float, ray: wp.vec3f, beside: wp.vec3f) -> wp.vec2f:
    """Return how far on a triangle's plane the ray beside another hits it, in two of its edges.

    ``height`` is that of the plane over the eye, along the cross product of the edges.
    """
    normal = wp.cross(edge, other)
    moved = height / wp.dot(normal, beside) * beside - height / wp.dot(normal, ray) * ray
    square = wp.length_sq(normal)
    return wp.vec2f(wp.dot(wp.cross(moved, other), normal) / square, wp.dot(wp.cross(edge, moved), normal) / square)


@wp.func
def texture_of(scene: Scene, hit: Hit, view: View) -> wp.vec3f:
    """Return the texture at a hit, read as coarsely as the neighbouring rays are apart; white without one."""
    surface = scene.surfaces[hit.shape]
    if surface.texels[0] == 0.0:
        return wp.vec3f(1.0)
    back, scale = wp.transform_inverse(scene.poses[hit.shape]), scene.scales[hit.shape]
    a = wp.mesh_get_point(surface.mesh, hit.face * 3)
    edge = wp.mesh_get_point(surface.mesh, hit.face * 3 + 1) - a
    other = wp.mesh_get_point(surface.mesh, hit.face * 3 + 2) - a
    ta = surface.coordinates[wp.mesh_get_index(surface.mesh, hit.face * 3)]
    tb = surface.coordinates[wp.mesh_get_index(surface.mesh, hit.face * 3 + 1)]
    tc = surface.coordinates[wp.mesh_get_index(surface.mesh, hit.face * 3 + 2)]
    height = wp.dot(wp.cross(edge, other), a - wp.cw_div(wp.transform_point(back, view.eye), scale))
    ray = wp.cw_div(wp.transform_vector(back, view.ray), scale)
    right = spread(edge, other, height, ray, wp.cw_div(wp.transform_vector(back, view.right), scale))
    below = spread(edge, other, height, ray, wp.cw_div(wp.transform_vector(back, view.below), scale))
    wide = wp.length(wp.cw_mul(right[0] * (tb - ta) + right[1] * (tc - ta), surface.texels))
    high = wp.length(wp.cw_mul(below[0] * (tb - ta) + below[1] * (tc - ta), surface.texels))
    # In this order, as the first argument is taken where the second is not a number: of a triangle seen from its edge.
    level = wp.log2(wp.min(COARSEST, wp.max(1.0, wp.max(wide, high))))
    place = hit.shares[0] * ta + hit.shares[1] * tb + hit.shares[2] * tc
    seen = wp.texture_sample(surface.texture, wp.vec2f(place[0], 1.0 - place[1]), dtype=wp.vec4f, lod=level)
    return wp.vec3f(seen[0], seen[1], seen[2])


@wp.func
def colour_of(scene: Scene, lighting: Lighting, world: int, hit: Hit, view: View, share: float) -> wp.vec3f:
    """Return the colour of what a second ray hit."""
    if hit.shape < 0:
        return lighting.background
    corners = corners_of(scene, lighting, world, hit, view, share)
    return wp.cw_mul(corners * hit.shares, texture_of(scene, hit, view))


@wp.func
def mirrored(scene: Scene, lighting: Lighting, world: int, hit: Hit, view: View) -> wp.vec3f:
    """Return what the upper side of a shape mirrors, in its own frame: MuJoCo knows no other mirrors."""
    surface = scene.surfaces[hit.shape]
    a = wp.mesh_get_point(surface.mesh, hit.face * 3)
    b = wp.mesh_get_point(surface.mesh, hit.face * 3 + 1)
    c = wp.mesh_get_point(surface.mesh, hit.face * 3 + 2)
    local = wp.normalize(wp.cross(b - a, c - a))
    if local[2] < 0.999:
        return wp.vec3f(0.0)
    normal = wp.transform_vector(scene.poses[hit.shape], local)
    point = view.eye + hit.distance * view.ray
    other = View()
    other.eye = view.eye - 2.0 * wp.dot(view.eye - point, normal) * normal
    other.ray = view.ray - 2.0 * wp.dot(view.ray, normal) * normal
    other.right = view.right - 2.0 * wp.dot(view.right, normal) * normal
    other.below = view.below - 2.0 * wp.dot(view.below, normal) * normal
    other.forward = view.forward
    seen = behind(scene, world, other.eye, other.ray, hit.distance + NEAR, FAR)
    if seen.shape < 0:
        return wp.vec3f(0.0)
    return colour_of(scene, lighting, world, seen, other, surface.reflectance)


@wp.func
def seen_through(scene: Scene, lighting: Lighting, world: int, hit: Hit, view: View, colour: wp.vec3f) -> wp.vec3f:
    """Return the colour of something transparent with what lies behind it, transparent or not."""
    surface = scene.surfaces[hit.shape]
    clear = 1.0 - surface.cover
    total = surface.cover * colour
    distance = hit.distance
    for _layer in range(LAYERS):
        seen = behind(scene, world, view.eye, view.ray, distance + NEAR, FAR)
        share = clear
        if seen.shape >= 0:
            surface = scene.surfaces[seen.shape]
            share = clear * surface.cover
        total += share * colour_of(scene, lighting, world, seen, view, 1.0)
        clear -= share
        if clear < 0.01:
            return total
        distance = seen.distance
    return total


@wp.kernel(enable_backward=False)
def shade(
    scene: Scene,
    lighting: Lighting,
    camera_poses: wp.array2d(dtype=wp.transformf),
    rays: wp.array4d(dtype=wp.vec3f),
    shapes: wp.array4d(dtype=wp.uint32),
    normals: wp.array4d(dtype=wp.vec3f),
    depths: wp.array4d(dtype=wp.float32),
    finer: wp.int32,
    pictures: wp.array4d(dtype=wp.uint32),
):
    """Light what was hit, and average the ``finer`` x ``finer`` rays of each pixel.

    As OpenGL of before shaders does: the corners of a triangle are lit, in colours as displayed; their light is clamped
    to [0, 1], laid over the triangle between them, and multiplied by the texture. A texture is read as coarsely as the
    pixel is wide. What is no mesh is lit at each point.

    Args:
        scene: The shapes.
        lighting: The lights.
        camera_poses: (1, num_envs), looking along -z.
        rays: (1, finer H, finer W, 2), origin and direction in the camera's frame.
        shapes: (num_envs, 1, finer H, finer W), what was hit.
        normals: In the world.
        depths: Along the ray, metres.
        finer: Rays through a pixel, along each side.
        pictures: (num_envs, 1, H, W), packed; written.
    """
    world, row, column = wp.tid()
    pose = camera_poses[0, world]
    total = wp.vec3f(0.0)
    last = Hit()
    last.shape = -1
    corners = wp.mat33f(0.0)  # of the last triangle: neighbouring rays hit the same one
    for step in range(finer * finer):
        y = row * finer + step / finer
        x = column * finer + step % finer
        if shapes[world, 0, y, x] >= wp.uint32(scene.colours.shape[0]):
            total += lighting.background
            continue
        shape = wp.int32(shapes[world, 0, y, x])
        surface = scene.surfaces[shape]
        depth = depths[world, 0, y, x]
        view = view_through(pose, rays, x, y, finer)
        slack = NEAR * (1.0 + depth)
        hit = in_mesh(scene, shape, view.eye, view.ray, depth - slack, depth + slack)
        if hit.shape < 0 and surface.mesh != wp.uint64(0):  # Newton saw what is not drawn
            hit = behind(scene, world, view.eye, view.ray, depth + NEAR, FAR)
            if hit.shape < 0:
                total += lighting.background
                continue
            surface = scene.surfaces[hit.shape]
        if hit.shape < 0:
            colour = wp.cw_mul(scene.colours[shape], surface.tint)
            point = view.eye + depth * view.ray - scene.origins[world]
            normal = wp.normalize(normals[world, 0, y, x])
            total += lit(lighting, surface, colour, point, normal, -view.ray, view.forward)
            continue
        if hit.shape != last.shape or hit.face != last.face:
            corners = corners_of(scene, lighting, world, hit, view, 1.0)
            last = hit
        colour = wp.cw_mul(corners * hit.shares, texture_of(scene, hit, view))
        if surface.reflectance > 0.0:
            colour = wp.min(colour + mirrored(scene, lighting, world, hit, view), wp.vec3f(1.0))
        if surface.cover < 1.0:
            colour = seen_through(scene, lighting, world, hit, view, colour)
        total += colour
    mean = total / float(finer * finer)
    packed = wp.uint32(255) << wp.uint32(24)
    for k in range(3):
        packed = packed | (wp.uint32(wp.round(255.0 * mean[k])) << wp.uint32(8 * k))
    pictures[world, 0, row, column] = packed
