"""What is built into env configs, recorders and servers: plain values, and what is told where it does not fit."""

import pytest
from omegaconf import OmegaConf

from groot_wrappers.errors import ContractError
from runners.config.building import built
from runners.servers.embedded_server import embedded_server
from runners.simulation.env_cfg import change, load_env_cfg
from tests.runners.simulation.test_env_cfg import LIFT, sim


class Taker:
    """Keeps what it takes."""

    def __init__(self, **taken):
        self.taken = taken


class Picky:
    """Serves nothing, and tells of which types it was given."""

    def __init__(self, joints, limits):
        raise TypeError(f"{type(joints).__name__} {type(limits).__name__} {type(limits['low']).__name__}")


def test_classes_take_plain_lists_and_mappings_at_any_depth():
    described = {
        "_target_": f"{__name__}.Taker",
        "joints": ["a", "b"],
        "limits": {"low": [0.0]},
        "inner": [{"_target_": f"{__name__}.Taker", "names": ["c"]}],
    }
    for given in (described, OmegaConf.to_container(OmegaConf.create(described))):
        taken = built(given, "recorder.mine").taken
        assert [type(taken[key]) for key in ("joints", "limits", "inner")] == [list, dict, list]
        assert type(taken["limits"]["low"]) is list
        assert type(taken["inner"][0].taken["names"]) is list


@pytest.mark.isaaclab
@pytest.mark.slow
def test_lists_of_an_env_config_stay_lists_and_what_they_describe_is_built():
    cfg = load_env_cfg(LIFT, sim())
    pose = {"_target_": "isaaclab.assets.ArticulationCfg.InitialStateCfg", "pos": [0.0, 0.0, 0.5]}
    change(cfg, {"scene": {"robot": {"init_state": pose}}}, "task.env")
    assert type(cfg.scene.robot.init_state.pos) is list
    cfg.copy()  # which recursed without end into a list of the configuration's own
    change(cfg, {"camera_keys": [{"_target_": "builtins.str", "_args_": [["x"]]}]}, "task.env")
    assert cfg.camera_keys == ["['x']"]


@pytest.mark.process
def test_policy_of_a_server_takes_plain_containers_too():
    described = {"_target_": f"{__name__}.Picky", "joints": [1], "limits": {"low": [0]}}
    with pytest.raises(Exception, match="list dict list"), embedded_server(described, 0, "nested"):
        pass


@pytest.mark.parametrize(
    ("described", "told"),
    [
        (
            {"_target_": "nowhere.Thing"},
            r"recorder.mine: nowhere.Thing could not be built: .*No module named 'nowhere'",
        ),
        ({"_target_": f"{__name__}.Nothing"}, "Nothing could not be built"),
        ({"_target_": "runners.recorders.video.VideoRecorder", "fps": 3}, "unexpected keyword argument 'fps'"),
        ({"_target_": f"{__name__}.Picky", "joints": [1], "limits": {"low": [1]}}, "TypeError: list dict list"),
        ([{"_target_": f"{__name__}.Picky"}], "could not be built: TypeError"),
    ],
)
def test_what_cannot_be_built_is_told_with_its_key_and_without_words_of_hydra(described, told):
    with pytest.raises(ContractError, match=told) as refused:
        built(described, "recorder.mine")
    assert "full_key" not in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.isaaclab
@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"decimation": "fast"}, "task.env.decimation=fast was asked for, but it takes a number, such as 4"),
        ({"scene": {"ground": None, "robot": {"prim_path": {"a": 1}}}}, "which has no parts to be changed"),
        (
            {"decimation": {"a": 1}},
            r"task.env.decimation: 4 stands there.*task.env.decimation._target_ names the class",
        ),
    ],
)
def test_change_that_does_not_fit_is_refused(changes, told):
    with pytest.raises(ContractError, match=told):
        change(load_env_cfg(LIFT, sim()), changes, "task.env")


@pytest.mark.isaaclab
@pytest.mark.parametrize(
    ("task", "told"),
    [
        ({"id": "Isaac-Lift", "import": ""}, "task.import= could not be imported: ValueError"),
        ({"id": "Isaac-Lift", "import": ".relative"}, "could not be imported: TypeError"),
        ({"id": 3, "import": "tasks"}, "task.id=3 is not registered"),
    ],
)
def test_module_that_cannot_be_imported_is_told_whatever_it_raises(task, told):
    with pytest.raises(ContractError, match=told):
        load_env_cfg(task, sim())
