"""Warp kernels of robosuite's controllers: an arm's kinematics and dynamics, operational space control, its fingers.

One thread is one world. What is found on the way is in double precision, from a state in single precision.
"""

# ruff: noqa: PLR0917 - kernels take arrays by position
# mypy: ignore-errors

import warp as wp

__all__ = [
    "Arm",
    "Links",
    "Mat33",
    "Mat77",
    "Quat",
    "Real",
    "Vec3",
    "Vec7",
    "aim",
    "control",
    "factor",
    "move_fingers",
    "read_tool",
    "solve",
]

Real = wp.float64
Vec3, Quat, Mat33 = wp.types.vector(3, Real), wp.types.quaternion(Real), wp.types.matrix((3, 3), Real)
Vec7, Mat77 = wp.types.vector(7, Real), wp.types.matrix((7, 7), Real)

# robosuite 1.4's OSC_POSE and Panda
STIFFNESS, DAMPING = wp.constant(Real(150.0)), wp.constant(Real(2 * 150.0**0.5))
REST_STIFFNESS, REST_DAMPING = wp.constant(Real(10.0)), wp.constant(Real(2 * 10.0**0.5))
DROPPED = wp.constant(Real(1e-14))  # pivots below this part of the largest number are none, as in NumPy's pinv


@wp.struct
class Arm:
    """Seven links that turn one after the other, and what is fixed or slides on the last; ``arm_model`` fills it in."""

    base_position: Vec3  # in the frame of the env
    base_rotation: Quat
    gravity: Vec3
    parent: wp.array(dtype=wp.int32)  # (links,); -1 is the base
    column: wp.array(dtype=wp.int32)  # of a link's joint in the robot's; -1 has none
    slides: wp.array(dtype=wp.int32)
    above: wp.array(dtype=wp.int32)  # how many of the seven joints move a link
    position: wp.array(dtype=Vec3)  # in the parent's frame, all joints at 0
    rotation: wp.array(dtype=Quat)
    axis: wp.array(dtype=Vec3)  # of a link's joint through its origin, in its own frame
    mass: wp.array(dtype=Real)
    centre: wp.array(dtype=Vec3)
    inertia: wp.array(dtype=Mat33)  # about the centre, along the link's axes
    armature: wp.array(dtype=Real)  # (7,)
    torque: wp.array(dtype=Real)  # (7,), the greatest
    rest: wp.array(dtype=Real)  # (7,), rad
    tool: wp.int32  # the link that has the tool's point
    tool_position: Vec3
    hand: wp.int32  # the link whose rotation is told
    hand_sign: Real


@wp.struct
class Links:
    """Where the links of each world are and how they move, (worlds, links), in the frame of the env."""

    position: wp.array2d(dtype=Vec3)
    rotation: wp.array2d(dtype=Quat)
    axis: wp.array2d(dtype=Vec3)
    speed: wp.array2d(dtype=Vec3)  # of a link's origin
    spin: wp.array2d(dtype=Vec3)
    speeding: wp.array2d(dtype=Vec3)  # accelerations while no joint is accelerated
    spinning: wp.array2d(dtype=Vec3)


@wp.func
def pose_below(world: int, arm: Arm, link: int, links: Links):
    """Return where the parent of a link is."""
    parent = arm.parent[link]
    if parent >= 0:
        return links.position[world, parent], links.rotation[world, parent]
    return arm.base_position, arm.base_rotation


@wp.func
def place_links(world: int, arm: Arm, q: wp.array2d(dtype=wp.float32), links: Links):
    """Find the poses of all links."""
    for link in range(arm.parent.shape[0]):
        below, turned = pose_below(world, arm, link, links)
        position = below + wp.quat_rotate(turned, arm.position[link])
        rotation = turned * arm.rotation[link]
        axis = wp.quat_rotate(rotation, arm.axis[link])
        if arm.column[link] >= 0:
            moved = Real(q[world, arm.column[link]])
            if arm.slides[link] == 1:
                position = position + axis * moved
            else:
                rotation = rotation * wp.quat_from_axis_angle(arm.axis[link], moved)
        links.position[world, link] = position
        links.rotation[world, link] = wp.normalize(rotation)
        links.axis[world, link] = axis


