"""What a run folder keeps of each episode so that it can be played again: read and written, checked, bounded.

While a run goes on each attempt that has ended has a file in ``actions/``; at its end, and where it is gone on with,
they are joined into ``actions.zip``, whose entries are these files. Each is an ``.npz`` without pickles and without
compression, so that what is read is never larger than what lies there.

* ``KeptEpisode``: what is kept of an attempt at an episode.
* ``kept_episode``: reads one; ``kept_episodes``: reads several.
* ``write_kept``: writes one.
* ``join_kept``: puts all of them into one file.
* ``KeptEpisodeError``: one is there, but cannot be read.
"""

import io
import re
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from groot_wrappers.errors import Gr00tError, describe_value
from runners.utils.atomic_files import naming, whole_file

__all__ = [
    "FOLDER",
    "JOINED",
    "KeptEpisode",
    "KeptEpisodeError",
    "join_kept",
    "kept_episode",
    "kept_episodes",
    "write_kept",
]

Array: TypeAlias = np.ndarray[Any, Any]

FOLDER, JOINED = "actions", "actions.zip"
"""Of the run folder: where the files lie of a run that goes on, and the file that they are joined into."""

FORMAT = 1
"""Version of a file."""

MARK = b"actions kept by groot-play"
"""At the end of the joined file: of one that was cut off, zipfile would read the last entry as if it were the whole."""

MAX_BYTES = 2**30
"""Of one file: more than a million control steps of a humanoid."""

NAME = re.compile(r"episode_(\d{6,})(?:_attempt_(\d+))?\.npz")

GROUPS = {"action": "action", "last_chunk": "chunk", "states": "state"}
"""Fields of a :class:`KeptEpisode` with an array a key, and what the names of these begin with in a file."""


class KeptEpisodeError(Gr00tError):
    """What is kept of an episode was cut off, or is something else."""


@dataclass(frozen=True)
class KeptEpisode:
    """What is kept of an attempt at an episode.

    Args:
        index, seed, instruction: Of its plan.
        attempt: Which try at it, from 0.
        action: Action key to float32 (steps, D), what the server asked to be played at each control step, in its
            numbers.
        beats: int64 (requests,), the control steps between a request and the next one, or the end. With
            ``clock=paused`` the answer to the request feeds them; with ``clock=real`` it comes while they are played.
        last_chunk: Action key to float32 (T_action, D), all of the last answer; empty where there was none.
        states: State key to float32 (requests, D), the present state as it was sent with each request.
        distance: float32 (steps,), the distance to success after each control step; None where the env has none.
    """

    index: int
    attempt: int
    seed: int
    instruction: str
    action: Mapping[str, Array]
    beats: Array
    last_chunk: Mapping[str, Array]
    states: Mapping[str, Array]
    distance: Array | None = None

    @property
    def steps(self) -> int:
        """Control steps that were played."""
        return int(self.beats.sum())

    @property
    def asked_at(self) -> Array:
        """int64 (requests,), the control step before which each request was made, from 0."""
        asked: Array = np.cumsum(self.beats) - self.beats
        return asked


def kept_episode(folder: Path, index: int, attempt: int | None = None) -> KeptEpisode | None:
    """Read what a run folder keeps of an episode, while the run goes on too.

    Args:
        folder: The run folder.
        index: Of the episode.
        attempt: Of its row; None for the last one that is kept, of which a run that was killed may have no row.

    Returns:
        None where nothing is kept of it, as in a run of an earlier version.

    Raises:
        KeptEpisodeError: What is kept cannot be read.
    """
    places = {name: place for name, place in _places(folder).items() if name[0] == index}
    if attempt is None:
        attempt = max((which for _, which in places), default=0)
    return next(_read(places, [(index, attempt)]))


def kept_episodes(folder: Path, attempts: Iterable[tuple[int, int]]) -> Iterator[KeptEpisode | None]:
    """Read what a run folder keeps of several attempts, given by index and attempt, one after the other.

    Yields:
        As ``kept_episode`` returns it.

    Raises:
        KeptEpisodeError: What is kept cannot be read.
    """
    yield from _read(_places(folder), attempts)


