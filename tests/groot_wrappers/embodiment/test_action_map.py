"""ActionLayout: which number of a chunk reaches which column of the env, and the way back."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from groot_wrappers import Embodiment, Gr00tActionWrapper, Gr00tObservationWrapper
from groot_wrappers.embodiment.action_map import ActionLayout
from groot_wrappers.embodiment.isaaclab_env import IsaacLabEnv
from groot_wrappers.errors import ContractError
from tests.support.toys.variants import DEFAULTS, SCALE, ManyThingsEnv

FEW = settings(max_examples=100, deadline=None, derandomize=True)
ENV = IsaacLabEnv(ManyThingsEnv())
GRIPPER = {"gripper": {"term": "gripper"}}
STATES = {"joints": {"obs": "policy.joints"}, "numbers": {"obs": "others.numbers", "slice": [1, 3]}}


def layout(**action):
    return ActionLayout(ENV, Embodiment.from_config({"state": STATES, "action": action}))


def chunk(**values):
    """Return a chunk of one control step for two envs, which get the same."""
    return {key: np.tile(np.array(row, np.float32), (2, 1, 1)) for key, row in values.items()}


def played(laid_out, **values):
    return laid_out.to_env(chunk(**values), {})[0, 0].tolist()


def test_term_takes_its_numbers_as_they_are():
    assert played(layout(arm={"term": "arm"}, **GRIPPER), arm=[1, 2], gripper=[3]) == [1, 2, 3]


def test_joints_take_positions_whatever_the_terms_own_scale_and_offset():
    raw = played(layout(arm={"joints": ["joint_b", "joint_a"]}, **GRIPPER), arm=[0.7, 0.3], gripper=[0])
    assert [n * SCALE + default for n, default in zip(raw, DEFAULTS, strict=False)] == pytest.approx([0.3, 0.7])


def test_slices_of_a_term_and_of_the_whole_action():
    parts = {"first": {"term": "arm", "slice": [1, 2]}, "second": {"term": "arm", "slice": [0, 1]}}
    assert played(layout(**parts, **GRIPPER), first=[1], second=[2], gripper=[3]) == [2, 1, 3]
    assert played(layout(rest={"slice": [1, 3]}, begin={"slice": [0, 1]}), rest=[1, 2], begin=[3]) == [3, 1, 2]


def test_shared_number_reaches_all_joints():
    raw = played(layout(arm={"joints": ["joint_.*"], "shared": True}, **GRIPPER), arm=[0.5], gripper=[0])
    assert [n * SCALE + default for n, default in zip(raw, DEFAULTS, strict=False)] == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize(("hold", "expected"), [(0.5, [0.5, 0.5]), ([0.1, 0.2], [0.1, 0.2])])
def test_held_joints_stand_at_the_declared_position(hold, expected):
    raw = played(layout(legs={"joints": ["joint_.*"], "hold": hold}, **GRIPPER), gripper=[1])
    positions = [n * SCALE + default for n, default in zip(raw, DEFAULTS, strict=False)]
    assert positions == pytest.approx(expected)
    assert raw[2] == 1


def test_relative_action_starts_from_the_state_at_the_beats_begin():
    embodiment = Embodiment.from_config(
        {"state": STATES, "action": {"arm": {"joints": ["joint_.*"], "relative_to": "joints"}, **GRIPPER}}
    )
    toy = ManyThingsEnv()
    env = Gr00tActionWrapper(Gr00tObservationWrapper(toy, embodiment), embodiment, 2)
    env.reset(seed=0)
    toy.joints[:] = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    steps = np.zeros((2, 2, 2), np.float32)
    steps[:, 0], steps[:, 1] = 0.5, 1.0
    env.step({"arm": steps, "gripper": np.zeros((2, 2, 1), np.float32)})
    positions = torch.stack(toy.played) * SCALE + torch.tensor(DEFAULTS)
    # The second control step is relative to the same state, although the joints have moved by then.
    assert positions.tolist() == [[[1.5, 2.5], [3.5, 4.5]], [[2.0, 3.0], [4.0, 5.0]]]


def test_relative_action_without_an_observation_wrapper_is_refused():
    action = {"arm": {"joints": ["joint_.*"], "relative_to": "joints"}, **GRIPPER}
    with pytest.raises(ContractError, match="wrap the env by Gr00tObservationWrapper first"):
        Gr00tActionWrapper(ManyThingsEnv(), Embodiment.from_config({"state": STATES, "action": action}))


scales = st.sampled_from([1.0, -1.0, 0.5, 2.0, -4.0])
settings_of_a_key = st.fixed_dictionaries(
    {"scale": scales, "offset": st.sampled_from([0.0, 1.0, -0.25]), "invert": st.booleans()},
    optional={"relative_to": st.sampled_from(["joints", "numbers"])},
)
arms = st.sampled_from(
    [{"term": "arm"}, {"joints": ["joint_.*"]}, {"joints": ["joint_b", "joint_a"]}, {"slice": [0, 2]}]
)


@FEW
@given(
    arm=arms,
    change=settings_of_a_key,
    values=npst.arrays(np.float32, (2, 3, 2), elements=st.floats(-10, 10, width=32)),
    grip=npst.arrays(np.float32, (2, 3, 1), elements=st.floats(-10, 10, width=32)),
    state=npst.arrays(np.float32, (2, 2), elements=st.floats(-10, 10, width=32)),
)
def test_there_and_back_gives_the_same_chunk(arm, change, values, grip, state):
    laid_out = layout(arm=arm | change, **GRIPPER)
    bases = laid_out.bases(lambda key: torch.from_numpy(state))
    assert list(bases) == (["arm"] if "relative_to" in change else [])
    sent = {"arm": values, "gripper": grip}
    back = laid_out.from_env(laid_out.to_env(sent, bases), bases)
    assert list(back) == ["arm", "gripper"]
    for key, numbers in sent.items():
        np.testing.assert_allclose(back[key].numpy(), numbers, atol=1e-4)
