"""Data sets that others have made: graded by what GR00T makes of them, each with its remedy, and shown as they are."""

import json

import pytest

from runners.datasets import paths
from runners.datasets.reading import DatasetError
from runners.datasets.replay import ReplayPolicy
from tests.support.dataset_damage import drop_columns, edit_json, edit_lines


@pytest.fixture
def folder(groot_dataset, tmp_path):
    return (tmp_path / "lift").rename(tmp_path / "a set")


def suggested(out):
    """Return the modality.json that was printed to be pasted."""
    (told,) = [part for part in out.split("\nmeta/") if "modality.json: is missing" in part]
    return told[told.index("{") : told.rindex("}") + 1]


def as_lerobot_makes_it(folder):
    for file in (paths.MODALITY, paths.STATS):
        (folder / file).unlink()
    for episode in range(3):
        drop_columns(paths.data_path(episode), ["annotation.human.task_description"])(folder)
    edit_json(paths.INFO, lambda info: info["features"].pop("annotation.human.task_description"))(folder)


def test_set_of_v20_has_no_statistics_of_episodes_and_misses_none(groot_dataset, folder):
    edit_json(paths.INFO, lambda info: info.update(codebase_version="v2.0"))(folder)
    (folder / paths.EPISODES_STATS).unlink()
    code, out, _ = groot_dataset("check", "a set")
    assert (code, out.splitlines()[-1]) == (0, "All is well: every row was read, every frame decoded.")


def test_untidy_set_passes_and_what_is_untidy_is_told(groot_dataset, folder):
    """As GR00T's own demo: counts that nobody looks at, and statistics of state and action alone."""
    edit_json(paths.INFO, lambda info: info.update(total_chunks=0, total_videos="two"))(folder)
    edit_json(paths.STATS, lambda stats: [stats.pop(name) for name in ("timestamp", "next.reward")])(folder)
    code, out, _ = groot_dataset("check", "a set")
    assert code == 0
    assert out.startswith("Untidy, but read by GR00T:\nmeta/info.json: total_videos is 'two', but there are 6\n")
    assert "Cannot be read" not in out
    assert out.endswith("GR00T reads it, though 2 things are untidy: every row was read, every frame decoded.\n")


def test_what_is_printed_for_a_missing_modality_json_makes_the_set_one_of_groots(groot_dataset, folder):
    as_lerobot_makes_it(folder)
    code, out, _ = groot_dataset("check", "a set")
    assert code == 1
    text = suggested(out)
    assert json.loads(text) == {
        "state": {"state": {"start": 0, "end": 4}},
        "action": {"action": {"start": 0, "end": 4}},
        "video": {key: {"original_key": f"observation.images.{key}"} for key in ("front", "wrist")},
        "annotation": {"human.task_description": {"original_key": "task_index"}},
    }
    (folder / paths.MODALITY).write_text(text)
    code, out, _ = groot_dataset("check", "a set")
    assert code == 0, out
    assert set(ReplayPolicy(folder).get_modality_config()["action"].modality_keys) == {"action"}


def test_command_that_makes_statistics_can_be_pasted(groot_dataset, folder):
    (folder / paths.STATS).unlink()
    code, out, _ = groot_dataset("check", "a set")
    assert code == 0
    assert "meta/stats.json: is missing\n" in out
    assert f"gr00t/data/stats.py --dataset-path '{folder}' --embodiment-tag NEW_EMBODIMENT" in out


def test_vectors_in_columns_of_their_own_are_named_by_them(groot_dataset, folder):
    """A set whose state is parted into columns, as some robots have it."""

    def part(info):
        info["features"]["observation.state.arm"] = info["features"].pop("observation.state")

    edit_json(paths.INFO, part)(folder)
    (folder / paths.MODALITY).unlink()
    _, out, _ = groot_dataset("check", "a set")
    assert json.loads(suggested(out))["state"] == {
        "state.arm": {"start": 0, "end": 4, "original_key": "observation.state.arm"}
    }


@pytest.mark.parametrize(
    ("version", "converter"),
    [
        ("v1.6", "lerobot.datasets.v2.convert_dataset_v1_to_v2"),
        ("v3.1", "LeRobot has scripts that convert between its versions"),
    ],
)
def test_set_of_another_version_is_told_in_one_sentence_with_what_converts_it(
    groot_dataset, folder, version, converter
):
    edit_json(paths.INFO, lambda info: info.update(codebase_version=version, data_path=None, features=[]))(folder)
    (folder / paths.EPISODES).unlink()
    code, out, _ = groot_dataset("check", "a set")
    assert code == 1
    assert converter in out
    assert out.count("meta/") == 1
    code, _, err = groot_dataset("show", "a set")
    assert code == 1
    assert converter in err


def test_set_without_modality_json_is_shown_under_lerobots_names(groot_dataset, folder):
    as_lerobot_makes_it(folder)
    code, out, _ = groot_dataset("show", "a set")
    assert code == 0
    assert out.splitlines()[1:] == [
        "  state       observation.state 4",
        "  action      action 4",
        "  video       observation.images.front 48 x 64, observation.images.wrist 32 x 32",
        "  instruction 'reach', 'grasp'",
        "  meta/modality.json is missing: these are LeRobot's names. groot-dataset check 'a set' says more.",
        "3 of 3 episodes: contact_sheet.png",
    ]


def test_what_no_key_stands_for_is_shown_too(groot_dataset, folder):
    edit_json(paths.MODALITY, lambda modality: modality["video"].pop("wrist"))(folder)
    edit_json(paths.INFO, lambda i: i["features"].update({"observation.ros": {"dtype": "float32", "shape": [8]}}))(
        folder
    )
    _, out, _ = groot_dataset("show", "a set")
    assert "  video       front 48 x 64, observation.images.wrist 32 x 32\n  other       observation.ros 8\n" in out


def test_set_with_a_gap_is_read_by_the_indices_of_its_episodes(groot_dataset, folder):
    for file in (paths.EPISODES, paths.EPISODES_STATS):
        edit_lines(file, lambda rows: rows.pop(1))(folder)
    for path in paths.episode_paths(1, ("front", "wrist")):
        (folder / path).unlink()
    _, out, _ = groot_dataset("check", "a set")
    assert "the episode on line 2 has episode_index 2, but 1 comes there" in out
    policy = ReplayPolicy(folder)
    assert policy.reset({"episode_index": 2})["episode_length"] == 4
    with pytest.raises(Exception, match=r"Episode 1 was asked for, but .* holds 2: 0 to 2"):
        policy.reset({"episode_index": 1})


def test_empty_set_is_nothing_to_show_to_check_or_to_play(groot_dataset, folder):
    edit_lines(paths.EPISODES, lambda rows: rows.clear())(folder)
    code, out, _ = groot_dataset("check", "a set")
    assert (code, "names no episode: there is nothing to learn from, and nothing to play" in out) == (1, True)
    code, _, err = groot_dataset("show", "a set")
    assert (code, "holds no episode, so that there is nothing to play or to show" in err) == (1, True)
    with pytest.raises(Exception, match="holds no episode, so that there is nothing to play"):
        ReplayPolicy(folder)


def test_half_made_set_is_told_as_none(groot_dataset, tmp_path):
    (tmp_path / "half/.unfinished/0").mkdir(parents=True)
    for command in ("check", "show"):
        code, out, err = groot_dataset(command, "half")
        assert code == 1
        assert "This folder holds no data set." in out + err
        assert (out + err).count("meta/") == 1
    with pytest.raises(DatasetError, match="a run that records no episode leaves none"):
        ReplayPolicy(tmp_path / "half")
