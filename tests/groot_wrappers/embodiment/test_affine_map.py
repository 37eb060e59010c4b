"""NumberMap: what it does to a number, in which order, and that the way back gives the same number."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from groot_wrappers.embodiment.affine_map import NumberMap
from groot_wrappers.errors import ContractError

FEW = settings(max_examples=200, deadline=None, derandomize=True)

numbers = st.floats(-100, 100, width=32)
factors = st.floats(0.015625, 64, width=32) | st.floats(-64, -0.015625, width=32)


def tensor(*values):
    return torch.tensor(values, dtype=torch.float32)


def numbers_map(scale=1.0, offset=0.0, **settings):
    return NumberMap(torch.as_tensor(scale), torch.as_tensor(offset), **settings)


@FEW
@given(
    values=st.lists(numbers, min_size=3, max_size=3),
    scale=st.lists(factors, min_size=3, max_size=3),
    offset=st.lists(numbers, min_size=3, max_size=3),
    base=st.none() | st.lists(numbers, min_size=3, max_size=3),
    invert=st.booleans(),
)
def test_there_and_back_gives_the_same_numbers(values, scale, offset, base, invert):
    mapped = NumberMap(tensor(*scale), tensor(*offset), invert=invert)
    base = None if base is None else tensor(*base)
    there = mapped.forward(tensor(*values), base)
    # float32 keeps 7 digits of the largest number on the way, which a small scale makes large again.
    largest = max(abs(n) for n in [*values, *offset, *there.tolist(), *([] if base is None else base.tolist())])
    rounding = 1e-6 * max(1.0, largest / min(map(abs, scale)))
    torch.testing.assert_close(mapped.backward(there, base), tensor(*values), atol=rounding, rtol=1e-5)


@FEW
@given(st.lists(numbers, min_size=1, max_size=4), st.booleans())
def test_thresholded_numbers_come_back_as_what_they_became(values, invert):
    mapped = numbers_map(2.0, -1.0, threshold=0.5, invert=invert)
    there = mapped.forward(tensor(*values))
    assert set(there.tolist()) <= {-1.0, 1.0}
    assert mapped.backward(there).tolist() == [float(v > 0.5) for v in values]


@pytest.mark.parametrize(
    ("settings", "values", "expected"),
    [
        ({}, [1.5, -2.0], [1.5, -2.0]),
        ({"scale": 2.0, "offset": 1.0}, [1.0, 0.0], [3.0, 1.0]),
        ({"scale": [2.0, 3.0], "offset": [0.0, 1.0]}, [1.0, 1.0], [2.0, 4.0]),
        ({"invert": True, "offset": 1.0}, [1.0, -1.0], [0.0, 2.0]),
        ({"threshold": 0.5}, [0.5, 0.6], [0.0, 1.0]),
        ({"threshold": 0.5, "invert": True}, [0.5, 0.6], [1.0, 0.0]),
        ({"threshold": 0.5, "scale": 2.0, "offset": -1.0}, [0.0, 1.0], [-1.0, 1.0]),
        ({"scale": 10.0, "clip": (-1.0, 2.0)}, [-5.0, 0.1], [-1.0, 1.0]),
    ],
)
def test_settings_apply_in_their_order(settings, values, expected):
    for name in ("scale", "offset"):
        if name in settings:
            settings[name] = torch.as_tensor(settings[name])
    assert numbers_map(**settings).forward(tensor(*values)).tolist() == pytest.approx(expected)


def test_base_is_added_before_the_clip():
    mapped = numbers_map(0.5, clip=(0.0, 1.0))
    assert mapped.forward(tensor(1.0, 4.0), tensor(0.25, 0.25)).tolist() == [0.75, 1.0]


@pytest.mark.parametrize("settings", [{"threshold": 0.5}, {"clip": (0.0, 1.0)}, {"invert": True}])
def test_what_is_no_number_stays_none(settings):
    assert numbers_map(**settings).forward(tensor(float("nan"))).isnan().all(), "it would look like a sound command"


@pytest.mark.parametrize(
    ("settings", "message"), [({"scale": 0.0}, "a scale of 0 loses"), ({"clip": (1.0, 0.0)}, "lowest, highest")]
)
def test_settings_that_cannot_work_are_refused(settings, message):
    with pytest.raises(ContractError, match=message):
        numbers_map(**settings)
