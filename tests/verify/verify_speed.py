"""The long proof of the speed, by a whole run of ``groot-bench``: `make verify-speed`, a quarter of an hour.

It prints the bench's own table. What was measured is kept in ``docs/measured.md``.
"""

import json
import subprocess
import sys

import pytest

EXPECTED = {
    "wire: encode, npy, B=64 / memcpy": "<= 1.5",
    "wire: encode, npy, B=16 / memcpy": "<= 2.5",
    "wire: encode, msgpack_numpy, B=64 / memcpy": "<= 1.5",
    "wire: encode, msgpack_numpy, B=16 / memcpy": "<= 2.5",
    "wire: round trip, plain npy, B=64 / npy": ">= 3.5",
    "wire: round trip, npy, B=16 / bare request": "<= 2",
    "wire: round trip, msgpack_numpy, B=16 / bare request": "<= 2",
    "control_step: ours, num_envs=16": "<= 0.5",
    "schedulers: ours, 240 episodes / lower bound": "<= 1.1",
    "schedulers: any-empty, 48 episodes / ours": ">= 3",
}
"""What is to be shown: a row that is no longer measured would be met by its absence."""


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench") / "run"
    subprocess.run([sys.executable, "-m", "runners.apps.bench", f"hydra.run.dir={folder}"], check=True, timeout=3000)
    return {row["name"]: row for row in json.loads((folder / "bench.json").read_text())["rows"]}


def test_every_target_is_measured(rows):
    assert {name: row["target"] for name, row in rows.items() if row["target"]} == EXPECTED


@pytest.mark.parametrize("name", EXPECTED)
def test_target_is_met(rows, name):
    assert rows[name]["ok"], rows[name]
