"""The picture of docs/variations.md: each variation beside the same episode without it, as the lift's policy sees it.

python -m tests.verify.variations.contact_sheet docs/images/variations.png
"""

import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import torch
import yaml
from isaaclab.app import launch_simulation
from omegaconf import OmegaConf
from PIL import Image, ImageDraw, ImageFont

from groot_wrappers import Gr00tObservationWrapper
from groot_wrappers.embodiment.embodiment import Embodiment
from runners.config.setting_kinds import options_of
from runners.variations.drawing import draws_of
from runners.variations.parts import SceneParts
from runners.variations.scene_variation import SceneReset
from runners.variations.settings import VariationSettings
from tasks.lift_cube_franka.env_cfg import LiftCubeFrankaEnvCfg
from tests.support.composing import compose

CONF = Path(__file__).parents[3] / "conf"
SEED = 6
DRAWN = {
    "dropped_camera": {"share": 1.0},
    "friction_mass": {"friction": 0.25, "mass": 1.0},
    "object_colour": {"red": 0.1, "green": 0.35, "blue": 0.9, "share": 1.0},
    "sensor_noise": {"levels": 40.0},
    "light": {"stops": -1.0, "warmth": 0.3},
}
"""Shown instead of what the seed draws, where that hardly shows."""
UNSEEN = {"none", "state_noise"}
COLUMNS, SIDE, GAP, TITLE = 5, 150, 14, 18


def pictures(kinds, cfg, config):
    """Yield each variation with the episode's picture without and with it."""
    settings = VariationSettings.of(config["variation"])
    reset = SceneReset(settings.scene, SceneParts(cfg, config["task"]["parts"], ["scene_camera", "wrist_camera"], 1))
    with launch_simulation(cfg, {"device": "cpu", "livestream": 0}):
        made = gym.make("Isaac-Groot-Lift-Cube-Franka-v0", cfg=cfg)
        base = made.unwrapped
        reset.bind(base)
        embodiment = Embodiment.from_config(yaml.safe_load((CONF / "embodiment/new_embodiment.yaml").read_text()))
        env = Gr00tObservationWrapper(made, embodiment, variations=settings.wire)

        def shown(kind, draws):
            observation, _ = env.reset(options={"seeds": [SEED], "variations": [draws]})
            if kind == "friction_mass":  # a cube that was pushed, once it lies still
                push = torch.tensor([[0.0, 0.9, 0.0, 0.0, 0.0, 0.0]])
                base.scene["object"].write_root_velocity_to_sim_index(root_velocity=push)
                for _ in range(30):
                    observation, *_ = env.step(base.scene["robot"].data.joint_pos.torch.clone())
            return observation["video"]["scene_camera"][0, 0].copy()

        shown("", {})
        for kind in kinds:
            drawn = DRAWN.get(kind) or draws_of(settings, SEED)[kind]
            yield kind, shown(kind, {}), shown(kind, {kind: drawn})
        made.close()


def main(path):
    """Write the picture."""
    kinds = [kind for kind in options_of("variation") if kind not in UNSEEN]
    config = OmegaConf.to_container(compose("play", f"variation=[{','.join(kinds)}]"), resolve=True)
    cfg = LiftCubeFrankaEnvCfg()
    cfg.scene.num_envs = 1
    rows = -(-len(kinds) // COLUMNS)
    width, height = 2 * SIDE + GAP, SIDE + TITLE + GAP
    sheet = Image.new("RGB", (COLUMNS * width + GAP, rows * height + GAP), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for place, (kind, before, after) in enumerate(pictures(kinds, cfg, config)):
        x, y = GAP + place % COLUMNS * width, GAP + place // COLUMNS * height
        draw.text((x, y), kind, fill="black", font=font)
        pair = Image.fromarray(np.concatenate([before, after], axis=1)).resize(
            (2 * SIDE, SIDE), Image.Resampling.LANCZOS
        )
        sheet.paste(pair, (x, y + TITLE))
    sheet.save(path, optimize=True)


if __name__ == "__main__":
    main(sys.argv[1])
