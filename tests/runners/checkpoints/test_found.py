"""Which checkpoints a training's folder holds: those that are whole, by their steps, and why not the others."""

import json

import pytest

from groot_wrappers.errors import ContractError
from runners.checkpoints.completeness import why_not_whole
from runners.checkpoints.found import find_checkpoints, named_checkpoint, step_of
from tests.support.samples.checkpoints import (
    make_gr00t_checkpoint,
    make_lerobot_checkpoint,
    make_trainer_checkpoint,
    write_json,
)


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("005000", 5000),
        ("checkpoint-5000", 5000),
        ("0", 0),
        ("last", None),
        ("tmp-checkpoint-5000", None),
        ("005000.tmp", None),
        ("checkpoint-", None),
        ("-5000", None),
        ("../005000", None),
        ("\u0665000", None),  # an Arabic five
    ],
)
def test_step_comes_from_the_name(name, step):
    assert step_of(name) == step


def test_checkpoints_of_lerobot_are_found_by_step_with_the_folder_that_a_server_loads(tmp_path):
    for name in ("100000", "005000", "020000"):
        make_lerobot_checkpoint(tmp_path, name)
    (tmp_path / "last").symlink_to("100000")
    (tmp_path / "020001").write_text("no folder")
    found = find_checkpoints(tmp_path)
    assert [each.step for each in found.whole] == [5000, 20000, 100000]
    assert [each.name for each in found.whole] == ["005000", "020000", "100000"]
    assert found.whole[0].folder == tmp_path / "005000" / "pretrained_model"
    assert found.left_out == {}


def test_checkpoints_of_trainers_are_found_by_number_and_not_by_letter(tmp_path):
    for name in ("checkpoint-500", "checkpoint-10000", "checkpoint-2000"):
        make_gr00t_checkpoint(tmp_path, name)
    make_trainer_checkpoint(tmp_path, "checkpoint-20000")
    found = find_checkpoints(tmp_path)
    assert [each.step for each in found.whole] == [500, 2000, 10000, 20000]
    assert found.whole[0].folder == tmp_path / "checkpoint-500"
    assert found.tell("there") == ["4 whole checkpoints in there, steps 500 to 20000"]


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (make_lerobot_checkpoint, "005000"),
        (make_gr00t_checkpoint, "checkpoint-5000"),
        (make_trainer_checkpoint, "checkpoint-5000"),
    ],
)
def test_checkpoint_is_whole_once_its_last_file_is_and_at_no_byte_before(tmp_path, make, name):
    """Its files appear one after the other, as a trainer writes them; each is seen empty, in half and whole."""
    make(tmp_path / "written", name)
    (written,) = {path.parent for path in tmp_path.glob("written/**/config.json")}
    order = sorted(written.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    growing = tmp_path / "growing"
    growing.mkdir()
    for path in order:
        content = path.read_bytes()
        for length in (0, len(content) // 2, len(content) - 1):
            (growing / path.name).write_bytes(content[:length])
            assert why_not_whole(growing, name), f"{length} of {len(content)} bytes of {path.name}"
        assert why_not_whole(growing, name), f"{path.name} is not begun to be whole"
        (growing / path.name).write_bytes(content)
    assert why_not_whole(growing, name) is None


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda folder: (folder / "model-00002-of-00002.safetensors").unlink(), r"it has no model-00002-of-00002"),
        (lambda folder: (folder / "model.safetensors.index.json").unlink(), r"it has no model.safetensors.index.json"),
        (lambda folder: (folder / "statistics.json").unlink(), "it has no statistics.json"),
        (lambda folder: (folder / "config.json").unlink(), r"config.json is not there"),
        (lambda folder: (folder / "config.json").write_text("[]"), r"config.json is not what it should be"),
        (
            lambda folder: (folder / "model-00001-of-00002.safetensors").write_bytes(bytes([255] * 400)),
            "model-00001-of-00002.safetensors is cut off in its header: it has 400 bytes",
        ),
        (
            lambda folder: (folder / "model-00001-of-00002.safetensors").write_bytes(b"\x02" + bytes(7) + b"[]"),
            "has no header of safetensors",
        ),
        (lambda folder: [path.unlink() for path in folder.glob("*model*")], r"it has no weights \(\*.safetensors\)"),
    ],
)
def test_what_is_missing_is_named(tmp_path, damage, told):
    damage(make_gr00t_checkpoint(tmp_path, "checkpoint-1"))
    with pytest.raises(
        ContractError, match=rf"none of its 1 checkpoints is whole; of the last one, checkpoint-1: .*{told}"
    ):
        find_checkpoints(tmp_path)


