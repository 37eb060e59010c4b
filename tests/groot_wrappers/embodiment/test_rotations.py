"""Rotations and poses: there and back, against scipy's Rotation, and how NVIDIA's DROID writes them."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation as Scipy

from groot_wrappers.embodiment.rotations import RotationForm, compose, inverse, matrix, quaternion
from groot_wrappers.errors import ContractError

FEW = settings(max_examples=60, deadline=None, derandomize=True)
ANGLE_ORDERS = ["xyz", "xzy", "yxz", "yzx", "zxy", "zyx"]
FORMS = [
    *(RotationForm("rpy", order) for order in [*ANGLE_ORDERS, *map(str.upper, ANGLE_ORDERS)]),
    RotationForm("quaternion"),
    RotationForm("quaternion", "wxyz"),
    RotationForm("axis_angle"),
    RotationForm("rot6d", "rows"),
    RotationForm("rot6d", "columns"),
    RotationForm("matrix"),
    RotationForm("matrix", "columns"),
]


def name(form):
    return f"{form.rotation}-{form.order}"


def written_by_scipy(turn, form):
    if form.rotation == "rpy":
        return turn.as_euler(form.order)
    if form.rotation == "quaternion":
        numbers = turn.as_quat(canonical=True)
        return numbers if form.order == "xyzw" else np.roll(numbers, 1)
    if form.rotation == "axis_angle":
        return turn.as_rotvec()
    lines = turn.as_matrix() if form.order == "rows" else turn.as_matrix().T
    return lines.reshape(-1)[: form.width]


def vectors(length):
    return st.lists(st.floats(-1, 1), min_size=length, max_size=length).map(np.array)


quaternions = vectors(4).filter(lambda q: np.linalg.norm(q) > 0.1).map(lambda q: q / np.linalg.norm(q))
special = st.sampled_from([*np.eye(4), *(Scipy.from_euler("xyz", a, degrees=True).as_quat() for a in
    ([90, 0, 0], [0, 90, 0], [0, 0, -90], [0, -90, 30], [180, 0, 90], [20, 90, -50], [1e-7, 0, 0]))])  # fmt: skip
turns = quaternions | special


@pytest.mark.parametrize("form", FORMS, ids=name)
@FEW
@given(turn=turns)
def test_there_and_back_is_the_same_rotation(form, turn):
    q = torch.from_numpy(turn)
    back = form.read(form.write(q))
    assert form.write(q).shape == (form.width,)
    assert abs(float((back * q).sum())) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("form", FORMS, ids=name)
@FEW
@given(turn=quaternions)
def test_numbers_are_scipys(form, turn):
    assume(abs(turn[3]) > 1e-6)  # at pi the axis has two directions
    numbers = form.write(torch.from_numpy(turn)).numpy()
    if form.rotation == "rpy":
        assume(abs(numbers[1]) < np.pi / 2 - 1e-3)  # past it the other two are no two numbers
    off = numbers - written_by_scipy(Scipy.from_quat(turn), form)
    if form.rotation == "rpy":
        off = (off + np.pi) % (2 * np.pi) - np.pi
    np.testing.assert_allclose(off, 0, atol=1e-8)


@pytest.mark.parametrize("form", FORMS, ids=name)
def test_batches_of_envs_and_steps_in_float32_are_what_single_ones_are(form):
    generator = torch.Generator().manual_seed(0)
    batch = torch.randn((3, 5, 4), generator=generator)
    batch = batch / batch.norm(dim=-1, keepdim=True)
    numbers = form.write(batch)
    assert numbers.dtype == torch.float32
    assert numbers.shape == (3, 5, form.width)
    torch.testing.assert_close(numbers[2, 3], form.write(batch[2, 3].double()).float(), atol=1e-5, rtol=0)
    assert (form.read(numbers) * batch).sum(-1).abs().min() > 1 - 1e-5


@FEW
@given(turn=turns)
def test_matrices_are_scipys_and_come_back(turn):
    q = torch.from_numpy(turn)
    np.testing.assert_allclose(matrix(q).numpy(), Scipy.from_quat(turn).as_matrix(), atol=1e-12)
    assert abs(float((quaternion(matrix(q)) * q).sum())) == pytest.approx(1, abs=1e-12)


@FEW
@given(first=turns, second=turns, places=vectors(6))
def test_poses_compose_as_homogeneous_matrices_and_their_inverse_undoes_them(first, second, places):
    poses = [np.concatenate([places[:3], first]), np.concatenate([places[3:], second])]
    whole = np.stack([np.eye(4)] * 2)
    for homogeneous, pose in zip(whole, poses, strict=True):
        homogeneous[:3, :3], homogeneous[:3, 3] = Scipy.from_quat(pose[3:]).as_matrix(), pose[:3]
    a, b = map(torch.from_numpy, poses)
    expected, got = whole[0] @ whole[1], compose(a, b)
    np.testing.assert_allclose(got[:3].numpy(), expected[:3, 3], atol=1e-9)
    np.testing.assert_allclose(matrix(got[3:]).numpy(), expected[:3, :3], atol=1e-9)
    relative = compose(inverse(a), got)
    np.testing.assert_allclose(relative[:3].numpy(), b[:3].numpy(), atol=1e-9)
    assert abs(float((relative[3:] * b[3:]).sum())) == pytest.approx(1, abs=1e-9)


@FEW
@given(turn=quaternions, noise=vectors(6))
def test_six_numbers_that_a_model_got_a_little_wrong_are_the_rotation_nearby(turn, noise):
    form = RotationForm("rot6d", "rows")
    q = torch.from_numpy(turn)
    got = form.read(3 * (form.write(q) + 0.01 * torch.from_numpy(noise)))
    assert float(got.norm()) == pytest.approx(1, abs=1e-9)
    assert 2 * np.arccos(min(1, abs(float((got * q).sum())))) < 0.06


@pytest.mark.parametrize(
    "form", [form for form in FORMS if form.rotation in ("quaternion", "rot6d", "matrix")], ids=name
)
def test_what_no_rotation_can_be_read_from_is_nan(form):
    assert form.read(torch.zeros(form.width)).isnan().any()
    assert form.read(torch.full((form.width,), torch.nan)).isnan().all()


@pytest.mark.parametrize(
    ("rotation", "order", "message"),
    [
        ("rot6d", None, "order: rows"),
        ("rot6d", "row", "rot6d takes rows, columns. Did you mean 'rows'"),
        ("quaternion", "xyzz", "quaternion takes xyzw, wxyz"),
        ("rpy", "xyx", "rpy takes xyz, xzy"),
        ("axis_angle", "xyz", "axis_angle takes none: leave it out"),
        ("rot6", None, "takes one of quaternion, axis_angle, rpy, rot6d, matrix"),
    ],
)
def test_forms_that_do_not_exist_are_refused(rotation, order, message):
    with pytest.raises(ContractError, match=message):
        RotationForm(rotation, order)
