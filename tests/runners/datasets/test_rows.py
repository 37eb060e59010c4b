"""EpisodeRows: columns come out as they were written, and little that stands for much is refused before it is read."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from runners.datasets import rows
from runners.datasets.pages import MAX_PAGE_BYTES, require_honest_pages
from runners.datasets.reading import DatasetError
from runners.datasets.replay import ReplayPolicy
from runners.datasets.rows import EpisodeRows
from runners.datasets.statistics import dataset_statistics
from runners.datasets.writer import DatasetWriter
from tests.support.samples.datasets import FEATURES, make_dataset


def written(folder, table, **options):
    pq.write_table(table, folder / "rows.parquet", **options)
    return EpisodeRows(folder, "rows.parquet")


def repeated(count, width=None):
    """Return as many numbers as asked for, all of them 1.5, which a file holds in a few bytes."""
    numbers = pa.DictionaryArray.from_arrays(pa.array(np.zeros(count * (width or 1), np.int8)), pa.array([1.5]))
    if width is None:
        return numbers
    return pa.ListArray.from_arrays(pa.array(np.arange(0, count * width + 1, width), pa.int32()), numbers)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"data_page_version": "2.0", "compression": "gzip"},
        {"use_dictionary": False, "data_page_size": 100, "row_group_size": 7, "compression": "zstd"},
        {"use_dictionary": False, "column_encoding": {"index": "DELTA_BINARY_PACKED"}},
    ],
)
def test_columns_come_out_as_they_were_written(tmp_path, options):
    vectors = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    table = pa.table(
        {
            "action": pa.array(vectors.tolist(), pa.list_(pa.float32())),
            "fixed": pa.FixedSizeListArray.from_arrays(vectors.ravel(), 3),
            "index": np.arange(50),
            "done": np.arange(50) % 7 == 0,
            "half": np.arange(50).astype(np.float16),
            "one": pa.array([[float(k)] for k in range(50)]),
        }
    )
    with written(tmp_path, table, **options) as read:
        assert (read.count, read.names) == (50, table.column_names)
        assert read.kind("action") == ("float32", 3)
        np.testing.assert_array_equal(read.column("action"), vectors)
        np.testing.assert_array_equal(read.column("fixed"), vectors)
        np.testing.assert_array_equal(read.column("index"), np.arange(50))
        np.testing.assert_array_equal(read.column("done"), np.arange(50) % 7 == 0)
        assert read.column("half").dtype == np.float16
        assert read.column("one").shape == (50, 1)


def test_column_whose_name_begins_like_another_is_read_alone(tmp_path):
    table = pa.table(
        {"annotation.human": [1, 2], "annotation.human.action": [3, 4], "a": [[1.0], [2.0]], "a.b": [5, 6]}
    )
    with written(tmp_path, table) as read:
        assert {name: read.column(name).tolist() for name in read.names} == {
            "annotation.human": [1, 2],
            "annotation.human.action": [3, 4],
            "a": [[1.0], [2.0]],
            "a.b": [5, 6],
        }


NEVER = pytest.mark.usefixtures("nothing_is_unpacked")


@pytest.fixture
def nothing_is_unpacked(monkeypatch):
    """Fail where rows are unpacked: a refusal comes before that. A million numbers are too many here."""
    monkeypatch.setattr(rows, "OF_AN_EPISODE", replace(rows.OF_AN_EPISODE, numbers=1_000_000))

    def unpack(*_, **__):
        raise AssertionError("rows are unpacked")

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", unpack)
    monkeypatch.setattr(pq.ParquetFile, "read", unpack)


BOMBS = {
    "many rows of many numbers": lambda: {"action": repeated(2000, 1000)},
    "one row of very many numbers": lambda: {"action": repeated(1, 2_000_000)},
    "very many rows of one number": lambda: {"action": repeated(1_000_001)},
    "a column below the one that is read": lambda: {"action": [1.0] * 5, "action.x": repeated(5, 400_000)},
}


@NEVER
@pytest.mark.parametrize("what", BOMBS)
def test_more_numbers_than_any_episode_are_refused_before_they_are_unpacked(tmp_path, what):
    with pytest.raises(DatasetError, match="more than any episode"):
        written(tmp_path, pa.table(BOMBS[what]()), store_schema=False).column("action")
    assert (tmp_path / "rows.parquet").stat().st_size < 50_000


def test_columns_are_counted_together(tmp_path, monkeypatch):
    monkeypatch.setattr(rows, "OF_AN_EPISODE", replace(rows.OF_AN_EPISODE, numbers=250))
    with written(tmp_path, pa.table({name: repeated(10, 10) for name in "abc"}), store_schema=False) as read:
        assert [read.column(name).sum() for name in "ab"] == [150.0, 150.0]
        with pytest.raises(DatasetError, match="unpacks to 100 numbers in 10 rows of c, more than any episode"):
            read.column("c")


def lying_footer(path, true, told):
    """Write another number of values into a file's footer, in as many bytes."""
    content = bytearray(path.read_bytes())
    before = varint(true)
    footer = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    at = content.index(before, footer)
    while at >= 0:
        content[at : at + len(before)] = varint(told, len(before))
        at = content.find(before, at)
    path.write_bytes(content)


