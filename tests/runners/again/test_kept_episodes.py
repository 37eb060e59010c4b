"""What is kept of episodes on disk: whole at any moment, and nothing of anybody's is taken for it."""

import io
import os
import zipfile

import numpy as np
import pytest

from runners.again.kept_episodes import (
    FOLDER,
    JOINED,
    MARK,
    KeptEpisode,
    KeptEpisodeError,
    join_kept,
    kept_episode,
    kept_episodes,
    write_kept,
)


def make_kept(index=7, attempt=0, steps=5):
    values = np.arange(steps * 2, dtype=np.float32).reshape(steps, 2) + index
    return KeptEpisode(
        index=index,
        attempt=attempt,
        seed=2**32 - 1,
        instruction="lift ü \ud800",
        action={"arm": values, "left/hand": values[:, :1].copy()},
        beats=np.array([3, steps - 3], np.int64),
        last_chunk={"arm": values[:3]},
        states={"joints": values[:2] / 3},
        distance=values[:, 0].copy(),
    )


def same(one, other):
    np.testing.assert_equal(vars(one), vars(other))
    return True


def only_file(folder):
    (path,) = (folder / FOLDER).iterdir()
    return path


def test_what_is_written_is_read(tmp_path):
    write_kept(tmp_path, make_kept())
    assert same(kept_episode(tmp_path, 7), make_kept())
    assert [kept_episode(tmp_path, 6), kept_episode(tmp_path, 7, attempt=1)] == [None, None]
    assert kept_episode(tmp_path / "of an earlier version", 7) is None


def test_last_attempt_is_read_where_none_is_named(tmp_path):
    for attempt in (0, 2, 10):
        write_kept(tmp_path, make_kept(attempt=attempt))
    assert kept_episode(tmp_path, 7).attempt == 10
    assert kept_episode(tmp_path, 7, 2).attempt == 2


def test_parts_without_a_row_are_dropped_and_the_others_joined(tmp_path):
    for index in (3, 12, 7):
        write_kept(tmp_path, make_kept(index))
    write_kept(tmp_path, make_kept(7, attempt=1))
    join_kept(tmp_path, {(3, 0), (7, 0), (7, 1)})
    assert zipfile.ZipFile(tmp_path / JOINED).namelist() == [
        "episode_000003.npz",
        "episode_000007.npz",
        "episode_000007_attempt_1.npz",
    ]
    assert kept_episode(tmp_path, 12) is None
    found = list(kept_episodes(tmp_path, [(7, 1), (12, 0), (3, 0)]))
    assert [found[0].attempt, found[1], found[2].index] == [1, None, 3]


def test_later_starts_join_what_they_add(tmp_path):
    for index in (0, 1):
        write_kept(tmp_path, make_kept(index))
        join_kept(tmp_path, {(earlier, 0) for earlier in range(index + 1)})
    write_kept(tmp_path, make_kept(2))
    assert all(same(kept_episode(tmp_path, index), make_kept(index)) for index in range(3))
    join_kept(tmp_path, set())
    assert kept_episode(tmp_path, 2) is None


def test_kill_at_any_moment_of_joining_loses_nothing(tmp_path, monkeypatch):
    for index in (0, 1):
        write_kept(tmp_path, make_kept(index))

    class KilledError(Exception):
        pass

    def killed(*arguments, **settings):
        raise KilledError

    rows = {(0, 0), (1, 0)}
    for place in ("pathlib.Path.unlink", "os.fsync", "zipfile.ZipFile.writestr"):
        with monkeypatch.context() as patch:
            patch.setattr(place, killed)
            with pytest.raises(KilledError):
                join_kept(tmp_path, rows)
        assert all(same(kept_episode(tmp_path, index), make_kept(index)) for index in range(2)), place
    (tmp_path / FOLDER / ".episode_000002.npz.unfinished").write_bytes(b"half")
    join_kept(tmp_path, rows)
    assert [path.name for path in tmp_path.iterdir()] == [JOINED]
    assert all(same(kept_episode(tmp_path, index), make_kept(index)) for index in range(2))


def test_file_that_is_cut_off_is_refused_by_name(tmp_path):
    write_kept(tmp_path, make_kept())
    path = only_file(tmp_path)
    whole = path.read_bytes()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        with pytest.raises(KeptEpisodeError, match=r"episode_000007\.npz is not what groot-play writes"):
            kept_episode(tmp_path, 7)
    (tmp_path / JOINED).write_bytes(whole[:100])
    with pytest.raises(KeptEpisodeError, match=r"actions\.zip is not what groot-play writes"):
        kept_episode(tmp_path, 7)


