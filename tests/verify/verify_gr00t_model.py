"""Equality and speed of the tiers of ``groot_wrappers.gr00t_model``, on a machine with a card and NVIDIA's package.

  python -m tests.verify.verify_gr00t_model --out outputs/gr00t_model [--model-path CHECKPOINT --embodiment-tag TAG]

Without a checkpoint it makes one of the installed release, N1.6 or N1.7, with random weights; that of N1.7 needs
``--tokenizer``. A part that fails is told and the others go on; all numbers are in ``results.json`` and ``results.md``
of the folder, written after each part.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import logging
import multiprocessing
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
import traceback
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import torch

from groot_wrappers.gr00t_model import loading
from groot_wrappers.gr00t_model.checks import inputs_differ
from groot_wrappers.gr00t_model.inputs import Preparation
from groot_wrappers.gr00t_model.noise import RowNoise
from groot_wrappers.gr00t_model.policy import Gr00tModel
from groot_wrappers.gr00t_model.stock import noise_shape, stock_actions, stock_inputs
from tests.verify.support.nvidia_package import import_gr00t, shrink_backbone, without_flash_attention
from tests.verify.support.playing_client import play

TAGS = {"n1d6": "libero_panda", "n1d7": "libero_sim"}
BATCHES = (1, 4, 16, 32, 64)
SIZES = ((128, 128), (200, 200), (224, 224), (256, 256), (180, 320), (480, 640), (512, 512))
SERVE = """
import sys
from tests.verify.support.nvidia_package import import_gr00t
import_gr00t()
from groot_wrappers.serve.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


class Report:
    """What was found so far, on the screen and in the folder."""

    def __init__(self, folder: Path, deadline: float) -> None:
        self.folder, self.found = folder, {}
        self._began, self._deadline = time.perf_counter(), deadline
        folder.mkdir(parents=True, exist_ok=True)

    @contextlib.contextmanager
    def part(self, name: str, needs_s: float = 0):
        """Run a part; what it raises is told, and it is left out where the time does not suffice."""
        began = time.perf_counter()
        into = self.found.setdefault(name, {})
        try:
            if began - self._began + needs_s > self._deadline:
                into["left out"] = "no time"
                yield None
                return
            yield into
        except Exception as error:
            into["failed"] = f"{type(error).__name__}: {error}"
            traceback.print_exc()
        finally:
            into["seconds"] = round(time.perf_counter() - began, 1)
            print(f"[{time.perf_counter() - self._began:.0f} s] {name}: {json.dumps(into, default=str)}", flush=True)
            self.write()

    def write(self) -> None:
        (self.folder / "results.json").write_text(json.dumps(self.found, indent=1, default=str))
        (self.folder / "results.md").write_text(table(self.found))


def table(found: dict) -> str:
    tiers = [name for name in found if "median ms" in found[name]]
    lines = ["| B | " + " | ".join(f"{tier} ms (obs/s, times stock)" for tier in tiers) + " |"]
    lines.append("|---|" + "---|" * len(tiers))
    for batch in BATCHES:
        cells = []
        for tier in tiers:
            ms = found[tier]["median ms"].get(str(batch))
            stock = found.get("stock", {}).get("median ms", {}).get(str(batch))
            times = f", {stock / ms:.1f}" if ms and stock else ""
            cells.append(f"{ms:.1f} ({batch / ms * 1e3:.0f}{times})" if ms else "")
        lines.append(f"| {batch} | " + " | ".join(cells) + " |")
    return (
        "\n".join(lines)
        + "\n\n"
        + "\n".join(f"- {name}: {json.dumps(part, default=str)}" for name, part in found.items())
    )


