"""Reads what W&B keeps of an offline run: a log of protobuf records in LevelDB's format."""

import json
import struct
from dataclasses import dataclass, field

BLOCK_BYTES = 32768
FILE_HEADER_BYTES = 7
CHUNK_HEADER = struct.Struct("<IHB")  # checksum, length, type
FULL, LAST = 1, 4  # chunk types after which a record is complete


@dataclass
class OfflineRun:
    """What a test wants to know of a run."""

    project: str = ""
    tags: list = field(default_factory=list)
    job_type: str = ""
    group: str = ""
    config: dict = field(default_factory=dict)
    history: list = field(default_factory=list)
    summary: dict = field(default_factory=dict)
    exit_code: int | None = None


def records(path):
    """Yield the records of a .wandb file."""
    from wandb.proto.wandb_internal_pb2 import Record

    content = path.read_bytes()
    assert content[:4] == b":W&B"
    position, record = FILE_HEADER_BYTES, b""
    while position + CHUNK_HEADER.size <= len(content):
        left_in_block = BLOCK_BYTES - position % BLOCK_BYTES
        if left_in_block < CHUNK_HEADER.size:
            position += left_in_block
            continue
        _, length, kind = CHUNK_HEADER.unpack_from(content, position)
        position += CHUNK_HEADER.size
        record += content[position : position + length]
        position += length
        if kind in (FULL, LAST):
            yield Record.FromString(record)
            record = b""


def read_offline_run(path):
    """Return the OfflineRun of a .wandb file."""
    run = OfflineRun()
    for record in records(path):
        kind = record.WhichOneof("record_type")
        if kind == "run":
            run.project, run.tags, run.job_type = record.run.project, list(record.run.tags), record.run.job_type
            run.group = record.run.run_group
            run.config |= _fold(record.run.config.update)
        elif kind == "history":
            run.history.append(_fold(record.history.item))
        elif kind == "summary":
            run.summary |= _fold(record.summary.update)
        elif kind == "exit":
            run.exit_code = record.exit.exit_code
    return run


def _fold(items):
    """Return items as a dict; what has a path for a key goes into dicts within it."""
    folded = {}
    for item in items:
        *path, last = item.nested_key or [item.key]
        place = folded
        for name in path:
            place = place.setdefault(name, {})
        place[last] = json.loads(item.value_json)
    return folded
