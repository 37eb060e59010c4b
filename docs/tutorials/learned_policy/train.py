"""Train LeRobot's ACT on what groot-play recorded: python train.py DATASET [DATASET ...] --out FOLDER.

It runs in LeRobot's environment (make learned-env). All frames lie in the memory of the device, so that a training
takes minutes on a card; a data set that is larger is for LeRobot's own lerobot-train.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import time
from pathlib import Path

import torch
from frames import ACTION, STATE, Episode, Frames, read_episodes
from lerobot.configs.types import FeatureType, PolicyFeature
from lerobot.policies.act.configuration_act import ACTConfig
from lerobot.policies.act.modeling_act import ACTPolicy
from lerobot.policies.act.processor_act import make_act_pre_post_processors
from lerobot.utils.constants import OBS_ENV_STATE
from torchvision.ops.misc import FrozenBatchNorm2d

WARM_UP = 300
"""Steps over which the learning rate rises."""

INSTRUCTIONS = "instructions.json"
"""Beside a checkpoint: the texts that it tells apart. groot_wrappers.lerobot_model sends it the number of one."""


class Training:
    """One training.

    Args:
        episodes: What is learned.
        held_out: What the error is told of.
        asked: The command line.
    """

    def __init__(self, episodes: list[Episode], held_out: list[Episode], asked: argparse.Namespace) -> None:
        self.asked = asked
        self.instructions = sorted({episode.instruction for episode in [*episodes, *held_out]})
        self.frames = Frames(episodes, self.instructions, asked.device)
        self.held_out = Frames(held_out, self.instructions, asked.device)
        self.drawn = self.frames.drawn(asked.chunk, asked.beginnings)
        self.policy = ACTPolicy(self._config()).to(asked.device)
        self.before, self.after = make_act_pre_post_processors(self.policy.config, self._statistics())
        self._measure_batch_norms()
        if torch.device(asked.device).type == "cuda":
            # The frozen norms take most of a step's time unless they are fused with what is around them.
            self.policy.model.backbone.to(memory_format=torch.channels_last).compile()

    def run(self, out: Path, modality: Path) -> None:
        """Train, and write a checkpoint every ``--save-every`` steps and at the end."""
        asked, start = self.asked, time.monotonic()
        optimiser = torch.optim.AdamW(self.policy.parameters(), lr=asked.lr, weight_decay=1e-4)
        self.policy.train()
        for step in range(1, asked.steps + 1):
            rate = asked.lr * min(1.0, step / WARM_UP) * 0.5 * (1 + math.cos(math.pi * step / asked.steps))
            for group in optimiser.param_groups:
                group["lr"] = rate
            at = self.drawn[torch.randint(0, len(self.drawn), (asked.batch,), device=asked.device)]
            with torch.autocast(torch.device(asked.device).type, torch.bfloat16):
                loss, _ = self.policy.forward(self._batch(self.frames, at, learning=True))
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.policy.parameters(), 10.0)
            optimiser.step()
            if step % 500 == 0 or step == asked.steps:
                print(
                    f"{time.monotonic() - start:.0f} s, step {step} of {asked.steps}: loss {loss.item():.4f}, "
                    f"error of held-out actions {self._error():.5f}",
                    flush=True,
                )
            if step % asked.save_every == 0 or step == asked.steps:
                self._save(out / "checkpoints" / f"{step:06d}" / "pretrained_model", modality)

    def _config(self) -> ACTConfig:
        inputs = {
            name: PolicyFeature(type=FeatureType.VISUAL, shape=tuple(seen.shape[1:]))
            for name, seen in self.frames.pictures.items()
        }
        inputs[STATE] = PolicyFeature(type=FeatureType.STATE, shape=(self.frames.state.shape[1],))
        if len(self.instructions) > 1:
            # ACT's layer over it is an embedding of the instruction, as one of its numbers is 1 and the others are 0.
            inputs[OBS_ENV_STATE] = PolicyFeature(type=FeatureType.ENV, shape=(len(self.instructions),))
        return ACTConfig(
            input_features=inputs,
            output_features={ACTION: PolicyFeature(type=FeatureType.ACTION, shape=(self.frames.action.shape[1],))},
            chunk_size=self.asked.chunk,
            n_action_steps=self.asked.chunk // 2,
            dim_model=256,
            dim_feedforward=1024,
            use_vae=False,
            pretrained_backbone_weights=None,
            device=self.asked.device,
            push_to_hub=False,
        )

    def _statistics(self) -> dict[str, dict[str, torch.Tensor]]:
        spreads = {STATE: self.frames.state, ACTION: self.frames.action}
        statistics = {name: {"mean": x.mean(0).cpu(), "std": x.std(0).cpu()} for name, x in spreads.items()}
        for name, seen in self.frames.pictures.items():
            some = seen[torch.randint(0, len(seen), (256,), device=seen.device)].float() / 255
            spread = {"mean": some.mean((0, 2, 3)), "std": some.std((0, 2, 3))}
            statistics[name] = {kind: value[:, None, None].cpu() for kind, value in spread.items()}
        return statistics

    def _measure_batch_norms(self) -> None:
        """Take the statistics of LeRobot's frozen batch norms from the data: without ImageNet's they are no norms."""

        def measure(norm: FrozenBatchNorm2d, inputs: tuple[torch.Tensor, ...]) -> None:
            seen = inputs[0].float()
            norm.running_mean.copy_(seen.mean((0, 2, 3)))
            norm.running_var.copy_(seen.var((0, 2, 3)) + 1e-5)

        norms = [module for module in self.policy.modules() if isinstance(module, FrozenBatchNorm2d)]
        hooks = [norm.register_forward_pre_hook(measure) for norm in norms]
        at = torch.randint(0, len(self.frames), (min(128, self.asked.batch),), device=self.asked.device)
        with torch.no_grad():
            self.policy.eval().forward(self._batch(self.frames, at, learning=False))
        for hook in hooks:
            hook.remove()

    def _batch(self, frames: Frames, at: torch.Tensor, *, learning: bool) -> dict[str, torch.Tensor]:
        actions, past_the_end = frames.chunks(at, self.asked.chunk)
        batch = {STATE: frames.state[at], ACTION: actions}
        for name, pictures in frames.pictures.items():
            seen = pictures[at].float() / 255
            batch[name] = _recoloured(seen, self.asked.colours) if learning else seen
        if len(self.instructions) > 1:
            batch[OBS_ENV_STATE] = torch.nn.functional.one_hot(frames.instruction[at], len(self.instructions)).float()
        batch = self.before(batch)
        batch["action_is_pad"] = past_the_end
        if learning:
            # A policy that trusts its joints to a hair plays a recording, and not what it sees.
            batch[STATE] = batch[STATE] + self.asked.state_noise * torch.randn_like(batch[STATE])
        return batch

    @torch.no_grad()
    def _error(self) -> float:
        """Return the mean absolute error of held-out actions, in the action's own units."""
        errors = []
        for at in torch.arange(0, len(self.held_out), 3, device=self.asked.device).split(128):
            batch = self._batch(self.held_out, at, learning=False)
            wanted, past_the_end = self.held_out.chunks(at, self.asked.chunk)
            planned = self.after(self.policy.predict_action_chunk(batch)).to(wanted.device)
            errors.append((planned - wanted).abs()[~past_the_end])
        self.policy.train()
        return torch.cat(errors).mean().item()

    def _save(self, folder: Path, modality: Path) -> None:
        # Under its own name once it is whole, so that who plays the checkpoints of a training meets no half of one.
        made = folder.with_name(f".{folder.name}")
        for part in (self.policy, self.before, self.after):
            part.save_pretrained(made)
        shutil.copy(modality, made)
        if len(self.instructions) > 1:
            (made / INSTRUCTIONS).write_text(json.dumps(self.instructions))
        made.rename(folder)
        print(f"{folder} is written", flush=True)


