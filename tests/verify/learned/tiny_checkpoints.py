"""Tiny checkpoints of random weights by LeRobot's own classes, with their processors."""

import sys

import torch
from lerobot.configs.types import FeatureType, PolicyFeature
from lerobot.policies.act.configuration_act import ACTConfig
from lerobot.policies.diffusion.configuration_diffusion import DiffusionConfig
from lerobot.policies.factory import get_policy_class, make_pre_post_processors

CAMERA, SIZE, STATE, ACTION = "observation.images.front", 64, 8, 6


def stats_of(width):
    return {
        "mean": torch.ones(width),
        "std": torch.full((width,), 2.0),
        "min": -torch.ones(width),
        "max": torch.ones(width),
    }


def config_of(kind):
    features = {
        "input_features": {
            CAMERA: PolicyFeature(type=FeatureType.VISUAL, shape=(3, SIZE, SIZE)),
            "observation.state": PolicyFeature(type=FeatureType.STATE, shape=(STATE,)),
        },
        "output_features": {"action": PolicyFeature(type=FeatureType.ACTION, shape=(ACTION,))},
        "device": "cpu",
        "pretrained_backbone_weights": None,
        "push_to_hub": False,
    }
    if kind == "act":
        return ACTConfig(
            **features, chunk_size=8, n_action_steps=8, dim_model=32, n_heads=2, dim_feedforward=32, n_encoder_layers=1,
            latent_dim=8, n_vae_encoder_layers=1,
        )  # fmt: skip
    return DiffusionConfig(
        **features, n_obs_steps=2, horizon=16, n_action_steps=8, down_dims=(16, 32), n_groups=4,
        diffusion_step_embed_dim=16, num_train_timesteps=10, num_inference_steps=4,
    )  # fmt: skip


def main(kind, folder):
    torch.manual_seed(0)
    config = config_of(kind)
    image = {
        name: torch.full((3, 1, 1), value) for name, value in (("mean", 0.5), ("std", 0.25), ("min", 0.0), ("max", 1.0))
    }
    stats = {CAMERA: image, "observation.state": stats_of(STATE), "action": stats_of(ACTION)}
    for part in (get_policy_class(kind)(config), *make_pre_post_processors(config, dataset_stats=stats)):
        part.save_pretrained(folder)


if __name__ == "__main__":
    main(*sys.argv[1:])
