"""Builds the golden frames of ``tests/data`` by hand, from the rules of the protocol alone.

``python -m tests.support.golden_frames`` writes them again. Nothing of ``groot_wrappers`` and no msgpack library is
used here: every byte is written by one of the few lines below, so that the codec is checked against something else than
itself. Arrays of the "npy" dialect are what ``np.save`` writes, the one outside help.
"""

from __future__ import annotations

import io
import json
import struct
from pathlib import Path

import numpy as np

DATA = Path(__file__).parent.parent / "data"
INSTRUCTION = "pick up the cube"
LANGUAGE_KEY = "annotation.language.language_instruction"
NIL, FALSE, TRUE = b"\xc0", b"\xc2", b"\xc3"


def text(value: str) -> bytes:
    raw = value.encode()
    return (bytes([0xA0 + len(raw)]) if len(raw) < 32 else b"\xd9" + bytes([len(raw)])) + raw


def binary(raw: bytes) -> bytes:
    head = b"\xc4" + bytes([len(raw)]) if len(raw) < 256 else b"\xc5" + struct.pack(">H", len(raw))
    return head + raw


def integer(value: int) -> bytes:
    return struct.pack(">b", value) if -32 <= value < 128 else struct.pack(">Bh", 0xD1, value)


def array_of(*items: bytes) -> bytes:
    head = bytes([0x90 + len(items)]) if len(items) < 16 else b"\xdc" + struct.pack(">H", len(items))
    return head + b"".join(items)


def map_of(*pairs: tuple[str | bytes, bytes]) -> bytes:
    named = ((text(key) if isinstance(key, str) else binary(key)) + value for key, value in pairs)
    return bytes([0x80 + len(pairs)]) + b"".join(named)


class Npy:
    """N1.6 and the first N1.7; N1.5 has its arrays too, but its messages are others and are not supported."""

    name = "npy"
    marker = "__ModalityConfig_class__"

    @staticmethod
    def ndarray(array: np.ndarray) -> bytes:
        saved = io.BytesIO()
        np.save(saved, array, allow_pickle=False)
        return map_of(("__ndarray_class__", TRUE), ("as_npy", binary(saved.getvalue())))

    @staticmethod
    def scalar(value: int, _: str) -> bytes:
        return integer(value)  # the old server cannot write numpy scalars


class MsgpackNumpy:
    """N1.7 since May 2026."""

    name = "msgpack_numpy"
    marker = "__ModalityConfig__"

    @staticmethod
    def ndarray(array: np.ndarray) -> bytes:
        return map_of(
            (b"nd", TRUE),
            (b"type", text({"uint8": "|u1", "float32": "<f4"}[array.dtype.name])),
            (b"kind", binary(b"")),
            (b"shape", array_of(*map(integer, array.shape))),
            (b"data", binary(array.tobytes())),
        )

    @staticmethod
    def scalar(value: int, code: str) -> bytes:
        return map_of((b"nd", FALSE), (b"type", text("<i8")), (b"data", binary(struct.pack(code, value))))


def video() -> np.ndarray:
    """uint8 (B=2, T=2, H=4, W=6, C=3), every value another."""
    return np.arange(2 * 2 * 4 * 6 * 3, dtype=np.uint8).reshape(2, 2, 4, 6, 3)


def state() -> np.ndarray:
    """float32 (B=2, T=1, D=7)."""
    return (np.arange(14, dtype=np.float32) / 8 - 0.5).reshape(2, 1, 7)


def action(size: int) -> np.ndarray:
    """float32 (B=2, T=3, D=size)."""
    return (np.arange(6 * size, dtype=np.float32) / 16).reshape(2, 3, size)