def _recoloured(pictures: torch.Tensor, spread: float) -> torch.Tensor:
    """Return pictures (B, 3, H, W) of other contrast and brightness: where things are must tell where to go."""
    drawn = 2 * torch.rand(2, len(pictures), 1, 1, 1, device=pictures.device) - 1
    contrast, brightness = (1 + spread * drawn).unbind()
    return ((pictures - 0.5) * contrast + 0.5) * brightness


def main() -> None:
    """Read, train, write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("datasets", nargs="+", type=Path, help="folders that groot-play recorded")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints/<step>/pretrained_model")
    parser.add_argument("--steps", type=int, default=8000)
    parser.add_argument("--save-every", type=int, default=2000, help="steps between checkpoints")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--chunk", type=int, default=16, help="actions of a chunk")
    parser.add_argument("--lr", type=float, default=2e-4)
    parser.add_argument("--colours", type=float, default=0.1, help="share by which contrast and brightness vary")
    parser.add_argument("--state-noise", type=float, default=0.02, help="share of the state's spread that is added")
    parser.add_argument(
        "--beginnings",
        type=int,
        default=1,
        help="times that an episode's first chunk is drawn for once of the rest: it is there that a text decides",
    )
    parser.add_argument("--held-out", type=int, default=4, help="episodes that are not learned")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    asked = parser.parse_args()
    torch.manual_seed(0)
    if asked.out.exists():
        raise SystemExit(f"{asked.out} is there. Name another folder with --out, or remove it")
    episodes = read_episodes(asked.datasets)
    if not 0 < asked.held_out < len(episodes):
        raise SystemExit(
            f"--held-out {asked.held_out}, of {len(episodes)} episodes: at least one, and one to learn from"
        )
    # Spread over all data sets, each of which may have an instruction of its own.
    kept = {number * len(episodes) // asked.held_out for number in range(asked.held_out)}
    held_out = [episodes[number] for number in sorted(kept)]
    learned = [episode for number, episode in enumerate(episodes) if number not in kept]
    print(f"{len(learned)} episodes, {sum(len(episode.state) for episode in learned)} frames", flush=True)
    training = Training(learned, held_out, asked)
    print(f"{sum(weight.numel() for weight in training.policy.parameters()) / 1e6:.1f} million weights", flush=True)
    training.run(asked.out, asked.datasets[0] / "meta" / "modality.json")


if __name__ == "__main__":
    main()
