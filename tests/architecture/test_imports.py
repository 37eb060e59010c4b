"""Who may import whom: rooms depend on one another in one direction, and what has to stay light imports nothing heavy.

It is read off the source, so that an import within a function counts as much as one at the top of a file.
"""

import ast
import graphlib
import sys
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("groot_wrappers", "runners", "tasks")
MOST_MODULES = 16
"""Side by side in a folder: more than a reader takes in at once."""


def name_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for package in PACKAGES for path in (ROOT / package).rglob("*.py")}


def imports_of(path):
    """Yield the full names of the modules that a file imports, of ours and of others."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively, which is not read here"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in MODULES else node.module


IMPORTS = {name: set(imports_of(path)) for name, path in MODULES.items()}


def is_within(name, *packages):
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def found(importers, forbidden):
    """Return ``importer imports imported`` for what the modules of a package import that is forbidden."""
    return sorted(
        f"{name} imports {imported}"
        for name, all_imported in IMPORTS.items()
        if is_within(name, importers)
        for imported in all_imported
        if forbidden(imported)
    )


def room_of(name):
    """Return the room of a module of ``runners``: the folder right below it, with all that is in it."""
    return ".".join(name.split(".")[:2])


def test_rooms_import_one_another_in_one_direction():
    rooms = defaultdict(set)
    for name, imported in IMPORTS.items():
        if is_within(name, "runners"):
            rooms[room_of(name)] |= {room_of(other) for other in imported if is_within(other, "runners")}
    assert len(rooms) > 10
    order = graphlib.TopologicalSorter({room: others - {room} for room, others in rooms.items()})
    order.prepare()  # raises a CycleError that names the rooms


@pytest.mark.parametrize(
    ("importers", "not_imported"),
    [
        ("groot_wrappers", ("runners", "tasks")),
        ("runners", ("tasks", "isaaclab_tasks")),
        ("tasks", ("runners",)),
        ("groot_wrappers.protocol", ("torch", "gymnasium", "isaaclab")),
        ("groot_wrappers.serve", ("torch", "gymnasium", "isaaclab")),
    ],
)
def test_package_knows_nothing_of(importers, not_imported):
    assert found(importers, lambda name: is_within(name, *not_imported)) == []


@pytest.mark.parametrize(
    ("room", "may_import"),
    [
        ("groot_wrappers.protocol", {"installation", "errors", "modality", "observation_checks"}),
        ("groot_wrappers.embodiment", {"installation", "errors", "modality"}),
    ],
)
def test_room_of_the_wrappers_imports_of_what_lies_above_it(room, may_import):
    allowed = {f"groot_wrappers.{name}" for name in may_import}
    assert found(room, lambda name: is_within(name, "groot_wrappers") and not is_within(name, room, *allowed)) == []


MODEL = "groot_wrappers.gr00t_model"
"""Has torch and NVIDIA's package beside it, and is imported where a checkpoint is served alone."""

LEROBOT = "groot_wrappers.lerobot_model"
"""Likewise with LeRobot beside it. It takes the rows' noise and a checkpoint's digest from the room of GR00T's."""

CORE = (
    "groot_wrappers.embodiment.matching",
    "groot_wrappers.protocol.client_group",
    "groot_wrappers.serve.__main__",
)


@pytest.mark.parametrize("module", CORE)
def test_core_needs_numpy_pyzmq_and_msgpack_alone(module):
    """However far one follows the imports of ours: it lives in the environment of a model."""
    needed, seen, left = set(), set(), {module}
    while left:
        name = left.pop()
        seen.add(name)
        needed |= {imported.split(".")[0] for imported in IMPORTS[name] if imported not in MODULES}
        left |= {
            imported for imported in IMPORTS[name] if imported in MODULES and not is_within(imported, MODEL, LEROBOT)
        } - seen
    assert needed - sys.stdlib_module_names <= {"numpy", "zmq", "msgpack", "typing_extensions"}


def test_model_of_gr00t_is_entered_by_its_door_and_where_it_is_measured():
    inside = {name for name, imported in IMPORTS.items() if any(is_within(other, MODEL) for other in imported)}
    outside = {name for name in inside if not is_within(name, MODEL, LEROBOT, "runners.bench.model")}
    assert outside == {"groot_wrappers.serve.gr00t"}


def test_model_of_lerobot_is_entered_by_its_door():
    inside = {name for name, imported in IMPORTS.items() if any(is_within(other, LEROBOT) for other in imported)}
    assert {name for name in inside if not is_within(name, LEROBOT)} == {"groot_wrappers.serve.lerobot"}


EXPERTS = sorted(name_of(path) for path in (ROOT / "tasks").glob("*/expert*") if path.name != "__pycache__")


@pytest.mark.parametrize("expert", EXPERTS)
def test_experts_see_what_a_policy_is_sent_alone(expert):
    """They import neither the simulator nor the env, however far one follows the imports of ours."""
    seen, left = set(), {name for name in MODULES if is_within(name, expert)}
    assert left
    while left:
        name = left.pop()
        assert not is_within(name, "isaaclab", "isaaclab_newton", "isaaclab_tasks"), seen
        assert not name.endswith((".env_cfg", ".mdp")), seen
        seen.add(name)
        left |= IMPORTS.get(name, set()) - seen


FOLDERS = sorted({path.parent for package in (*PACKAGES, "tests") for path in (ROOT / package).rglob("*.py")})


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_folder_can_be_taken_in_at_once(folder):
    modules = [path.name for path in folder.glob("*.py") if path.name != "__init__.py"]
    assert len(modules) <= MOST_MODULES, f"{len(modules)} modules lie side by side"
