"""LIBERO's description of a task, BDDL, read strictly: ``read_bddl``, ``Problem``, ``Region``, ``Predicate``.

A file is one expression in brackets, as of Lisp. LIBERO reads it in lower case, and so does this; what LIBERO's five
suites do not have is refused, with the line that it stands on.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tasks.assets.cache import AssetError

__all__ = ["PREDICATES", "Predicate", "Problem", "Region", "read_bddl"]

PREDICATES = {"on": 2, "in": 2, "open": 1, "close": 1, "turnon": 1, "turnoff": 1}
"""How many arguments each takes."""

_LARGEST = 64 * 1024
"""Of a file, bytes; LIBERO's have 3.3 kB at most."""
_DEEPEST = 8
"""Brackets within brackets; LIBERO's files have five."""

_NAME = re.compile(r"[a-z0-9_]+")
"""Of things, categories and regions: files are named after them."""

_WORD = re.compile(r"[()]|[^\s()]+")


@dataclass(frozen=True)
class Predicate:
    """What holds at the start, or has to hold at the end.

    Attributes:
        name: One of ``PREDICATES``.
        arguments: Names of objects, fixtures or regions.
    """

    name: str
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Region:
    """A place that predicates name.

    Attributes:
        name: As predicates have it: ``main_table_plate_region``.
        target: The object or fixture that it is a part of: ``main_table``. LIBERO's files also have regions of things
            that their scene lacks, which no predicate names.
        ranges: Rectangles on the target, (x low, y low, x high, y high), m; none for a part that the target's model
            has as a site of this name.
        yaw: Lowest and highest turn of a fixture that stands there, rad.
    """

    name: str
    target: str
    ranges: tuple[tuple[float, float, float, float], ...]
    yaw: tuple[float, float]


@dataclass(frozen=True)
class Problem:
    """A task.

    Attributes:
        kind: Of its scene: ``libero_tabletop_manipulation``.
        instruction: Its ``:language``; policies are told another one, see ``LiberoTask.instruction``.
        regions: By name.
        fixtures: Category by name, of what stands still; the table or floor is among them. In the file's order.
        objects: Category by name, of what moves freely. In the file's order.
        initial: What holds at the start, in the file's order.
        goal: What all has to hold at the end.
        of_interest: Names of what the task is about.
    """

    kind: str
    instruction: str
    regions: Mapping[str, Region]
    fixtures: Mapping[str, str]
    objects: Mapping[str, str]
    initial: tuple[Predicate, ...]
    goal: tuple[Predicate, ...]
    of_interest: tuple[str, ...]


