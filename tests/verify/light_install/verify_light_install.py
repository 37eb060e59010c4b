"""The core alone in GR00T's own environment, serving an evaluation: `make verify-light-install`, some minutes.

The environment has Python 3.10 and GR00T's pins. A policy of numpy alone, which sends again the chunks of 8 recorded
lifts, is served there, and groot-play of this environment plays them.
"""

import json
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from groot_wrappers.protocol.server import PolicyServer
from tasks.lift_cube_franka.expert.joint_expert import LiftCubeExpert
from tests.support.warm_parent import ROOT
from tests.verify.light_install.recorded_chunks import Recording

pytestmark = pytest.mark.simulator

PINS = ("numpy==1.26.4", "pyzmq==27.0.1", "msgpack==1.1.0")
LONGEST_INSTALL_S = 10
MOST_MB = 80
EPISODES = 8
BIN = Path(sys.executable).parent


def play(folder: Path, *overrides: str) -> list[dict]:
    """Run groot-play to its end, and return its rows."""
    settings = ["horizons=chunked", f"episodes={EPISODES}", "num_envs=4", "recorder=[]", f"hydra.run.dir={folder}"]
    subprocess.run([BIN / "groot-play", *settings, *overrides], check=True, timeout=1200, cwd=ROOT)
    return [json.loads(line) for line in (folder / "episodes.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def light(tmp_path_factory):
    """Make an environment of the core alone; return its Python, and the seconds that the installation took."""
    folder = tmp_path_factory.mktemp("light") / "environment"
    setup = [ROOT / ".ci/setup.sh", "uv"]
    environment = os.environ | {"SETUP_PYTHON": "3.10"}
    subprocess.run([*setup, "venv", "--quiet", "--seed", folder], check=True, cwd=ROOT, env=environment)
    install = [folder / "bin/pip", "install", "--quiet", "--use-pep517", *PINS, ROOT]
    subprocess.run(install, check=True, cwd=folder)  # so that the cache is warm
    subprocess.run([folder / "bin/pip", "uninstall", "--quiet", "--yes", *PINS, "gr00t-isaaclab"], check=True)
    began = time.monotonic()
    subprocess.run(install, check=True, cwd=folder)
    return folder / "bin/python", time.monotonic() - began


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Record the chunks of 8 lifts; return their file, and the rows of the run."""
    folder = tmp_path_factory.mktemp("recorded")
    recording = Recording(LiftCubeExpert())
    with PolicyServer(recording, port=0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        rows = play(folder / "run", f"server.port={server.port}")
        server.stop()
        thread.join()
    recording.write(folder / "chunks.npz")
    configs = {name: config.to_json() for name, config in recording.get_modality_config().items()}
    (folder / "chunks.json").write_text(json.dumps(configs))
    return folder / "chunks.npz", rows


def test_installation_is_quick_small_and_without_torch(light):
    python, took_s = light
    program = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = Path(subprocess.run([python, "-c", program], check=True, capture_output=True, text=True).stdout.strip())
    tools = ("pip", "setuptools", "wheel", "pkg_resources", "_distutils_hack")
    files = [file for file in packages.rglob("*") if file.is_file()]
    brought = [file for file in files if not file.relative_to(packages).parts[0].startswith(tools)]
    size_mb = sum(file.stat().st_size for file in brought) / 1e6
    print(f"installed in {took_s:.1f} s, {size_mb:.1f} MB")
    assert took_s < LONGEST_INSTALL_S
    assert size_mb < MOST_MB
    assert not [file for file in packages.iterdir() if file.name.startswith(("torch", "gymnasium", "hydra"))]


@pytest.mark.parametrize("dialect", ["msgpack_numpy", "npy"])
def test_chunks_served_by_the_core_alone_lift_the_cubes_again(light, recorded, dialect, tmp_path):
    python, _ = light
    chunks, rows = recorded
    serve = ["-m", "groot_wrappers.serve", "recorded_chunks:make_policy", "--port", "0", "--dialect", dialect]
    environment = os.environ | {"CHUNKS": str(chunks)}
    # In the folder of the policy: what is imported of ours is what was installed.
    server = subprocess.Popen(
        [python, *serve], cwd=Path(__file__).parent, env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        port = re.search(r"tcp://127\.0\.0\.1:(\d+)", server.stderr.readline())[1]
        again = play(tmp_path / "run", f"server.port={port}")
    finally:
        server.terminate()
        server.wait(10)
    told = [(row["seed"], row["success"], row["steps"]) for row in again]
    print(f"{dialect}: {sum(row['success'] for row in again)} of {EPISODES}")
    assert told == [(row["seed"], True, row["steps"]) for row in rows]