def arrays(**changes):
    kept = make_kept()
    names = {"format": 1, "index": 7, "attempt": 0, "seed": 1, "beats": kept.beats, "action/arm": kept.action["arm"]}
    return names | {"instruction": np.zeros(0, np.uint8)} | {key.replace("__", "/"): v for key, v in changes.items()}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"format": 2}, "its format is 2, and this version reads 1"),
        ({"index": 6}, "it is of episode 6"),
        ({"beats": np.array([3, 3], np.int64)}, "action/arm has 5 rows in place of 6"),
        ({"beats": np.array([9, -4], np.int64)}, "beats of less than no control step"),
        ({"beats": np.array([2.0, 3.0], np.float32)}, "beats is float32"),
        ({"state__joints": np.zeros((3, 2), np.float32)}, "state/joints has 3 rows in place of 2"),
        ({"distance": np.zeros(4, np.float32)}, "distance has 4 rows in place of 5"),
        ({"action__arm": np.zeros((5, 2))}, "holds float64"),
        ({"seed": np.array({"a": "pickle"}, dtype=object)}, "holds object"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_does_not_agree_is_refused(tmp_path, changes, told):
    (tmp_path / FOLDER).mkdir()
    np.savez(tmp_path / FOLDER / "episode_000007.npz", **arrays(**changes))
    with pytest.raises(KeptEpisodeError, match=told):
        kept_episode(tmp_path, 7)


def test_small_file_that_would_fill_the_memory_is_refused(tmp_path):
    (tmp_path / FOLDER).mkdir()
    np.savez_compressed(tmp_path / FOLDER / "episode_000007.npz", **arrays())
    with pytest.raises(KeptEpisodeError, match="is compressed"):
        kept_episode(tmp_path, 7)
    whole = io.BytesIO()
    np.savez(whole, **arrays())
    with zipfile.ZipFile(tmp_path / JOINED, "w", zipfile.ZIP_DEFLATED) as file:
        file.comment = MARK
        file.writestr("episode_000009.npz", whole.getvalue())
    with pytest.raises(KeptEpisodeError, match="is compressed"):
        kept_episode(tmp_path, 9)
    (tmp_path / JOINED).unlink()
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (2**40, 2**20)})
    with zipfile.ZipFile(tmp_path / FOLDER / "episode_000008.npz", "w") as file:
        file.writestr("action/arm.npy", header.getvalue())
    with pytest.raises(KeptEpisodeError, match="not what groot-play writes"):
        kept_episode(tmp_path, 8)


def test_entries_that_share_what_lies_there_are_refused(tmp_path):
    """Later versions of zipfile find that too; the sizes that are told say it in any."""
    (tmp_path / FOLDER).mkdir()
    path = tmp_path / FOLDER / "episode_000007.npz"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("action/arm.npy", bytes(5000))
        file.infolist().extend([file.infolist()[0]] * 50)
    with pytest.raises(KeptEpisodeError, match="its entries overlap"):
        kept_episode(tmp_path, 7)


@pytest.mark.parametrize(
    "header",
    [
        "(",
        "-" * 9000 + "1",
        "{[]: 1}",
        "{1: 2, 'a': 3}",
        "\0",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (10**30,)}",
    ],
)
def test_whatever_zipfile_and_numpy_raise_names_the_file(tmp_path, header):
    header = header.replace("10**30", "1" + "0" * 30)
    content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()
    (tmp_path / FOLDER).mkdir()
    with zipfile.ZipFile(tmp_path / FOLDER / "episode_000007.npz", "w") as file:
        file.writestr("format.npy", content)
    with pytest.raises(KeptEpisodeError, match=r"episode_000007\.npz is not what groot-play writes: \S"):
        kept_episode(tmp_path, 7)


def test_what_is_no_file_is_not_read(tmp_path):
    """Who opens a pipe waits for it."""
    (tmp_path / FOLDER).mkdir()
    for name in (JOINED, f"{FOLDER}/episode_000007.npz"):
        os.mkfifo(tmp_path / name)
    assert kept_episode(tmp_path, 7) is None