def read_bddl(path: Path) -> Problem:
    """Read a file.

    Raises:
        AssetError: It cannot be read, or says what LIBERO's files do not; the message has the line.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_LARGEST + 1)
    except OSError as error:
        raise AssetError(
            f"{path} cannot be read: {error.strerror}. `make libero-assets` brings LIBERO's files"
        ) from error
    if len(raw) > _LARGEST:
        raise AssetError(f"{path} has more than {_LARGEST} bytes, so it is no description of a task of LIBERO's")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise AssetError(f"{path} is no text in UTF-8: {error.reason} at byte {error.start}") from error
    return _Reader(path).problem(text.lower())


@dataclass(frozen=True)
class _Word:
    text: str
    line: int


@dataclass(frozen=True)
class _Group:
    items: "tuple[_Word | _Group, ...]"
    line: int


class _Reader:
    """Reads one file, and says where it errs."""

    def __init__(self, path: Path):
        self._path = path

    def problem(self, text: str) -> Problem:
        whole = self._parse(text)
        if not whole.items or self._word(whole.items[0]) != "define":
            raise self._error(whole.line, "'(define ...' was expected")
        sections: dict[str, _Group] = {}
        for item in whole.items[1:]:
            group = self._group(item)
            name = self._head(group)
            if name in sections:
                raise self._error(group.line, f"({name} ...) stands there a second time")
            sections[name] = group
        known = ["problem", ":domain", ":language", ":regions", ":fixtures", ":objects", ":obj_of_interest"]
        known += [":init", ":goal"]
        for name, group in sections.items():
            if name not in known:
                raise self._error(group.line, f"({name} ...) is unknown; known are {', '.join(known)}")
        for name in known:
            if name not in sections:
                raise self._error(whole.line, f"({name} ...) is missing")
        if self._words(sections[":domain"]) != ("robosuite",):
            raise self._error(sections[":domain"].line, "(:domain robosuite) was expected")
        kind = self._words(sections["problem"])
        if len(kind) != 1:
            raise self._error(sections["problem"].line, "(problem NAME) was expected")
        fixtures, objects = self._typed(sections[":fixtures"]), self._typed(sections[":objects"])
        both = [name for name in objects if name in fixtures]
        if both:
            raise self._error(sections[":objects"].line, f"{both[0]} is a fixture and an object")
        regions = self._regions(sections[":regions"])
        things = {*fixtures, *objects}
        names = things | {name for name, region in regions.items() if region.target in things}
        return Problem(
            kind=kind[0],
            instruction=" ".join(self._words(sections[":language"])),
            regions=regions,
            fixtures=fixtures,
            objects=objects,
            initial=self._predicates(sections[":init"].items[1:], names),
            goal=self._goal(sections[":goal"], names),
            of_interest=self._words(sections[":obj_of_interest"]),
        )

    def _parse(self, text: str) -> _Group:
        """Return the one expression that the file is."""
        stack: list[tuple[list[_Word | _Group], int]] = [([], 1)]
        for number, line in enumerate(text.splitlines(), start=1):
            for word in _WORD.findall(line.partition(";")[0]):
                if word == "(":
                    if len(stack) > _DEEPEST:
                        raise self._error(number, f"more than {_DEEPEST} brackets are open")
                    stack.append(([], number))
                elif word == ")":
                    items, opened = stack.pop()
                    if not stack:
                        raise self._error(number, "a bracket is closed that was not opened")
                    stack[-1][0].append(_Group(tuple(items), opened))
                else:
                    stack[-1][0].append(_Word(word, number))
        if len(stack) > 1:
            raise self._error(stack[-1][1], "the bracket that is opened here is never closed")
        outermost = stack[0][0]
        if len(outermost) != 1 or not isinstance(outermost[0], _Group):
            raise self._error(1, "one expression in brackets was expected, and nothing beside it")
        return outermost[0]

    def _typed(self, group: _Group) -> dict[str, str]:
        """Read ``a b - category c - other``."""
        categories: dict[str, str] = {}
        seen: set[str] = set()
        names: list[str] = []
        words = list(self._words(group))
        for word in words:
            if word != "-" and not _NAME.fullmatch(word):
                raise self._error(group.line, f"{word!r} is no name")
        while words:
            word = words.pop(0)
            if word != "-":
                if word in categories or word in names:
                    raise self._error(group.line, f"{word} stands there a second time")
                names.append(word)
                continue
            if not names or not words:
                raise self._error(group.line, "'-' stands between names and their category")
            category = words.pop(0)
            if category in seen:  # LIBERO would forget the first ones
                raise self._error(group.line, f"'- {category}' stands there a second time")
            seen.add(category)
            categories.update(dict.fromkeys(names, category))
            names = []
        if names:
            raise self._error(group.line, f"{names[0]} has no category")
        return categories

    def _regions(self, group: _Group) -> dict[str, Region]:
        regions = {}
        for item in group.items[1:]:
            region = self._region(self._group(item))
            if region.name in regions:
                raise self._error(item.line, f"{region.name} stands there a second time")
            regions[region.name] = region
        return regions

    def _region(self, group: _Group) -> Region:
        parts: dict[str, _Group] = {}
        for item in group.items[1:]:
            part = self._group(item)
            name = self._head(part)
            if name in parts or name not in (":target", ":ranges", ":yaw_rotation"):
                raise self._error(part.line, f"({name} ...) of a region is unknown, or stands there twice")
            parts[name] = part
        target = self._words(parts[":target"]) if ":target" in parts else ()
        if len(target) != 1:
            raise self._error(group.line, "(:target NAME) was expected")
        ranges = tuple(
            (low_x, low_y, high_x, high_y) for low_x, low_y, high_x, high_y in self._rows(parts.get(":ranges"), 4)
        )
        for low_x, low_y, high_x, high_y in ranges:
            if high_x < low_x or high_y < low_y:
                raise self._error(group.line, "a rectangle is (x low, y low, x high, y high)")
        turns = self._rows(parts.get(":yaw_rotation"), 2)
        if len(turns) > 1:
            raise self._error(group.line, "a region has one range of turns")
        yaw = (turns[0][0], turns[0][1]) if turns else (0.0, 0.0)
        return Region(f"{target[0]}_{self._head(group)}", target[0], ranges, yaw)

    def _rows(self, group: _Group | None, width: int) -> list[list[float]]:
        """Read ``((1 2) (3 4))`` behind a name, as rows of numbers."""
        if group is None:
            return []
        if len(group.items) != 2:
            raise self._error(group.line, f"({self._head(group)} ((...))) was expected")
        rows = []
        for item in self._group(group.items[1]).items:
            row = self._group(item)
            numbers = [self._number(number) for number in row.items]
            if len(numbers) != width:
                raise self._error(row.line, f"{width} numbers were expected, and {len(numbers)} stand there")
            rows.append(numbers)
        return rows

    def _goal(self, group: _Group, names: set[str]) -> tuple[Predicate, ...]:
        if len(group.items) != 2:
            raise self._error(group.line, "(:goal (and ...)) was expected")
        conjunction = self._group(group.items[1])
        if self._head(conjunction) != "and" or len(conjunction.items) == 1:
            raise self._error(conjunction.line, "(and ...) of one predicate or more was expected")
        return self._predicates(conjunction.items[1:], names)

    def _predicates(self, items: "tuple[_Word | _Group, ...]", names: set[str]) -> tuple[Predicate, ...]:
        predicates = []
        for item in items:
            group = self._group(item)
            name, arguments = self._head(group), self._words(group)
            if name not in PREDICATES:
                raise self._error(group.line, f"predicate {name!r} is unknown; known are {', '.join(PREDICATES)}")
            if len(arguments) != PREDICATES[name]:
                raise self._error(
                    group.line, f"{name} takes {PREDICATES[name]} names, and {len(arguments)} stand there"
                )
            for argument in arguments:
                if argument not in names:
                    raise self._error(group.line, f"{argument} is no fixture, object or region of the file")
            predicates.append(Predicate(name, arguments))
        return tuple(predicates)

    def _head(self, group: _Group) -> str:
        if not group.items:
            raise self._error(group.line, "a name was expected behind the bracket")
        return self._word(group.items[0])

    def _words(self, group: _Group) -> tuple[str, ...]:
        """Return the words behind a group's first."""
        return tuple(self._word(item) for item in group.items[1:])

    def _word(self, item: "_Word | _Group") -> str:
        if isinstance(item, _Group):
            raise self._error(item.line, "a word was expected, and a bracket stands there")
        return item.text

    def _group(self, item: "_Word | _Group") -> _Group:
        if isinstance(item, _Word):
            raise self._error(item.line, f"a bracket was expected, and {item.text!r} stands there")
        return item

    def _number(self, item: "_Word | _Group") -> float:
        text = self._word(item)
        try:
            number = float(text)
        except ValueError:
            number = float("nan")
        if not abs(number) < 100:  # metres and radians: no description of LIBERO's has more than four
            raise self._error(item.line, f"a number of less than 100 was expected, and {text!r} stands there")
        return number

    def _error(self, line: int, problem: str) -> AssetError:
        return AssetError(f"{self._path}, line {line}: {problem}")
