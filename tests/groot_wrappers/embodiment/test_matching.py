"""The match of server and embodiment, and the embodiment that an env config declares."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from groot_wrappers import Embodiment, ModalityConfig
from groot_wrappers.embodiment.embodiment import ActionTarget, StateSource, VideoSource
from groot_wrappers.embodiment.matching import match_embodiment
from groot_wrappers.errors import ContractError

EMBODIMENT = Embodiment(
    video={"wrist": VideoSource(sensor="wrist"), "scene": VideoSource(sensor="scene")},
    state={"arm": StateSource(obs="policy.arm"), "hand": StateSource(obs="policy.hand")},
    language="task",
    action={"arm": ActionTarget(term="arm")},
)


def wants(*, video=("scene",), state=("arm",), action=("arm",), language=("task",), frames=(0,), horizon=16):
    return {
        "video": ModalityConfig(frames, video),
        "state": ModalityConfig((0,), state),
        "action": ModalityConfig(tuple(range(horizon)), action),
        "language": ModalityConfig((0,), language),
    }


def test_only_what_the_server_wants_is_kept():
    matched = match_embodiment(EMBODIMENT, wants())
    assert list(matched.video) == ["scene"]
    assert list(matched.state) == ["arm"]
    assert list(EMBODIMENT.video) == ["wrist", "scene"], "the caller's embodiment is left as it was"


@pytest.mark.parametrize(
    ("modality", "message"),
    [
        (wants(video=("scenes",)), "wants the video key 'scenes', but the embodiment has wrist, scene. Did you mean"),
        (wants(state=("legs",)), "wants the state key 'legs'"),
        (wants(action=("hand",)), "The embodiment drives the action key 'arm', but the server sends hand"),
        (wants(language=("annotation.human.task_description",)), "set `embodiment.language`=annotation.human"),
        (
            wants(language=("text", "words")),
            "under text and words, .* gives it under task: set `embodiment.language`=text",
        ),
    ],
)
def test_key_that_does_not_fit_is_named(modality, message):
    with pytest.raises(ContractError, match=message):
        match_embodiment(EMBODIMENT, modality)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"horizons": {"video": 1}}, r"`horizons.video`=1 .* takes 2 video frames \(delta_indices \[-15, 0\]\)"),
        ({"horizons": {"state": 2}}, r"`horizons.state`=2 .* takes 1 state"),
        (
            {"execution": 12, "delay": 5},
            r"first 17 control steps of each chunk, but .* hold 16. Set `delay` to 0 ... 4",
        ),
        ({"execution": 17}, r"`execution`=17 .* hold 16 control steps. Set `execution`=16 or less"),
    ],
)
def test_horizon_that_does_not_fit_is_named(kwargs, message):
    with pytest.raises(ContractError, match=message):
        match_embodiment(EMBODIMENT, wants(frames=(-15, 0)), **kwargs)


def test_key_that_is_wanted_itself_is_not_suggested_for_another():
    with pytest.raises(ContractError) as error:
        match_embodiment(EMBODIMENT, wants(video=("wrist", "scene", "wrist_2")))
    assert "Did you mean" not in str(error.value)


def test_horizons_that_fit_or_are_left_open_pass():
    match_embodiment(EMBODIMENT, wants(frames=(-15, 0)), execution=16, horizons={"video": 2, "state": None})


@pytest.mark.parametrize("language", [("task", "text"), ("text", "words", "task")])
def test_language_key_may_be_one_of_several(language):
    assert match_embodiment(EMBODIMENT, wants(language=language)).language == "task"


@pytest.mark.parametrize("indices", [(0, 1, 2), (0, -1), (-(2**63), 0)])
@pytest.mark.parametrize("kind", ["video", "state"])
def test_moments_that_no_env_can_show_are_named_before_an_env_is_made(kind, indices):
    modality = wants() | {kind: ModalityConfig(indices, ("scene",) if kind == "video" else ("arm",))}
    with pytest.raises(
        ContractError, match=rf"The server's {kind}: .* but \[{indices[0]}, .* Mend the modality config"
    ):
        match_embodiment(EMBODIMENT, modality)


def test_several_texts_a_key_are_refused():
    modality = wants() | {"language": ModalityConfig((-1, 0), ("task",))}
    with pytest.raises(ContractError, match=r"takes 2 texts under each language key \(delta_indices \[-1, 0\]\)"):
        match_embodiment(EMBODIMENT, modality)


def test_all_differences_come_in_one_message():
    with pytest.raises(ContractError) as error:
        match_embodiment(EMBODIMENT, wants(video=("ego",), language=("text",)), execution=40)
    assert len(str(error.value).splitlines()) == 1 + 3


def test_embodiment_is_read_from_an_env_config():
    env_cfg = SimpleNamespace(
        camera_keys=["front"], state_keys=["arm"], action_keys={"arm": ["joint_.*"]}, language_key="task"
    )
    assert Embodiment.from_env_cfg(env_cfg) == Embodiment(
        video={"front": VideoSource(sensor="front")},
        state={"arm": StateSource(obs="policy.arm")},
        language="task",
        action={"arm": ActionTarget(joints=["joint_.*"])},
    )


def test_env_config_without_keys_is_told_to_inherit():
    with pytest.raises(ContractError, match="Inherit from Gr00tEnvCfg, or name an embodiment"):
        Embodiment.from_env_cfg(SimpleNamespace())


def test_action_key_that_holds_a_constant_need_not_be_sent():
    held = replace(EMBODIMENT, action=EMBODIMENT.action | {"waist": ActionTarget(term="waist", hold=0.0)})
    assert "waist" in match_embodiment(held, wants()).action
