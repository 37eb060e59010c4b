"""Kernels of ``MujocoLookRenderer``: finer rays, and OpenGL's light of before shaders, which MuJoCo draws by."""

# mypy: disable-error-code="valid-type,operator,no-any-return,no-untyped-call,untyped-decorator"

import warp as wp

__all__ = ["LightData", "fine_rays", "shade"]


@wp.struct
class LightData:
    """One light; ``stands`` is 0 for a directional one."""

    stands: wp.int32
    position: wp.vec3f
    direction: wp.vec3f
    ambient: wp.vec3f
    diffuse: wp.vec3f
    specular: wp.vec3f
    cos_cutoff: wp.float32
    exponent: wp.float32
    attenuation: wp.vec3f


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
def highlight(normal: wp.vec3f, to_light: wp.vec3f, to_eye: wp.vec3f, exponent: float) -> float:
    """Strength of a highlight where the light is in front of a surface."""
    half = wp.normalize(to_light + to_eye)
    return wp.pow(wp.max(wp.dot(normal, half), 0.0), exponent)


@wp.func
def reach(light: LightData, to_light: wp.vec3f, distance: float) -> float:
    """Share of a standing light that arrives at a point."""
    cosine = -wp.dot(to_light, light.direction)
    if cosine < light.cos_cutoff:
        return 0.0
    fall = light.attenuation[0] + light.attenuation[1] * distance + light.attenuation[2] * distance * distance
    return wp.pow(wp.max(cosine, 0.0), light.exponent) / fall


@wp.func
def bytes_of(packed: wp.uint32) -> wp.vec3f:
    """Red, green and blue in [0, 1] of a packed colour."""
    red = float(packed & wp.uint32(255))
    green = float((packed >> wp.uint32(8)) & wp.uint32(255))
    blue = float((packed >> wp.uint32(16)) & wp.uint32(255))
    return wp.vec3f(red, green, blue) / 255.0


@wp.func
def packed_of(colour: wp.vec3f) -> wp.uint32:
    """A colour in [0, 1] as four bytes, opaque."""
    red = wp.uint32(wp.round(255.0 * colour[0]))
    green = wp.uint32(wp.round(255.0 * colour[1]))
    blue = wp.uint32(wp.round(255.0 * colour[2]))
    return (wp.uint32(255) << wp.uint32(24)) | (blue << wp.uint32(16)) | (green << wp.uint32(8)) | red


@wp.kernel(enable_backward=False)
def shade(
    lights: wp.array(dtype=LightData),
    ambient: wp.float32,
    background: wp.vec3f,
    surfaces: wp.array(dtype=wp.vec3f),
    tints: wp.array(dtype=wp.vec3f),
    shape_colours: wp.array(dtype=wp.vec3f),
    origins: wp.array(dtype=wp.vec3f),
    camera_transforms: wp.array2d(dtype=wp.transformf),
    rays: wp.array4d(dtype=wp.vec3f),
    shapes: wp.array4d(dtype=wp.uint32),
    textures: wp.array4d(dtype=wp.uint32),
    normals: wp.array4d(dtype=wp.vec3f),
    depths: wp.array4d(dtype=wp.float32),
    finer: wp.int32,
    pictures: wp.array4d(dtype=wp.uint32),
):
    """Light what was hit, and average the ``finer`` x ``finer`` rays of each pixel.

    OpenGL lights a white surface, clamps the light to [0, 1], and multiplies by the texture; all in colours as
    displayed. The camera's own light is the first one where ``lights`` says so by a direction of zero.

    Args:
        lights: (L,).
        ambient: Light from everywhere.
        background: Of rays that hit nothing.
        surfaces: (shapes,), specular, exponent of the highlight, emission.
        tints: (shapes,), of the materials.
        shape_colours: (shapes,), Newton's own, as displayed; a variation may have lit them by more than 1.
        origins: (num_envs,), of the envs, metres; lights stand relative to them.
        camera_transforms: (1, num_envs), poses, looking along -z.
        rays: (1, finer H, finer W, 2), origin and direction in the camera's frame.
        shapes: (num_envs, 1, finer H, finer W), what was hit.
        textures: Its texture, packed; white without one.
        normals: In the world.
        depths: Along the ray, metres.
        finer: Rays through a pixel, along each side.
        pictures: (num_envs, 1, H, W), packed; written.
    """
    world, row, column = wp.tid()
    pose = camera_transforms[0, world]
    forward = wp.transform_vector(pose, wp.vec3f(0.0, 0.0, -1.0))
    total = wp.vec3f(0.0)
    for i in range(finer):
        for j in range(finer):
            y = row * finer + i
            x = column * finer + j
            shape = shapes[world, 0, y, x]
            if shape >= wp.uint32(shape_colours.shape[0]):
                total += background
                continue
            here = wp.int32(shape)
            colour = wp.cw_mul(shape_colours[here], tints[here])
            surface = surfaces[here]
            ray = wp.transform_vector(pose, rays[0, y, x, 1])
            point = wp.transform_get_translation(pose) + depths[world, 0, y, x] * ray - origins[world]
            normal = wp.normalize(normals[world, 0, y, x])
            lit = wp.vec3f(ambient + surface[2])
            shine = wp.vec3f(0.0)
            for k in range(lights.shape[0]):
                light = lights[k]
                share = float(1.0)
                to_light = -light.direction
                if light.stands != 0:
                    away = light.position - point
                    distance = wp.length(away)
                    to_light = away / distance
                    share = reach(light, to_light, distance)
                elif wp.length_sq(light.direction) == 0.0:
                    to_light = -forward
                facing = wp.dot(normal, to_light)
                lit += share * light.ambient
                if facing > 0.0:
                    lit += share * facing * light.diffuse
                    shine += share * highlight(normal, to_light, -ray, surface[1]) * light.specular
            light_on_it = wp.cw_mul(colour, lit) + surface[0] * shine
            clamped = wp.min(wp.max(light_on_it, wp.vec3f(0.0)), wp.vec3f(1.0))
            total += wp.cw_mul(bytes_of(textures[world, 0, y, x]), clamped)
    pictures[world, 0, row, column] = packed_of(total / float(finer * finer))