def observe(
    policy, rows: int, sizes=(256, 256), seed: int = 0, words=("pick up the red cube and place it in the bowl",)
):
    rng = np.random.default_rng(seed)
    configs, tag = policy.modality_configs, policy.embodiment_tag.value
    limits = policy.processor.state_action_processor.norm_params[tag]["state"]
    cameras = configs["video"].modality_keys
    each = dict(zip(cameras, sizes if isinstance(sizes[0], tuple) else (sizes,) * len(cameras), strict=True))
    return {
        "video": {
            key: rng.integers(0, 256, (rows, len(configs["video"].delta_indices), *size, 3), dtype=np.uint8)
            for key, size in each.items()
        },
        "state": {
            key: rng.normal(size=(rows, len(configs["state"].delta_indices), int(limits[key]["dim"]))).astype(
                np.float32
            )
            for key in configs["state"].modality_keys
        },
        "language": {policy.language_key: [[words[row % len(words)]] for row in range(rows)]},
    }


def taken(observation, rows):
    return {
        modality: {
            key: [value[row] for row in rows] if isinstance(value, list) else value[rows]
            for key, value in values.items()
        }
        for modality, values in observation.items()
    }


def median_ms(ask, most_s: float, warm: int = 2) -> float:
    for _ in range(warm):
        ask()
    times, began = [], time.perf_counter()
    while len(times) < 5 or (time.perf_counter() - began < most_s and len(times) < 50):
        start = time.perf_counter()
        ask()
        times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times)


def same(one, other) -> bool:
    return all(np.array_equal(one[key], other[key]) for key in one)


def time_policy(policy, nvidia, batches, most_s=1.0) -> dict[str, float]:
    medians = {}
    for batch in batches:
        observation = observe(nvidia, batch)
        medians[str(batch)] = round(median_ms(lambda o=observation: policy.get_action(o, None), most_s), 2)
        print(f"    B={batch}: {medians[str(batch)]} ms", flush=True)
    return medians