def request(dialect: type[Npy | MsgpackNumpy], form: str) -> bytes:
    if form == "nested":
        observation = map_of(
            ("video", map_of(("wrist_image_left", dialect.ndarray(video())))),
            ("state", map_of(("joint_position", dialect.ndarray(state())))),
            ("language", map_of((LANGUAGE_KEY, array_of(*[array_of(text(INSTRUCTION))] * 2)))),
        )
    else:
        observation = map_of(
            ("video.wrist_image_left", dialect.ndarray(video())),
            ("state.joint_position", dialect.ndarray(state())),
            (LANGUAGE_KEY, array_of(*[text(INSTRUCTION)] * 2)),
        )
    return map_of(("endpoint", text("get_action")), ("data", map_of(("observation", observation), ("options", NIL))))


def reply(dialect: type[Npy | MsgpackNumpy], form: str) -> bytes:
    prefix = "" if form == "nested" else "action."
    chunk = map_of(
        (prefix + "joint_position", dialect.ndarray(action(7))),
        (prefix + "gripper_position", dialect.ndarray(action(1))),
    )
    return array_of(chunk, map_of(("step", dialect.scalar(7, "<q"))))


def configs() -> dict[str, dict]:
    """The modality configs of the golden policy, in the field order of the real server."""

    def config(indices: list[int], keys: list[str], actions: list[dict] | None = None) -> dict:
        return {
            "delta_indices": indices,
            "modality_keys": keys,
            "sin_cos_embedding_keys": None,
            "mean_std_embedding_keys": ["joint_position"] if "joint_position" in keys else None,
            "action_configs": actions,
        }

    return {
        "video": config([-150, 0], ["wrist_image_left"]),
        "state": config([0], ["joint_position"]),
        "action": config(
            [0, 1, 2],
            ["joint_position", "gripper_position"],
            [
                {"rep": "RELATIVE", "type": "NON_EEF", "format": "DEFAULT", "state_key": "joint_position"},
                {"rep": "ABSOLUTE", "type": "NON_EEF", "format": "DEFAULT", "state_key": None},
            ],
        ),
        "language": config([0], [LANGUAGE_KEY]),
    }


def plain(value: object) -> bytes:
    match value:
        case None:
            return NIL
        case int():
            return integer(value)
        case str():
            return text(value)
        case list():
            return array_of(*map(plain, value))
        case dict():
            return map_of(*((key, plain(item)) for key, item in value.items()))
    raise TypeError(type(value))


def modality_config(marker: str) -> bytes:
    return map_of(*((name, map_of((marker, TRUE), ("as_json", plain(value)))) for name, value in configs().items()))


def n1_5_modality_config() -> bytes:
    """What N1.5 answers: JSON text of two fields, and keys with prefixes."""
    keys = {"video": "video.ego_view", "state": "state.left_arm", "action": "action.left_arm", "language": LANGUAGE_KEY}

    def as_json(key: str) -> bytes:
        raw = json.dumps({"delta_indices": [0], "modality_keys": [key]}, separators=(",", ":")).encode()
        return b"\xd9" + bytes([len(raw)]) + raw

    return map_of(*((name, map_of((Npy.marker, TRUE), ("as_json", as_json(key)))) for name, key in keys.items()))


def n1_5_reply() -> bytes:
    """What N1.5 answers to get_action: the chunk alone."""
    return map_of(("action.left_arm", Npy.ndarray(action(7))))


def frames() -> dict[str, bytes]:
    """All golden frames by file name."""
    made = {}
    for dialect in (Npy, MsgpackNumpy):
        for form in ("nested", "flat"):
            made[f"{dialect.name}_{form}_request.bin"] = request(dialect, form)
            made[f"{dialect.name}_{form}_reply.bin"] = reply(dialect, form)
        made[f"{dialect.name}_modality_config.bin"] = modality_config(dialect.marker)
    return made


def frames_of_n1_5() -> dict[str, bytes]:
    """Frames of a server that is not supported, by file name: they must be recognised."""
    return {"n1_5_modality_config.bin": n1_5_modality_config(), "n1_5_reply.bin": n1_5_reply()}


if __name__ == "__main__":
    DATA.mkdir(exist_ok=True)
    for file_name, frame in (frames() | frames_of_n1_5()).items():
        (DATA / file_name).write_bytes(frame)
