"""Kernels of ``MujocoLookRenderer``: finer rays, and OpenGL's light of before shaders, which MuJoCo draws by.

* ``fine_rays``: lays the rays.
* ``shade``: lights what they have hit.
* ``LightData``, ``Surface``: what ``shade`` reads.
"""

# mypy: disable-error-code="valid-type,operator,no-any-return,no-untyped-call,untyped-decorator"
# ruff: noqa: PLR0917 - kernels take arrays by position

import warp as wp

__all__ = ["LightData", "Surface", "fine_rays", "shade"]


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
    tint: wp.vec3f
    mesh: wp.uint64
    normals: wp.array(dtype=wp.vec3f)
    coordinates: wp.array(dtype=wp.vec2f)
    texture: wp.Texture2D
    texels: wp.vec2f


@wp.struct
class Hit:
    """A triangle and where on it, by the shares of its corners."""

    there: wp.bool
    face: wp.int32
    shares: wp.vec3f


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
def reach(light: LightData, to_light: wp.vec3f, distance: float) -> float:
    """Return the share of a standing light that arrives at a point."""
    cosine = -wp.dot(to_light, light.direction)
    if cosine < light.cos_cutoff:
        return 0.0
    fall = light.attenuation[0] + light.attenuation[1] * distance + light.attenuation[2] * distance * distance
    return wp.pow(wp.max(cosine, 0.0), light.exponent) / fall


@wp.func
def lit(
    lights: wp.array(dtype=LightData),
    ambient: float,
    surface: Surface,
    colour: wp.vec3f,
    point: wp.vec3f,
    normal: wp.vec3f,
    to_eye: wp.vec3f,
    forward: wp.vec3f,
) -> wp.vec3f:
    """Return the light of a point in [0, 1], which its texture is multiplied by."""
    soft = wp.vec3f(ambient + surface.emission)
    shine = wp.vec3f(0.0)
    for index in range(lights.shape[0]):
        light = lights[index]
        share = float(1.0)
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
def triangle_at(mesh: wp.uint64, start: wp.vec3f, ray: wp.vec3f, distance: float) -> Hit:
    """Return the triangle of a mesh at a distance along a ray, both in the mesh's frame."""
    slack = 1.0e-4 * (1.0 + distance)
    found = wp.mesh_query_ray(mesh, start + (distance - slack) * ray, ray, 2.0 * slack)
    hit = Hit()
    hit.there = found.result
    hit.face = found.face
    hit.shares = wp.vec3f(found.u, found.v, 1.0 - found.u - found.v)
    return hit


@wp.func
def spread(a: wp.vec3f, b: wp.vec3f, c: wp.vec3f, start: wp.vec3f, ray: wp.vec3f, beside: wp.vec3f) -> wp.vec2f:
    """Return how far the ray beside another has moved on a triangle's plane, in its edges from ``a``."""
    edge, other = b - a, c - a
    normal = wp.cross(edge, other)
    height = wp.dot(normal, a - start)
    moved = height / wp.dot(normal, beside) * beside - height / wp.dot(normal, ray) * ray
    square = wp.length_sq(normal)
    return wp.vec2f(wp.dot(wp.cross(moved, other), normal) / square, wp.dot(wp.cross(edge, moved), normal) / square)


