"""Modality configs, the checks of observations and actions, and the two forms."""

import numpy as np
import pytest

from groot_wrappers.errors import ContractError, Gr00tError
from groot_wrappers.modality import ActionConfig, ModalityConfig, check_modality_configs, config_differences
from groot_wrappers.observation_checks import check_action, check_observation, select_modalities
from groot_wrappers.protocol.flat_form import (
    flatten_action,
    flatten_observation,
    unflatten_action,
    unflatten_observation,
)
from tests.support.servers.policies import LANGUAGE_KEY, T_ACTION, ToyPolicy, observation

MODALITY = ToyPolicy().get_modality_config()


class TestModalityConfig:
    full = ModalityConfig(
        [-15, 0],
        ["a", "b"],
        ["a"],
        [],
        [ActionConfig("RELATIVE", "EEF", "XYZ_ROT6D", "a"), ActionConfig("ABSOLUTE", "NON_EEF", "DEFAULT")],
    )

    def test_survives_json(self):
        assert ModalityConfig.from_json(self.full.to_json()) == self.full

    def test_ignores_unknown_fields(self):
        fields = self.full.to_json() | {"eval_delta_indices": [1]}
        fields["action_configs"][0]["more"] = 1
        assert ModalityConfig.from_json(fields) == self.full

    def test_keeps_tuples(self):
        assert self.full.delta_indices == (-15, 0)
        assert self.full.modality_keys == ("a", "b")
        assert self.full.horizon == 2
        hash(self.full)

    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            ({"delta_indices": None}, "delta_indices must be a list of int, got None"),
            ({"delta_indices": [0.0]}, "delta_indices must hold int only, got 0.0"),
            ({"delta_indices": [True]}, "delta_indices must hold int only, got True"),
            ({"delta_indices": []}, "delta_indices must not be empty"),
            ({"modality_keys": "ab"}, "modality_keys must be a list of str, got 'ab'"),
            ({"modality_keys": [1, 2]}, "modality_keys must hold str only"),
            ({"modality_keys": ["a", "a"]}, "must not repeat a key"),
            ({"mean_std_embedding_keys": 3}, "mean_std_embedding_keys must be a list of str, got 3"),
            ({"action_configs": "none"}, "action_configs must be a list of ActionConfig"),
            ({"action_configs": [{}]}, "rep, type, format missing"),
            ({"action_configs": [[]]}, "an action config must be a dict"),
            ({"action_configs": [{"rep": 1, "type": "EEF", "format": "DEFAULT"}] * 2}, "ActionConfig.rep must be"),
            (
                {"action_configs": [{"rep": "DELTA", "type": "EEF", "format": "DEFAULT", "state_key": 1}] * 2},
                "ActionConfig.state_key must be",
            ),
            ({"action_configs": []}, "one config a key: 2 keys, 0 configs"),
        ],
        ids=str,
    )
    def test_refuses_what_is_wrong(self, changes, told):
        with pytest.raises(ContractError, match=told):
            ModalityConfig.from_json(self.full.to_json() | changes)

    @pytest.mark.parametrize("value", [None, 3, [], "[]", "{", "null", {}])
    def test_refuses_what_is_none(self, value):
        with pytest.raises(ContractError, match="modality config"):
            ModalityConfig.from_json(value)


def test_configs_must_name_an_action():
    assert check_modality_configs(MODALITY) == MODALITY
    for configs, told in (
        (None, "must be a dict, got None"),
        ({"action": {}}, "'action' must be a ModalityConfig, got dict"),
        ({"state": MODALITY["state"]}, r"must name an 'action', got only \['state'\]"),
        ({"action": '{"delta_indices":[0]}'}, "JSON text, as GR00T N1.5 sends it. GR00T N1.6 and later are supported"),
        ({"action": "fine"}, "'action' must be a ModalityConfig, got 'fine'"),
    ):
        with pytest.raises(ContractError, match=told):
            check_modality_configs(configs)


def test_configs_that_differ_are_told_by_the_fields_that_do():
    longer = MODALITY | {"action": ModalityConfig((0, 1), ("arm", "gripper"))}
    assert config_differences(MODALITY, dict(reversed(MODALITY.items()))) == []
    assert config_differences(MODALITY, longer) == [
        ("action", {"delta_indices": [0, 1, 2]}, {"delta_indices": [0, 1]}),
    ]
    deaf = {name: config for name, config in MODALITY.items() if name != "language"}
    told = {"delta_indices": [0], "modality_keys": [LANGUAGE_KEY]}
    assert config_differences(deaf, MODALITY) == [("language", "nothing", told)]


def changed(modality, key, value=...):
    made = observation()
    if value is ...:
        del made[modality][key]
    else:
        made[modality][key] = value
    return made


F4 = np.float32
VIDEO = np.zeros((2, 2, 4, 4, 3), np.uint8)
ARM = np.zeros((2, 1, 7), F4)


