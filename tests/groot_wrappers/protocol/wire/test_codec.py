"""The codec against golden frames, against the naive serialisers it must equal, and against what it must refuse."""

import io
import pickle
import re

import msgpack
import numpy as np
import pytest

from groot_wrappers.errors import ProtocolError
from groot_wrappers.modality import ActionConfig, ModalityConfig
from groot_wrappers.protocol.wire.codec import Dialect, pack, unpack
from tests.support import golden_frames

ARRAYS = {
    "bytes": np.arange(300, dtype=np.uint8),
    "more than 64 KiB": np.zeros((2, 200, 200, 3), np.uint8),
    "strided": np.arange(48, dtype=np.float32).reshape(4, 3, 4)[:, ::2],
    "turned": np.arange(24.0).reshape(2, 3, 4).transpose(1, 0, 2),
    "Fortran": np.arange(6.0, dtype=np.float32).reshape(2, 3).T,
    "reversed": np.arange(5)[::-1],
    "no dimension": np.array(3, np.int16),
    "empty": np.zeros((0, 3), np.float32),
    "bool": np.array([True, False]),
    "half": np.ones(3, np.float16),
    "complex": np.array([1 + 2j]),
    "big-endian": np.arange(3, dtype=">f4"),
}


def naive(value):
    """Encode as GR00T's serialiser of the "npy" dialect."""
    saved = io.BytesIO()
    np.save(saved, value, allow_pickle=False)
    return {"__ndarray_class__": True, "as_npy": saved.getvalue()}


def naive_since_may(value):
    """Encode as msgpack-numpy does for GR00T's serialiser of today."""
    if isinstance(value, np.ndarray):
        fields = {b"nd": True, b"type": value.dtype.str, b"kind": b"", b"shape": value.shape}
        return fields | {b"data": value.tobytes()}
    return {b"nd": False, b"type": value.dtype.str, b"data": value.tobytes()}


NAIVE = {Dialect.npy: naive, Dialect.msgpack_numpy: naive_since_may}


def plain(value):
    """Arrays as something that == compares."""
    if isinstance(value, np.ndarray):
        return ("array", value.dtype.str, value.shape, value.tobytes())
    if isinstance(value, np.generic):
        return ("scalar", value.dtype.str, value.tobytes())
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def message_of(name):
    """The message that a golden frame holds."""
    chunk = {"joint_position": golden_frames.action(7), "gripper_position": golden_frames.action(1)}
    configs = {key: ModalityConfig.from_json(config) for key, config in golden_frames.configs().items()}
    nested = {
        "video": {"wrist_image_left": golden_frames.video()},
        "state": {"joint_position": golden_frames.state()},
        "language": {golden_frames.LANGUAGE_KEY: [[golden_frames.INSTRUCTION]] * 2},
    }
    flat = {
        "video.wrist_image_left": golden_frames.video(),
        "state.joint_position": golden_frames.state(),
        golden_frames.LANGUAGE_KEY: [golden_frames.INSTRUCTION] * 2,
    }
    kind = name.removeprefix("npy_").removeprefix("msgpack_numpy_").removesuffix(".bin")
    info = {"step": 7 if name.startswith("npy") else np.int64(7)}
    return {
        "nested_request": {"endpoint": "get_action", "data": {"observation": nested, "options": None}},
        "flat_request": {"endpoint": "get_action", "data": {"observation": flat, "options": None}},
        "nested_reply": [chunk, info],
        "flat_reply": [{f"action.{key}": value for key, value in chunk.items()}, info],
        "modality_config": configs,
    }[kind]


@pytest.mark.parametrize("name", golden_frames.frames())
class TestGoldenFrames:
    def test_are_what_the_builder_writes(self, name):
        assert (golden_frames.DATA / name).read_bytes() == golden_frames.frames()[name]

    def test_are_read(self, name):
        message, dialect = unpack((golden_frames.DATA / name).read_bytes())
        assert plain(message) == plain(message_of(name))
        assert dialect == ("npy" if name.startswith("npy") else "msgpack_numpy")

    def test_are_written_byte_for_byte(self, name):
        dialect = Dialect.npy if name.startswith("npy") else Dialect.msgpack_numpy
        assert pack(message_of(name), dialect) == (golden_frames.DATA / name).read_bytes()


@pytest.mark.parametrize("name", golden_frames.frames_of_n1_5())
def test_frames_of_an_older_server_are_what_the_builder_writes_and_are_read(name):
    frame = (golden_frames.DATA / name).read_bytes()
    assert frame == golden_frames.frames_of_n1_5()[name]
    assert unpack(frame)[1] is Dialect.npy