def write_kept(folder: Path, kept: KeptEpisode) -> None:
    """Write what is kept of an episode that has ended; it is there whole or not at all.

    Args:
        folder: The run folder.
        kept: What is to be kept.

    Raises:
        OSError: It cannot be written.
    """
    content: dict[str, Any] = {"format": FORMAT, "beats": kept.beats}
    content |= {name: getattr(kept, name) for name in ("index", "attempt", "seed")}
    content["instruction"] = np.frombuffer(kept.instruction.encode("utf-8", "surrogatepass"), np.uint8)
    for field, group in GROUPS.items():
        content |= {f"{group}/{key}": values for key, values in getattr(kept, field).items()}
    if kept.distance is not None:
        content["distance"] = kept.distance
    path = folder / FOLDER / _name(kept.index, kept.attempt)
    path.parent.mkdir(exist_ok=True)
    with whole_file(path) as file:
        np.savez(file, **content)


def join_kept(folder: Path, rows: Collection[tuple[int, int]]) -> None:
    """Put all that is kept into one file; of what has no row, as a kill may leave it, nothing is kept.

    A kill at any moment leaves each of them in one of the two places, or in both.

    Args:
        folder: The run folder.
        rows: Index and attempt of each row.

    Raises:
        OSError: It cannot be written; all is where it was.
    """
    places, joined = _places(folder), folder / JOINED
    rows = set(rows)
    kept = {name: place for name, place in sorted(places.items()) if name in rows}
    if any(place != joined for place in kept.values()):
        with ExitStack() as stack:
            before = stack.enter_context(zipfile.ZipFile(joined)) if joined.is_file() else None
            target = stack.enter_context(zipfile.ZipFile(stack.enter_context(whole_file(joined)), "w"))
            target.comment = MARK
            for name, place in kept.items():
                target.writestr(_name(*name), _content(place, before, _name(*name)))
    for path in (folder / FOLDER).glob("*episode_*.npz*"):  # those that a kill left half-written too
        path.unlink()
    with suppress(OSError):  # it is not there, or holds what is not ours
        (folder / FOLDER).rmdir()


def _name(index: int, attempt: int) -> str:
    return f"episode_{index:06d}" + (f"_attempt_{attempt}" if attempt else "") + ".npz"


def _places(folder: Path) -> dict[tuple[int, int], Path]:
    """Return index and attempt of all that is kept, with the file that holds it; a file of its own is the newer one."""
    found: dict[tuple[int, int], Path] = {}
    joined = folder / JOINED
    if joined.is_file():  # a pipe of that name would be waited for
        with _telling(str(joined)), zipfile.ZipFile(joined) as archive:
            if archive.comment != MARK:
                raise ValueError("its end is missing")
            found |= {_parts(match): joined for match in map(NAME.fullmatch, archive.namelist()) if match}
    own = {path: NAME.fullmatch(path.name) for path in (folder / FOLDER).glob("*.npz") if path.is_file()}
    return found | {_parts(match): path for path, match in own.items() if match}


def _parts(match: re.Match[str]) -> tuple[int, int]:
    return int(match[1]), int(match[2] or 0)


def _read(places: Mapping[tuple[int, int], Path], attempts: Iterable[tuple[int, int]]) -> Iterator[KeptEpisode | None]:
    """Read attempts from where they lie, None where nothing is kept; the joined file is opened once."""
    with ExitStack() as stack:
        archive: zipfile.ZipFile | None = None
        for attempt in attempts:
            place = places.get(attempt)
            if place is None:
                yield None
                continue
            where = f"{place}/{_name(*attempt)}" if place.name == JOINED else str(place)
            with _telling(where):
                if place.name == JOINED and archive is None:
                    archive = stack.enter_context(zipfile.ZipFile(place))
                kept = _parsed(_content(place, archive, _name(*attempt)))
                if (kept.index, kept.attempt) != attempt:
                    raise ValueError(f"it is of episode {kept.index}, attempt {kept.attempt}")
            yield kept