@wp.func
def move_links(world: int, arm: Arm, qd: wp.array2d(dtype=wp.float32), links: Links):
    """Find how all links move; they are placed."""
    for link in range(arm.parent.shape[0]):
        speed, spin, speeding, spinning = Vec3(), Vec3(), Vec3(), Vec3()
        parent = arm.parent[link]
        if parent >= 0:
            away = links.position[world, link] - links.position[world, parent]
            spin = Vec3(links.spin[world, parent])
            spinning = Vec3(links.spinning[world, parent])
            speed = links.speed[world, parent] + wp.cross(spin, away)
            speeding = links.speeding[world, parent] + wp.cross(spinning, away) + wp.cross(spin, wp.cross(spin, away))
        if arm.column[link] >= 0:
            moves = links.axis[world, link] * Real(qd[world, arm.column[link]])
            if arm.slides[link] == 1:
                speed = speed + moves
                speeding = speeding + Real(2.0) * wp.cross(spin, moves)
            else:
                spinning = spinning + wp.cross(spin, moves)
                spin = spin + moves
        links.speed[world, link] = speed
        links.spin[world, link] = spin
        links.speeding[world, link] = speeding
        links.spinning[world, link] = spinning


@wp.func
def dynamics(world: int, arm: Arm, links: Links):
    """Return the mass matrix of the seven joints, and the torques that bear gravity and Coriolis."""
    mass, bias = Mat77(), Vec7()
    for link in range(arm.parent.shape[0]):
        rotation, spin = links.rotation[world, link], links.spin[world, link]
        turn = wp.quat_to_matrix(rotation)
        inertia = turn * arm.inertia[link] * wp.transpose(turn)
        centre = wp.quat_rotate(rotation, arm.centre[link])
        at = links.position[world, link] + centre
        spinning = links.spinning[world, link]
        speeding = links.speeding[world, link] + wp.cross(spinning, centre) + wp.cross(spin, wp.cross(spin, centre))
        force = arm.mass[link] * (speeding - arm.gravity)
        torque = inertia * spinning + wp.cross(spin, inertia * spin)
        for row in range(arm.above[link]):
            axis = links.axis[world, row]
            moves = wp.cross(axis, at - links.position[world, row])
            turns = inertia * axis
            bias[row] += wp.dot(moves, force) + wp.dot(axis, torque)
            for column in range(row + 1):
                other = links.axis[world, column]
                others = wp.cross(other, at - links.position[world, column])
                mass[row, column] += arm.mass[link] * wp.dot(moves, others) + wp.dot(turns, other)
    for row in range(7):
        mass[row, row] += arm.armature[row]
        for column in range(row):
            mass[column, row] = mass[row, column]
    return mass, bias


@wp.func
def factor(matrix: Mat77, size: int):
    """Return L and D of the leading part of a symmetric matrix that is not negative, D on L's diagonal.

    What is singular within the precision is left out, so that no direction is divided by nothing.
    """
    lower = Mat77()
    most = Real(0.0)
    for row in range(size):
        most = wp.max(most, matrix[row, row])
    for column in range(size):
        pivot = matrix[column, column]
        for k in range(column):
            pivot -= lower[column, k] * lower[column, k] * lower[k, k]
        if pivot <= DROPPED * most:
            pivot = Real(0.0)
        lower[column, column] = pivot
        for row in range(column + 1, size):
            rest = matrix[row, column]
            for k in range(column):
                rest -= lower[row, k] * lower[column, k] * lower[k, k]
            if pivot > Real(0.0):
                lower[row, column] = rest / pivot
    return lower


@wp.func
def solve(lower: Mat77, size: int, wanted: Vec7):
    """Return x of ``matrix @ x = wanted`` for a matrix that ``factor`` took apart."""
    x = Vec7()
    for row in range(size):
        rest = wanted[row]
        for k in range(row):
            rest -= lower[row, k] * x[k]
        x[row] = rest
    for step in range(size):
        row = size - 1 - step
        rest = Real(0.0)
        if lower[row, row] > Real(0.0):
            rest = x[row] / lower[row, row]
        for k in range(row + 1, size):
            rest -= lower[k, row] * x[k]
        x[row] = rest
    return x


@wp.func
def tool_position(world: int, arm: Arm, links: Links):
    """Return the place of the tool's point."""
    return links.position[world, arm.tool] + wp.quat_rotate(links.rotation[world, arm.tool], arm.tool_position)


@wp.kernel
def read_tool(
    arm: Arm,
    q: wp.array2d(dtype=wp.float32),
    links: Links,
    position: wp.array(dtype=wp.vec3),
    rotation: wp.array(dtype=wp.quat),
):
    """Write the place of the tool's point and the rotation of the hand."""
    world = wp.tid()
    place_links(world, arm, q, links)
    position[world] = wp.vec3(tool_position(world, arm, links))
    rotation[world] = wp.quat(links.rotation[world, arm.hand] * arm.hand_sign)