def row_noise_bits(policy, nvidia) -> dict[str, bool]:
    """Say whether a row's chunk stays the same to the bit whatever is beside it in its bucket."""
    n = max(size for size in policy.batch_sizes if size <= 16)
    words = ("open the drawer", "pick up the red cube and put it into the bowl on the left")
    observation = observe(nvidia, n, words=words, seed=5)
    noise = np.stack([1000 + np.arange(n) % 5, np.arange(n)], 1)
    first, _ = policy.get_action(observation, {"row_noise": noise})
    again, _ = policy.get_action(observation, {"row_noise": noise.tolist()})
    order = np.random.default_rng(1).permutation(n)
    permuted, _ = policy.get_action(taken(observation, order), {"row_noise": noise[order]})
    some = np.arange(n - max(n // 4, 1))
    fewer, _ = policy.get_action(taken(observation, some), {"row_noise": noise[some]})
    other = observe(nvidia, n, words=("close the door now",), seed=9)
    for modality in ("video", "state"):
        for key, value in other[modality].items():
            value[0] = observation[modality][key][0]
    for rows in other["language"].values():
        rows[0] = [words[0]]
    beside, _ = policy.get_action(other, {"row_noise": np.concatenate([noise[:1], 77 + noise[1:]])})
    return {
        "again": same(first, again),
        "permuted": same({k: v[order] for k, v in first.items()}, permuted),
        "fewer rows in the bucket": same({k: v[some] for k, v in first.items()}, fewer),
        "other rows beside": same({k: v[:1] for k, v in first.items()}, {k: v[:1] for k, v in beside.items()}),
    }


def serve(arguments, port: int):
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", SERVE, "gr00t", *arguments, "--port", str(port)], env=environment
    )


def several_clients(nvidia, port: int, clients: int, rows: int, seconds: float = 5.0) -> float:
    """Return what clients that ask again at once get together, observations a second."""
    observations = [observe(nvidia, rows, seed=number) for number in range(clients)]
    start = time.time() + 15
    with ProcessPoolExecutor(clients, multiprocessing.get_context("spawn")) as pool:
        waiting = [
            pool.submit(play, port, observation, seed, start, seconds) for seed, observation in enumerate(observations)
        ]
        return round(sum(one.result() for one in waiting), 1)


def over_the_wire(into, nvidia, arguments, batches) -> dict:
    from groot_wrappers.protocol.client import PolicyClient

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    began = time.perf_counter()
    server = serve(arguments, port)
    try:
        with PolicyClient(host="127.0.0.1", port=port, connect_timeout_s=300, timeout_s=120) as client:
            client.wait_until_ready()
            into["start-up s"] = round(time.perf_counter() - began, 1)
            for batch in batches:
                observation = observe(nvidia, batch)
                into[f"B={batch} ms"] = round(median_ms(lambda o=observation: client.get_action(o), 1.0), 2)
            into["four clients of 16, obs/s"] = several_clients(nvidia, port, clients=4, rows=16)
            observation = observe(nvidia, 16, seed=5)
            noise = np.stack([np.full(16, 1000), np.arange(16)], 1)
            return client.get_action(observation, {"row_noise": noise})[0]
    finally:
        server.terminate()
        server.wait(60)


def main() -> None:  # noqa: PLR0912  # one part after the other
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--model-path")
    parser.add_argument("--embodiment-tag", help="else that of the random checkpoint")
    parser.add_argument("--tokenizer", type=Path, help="folder of a Qwen vocabulary, of N1.7's random checkpoint")
    parser.add_argument("--horizon", type=int, default=16, help="of the random checkpoint")
    parser.add_argument("--tiers", default="preprocess,head,graphs,compile")
    parser.add_argument("--batches", default=",".join(map(str, BATCHES)))
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--deadline", type=float, default=3600, help="seconds after which no part begins")
    parser.add_argument("--wire", action="store_true", help="through server and client too")
    parser.add_argument("--wire-tier", default="graphs", help="of the server that is asked")
    parser.add_argument("--tiny", action="store_true", help="a small model, to try this script on a CPU")
    asked = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="    %(message)s")
    for name in ("transformers", "transformers_modules", "albumentations"):
        logging.getLogger(name).setLevel(logging.ERROR)
    batches = [int(batch) for batch in asked.batches.split(",")]
    report = Report(asked.out, asked.deadline)
    path = asked.model_path
    with report.part("environment") as into:
        release = import_gr00t()
        if asked.tiny and release == "n1d6":
            without_flash_attention()
            shrink_backbone()
        asked.embodiment_tag = asked.embodiment_tag or TAGS[release]
        into["release"] = release
        into.update(loading.versions() | {"cuda": torch.version.cuda})
        if asked.device != "cpu":
            into["card"] = torch.cuda.get_device_name()
    with report.part("checkpoint") as into:
        if path is None:
            shm = Path("/dev/shm")  # noqa: S108  # 7 GB that are written and read once
            path = str((shm if shm.is_dir() and not asked.tiny else asked.out) / "random_gr00t")
            shape = {"tiny": asked.tiny, "horizon": asked.horizon, "device": asked.device.partition(":")[0]}
            if release == "n1d6":
                from groot_wrappers.gr00t_model.random_checkpoint import write_random_n1d6

                write_random_n1d6(Path(path), **shape)
            else:
                from tests.verify.support.random_n1d7 import write_random_n1d7

                write_random_n1d7(Path(path), asked.tokenizer, **shape)
        into["digest"] = loading.checkpoint_digest(Path(path))
    if asked.device != "cpu":
        torch.cuda.empty_cache()
    with report.part("load") as into:
        with contextlib.redirect_stdout(None):
            nvidia = loading.load_nvidia_policy(path, asked.embodiment_tag, asked.device)
        if asked.tiny and release == "n1d6":
            without_flash_attention()
    if "failed" in report.found["load"]:
        sys.exit(f"No policy could be loaded: {report.found['load']['failed']}")
    loading.load_nvidia_policy = lambda *_: nvidia
    with report.part("pixels") as into:
        preparation = Preparation(nvidia)
        for size in SIZES:
            told = inputs_differ(nvidia, preparation, observe(nvidia, 2, size))
            into["x".join(map(str, size))] = told or "bit-equal"
        mixed = [SIZES[i % 2 * 4] for i in range(len(preparation.view_keys))]
        into["mixed sizes"] = inputs_differ(nvidia, preparation, observe(nvidia, 2, tuple(mixed))) or "bit-equal"
    with report.part("stock") as into:
        stock = Gr00tModel(path, asked.embodiment_tag, "stock", batch_sizes=batches, device=asked.device)
        into["median ms"] = time_policy(stock, nvidia, batches, 2.0)
    with report.part("stock bits") as into:
        noise = RowNoise(noise_shape(nvidia.model), asked.device, nvidia.model.dtype)
        observation = observe(nvidia, 4, seed=3)
        drawn = noise.draw(np.array([[3, row] for row in range(4)]))
        on_host = RowNoise(noise_shape(nvidia.model), "cpu", nvidia.model.dtype)
        big = np.array([[seed, 2**40 + seed] for seed in range(64)])
        into["noise values that differ between card and host"] = int((noise.draw(big).cpu() != on_host.draw(big)).sum())
        into["noise values"] = int(noise.draw(big).numel())
        into["noise ms"] = round(median_ms(lambda: noise.draw(big).cpu(), 0.5), 3)
        normalised = stock_actions(nvidia, stock_inputs(nvidia, observation), drawn).cpu().numpy()
    for tier in asked.tiers.split(","):
        with report.part(tier, 60 if tier == "compile" else 20) as into:
            if into is None:
                continue
            policy = None  # lets go of the tier before, whose weights are joined copies
            gc.collect()
            began = time.perf_counter()
            policy = Gr00tModel(path, asked.embodiment_tag, tier, batch_sizes=batches, device=asked.device)
            into["checked and captured s"] = round(time.perf_counter() - began, 1)
            into["tier"], into["fallback"] = policy.identity["tier"], policy.identity.get("fallback")
            if policy.identity["tier"] != tier:
                continue
            ours = policy._actions(policy._preparation.batch(observation), drawn)
            off = np.abs(ours - normalised)
            into["from stock, normalised"] = {"mean": float(off.mean()), "max": float(off.max())}
            if tier == "preprocess":
                torch.manual_seed(0)
                one, _ = policy.get_action(observation)
                torch.manual_seed(0)
                into["bits of stock with one seed"] = same(one, stock.get_action(observation)[0])
            into["median ms"] = time_policy(policy, nvidia, batches)
            into["row noise"] = row_noise_bits(policy, nvidia)
            if asked.device != "cpu":
                into["memory GB"] = round(torch.cuda.max_memory_allocated() / 2**30, 1)
    if asked.wire:
        del policy, stock
        arguments = ["--model-path", path, "--embodiment-tag", asked.embodiment_tag, "--device", asked.device]
        arguments += ["--tier", asked.wire_tier, "--batch-sizes"]
        with contextlib.suppress(Exception):
            nvidia.model.to("cpu")
            torch.cuda.empty_cache()
        chunks = []
        for name, sizes in (("wire", "1,4,16,32,48,64"), ("wire, restarted with fewer buckets", "1,4,16")):
            with report.part(name, 60) as into:
                if into is not None:
                    into["tier"], into["buckets"] = asked.wire_tier, sizes
                    asked_of = (1, 16, 64) if name == "wire" else (1,)
                    chunks.append(over_the_wire(into, nvidia, [*arguments, sizes], asked_of))
                if len(chunks) == 2:
                    into["same bits as before the restart"] = same(*chunks)
    if asked.model_path is None:
        shutil.rmtree(path)
    print((asked.out / "results.md").read_text())


if __name__ == "__main__":
    main()