@wp.kernel(enable_backward=False)
def shade(
    lights: wp.array(dtype=LightData),
    ambient: wp.float32,
    background: wp.vec3f,
    surfaces: wp.array(dtype=Surface),
    shape_colours: wp.array(dtype=wp.vec3f),
    shape_poses: wp.array(dtype=wp.transformf),
    shape_scales: wp.array(dtype=wp.vec3f),
    origins: wp.array(dtype=wp.vec3f),
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
        lights: (L,).
        ambient: Light from everywhere.
        background: Of rays that hit nothing.
        surfaces: (shapes,).
        shape_colours: (shapes,), Newton's own, as displayed; a variation may have lit them by more than 1.
        shape_poses: (shapes,), in the world.
        shape_scales: (shapes,).
        origins: (num_envs,), of the envs, metres; lights stand relative to them.
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
    eye = wp.transform_get_translation(pose)
    forward = wp.transform_vector(pose, wp.vec3f(0.0, 0.0, -1.0))
    total = wp.vec3f(0.0)
    last_shape = wp.int32(-1)
    last_face = wp.int32(-1)
    corners = wp.mat33f(0.0)  # a row the light of each corner of the last triangle
    for step in range(finer * finer):
        y = row * finer + step / finer
        x = column * finer + step % finer
        if shapes[world, 0, y, x] >= wp.uint32(shape_colours.shape[0]):
            total += background
            continue
        shape = wp.int32(shapes[world, 0, y, x])
        surface = surfaces[shape]
        colour = wp.cw_mul(shape_colours[shape], surface.tint)
        ray = wp.transform_vector(pose, rays[0, y, x, 1])
        depth = depths[world, 0, y, x]
        hit = Hit()
        there = shape_poses[shape]
        scale = shape_scales[shape]
        back = wp.transform_inverse(there)
        start = wp.cw_div(wp.transform_point(back, eye), scale)
        along = wp.cw_div(wp.transform_vector(back, ray), scale)
        if surface.mesh != wp.uint64(0):
            hit = triangle_at(surface.mesh, start, along, depth)
        if not hit.there:
            point = eye + depth * ray
            total += lit(
                lights,
                ambient,
                surface,
                colour,
                point - origins[world],
                wp.normalize(normals[world, 0, y, x]),
                -ray,
                forward,
            )
            continue
        a = wp.mesh_get_point(surface.mesh, hit.face * 3)
        b = wp.mesh_get_point(surface.mesh, hit.face * 3 + 1)
        c = wp.mesh_get_point(surface.mesh, hit.face * 3 + 2)
        if shape != last_shape or hit.face != last_face:
            last_shape = shape
            last_face = hit.face
            flat = wp.cross(b - a, c - a)
            for k in range(3):
                index = wp.mesh_get_index(surface.mesh, hit.face * 3 + k)
                normal = flat
                if surface.normals.shape[0] > 0:
                    normal = surface.normals[index]
                corner = wp.transform_point(there, wp.cw_mul(wp.mesh_get_point(surface.mesh, hit.face * 3 + k), scale))
                upright = wp.normalize(wp.transform_vector(there, wp.cw_div(normal, scale)))
                to_eye = wp.normalize(eye - corner)
                corners[k] = lit(lights, ambient, surface, colour, corner - origins[world], upright, to_eye, forward)
        light = wp.transpose(corners) * hit.shares
        if surface.texels[0] > 0.0:
            ta = surface.coordinates[wp.mesh_get_index(surface.mesh, hit.face * 3)]
            tb = surface.coordinates[wp.mesh_get_index(surface.mesh, hit.face * 3 + 1)]
            tc = surface.coordinates[wp.mesh_get_index(surface.mesh, hit.face * 3 + 2)]
            place = hit.shares[0] * ta + hit.shares[1] * tb + hit.shares[2] * tc
            widest = float(0.0)
            for side in range(2):
                nx = x
                ny = y
                if side == 0:
                    nx = wp.where(x + 1 < rays.shape[2], x + 1, x - 1)
                else:
                    ny = wp.where(y + 1 < rays.shape[1], y + 1, y - 1)
                beside = wp.cw_div(wp.transform_vector(back, wp.transform_vector(pose, rays[0, ny, nx, 1])), scale)
                moved = spread(a, b, c, start, along, beside)
                texels = wp.cw_mul(moved[0] * (tb - ta) + moved[1] * (tc - ta), surface.texels)
                widest = wp.max(widest, wp.length(texels))
            level = wp.log2(wp.max(widest * float(finer), 1.0))
            seen = wp.texture_sample(surface.texture, wp.vec2f(place[0], 1.0 - place[1]), dtype=wp.vec4f, lod=level)
            light = wp.cw_mul(light, wp.vec3f(seen[0], seen[1], seen[2]))
        total += light
    mean = total / float(finer * finer)
    packed = wp.uint32(255) << wp.uint32(24)
    for k in range(3):
        packed = packed | (wp.uint32(wp.round(255.0 * mean[k])) << wp.uint32(8 * k))
    pictures[world, 0, row, column] = packed