def test_checkpoint_that_is_being_written_is_left_out_and_told(tmp_path):
    make_lerobot_checkpoint(tmp_path, "005000")
    weights = make_lerobot_checkpoint(tmp_path, "010000") / "pretrained_model/model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])
    found = find_checkpoints(tmp_path)
    assert [each.name for each in found.whole] == ["005000"]
    assert found.tell("there") == [
        "1 whole checkpoint in there, step 5000",
        "  left out: 010000: model.safetensors has 356 of 366 bytes",
    ]


def test_a_processor_of_lerobot_names_its_states(tmp_path):
    model = make_lerobot_checkpoint(tmp_path, "005000") / "pretrained_model"
    write_json(model / "policy_preprocessor.json", {"steps": [{"state_file": "elsewhere.safetensors"}]})
    assert why_not_whole(model, "005000") == "it has no elsewhere.safetensors"


def test_folders_without_checkpoints_are_refused_with_the_one_that_has_them(tmp_path):
    inner = tmp_path / "train" / "checkpoints"
    make_lerobot_checkpoint(inner, "005000")
    (tmp_path / "empty").mkdir()
    for folder, told in (
        (tmp_path / "nowhere", "that folder cannot be read: No such file"),
        (tmp_path / "empty", "it holds no checkpoint: a folder 005000, as LeRobot's, or checkpoint-5000"),
        (tmp_path / "train", f"Is checkpoints={inner} meant"),
        (
            inner / "005000",
            f"it is a checkpoint itself. Name the folder that holds it: checkpoints={inner} checkpoint=005000",
        ),
    ):
        with pytest.raises(ContractError) as refused:
            find_checkpoints(folder)
        assert f"checkpoints={folder} was asked for, but" in str(refused.value)
        assert told in str(refused.value)


def test_two_of_one_step_are_refused(tmp_path):
    make_lerobot_checkpoint(tmp_path, "005000")
    make_trainer_checkpoint(tmp_path, "checkpoint-5000")
    with pytest.raises(ContractError, match=r"005000 and checkpoint-5000 in it are both of step 5000\. Name those"):
        find_checkpoints(tmp_path)
    assert named_checkpoint(tmp_path, "checkpoint-5000").folder == tmp_path / "checkpoint-5000"


def test_a_checkpoint_by_its_name(tmp_path):
    model = make_lerobot_checkpoint(tmp_path, "005000") / "pretrained_model"
    assert named_checkpoint(tmp_path, "005000").folder == model
    with pytest.raises(ContractError, match=r"checkpoint=5000 was asked for, but .* Is checkpoint=005000 meant\?"):
        named_checkpoint(tmp_path, "5000")
    with pytest.raises(ContractError, match=r"holds none of that name\. Is checkpoint=005000 meant\?"):
        named_checkpoint(tmp_path, "../005000")
    (model / "policy_postprocessor.json").unlink()
    with pytest.raises(ContractError, match=r"it is not whole in .*: it has no policy_postprocessor.json\. Wait until"):
        named_checkpoint(tmp_path, "005000")


def test_many_that_are_left_out_are_counted(tmp_path):
    make_lerobot_checkpoint(tmp_path, "1")
    for step in range(2, 10):
        (tmp_path / str(step)).mkdir()
    told = find_checkpoints(tmp_path).tell("there")
    assert len(told) == 7
    assert told[-1] == "  and 3 more"
    assert json.dumps(told[1]).endswith('config.json is not there"')