def _content(place: Path, archive: zipfile.ZipFile | None, name: str) -> bytes:
    """Return the file of an attempt, which lies by itself or in the joined one."""
    if archive is None or place.name != JOINED:
        _require_size(place.stat().st_size)
        return place.read_bytes()
    info = archive.getinfo(name)
    _require_size(info.file_size)
    return _stored(archive, info)


def _stored(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """Return an entry, of which no more is made room for than lies in the file."""
    if info.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{info.filename} is compressed")
    return archive.read(info)


def _require_size(size: int) -> None:
    if size > MAX_BYTES:
        raise ValueError(f"it has {size} bytes, more than any of that name")


@contextmanager
def _telling(where: str) -> Iterator[None]:
    """Turn whatever a file of anybody's raises as it is read into the error that names it."""
    try:
        with naming(Path(where)):
            yield
    except KeptEpisodeError:
        raise
    except OSError as error:
        raise KeptEpisodeError(f"{where} cannot be read: {error.strerror or error}.") from error
    except Exception as error:  # zipfile and numpy raise a dozen kinds, tokenize.TokenError among them
        reason = (str(error) or repr(error)).rstrip(".")
        raise KeptEpisodeError(
            f"{where} is not what groot-play writes: {reason}. It was cut off, or is another program's; that episode "
            "cannot be played again."
        ) from error


def _parsed(content: bytes) -> KeptEpisode:
    """Return what a file holds.

    Raises:
        ValueError: It is not what it should be.
        KeyError: An array is missing.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(info.file_size for info in archive.infolist()) > len(content):  # entries may share what lies there
            raise ValueError("its entries overlap")
        arrays = {info.filename.removesuffix(".npy"): _array(archive, info) for info in archive.infolist()}
    written = _number(arrays, "format")
    if written != FORMAT:
        raise ValueError(f"its format is {written}, and this version reads {FORMAT}")
    groups = {field: _group(arrays, group) for field, group in GROUPS.items()}
    kept = KeptEpisode(
        index=_number(arrays, "index"),
        attempt=_number(arrays, "attempt"),
        seed=_number(arrays, "seed"),
        instruction=_checked(arrays, "instruction", np.uint8, 1).tobytes().decode("utf-8", "surrogatepass"),
        beats=_checked(arrays, "beats", np.int64, 1),
        distance=_checked(arrays, "distance", np.float32, 1) if "distance" in arrays else None,
        **groups,
    )
    if (kept.beats < 0).any() or not kept.action:
        raise ValueError("it has no actions, or beats of less than no control step")
    lengths = {f"action/{key}": (len(values), kept.steps) for key, values in kept.action.items()}
    lengths |= {f"state/{key}": (len(values), len(kept.beats)) for key, values in kept.states.items()}
    if kept.distance is not None:
        lengths["distance"] = (len(kept.distance), kept.steps)
    if wrong := [name for name, (has, wanted) in lengths.items() if has != wanted]:
        raise ValueError(f"{wrong[0]} has {lengths[wrong[0]][0]} rows in place of {lengths[wrong[0]][1]}")
    return kept


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Array:
    """Return an array that lies in a file as its numbers alone, none of which is an object."""
    content = _stored(archive, info)
    file = io.BytesIO(content)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError(f"{info.filename} has another version of numpy's format")
    shape, by_columns, dtype = np.lib.format.read_array_header_1_0(file)
    if dtype not in (np.float32, np.int64, np.uint8) or len(shape) > 2 or (by_columns and len(shape) > 1):
        raise ValueError(f"{info.filename} holds {dtype} {shape}")
    return np.frombuffer(content[file.tell() :], dtype).reshape(shape)


def _group(arrays: Mapping[str, Array], group: str) -> dict[str, Array]:
    names = [name for name in arrays if name.startswith(f"{group}/")]
    return {name.removeprefix(f"{group}/"): _checked(arrays, name, np.float32, 2) for name in names}


def _checked(arrays: Mapping[str, Array], name: str, kind: Any, dimensions: int) -> Array:
    values = arrays[name]
    if values.dtype != kind or values.ndim != dimensions:
        raise ValueError(f"{name} is {describe_value(values)}")
    return values


def _number(arrays: Mapping[str, Array], name: str) -> int:
    return int(_checked(arrays, name, np.int64, 0))
