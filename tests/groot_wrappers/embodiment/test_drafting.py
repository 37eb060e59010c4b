"""The drafted embodiment: certain where names agree, marked as a guess where they do not."""

from groot_wrappers import Embodiment, ModalityConfig
from groot_wrappers.embodiment.drafting import draft_embodiment
from groot_wrappers.embodiment.env_checks import check_env
from groot_wrappers.embodiment.isaaclab_env import IsaacLabEnv
from tests.support.toys.variants import DirectRLEnv, ManyThingsEnv

ENV, DIRECT = IsaacLabEnv(ManyThingsEnv()), IsaacLabEnv(DirectRLEnv())


def wants(video=("camera",), state=("joints",), action=("arm", "gripper")):
    keys = {"video": video, "state": state, "action": action, "language": ("task",)}
    return {kind: ModalityConfig((0,), names) for kind, names in keys.items()}


def drafted(env=ENV, modality=None, given=None):
    return {
        (draft.modality, draft.key): (None if draft.entry is None else dict(draft.entry), draft.guessed)
        for draft in draft_embodiment(env, modality, given or {})
    }


def as_embodiment(drafts):
    config = {"video": {}, "state": {}, "action": {}}
    for (kind, key), (entry, _) in drafts.items():
        config[kind][key] = entry
    return Embodiment.from_config(config)


def test_names_that_agree_are_certain_and_fit():
    drafts = drafted(modality=wants())
    assert drafts == {
        ("video", "camera"): ({"sensor": "camera"}, False),
        ("state", "joints"): ({"obs": "policy.joints"}, False),
        ("action", "arm"): ({"term": "arm"}, False),
        ("action", "gripper"): ({"term": "gripper"}, False),
    }
    check_env(ENV, as_embodiment(drafts))


def test_names_that_are_near_are_guesses():
    drafts = drafted(
        modality=wants(video=("front_camera",), state=("joint_states",), action=("gripper_position", "arm"))
    )
    assert drafts["video", "front_camera"] == ({"sensor": "camera"}, True)
    assert drafts["action", "gripper_position"] == ({"term": "gripper"}, True)
    assert drafts["state", "joint_states"][1], "joints and joint_states may not be the same"


def test_name_that_is_like_none_gets_none():
    draft = next(d for d in draft_embodiment(ENV, wants(state=("xyz",)), {}) if d.key == "xyz")
    assert (draft.entry, draft.guessed) == (None, True)
    assert "others.numbers" in draft.note


def test_only_key_gets_all_that_a_direct_env_takes():
    drafts = drafted(DIRECT, wants(action=("effort",)))
    assert drafts["action", "effort"] == ({"slice": [0, 2]}, True)


def test_part_of_the_action_that_no_key_drives_is_held():
    drafts = drafted(modality=wants(action=("arm",)))
    assert drafts["action", "rest_gripper"] == ({"term": "gripper", "hold": 0.0}, True)
    check_env(ENV, as_embodiment(drafts))


def test_entry_that_was_given_and_fits_is_kept():
    given = {"video": {"camera": {"obs": "others.picture", "resize": [8, 8]}}, "state": {"joints": {"obs": "nothing"}}}
    drafts = drafted(modality=wants(), given=given)
    assert drafts["video", "camera"] == (given["video"]["camera"], False)
    assert drafts["state", "joints"] == ({"obs": "policy.joints"}, False)


def test_without_a_server_the_env_names_the_keys():
    drafts = drafted(DIRECT)
    assert drafts == {
        ("video", "camera"): ({"sensor": "camera"}, False),
        ("state", "policy"): ({"obs": "policy"}, False),
        ("action", "action"): ({"slice": [0, 2]}, False),
    }
    check_env(DIRECT, as_embodiment(drafts))