def test_the_documented_example_is_met():
    expected = "85 c4026e64 c3 c40474797065 a33c6634 c4046b696e64 c400 c4057368617065 9103 c40464617461 c40c"
    array = np.arange(3, dtype="f4")
    assert pack(array, Dialect.msgpack_numpy) == bytes.fromhex(expected) + array.tobytes()
    assert b"|u1" in pack(array.astype(np.uint8), Dialect.msgpack_numpy)


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize("array", ARRAYS.values(), ids=ARRAYS)
class TestArrays:
    def test_are_written_as_the_real_serialisers_do(self, array, dialect):
        message = {"a": [array, "x"]}
        assert pack(message, dialect) == msgpack.packb(message, default=NAIVE[dialect])

    def test_come_back_read_only(self, array, dialect):
        back, seen = unpack(pack(array, dialect))
        assert plain(back) == plain(array)
        assert seen is dialect
        assert not back.flags.writeable
        assert back.flags.aligned


def test_video_is_not_copied_when_read():
    frame = pack(ARRAYS["more than 64 KiB"], Dialect.msgpack_numpy)
    assert np.shares_memory(unpack(frame)[0], np.frombuffer(frame, np.uint8))


@pytest.mark.parametrize(
    "scalar", [np.int64(-3), np.float32(0.5), np.bool_(True), np.uint8(7), np.float64(0.1)], ids=repr
)
class TestScalars:
    def test_keep_their_type_in_the_new_dialect(self, scalar):
        frame = pack(scalar, Dialect.msgpack_numpy)
        assert frame == msgpack.packb(scalar, default=naive_since_may)
        back, _ = unpack(frame)
        assert back == scalar
        assert type(back) is (float if isinstance(scalar, float) else type(scalar))

    def test_are_plain_numbers_in_the_old_one(self, scalar):
        assert pack(scalar, Dialect.npy) == msgpack.packb(scalar.item())


def test_a_lazy_dict_is_read_by_key():
    class Lazy(dict):
        def __getitem__(self, key):
            return {"now": np.float32(1).reshape(1)}[key]

    lazy = Lazy(now=None)
    assert pack(lazy, Dialect.npy) == pack({"now": np.ones(1, np.float32)}, Dialect.npy)


@pytest.mark.parametrize("dialect", Dialect)
def test_plain_values_are_those_of_msgpack(dialect):
    message = {
        "numbers": [0, 127, 128, 255, 256, 65535, 65536, 2**32, 2**64 - 1, -1, -32, -33, -129, -40000, -(2**63), 0.1],
        "texts": ["", "é" * 40, "x" * 300, "x" * 70000],
        "bytes": [b"", b"\0" * 300],
        "rest": [None, True, False, (), {}, {"k" * 40: {}}],
        "many": list(range(70000)),
    }
    frame = msgpack.packb(message)
    assert pack(message, dialect) == frame
    assert unpack(frame) == (msgpack.unpackb(frame), None)
    assert unpack(msgpack.packb(0.5, use_single_float=True)) == (0.5, None)