def varint(value, length=0):
    """Return a number as Thrift writes it, in so many bytes or more."""
    value <<= 1  # it is not negative
    parts = []
    while value or len(parts) < max(1, length):
        parts.append(value & 127)
        value >>= 7
    return bytes([part | 128 for part in parts[:-1]] + parts[-1:])


@NEVER
def test_footer_that_says_less_than_the_pages_hold_is_refused_before_they_are_unpacked(tmp_path):
    with written(tmp_path, pa.table({"action": repeated(1, 1_000_000)}), store_schema=False) as read:
        assert read.kind("action") == ("float64", 1_000_000)
    lying_footer(tmp_path / "rows.parquet", 1_000_000, 4)
    read = EpisodeRows(tmp_path, "rows.parquet")
    assert read.kind("action") == ("float64", 4)
    with pytest.raises(DatasetError, match="the pages of a column hold 1000000 values, its footer says 4"):
        read.column("action")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b"\x15\x00" + b"\x15" + varint(MAX_PAGE_BYTES + 1) + b"\x15\x04\x00", "a page unpacks to 134217729 bytes"),
        (b"\x15\x00\x15\x04\x00", "a page does not say its size"),
        (b"\x1c" * 100, "a header of another kind"),
        (b"\x19\x00", "a header of another kind"),
        (b"\x15" + b"\xff" * 11, "a number of more than 64 bits"),
        (b"", "hold 0 values"),
    ],
)
def test_page_of_another_kind_is_refused(header, message):
    chunk = SimpleNamespace(
        dictionary_page_offset=None, data_page_offset=4, total_compressed_size=len(header), num_values=3
    )
    with pytest.raises(ValueError, match=message):
        require_honest_pages(b"PAR1" + header, chunk)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([1.0, None], "holds 1 gaps"),
        ([[1.0], None], "holds vectors of"),
        ([[1.0], [1.0, 2.0, 3.0]], r"holds vectors of \[1, 2, 3\] numbers"),
        ([[1.0], [1.0, 2.0]], "holds 3 numbers in 2 rows"),
        ([[1.0, None], [1.0, 2.0]], "holds 1 gaps"),
        (["a", "b"], "holds string, not numbers"),
        ([[[1.0]], [[2.0]]], "not numbers"),
        ([{"a": 1}, {"a": 2}], "not numbers"),
    ],
)
def test_column_that_is_no_array_of_numbers_is_refused(tmp_path, column, message):
    with written(tmp_path, pa.table({"action": column})) as read, pytest.raises(DatasetError, match=message):
        read.column("action")


def test_every_reader_refuses_it(tmp_path, request):
    folder = make_dataset(tmp_path / "set", (2,), ("reach",))
    request.getfixturevalue("nothing_is_unpacked")
    file = folder / "data/chunk-000/episode_000000.parquet"
    pq.write_table(pa.table({"action": repeated(2, 1_000_000)}), file, store_schema=False)
    for read in (
        lambda: ReplayPolicy(folder),
        lambda: dataset_statistics(folder, [file.relative_to(folder)], 2, {"action": 4}),
        lambda: DatasetWriter(folder, FEATURES),
    ):
        with pytest.raises(Exception, match=r"more than any episode|holds the columns"):
            read()
