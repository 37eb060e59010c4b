"""What a file needs that is not installed here.

Read off the imports at the top of the file and of what it imports of ours, so that no list of tests has to be kept.
"""

import ast
import functools
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[2]
OURS = ("groot_wrappers", "runners", "tasks", "tests", "conf")
NEEDED_BY_ALL = {"runners": {"hydra"}, "tasks": {"gymnasium"}}
"""By any module of a package of ours, as its __init__ asks."""


def is_complete(module):
    """Say whether all that a module of ours imports is installed."""
    return not missing_of(_file_of(module))


def missing_of(path):
    """Return the packages of others that a file needs, through whatever of ours, and that are not installed."""
    needed, seen, left = set(), set(), [path]
    while left:
        path = left.pop()
        if path in seen:
            continue
        seen.add(path)
        needed |= NEEDED_BY_ALL.get(path.relative_to(ROOT).parts[0], set())
        for name in _imported(path):
            file = _file_of(name) if name.split(".")[0] in OURS else None
            if file:
                left += [file, *_packages_above(file)]
            else:
                needed.add(name.split(".")[0])
    return {name for name in needed if not _is_installed(name)}


@functools.cache
def _imported(path):
    """Return the modules, or names in modules, that a file imports as it is imported itself."""
    names = []
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [_behind(node.module, alias.name) for alias in node.names]
    return names


def _behind(module, name):
    """Return what is imported by a name, also of a package that imports only what it is asked for."""
    file = _file_of(module)
    for node in ast.parse(file.read_text(encoding="utf-8")).body if file else ():
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "_ROOMS":
            rooms = ast.literal_eval(node.value)
            return f"{module}.{rooms.get(name, name)}"
    return f"{module}.{name}"


def _file_of(name):
    """Return the file of a module of ours, or of the one that a name is in; None of what is none of ours."""
    if name.split(".")[0] not in OURS:
        return None
    while name:
        for file in (ROOT / name.replace(".", "/")).with_suffix(".py"), ROOT / name.replace(".", "/") / "__init__.py":
            if file.is_file():
                return file
        name = name.rpartition(".")[0]
    return None


def _packages_above(file):
    above = (ROOT / folder / "__init__.py" for folder in file.relative_to(ROOT).parents)
    return [package for package in above if package.is_file()]


@functools.cache
def _is_installed(name):
    return name in sys.builtin_module_names or find_spec(name) is not None