class TestCheckObservation:
    def test_returns_the_batch_size(self):
        assert check_observation(observation(1), MODALITY) == 1
        assert check_observation(observation(5), MODALITY) == 5

    def test_lets_nan_and_extra_keys_pass(self):
        extra = changed("state", "arm", np.full((2, 1, 7), np.nan, F4))
        extra["state"]["more"] = extra["audio"] = None
        assert check_observation(extra, MODALITY) == 2

    def test_does_not_ask_for_a_modality_that_the_server_does_not_name(self):
        without = {name: config for name, config in MODALITY.items() if name != "video"}
        assert check_observation({name: observation()[name] for name in ("state", "language")}, without) == 2

    @pytest.mark.parametrize("modality", ["video", "state", "language"])
    def test_names_a_missing_modality(self, modality):
        without = observation()
        del without[modality]
        with pytest.raises(ContractError, match=f"^Observation must contain a '{modality}' key"):
            check_observation(without, MODALITY)
        with pytest.raises(ContractError, match=rf"observation\['{modality}'\] must be a dict, got 3"):
            check_observation(observation() | {modality: 3}, MODALITY)

    @pytest.mark.parametrize(
        ("given", "told"),
        [
            (changed("video", "front"), "Video key 'front' must be in observation"),
            (changed("state", "arm"), r"State key 'arm' must be in observation. Got \['gripper'\]"),
            (changed("language", LANGUAGE_KEY), f"Language key '{LANGUAGE_KEY}' must be in observation"),
            (changed("video", "front", [1]), "must be a numpy array, uint8 .B, 2, H, W, 3.. Got list"),
            (changed("video", "front", VIDEO.astype(F4)), r"np.uint8. Got float32 \(2, 2, 4, 4, 3\)"),
            (changed("video", "front", VIDEO[0]), r"shape \(B, T, H, W, 3\). Got uint8 \(2, 4, 4, 3\)"),
            (changed("video", "front", VIDEO[:, :1]), "Video key 'front' must have horizon 2"),
            (changed("video", "front", VIDEO[..., :1]), "channel 'C' 3"),
            (changed("video", "front", VIDEO[:, :, :0]), "must not be empty"),
            (
                changed("state", "arm", ARM.astype(float)),
                r"Got float64 \(2, 1, 7\); convert it with .astype\(np.float32\)",
            ),
            (changed("state", "arm", ARM.astype(">f4")), "np.float32"),
            (changed("state", "arm", ARM[:, 0]), r"shape \(B, T, D\)"),
            (changed("state", "arm", np.zeros((2, 3, 7), F4)), "State key 'arm' must have horizon 1"),
            (changed("state", "arm", ARM[:1]), "same batch size B; Video key 'front' has 2, State key 'arm' has 1"),
            (changed("language", LANGUAGE_KEY, "go"), "must be a list of B lists of one str. Got 'go'"),
            (changed("language", LANGUAGE_KEY, []), "must be a list of B lists"),
            (changed("language", LANGUAGE_KEY, ["go", "go"]), "Got a 'go' among the B"),
            (changed("language", LANGUAGE_KEY, [["go", "go"]] * 2), "must have horizon 1. Got 2"),
            (changed("language", LANGUAGE_KEY, [[3]] * 2), "must hold str. Got 3"),
            (changed("language", LANGUAGE_KEY, [["go"]]), f"'{LANGUAGE_KEY}' has 1"),
        ],
        ids=lambda value: value[:24] if isinstance(value, str) else "",
    )
    def test_names_what_is_wrong(self, given, told):
        with pytest.raises(ContractError, match=told):
            check_observation(given, MODALITY)


class TestWantedPart:
    several = MODALITY | {"language": ModalityConfig((0,), ("task", LANGUAGE_KEY, "words"))}

    def test_leaves_out_what_nobody_wants(self):
        more = observation() | {"audio": {}}
        more["state"] |= {"legs": None}
        assert repr(select_modalities(more, MODALITY)) == repr(observation())

    def test_puts_the_instruction_under_every_key_of_the_server(self):
        wanted = select_modalities(observation(), self.several)
        texts = observation()["language"][LANGUAGE_KEY]
        assert wanted["language"] == {"task": texts, LANGUAGE_KEY: texts, "words": texts}
        assert check_observation(wanted, self.several) == 2

    def test_leaves_several_texts_as_they_are(self):
        given = observation()
        given["language"] |= {"task": [["lift"]] * 2}
        with pytest.raises(ContractError, match=f"'words' must be in observation. Got .'{LANGUAGE_KEY}', 'task'"):
            select_modalities(given, self.several)
        given["language"]["words"] = [["a"], ["b"]]
        assert select_modalities(given, self.several)["language"] == given["language"]

    @pytest.mark.parametrize(
        ("given", "told"),
        [
            ({"video": observation()["video"], "sate": {}}, r"a 'state' key. Got \['sate', 'video'\]"),
            (observation() | {"video": {"back": 0, "side": 0}}, r"Video key 'front' must .* Got \['back', 'side'\]"),
            (observation() | {"state": {"arms": 0}}, r"State key 'arm' must be in observation. Got \['arms'\]"),
            (observation() | {"language": {"text": [["go"]]}}, r"Language key .* Got \['text'\]"),
            (flatten_observation(observation(), MODALITY), r"a 'video' key. Got \['annot.*, 'video.front'\]"),
        ],
        ids=["modality", "video", "state", "language", "flat"],
    )
    def test_names_the_keys_of_the_caller(self, given, told):
        with pytest.raises(ContractError, match=told):
            select_modalities(given, MODALITY)