@pytest.mark.parametrize("dialect", Dialect)
def test_modality_configs_come_back(dialect):
    config = ModalityConfig((-15, 0), ("arm",), action_configs=(ActionConfig("DELTA", "EEF", "XYZ_ROT6D"),))
    assert unpack(pack([config], dialect)) == ([config], dialect)


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize(
    ("value", "told"),
    [
        (np.array([None]), r"message\.a\[1\]: an array of dtype object cannot be sent"),
        (np.array(["text"]), "dtype <U4"),
        (np.zeros(2, [("x", "f4")]), "only bools and numbers"),
        (np.datetime64("2026-01-01"), r"datetime64"),
        ({1: 2}, "has the key 1"),
        ({"__ModalityConfig__": 1}, "has the key '__ModalityConfig__', which marks"),
        ({b"nd": True}, "has the key b'nd', which marks"),
        ({1, 2}, "is a set, which cannot be sent"),
        (object(), "is a object"),
        (1 + 2j, "is a complex"),
        (2**64, "cannot be sent: Integer value out of range"),
        ("\ud800", "surrogates not allowed"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_be_sent_is_named_with_its_place(value, told, dialect):
    with pytest.raises(ProtocolError, match=told) as caught:
        pack({"a": [0, value]}, dialect)
    assert str(caught.value).startswith("message.a[1]")


def test_a_message_that_holds_itself_is_refused():
    endless: list = []
    endless.append(endless)
    with pytest.raises(ProtocolError, match="nested deeper than 32"):
        pack(endless, Dialect.npy)


def saved(array, **changes):
    """An npy envelope whose header says something else than it should."""
    raw = naive(array)["as_npy"]
    for old, new in changes.values():
        assert old in raw
        raw = raw.replace(old, new)
    return {"__ndarray_class__": True, "as_npy": raw}


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("unpickled",))


def pickled_npy():
    stream = io.BytesIO()
    np.save(stream, np.array([Bomb()]), allow_pickle=True)
    return {"__ndarray_class__": True, "as_npy": stream.getvalue()}


def fields(**changes):
    made = {"nd": True, "type": "<f4", "kind": b"", "shape": [3], "data": bytes(12)} | changes
    return {key.encode(): value for key, value in made.items() if value is not ...}


F4 = np.zeros(3, np.float32)
HOSTILE = {
    "pickled npy": (pickled_npy(), "dtype object"),
    "pickled fields": (fields(type="|O", kind=b"O", data=pickle.dumps(Bomb())), "kind b'O'"),
    "object type": (fields(type="|O8"), "nothing pickled"),
    "records": (fields(type="f4,f4"), "nothing pickled"),
    "records kind": (fields(type=[["x", "<f4"]], kind=b"V"), "kind b'V'"),
    "unknown type": (fields(type="<f3"), "numpy does not know"),
    "no type": (fields(type=...), "type None"),
    "no data": (fields(data=...), "without its data"),
    "data is text": (fields(data="x" * 12), "without its data"),
    "no shape": (fields(shape=...), "without its shape"),
    "shape of text": (fields(shape=["3"]), "a shape that is none"),
    "shape of bools": (fields(shape=[True], data=bytes(4)), "a shape that is none"),
    "negative shape": (fields(shape=[-3]), "a shape that is none"),
    "two negatives": (fields(shape=[-3, -1]), "a shape that is none"),
    "many dimensions": (fields(shape=[1] * 40, data=bytes(4)), "a shape that is none"),
    "huge shape": (fields(shape=[2**40]), "but came with 12 bytes"),
    "huge empty shape": (fields(shape=[0, 2**62, 2**62], data=b""), "numpy cannot hold"),
    "too short": (fields(data=bytes(11)), "but came with 11 bytes"),
    "too long": (fields(data=bytes(13)), "but came with 13 bytes"),
    "nd is a number": (fields(nd=1), "neither true nor false"),
    "scalar too long": (fields(nd=False), "but came with 12 bytes"),
    "npy without bytes": ({"__ndarray_class__": True}, "without 'as_npy'"),
    "npy of text": ({"__ndarray_class__": True, "as_npy": "x"}, "without 'as_npy'"),
    "npy of nothing": ({"__ndarray_class__": True, "as_npy": b""}, "cannot be read"),
    "npy not npy": ({"__ndarray_class__": True, "as_npy": b"x" * 200}, "header"),
    "npy format 2": (saved(F4, version=(b"NUMPY\x01", b"NUMPY\x02")), "another .npy format"),
    "npy format 9": (saved(F4, version=(b"NUMPY\x01", b"NUMPY\x09")), "another .npy format"),
    "npy long header": (saved(F4, size=(b"v\x00{", b"\xff\xff{")), "header of 65535 bytes"),
    "npy code": (saved(F4, call=(b"(3,)", b"f(3)")), "header that cannot be read"),
    "npy huge shape": (saved(F4, shape=(b"(3,), }    ", b"(9**9,), } ")), "header that cannot be read"),
    "npy other shape": (saved(F4, shape=(b"(3,)", b"(9,)")), "but came with 12 bytes"),
    "npy negative": (saved(F4, shape=(b"(3,), }", b"(-3,),}")), "a shape that is none"),
    "npy bool shape": (saved(F4[:1], shape=(b"(1,), }   ", b"(True,), }")), "a shape that is none"),
    "npy nested": (saved(F4, shape=(b"(3,)", b"((((")), "header that cannot be read"),
    "npy text": (saved(F4, descr=(b"<f4", b"<U1")), "dtype <U1"),
    "npy too long": ({"__ndarray_class__": True, "as_npy": naive(F4)["as_npy"] + b"x"}, "but came with 13 bytes"),
    "both dialects": ([naive(F4), fields()], "mixes the dialects"),
    "config of nothing": ({"__ModalityConfig__": True}, "modality config that cannot be read"),
    "config with a hole": ({"__ModalityConfig__": True, "as_json": {"delta_indices": [0]}}, "modality_keys"),
}


@pytest.mark.parametrize(("message", "told"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_messages_are_refused(message, told):
    with pytest.raises(ProtocolError, match=told):
        unpack(msgpack.packb({"x": message}))


TEXTS = {
    "of npy": (naive(np.array(["pick", "é"])), ["pick", "é"]),
    "of fields": (fields(type="<U2", data="abcd".encode("utf-32-le"), shape=[2]), ["ab", "cd"]),
    "big-endian": (naive(np.array([["a"], ["bc"]], ">U2")), [["a"], ["bc"]]),
    "turned": (naive(np.asfortranarray([["a", "b"], ["c", "d"]])), [["a", "b"], ["c", "d"]]),
    "of bytes": (naive(np.array([b"x", b"\xff\0y"])), ["x", "\ufffd\0y"]),
    "without a dimension": (naive(np.array("go")), "go"),
    "of none": (naive(np.zeros((2, 0), "U3")), [[], []]),
    "without a letter": (fields(type="<U0", data=b"", shape=[3]), ["", "", ""]),
    "that is no Unicode": (fields(type="<U1", data=b"\xff" * 8 + b"\0\xd8\0\0", shape=[3]), ["\ufffd"] * 3),
}
NEVER_READ = {
    name: HOSTILE[name] for name in ("pickled npy", "pickled fields", "object type", "records", "records kind")
} | {
    "dates": (naive(np.array(["2026-01-01"], "M8[D]")), "datetime64"),
    "too many texts": (fields(type="|S0", shape=[2**40], data=b""), r"of \(1099511627776,\) texts cannot be read"),
    "too many lists": (fields(type="<U1", shape=[2**40, 0], data=b""), "texts cannot be read; at most 65536 can"),
}


class TestArraysOfOtherThings:
    @pytest.mark.parametrize(("envelope", "texts"), TEXTS.values(), ids=TEXTS)
    def test_are_texts_where_they_are_asked_for(self, envelope, texts):
        frame = msgpack.packb([{"names": envelope, "x": [naive(F4)] if "as_npy" in envelope else [fields()]}])
        for _ in range(2):  # the second time by what is known of the first
            (read,), _ = unpack(frame, numbers_only=False)
            assert read["names"] == texts
            assert plain(read["x"][0]) == plain(F4)
            with pytest.raises(ProtocolError, match="holds text where numbers are wanted"):
                unpack(frame)

    @pytest.mark.parametrize(("envelope", "told"), NEVER_READ.values(), ids=NEVER_READ)
    def test_are_never_unpickled_and_say_why(self, envelope, told):
        frame = msgpack.packb({"bad": envelope, "good": 3})
        read, _ = unpack(frame, numbers_only=False)
        assert re.search(told, read["bad"])
        assert read["good"] == 3
        with pytest.raises(ProtocolError, match=told):
            unpack(frame)

    @pytest.mark.parametrize("name", [name for name in HOSTILE if name not in (*NEVER_READ, "no type", "npy text")])
    def test_must_be_sound(self, name):
        message, told = HOSTILE[name]
        with pytest.raises(ProtocolError, match=told):
            unpack(msgpack.packb({"x": message}), numbers_only=False)


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        (b"", "cut short"),
        (b"ERROR", "goes on for 4 bytes"),
        (b"\xc1", "tag 0xc1"),
        (b"\xd4\x01\x00", "tag 0xd4"),
        (b"\xc7\x01\x01\x00", "tag 0xc7"),
        (b"\xdd\xff\xff\xff\xff", "more than 131072 values"),
        (b"\xdf\xff\xff\xff\xff", "more than 131072 values"),
        (b"\xc6\xff\xff\xff\xffx", "4294967295 bytes wanted, 1 left"),
        (b"\xdb\xff\xff\xff\xff", "cut short"),
        (b"\x91" * 40 + b"\xc0", "nested deeper"),
        (b"\xdc\xff\xff" + b"\xdc\xff\xff" * 20, "more than 131072 values"),
        (b"\xa1\xff", "not UTF-8"),
        (b"\x81\x01\x01", "a key that is not text"),
        (b"\x81\x90\x01", "nested deeper|a key that is not text"),
        (b"\x82\xa1a\x01\xa1a\x02", "there twice"),
        (b"\x81\xc2\x01", "a key that is not text"),
    ],
    ids=lambda value: value[:6].hex() if isinstance(value, bytes) else "",
)
def test_frames_that_are_no_messages_are_refused(frame, told):
    with pytest.raises(ProtocolError, match=told):
        unpack(frame)


@pytest.mark.parametrize("name", golden_frames.frames())
def test_a_frame_cut_anywhere_is_refused(name):
    frame = (golden_frames.DATA / name).read_bytes()
    for end in range(len(frame)):
        with pytest.raises(ProtocolError):
            unpack(frame[:end])


def test_an_array_before_the_marker_of_its_map_is_found():
    marker_last = {key: naive(np.arange(4.0))[key] for key in ("as_npy", "__ndarray_class__")}
    assert plain(unpack(msgpack.packb([marker_last, 5]))[0]) == plain([np.arange(4.0), 5])
