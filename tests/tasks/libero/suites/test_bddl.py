"""LIBERO's descriptions of tasks, read strictly."""

import pytest

from tasks.assets.cache import AssetError
from tasks.libero.suites.bddl import Predicate, Region, read_bddl
from tests.tasks.libero.tiny.data import BDDL


def read(tmp_path, text):
    path = tmp_path / "task.bddl"
    path.write_text(text)
    return read_bddl(path)


def test_a_task_is_read_in_lower_case(tmp_path):
    problem = read(tmp_path, BDDL)
    assert problem.kind == "libero_tabletop_manipulation"
    assert problem.instruction == "put the bowl on the plate and close the drawer"
    assert problem.fixtures == {
        "main_table": "table", "wooden_cabinet_1": "wooden_cabinet", "flat_stove_1": "flat_stove",
    }  # fmt: skip
    assert list(problem.objects) == ["bowl_1", "plate_1"]
    assert problem.regions["main_table_cabinet_region"] == Region(
        "main_table_cabinet_region", "main_table", ((-0.01, -0.31, 0.01, -0.29),), (3.14159, 3.14159)
    )
    assert problem.regions["wooden_cabinet_1_middle_region"].ranges == ()
    assert problem.goal == (
        Predicate("on", ("bowl_1", "plate_1")),
        Predicate("close", ("wooden_cabinet_1_middle_region",)),
    )


@pytest.mark.parametrize(
    ("said", "instead", "message"),
    [
        ("(On bowl_1 plate_1) (Close", "(On bowl_1 cup_1) (Close", "line 17: cup_1 is no fixture, object or region"),
        ("(On bowl_1 plate_1) (Close", "(Near bowl_1 plate_1) (Close", "line 17: predicate 'near' is unknown"),
        ("(On bowl_1 plate_1) (Close", "(On bowl_1) (Close", "line 17: on takes 2 names, and 1 stand there"),
        ("bowl_1 - bowl plate_1", "bowl_1 - bowl bowl_1", "line 11: bowl_1 stands there a second time"),
        ("bowl_1 - bowl plate_1 - plate", "bowl_1 - bowl plate_1 - bowl", "line 11: '- bowl' stands there a second"),
        ("bowl_1 - bowl plate_1 - plate", "bowl_1 - bowl plate_1", "line 11: plate_1 has no category"),
        ("((-0.11 -0.01 -0.09 0.01))", "((-0.11 -0.01 -0.09))", "line 6: 4 numbers were expected, and 3"),
        ("((-0.11 -0.01 -0.09 0.01))", "((-0.11 -0.01 nan 0.01))", "line 6: a number of less than 100 was expected"),
        ("((-0.11 -0.01 -0.09 0.01))", "((0.11 -0.01 -0.09 0.01))", "line 6: a rectangle is"),
        ("(:domain robosuite)", "(:domain other)", "line 3: (:domain robosuite) was expected"),
        ("(:domain robosuite)", "", "line 2: (:domain ...) is missing"),
        ("(:domain robosuite)", "(:domain robosuite) (:metric x)", "(:metric ...) is unknown"),
        ("robosuite)", "robosuite", "line 2: the bracket that is opened here is never closed"),
        ("robosuite)", "robosuite))", "a bracket"),
        ("bowl_1 - bowl plate_1", "../bowl_1 - bowl plate_1", "line 11: '../bowl_1' is no name"),
        ("(:language", "(:language" + "(" * 9, "more than 8 brackets are open"),
    ],
)
def test_what_liberos_files_do_not_have_is_refused_with_its_line(tmp_path, said, instead, message):
    assert said in BDDL
    with pytest.raises(AssetError) as raised:
        read(tmp_path, BDDL.replace(said, instead, 1))
    assert message in str(raised.value)


def test_a_file_of_any_size_is_not_read(tmp_path):
    with pytest.raises(AssetError, match="more than 65536 bytes"):
        read(tmp_path, BDDL + " " * 65536)


def test_a_missing_file_names_the_command(tmp_path):
    with pytest.raises(AssetError, match="`make libero-assets`"):
        read_bddl(tmp_path / "no.bddl")