@wp.kernel
def aim(
    arm: Arm,
    q: wp.array2d(dtype=wp.float32),
    rest: wp.array2d(dtype=wp.float32),
    changes: wp.array2d(dtype=wp.float32),
    links: Links,
    fresh: wp.array(dtype=wp.int32),
    goal_position: wp.array(dtype=Vec3),
    goal_rotation: wp.array(dtype=Quat),
):
    """Count a change (m, axis times angle in rad) from where the tool is.

    As in robosuite a change without any rotation leaves the goal of rotation where it was, and a reset has it where
    that put the arm: at rest.
    """
    world = wp.tid()
    if fresh[world] == 1:
        place_links(world, arm, rest, links)
        goal_rotation[world] = links.rotation[world, arm.tool]
        fresh[world] = 0
    place_links(world, arm, q, links)
    move = Vec3(Real(changes[world, 0]), Real(changes[world, 1]), Real(changes[world, 2]))
    turn = Vec3(Real(changes[world, 3]), Real(changes[world, 4]), Real(changes[world, 5]))
    goal_position[world] = tool_position(world, arm, links) + move
    angle = wp.length(turn)
    if angle > Real(0.0):
        goal_rotation[world] = wp.quat_from_axis_angle(turn / angle, angle) * links.rotation[world, arm.tool]


@wp.kernel
def control(
    arm: Arm,
    q: wp.array2d(dtype=wp.float32),
    qd: wp.array2d(dtype=wp.float32),
    links: Links,
    goal_position: wp.array(dtype=Vec3),
    goal_rotation: wp.array(dtype=Quat),
    effort: wp.array2d(dtype=wp.float32),
):
    """Write the torques of a physics step."""
    world = wp.tid()
    place_links(world, arm, q, links)
    move_links(world, arm, qd, links)
    mass, bias = dynamics(world, arm, links)
    tool = tool_position(world, arm, links)

    jacobian, speeds, posture = Mat77(), Vec7(), Vec7()  # 6 rows of 7 are used
    for joint in range(7):
        axis = links.axis[world, joint]
        moves = wp.cross(axis, tool - links.position[world, joint])
        for k in range(3):
            jacobian[k, joint] = moves[k]
            jacobian[3 + k, joint] = axis[k]
        at, speed = Real(q[world, arm.column[joint]]), Real(qd[world, arm.column[joint]])
        speeds[joint] = speed
        posture[joint] = REST_STIFFNESS * (arm.rest[joint] - at) - REST_DAMPING * speed

    velocity = jacobian * speeds
    now, goal = wp.quat_to_matrix(links.rotation[world, arm.tool]), wp.quat_to_matrix(goal_rotation[world])
    away, turn = goal_position[world] - tool, Vec3()
    for k in range(3):
        turn += Real(0.5) * wp.cross(Vec3(now[0, k], now[1, k], now[2, k]), Vec3(goal[0, k], goal[1, k], goal[2, k]))
    force, torque = Vec7(), Vec7()
    for k in range(3):
        force[k] = STIFFNESS * away[k] - DAMPING * velocity[k]
        torque[k] = STIFFNESS * turn[k] - DAMPING * velocity[3 + k]

    # How the tool gives way to a wrench, J M^-1 J^T: its inverse is the tool's inertia.
    lower, gives, gives_turn = factor(mass, 7), Mat77(), Mat77()
    for row in range(6):
        moved = solve(lower, 7, jacobian[row])
        for column in range(6):
            gives[row, column] = wp.dot(jacobian[column], moved)
    for row in range(3):
        for column in range(3):
            gives_turn[row, column] = gives[3 + row, 3 + column]
    linear, angular = solve(factor(gives, 3), 3, force), solve(factor(gives_turn, 3), 3, torque)
    # The nullspace keeps of the posture what does not move the tool: N^T M p is M p - J^T inertia J p.
    wrench = -solve(factor(gives, 6), 6, jacobian * posture)
    for k in range(3):
        wrench[k] += linear[k]
        wrench[3 + k] += angular[k]
    torques = wp.transpose(jacobian) * wrench + mass * posture + bias
    for joint in range(7):
        most = arm.torque[joint]
        effort[world, arm.column[joint]] = wp.float32(wp.clamp(torques[joint], -most, most))


@wp.kernel
def move_fingers(
    way: wp.array(dtype=wp.float32),
    most: wp.float32,
    columns: wp.array(dtype=wp.int32),
    opened: wp.array(dtype=wp.float32),
    apart: wp.array(dtype=wp.float32),
    target: wp.array2d(dtype=wp.float32),
):
    """Move ``apart`` (1 open, -1 closed) by ``most`` the way that ``way`` says, 0 for none, and the fingers to it."""
    world = wp.tid()
    if way[world] > 0.0:
        apart[world] = wp.min(apart[world] + most, 1.0)
    elif way[world] < 0.0:
        apart[world] = wp.max(apart[world] - most, -1.0)
    for finger in range(columns.shape[0]):
        target[world, columns[finger]] = 0.5 * (1.0 + apart[world]) * opened[finger]