class TestCheckAction:
    @staticmethod
    def action(**changes):
        made = {"arm": np.zeros((2, T_ACTION, 7), F4), "gripper": np.zeros((2, T_ACTION, 1), F4)} | changes
        return {key: value for key, value in made.items() if value is not None}

    def test_lets_nan_and_extra_keys_pass(self):
        check_action(self.action(more=3, gripper=np.full((2, T_ACTION, 1), np.nan, F4)), MODALITY, 2)

    @pytest.mark.parametrize(
        ("value", "told"),
        [
            (None, r"Action key 'arm' must be in action. Got \['gripper'\]"),
            ([1.0], "must be a numpy array"),
            (np.zeros((2, T_ACTION, 7)), "np.float32. Got float64"),
            (np.zeros((2, 7), F4), r"shape \(B, T, D\)"),
            (np.zeros((2, 9, 7), F4), "Action key 'arm' must have horizon 3"),
            (np.zeros((1, T_ACTION, 7), F4), "must have batch size 2, the observation's. Got float32 .1, 3, 7"),
            (np.zeros((2, T_ACTION, 0), F4), "must not be empty"),
        ],
        ids=lambda value: value[:24] if isinstance(value, str) else "",
    )
    def test_names_what_is_wrong(self, value, told):
        with pytest.raises(ContractError, match=told):
            check_action(self.action(arm=value), MODALITY, 2)


class TestForms:
    def test_go_there_and_back(self):
        flat = flatten_observation(observation(), MODALITY)
        assert list(flat) == ["video.front", "state.arm", "state.gripper", LANGUAGE_KEY]
        assert flat[LANGUAGE_KEY] == ["pick up cube 0", "pick up cube 1"]
        assert repr(unflatten_observation(flat | {"more": 1}, MODALITY)) == repr(observation())
        action = {"arm": np.zeros(1)}
        assert flatten_action(action) == {"action.arm": action["arm"]}
        assert unflatten_action(flatten_action(action)) == action

    @pytest.mark.parametrize(
        ("key", "name"), [("video.front", "Video"), ("state.arm", "State"), (LANGUAGE_KEY, "Language")]
    )
    def test_name_a_missing_key(self, key, name):
        flat = flatten_observation(observation(), MODALITY)
        del flat[key]
        with pytest.raises(ContractError, match=f"^{name} key '{key}' must be in observation"):
            unflatten_observation(flat, MODALITY)

    def test_carry_several_language_keys(self):
        modality = MODALITY | {"language": ModalityConfig((0,), (LANGUAGE_KEY, "words"))}
        given = select_modalities(observation(), modality)
        flat = flatten_observation(given, modality)
        assert flat["words"] == flat[LANGUAGE_KEY] == ["pick up cube 0", "pick up cube 1"]
        assert repr(unflatten_observation(flat, modality)) == repr(given)
        del flat["words"]
        with pytest.raises(ContractError, match=r"^Language key 'words' must be in observation"):
            unflatten_observation(flat, modality)

    @pytest.mark.parametrize("beside", [{}, {"task": ["drop", "drop"]}])
    def test_take_the_task_by_the_name_that_gr00t_takes_first(self, beside):
        modality = MODALITY | {"language": ModalityConfig((0,), ("task", "words"))}
        flat = flatten_observation(observation(), {name: MODALITY[name] for name in ("video", "state")}) | beside
        flat |= {"annotation.human.coarse_action": ("lift", "push"), "words": ["wave", "wave"]}
        language = unflatten_observation(flat, modality)["language"]
        assert language == {"task": [["lift"], ["push"]], "words": [["wave"], ["wave"]]}
        with pytest.raises(ContractError, match=r"'annotation.human.coarse_action' must be a tuple or list"):
            unflatten_observation(flat | {"annotation.human.coarse_action": "lift"}, modality)

    def test_take_no_other_key_by_that_name(self):
        flat = flatten_observation(observation(), MODALITY)
        flat["annotation.human.coarse_action"] = flat.pop(LANGUAGE_KEY)
        with pytest.raises(ContractError, match=f"^Language key '{LANGUAGE_KEY}' must be in observation"):
            unflatten_observation(flat, MODALITY)

    def test_refuse_a_language_that_is_no_list(self):
        flat = flatten_observation(observation(), MODALITY) | {LANGUAGE_KEY: "go"}
        with pytest.raises(ContractError, match=r"tuple or list of B str\. Got 'go'"):
            unflatten_observation(flat, MODALITY)


def test_every_contract_error_can_be_shown_without_a_traceback():
    assert issubclass(ContractError, Gr00tError)
