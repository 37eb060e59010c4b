"""What the variations of the scene do in a lift on Newton, several envs at once, gathered in one start of it.

python -m tests.runners.variations.simulate_scene FACTS.json
"""

import json
import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import torch
import yaml
from isaaclab.app import launch_simulation
from omegaconf import OmegaConf

from groot_wrappers import Gr00tObservationWrapper
from groot_wrappers.embodiment.embodiment import Embodiment
from groot_wrappers.errors import ContractError
from runners.variations.drawing import draws_of
from runners.variations.parts import SceneParts
from runners.variations.scene.camera_focal import CameraFocal
from runners.variations.scene_variation import SceneReset
from runners.variations.settings import VariationSettings
from runners.variations.varied_scene import VariedEnvs, VariedScene
from tasks.common.mujoco_look import Light, MujocoLook, MujocoLookRendererCfg
from tasks.lift_cube_franka.env_cfg import LiftCubeFrankaEnvCfg
from tests.runners.variations.kinds import KINDS
from tests.support.composing import compose

CONF = Path(__file__).parents[3] / "conf"
LAMP = Light(position=(0.5, 0.0, 1.0), direction=(0.0, 0.0, -1.0), cutoff=30.0, exponent=4.0)
SEEDS = [11, 12, 13, 14]
"""Of the four envs; the last one draws nothing."""


class Varied:
    """The lift in four envs, with all variations of the scene."""

    def __init__(self, config, cfg):
        self.settings = VariationSettings.of(config["variation"])
        cfg.scene.num_envs = len(SEEDS)
        parts = SceneParts(cfg, config["task"]["parts"], ["scene_camera", "wrist_camera"], len(SEEDS))
        self.parts, self.reset = parts, SceneReset(self.settings.scene, parts)
        # Added behind the variations' back: a texture, which all of them here have, is refused in this look.
        cfg.scene.mujoco_camera = cfg.scene.scene_camera.copy()
        cfg.scene.mujoco_camera.prim_path += "InMujocosLook"
        cfg.scene.mujoco_camera.data_types = ["rgb", "distance_to_camera"]
        cfg.scene.mujoco_camera.renderer_cfg = MujocoLookRendererCfg(look=MujocoLook(lights=(LAMP,)), supersample=1)

    def start(self, made):
        """Take the started env."""
        self.base = made.unwrapped
        self.reset.bind(self.base)
        embodiment = yaml.safe_load((CONF / "embodiment/new_embodiment.yaml").read_text())
        self.env = Gr00tObservationWrapper(made, Embodiment.from_config(embodiment))
        self.cube, self.robot = self.base.scene["object"], self.base.scene["robot"]

    def begin(self, draws, seeds=SEEDS):
        """Return what each env shows and is as its episode begins: pictures, the cube's pose, the joints."""
        observation, _ = self.env.reset(options={"seeds": seeds, "variations": draws})
        seen = {key: frames[:, 0].copy() for key, frames in observation["video"].items()}
        return seen | {"cube": self.cube.data.root_pose_w.torch.numpy().copy(), "joints": self.joints()}

    def joints(self):
        return self.robot.data.joint_pos.torch.numpy().copy()

    def hold(self, steps):
        for _ in range(steps):
            self.base.step(self.robot.data.joint_pos.torch.clone())


def alike(one, other, rows=slice(None), others=slice(None)):
    """Whether two beginnings are the same, bit for bit."""
    return all(np.array_equal(one[name][rows], other[name][others]) for name in one)


def each_kind(lift, plain):
    """Whether each variation is the same again in another env, and gone afterwards, bit for bit."""
    facts = {}
    for kind in KINDS:
        drawn = [draws_of(lift.settings, seed)[kind] for seed in SEEDS]
        draws = [{kind: draw} for draw in drawn[:3]] + [{}]
        first = lift.begin(draws)
        elsewhere = lift.begin([draws[1], {}, {}, draws[0]], [SEEDS[1], SEEDS[2], SEEDS[3], SEEDS[0]])
        facts[kind] = {
            "changed": [not alike(first, plain, i, i) for i in range(4)],
            "elsewhere": alike(first, elsewhere, 1, 0) and alike(first, elsewhere, 0, 3),
            "gone": alike(lift.begin([{}] * 4), plain),
        }
    draws = [{kind: draws_of(lift.settings, seed)[kind] for kind in KINDS if kind != "distractors"} for seed in SEEDS]
    stacked = lift.begin(draws)
    lift.reset._changes = dict(reversed(lift.reset._changes.items()))
    facts["stacked"] = {"other_order": alike(stacked, lift.begin(draws)), "gone": alike(lift.begin([{}] * 4), plain)}
    return facts


def red_centre(picture):
    """Where the red cube is in a picture: u to the right, v down, pixels from its corner."""
    red, green, blue = (picture[..., channel].astype(int) for channel in range(3))
    rows, columns = np.nonzero((red > 120) & (green < 90) & (blue < 90))
    return [float(columns.mean() + 0.5), float(rows.mean() + 0.5)]


def cameras(lift, plain):
    """Where the cube is seen as the camera turns and shifts, and with another lens."""
    none = dict.fromkeys(("yaw", "pitch", "roll", "x", "y", "z"), 0.0)
    draws = [none | {"yaw": 0.08}, none | {"pitch": -0.06, "x": 0.03}, none | {"roll": 0.3, "y": 0.04, "z": 0.1}]
    varied = lift.begin([{"camera_pose": draw} for draw in draws] + [{}])
    facts = {"draws": draws, "cube": plain["cube"][:, :3].tolist()}
    for name, seen in (("before", plain), ("after", varied)):
        facts[name] = [red_centre(picture) for picture in seen["scene_camera"]]
    hand = lift.begin([{"camera_pose": none | {"yaw": 0.2}}] + [{}] * 3)
    lift.hold(1)
    wrist = lift.base.scene["wrist_camera"]
    facts["wrist"] = {
        "turned": not alike(hand, plain, 0, 0),
        "goes_along": bool(np.allclose(wrist.data.pos_w.torch[0], wrist.data.pos_w.torch[3], atol=2e-3)),
    }
    lift.begin([{}] * 4)
    lens = CameraFocal(1.0, 1.5).bind(VariedScene(lift.base), lift.parts)
    everyone = torch.arange(4)
    lens.apply(VariedEnvs(everyone, [{"zoom": 1.25}] * 4, SEEDS))
    facts["zoomed"] = [red_centre(picture) for picture in lift.begin([{}] * 4)["scene_camera"]]
    lens.restore(everyone)
    facts["lens_is_back"] = alike(lift.begin([{}] * 4), plain)
    return facts


def looks(lift):
    """Pixels of the table, the floor and the sky, and the cube's colour, under what recolours."""
    table, floor, sky = (slice(195, 215), slice(60, 160)), (slice(85, 95), slice(5, 60)), (slice(5, 30), slice(5, 60))
    places = {"table": table, "floor": floor, "sky": sky}

    def told(draws):
        pictures = lift.begin(draws)["scene_camera"]
        return {
            name: {
                "mean": [picture[place].reshape(-1, 3).mean(0).tolist() for picture in pictures],
                "deviation": [float(picture[place].std(axis=(0, 1)).max()) for picture in pictures],
            }
            for name, place in places.items()
        } | {"cubes": [int((np.ptp(picture, axis=-1) > 100).sum()) for picture in pictures]}

    colour = {"red": 0.1, "green": 0.9, "blue": 0.2}
    pattern = {"pattern": 0.0, "repeat": 12.0}
    return {
        "plain": told([{}] * 4),
        "light": told(
            [{"light": {"stops": stops, "warmth": warmth}} for stops, warmth in ((-1, 0), (-2, 0), (-1, 0.3))] + [{}]
        ),
        "background": told([{"background": colour | {"share": share}} for share in (1.0, 0.5, 0.0)] + [{}]),
        "texture": told([{"texture": pattern | {"contrast": contrast}} for contrast in (1.0, 0.5, 0.0)] + [{}]),
        "object_colour": told(
            [{"object_colour": {"red": 0.5, "green": 0.5, "blue": 0.5, "share": share}} for share in (1.0, 0.0, 1.0)]
            + [{}]
        ),
    }


def in_mujocos_look(lift):
    """What a camera in MuJoCo's look shows of the table: as it is, by another light, and through another lens."""
    camera, table = lift.base.scene["mujoco_camera"], (slice(195, 215), slice(60, 160))

    def seen(draws):
        lift.begin(draws)
        output = camera.data.output
        return {name: output[name].torch.numpy().copy() for name in ("rgb", "distance_to_camera")}

    plain = seen([{}] * 4)
    lit = seen([{"light": {"stops": -1, "warmth": 0.0}}] + [{}] * 3)["rgb"]
    again = seen([{}] * 4)
    lens = CameraFocal(1.0, 1.5, ["mujoco_camera"]).bind(VariedScene(lift.base), lift.parts)
    lens.apply(VariedEnvs(torch.arange(4), [{"zoom": 1.25}] * 4, SEEDS))
    zoomed = [red_centre(picture) for picture in seen([{}] * 4)["rgb"]]
    lens.restore(torch.arange(4))
    return {
        "shape": list(plain["rgb"].shape),
        "elsewhere": float(np.abs(plain["rgb"][0, 195:].astype(int) - plain["rgb"][3, 195:]).mean()),
        "spot": float(plain["rgb"][0][table].mean()),
        "ratio": [float(lit[i][table].mean() / plain["rgb"][i][table].mean()) for i in range(4)],
        "gone": all(np.array_equal(plain[name], again[name]) for name in plain),
        "distance": float(plain["distance_to_camera"][0][table].mean()),
        "cube": [red_centre(picture) for picture in plain["rgb"]],
        "zoomed": zoomed,
    }


def matter(lift):
    """How far a pushed cube slides, and how far a pulled one rises, by friction and mass."""
    draws = [{"friction_mass": {"friction": f, "mass": m}} for f, m in ((0.25, 1.0), (0.5, 2.0), (1.0, 0.5))] + [{}]
    velocity = torch.tensor([[0.0, 0.8, 0.0, 0.0, 0.0, 0.0]]).expand(4, 6)

    def moved(act, axis, steps, given):
        lift.begin(given, [11] * 4)
        before = lift.cube.data.root_pos_w.torch[:, axis].clone()
        act()
        lift.hold(steps)
        return (lift.cube.data.root_pos_w.torch[:, axis] - before).tolist()

    def push():
        lift.cube.write_root_velocity_to_sim_index(root_velocity=velocity)

    def pull():
        force = torch.tensor([[[0.0, 0.0, 1.5]]]).expand(4, 1, 3)
        wrench = lift.cube.permanent_wrench_composer
        wrench.set_forces_and_torques_index(forces=force, torques=torch.zeros(4, 1, 3))

    facts = {"slid": moved(push, 1, 25, draws), "rose": moved(pull, 2, 4, draws)}
    facts |= {"slid_after": moved(push, 1, 25, [{}] * 4)}
    return facts


def starts(lift, plain):
    """Where the cube and the joints begin."""
    moved = lift.begin(
        [
            {"object_pose": {"x": 0.05, "y": -0.03, "yaw": 0.4}},
            {"object_pose": {"x": -0.1, "y": 0.0, "yaw": 0.0}},
            {},
            {},
        ]
    )
    bent = lift.begin([{"robot_start": {"spread": spread}} for spread in (0.1, 0.02, 0.0)] + [{}])
    data = lift.robot.data
    facts = {
        "cube": (moved["cube"] - plain["cube"]).tolist(),
        "cube_quaternion": [plain["cube"][0, 3:].tolist(), moved["cube"][0, 3:].tolist()],
        "joints": (bent["joints"] - plain["joints"]).tolist(),
        "ranges": (data.soft_joint_pos_limits.torch[0, :, 1] - data.soft_joint_pos_limits.torch[0, :, 0]).tolist(),
    }
    lift.begin([{"robot_start": {"spread": 0.1}}] + [{}] * 3)
    held = lift.joints()
    facts["target"] = float(np.abs(data.joint_pos_target.torch.numpy() - held).max())
    return facts


def clutter(lift, plain):
    """What the distractors leave of the cube's motion, and how near they come to it."""
    drawn = draws_of(lift.settings, 11)["distractors"] | {"x_0": 0.5, "y_0": 0.5}
    lift.begin([{"distractors": drawn}] + [{}] * 3)
    poses = lift.reset._changes["distractors"]
    cube = lift.cube.data.root_pos_w.torch[0, :2]
    facts = {
        "distances": [float((poses._poses[shapes[0]][0, :2] - cube).norm()) for shapes in poses._shapes],
        "heights": [[float(poses._poses[shapes[env]][0, 2]) for shapes in poses._shapes] for env in (0, 3)],
    }
    lift.hold(5)
    after = lift.cube.data.root_pose_w.torch.numpy().copy()
    lift.begin([{}] * 4)
    lift.hold(5)
    return facts | {"cube_moves_as_before": bool(np.array_equal(after, lift.cube.data.root_pose_w.torch.numpy()))}


def refused(lift):
    """What is said of parts that the started scene has not."""
    told = {}
    scene = VariedScene(lift.base)
    for name, ask in {
        "part": lambda: scene.shapes_of("background", ["grund"]),
        "light": lambda: scene.shapes_of("background", ["light"]),
        "camera": lambda: scene.assets("camera_pose", ["front"], dict(lift.base.scene.sensors)),
    }.items():
        try:
            ask()
        except ContractError as error:
            told[name] = str(error)
    return told


def main(path):
    """Gather the facts."""
    config = OmegaConf.to_container(compose("play", f"variation=[{','.join(KINDS)}]"), resolve=True)
    cfg = LiftCubeFrankaEnvCfg()
    lift = Varied(config, cfg)
    with launch_simulation(cfg, {"device": "cpu", "livestream": 0}):
        made = gym.make("Isaac-Groot-Lift-Cube-Franka-v0", cfg=cfg)
        lift.start(made)
        lift.begin([{}] * 4)
        plain = lift.begin([{}] * 4)
        facts = {
            "kinds": each_kind(lift, plain),
            "cameras": cameras(lift, plain),
            "looks": looks(lift),
            "in_mujocos_look": in_mujocos_look(lift),
            "starts": starts(lift, plain),
            "clutter": clutter(lift, plain),
            "matter": matter(lift),
            "refused": refused(lift),
        }
        Path(path).write_text(json.dumps(facts))
        made.close()


if __name__ == "__main__":
    main(sys.argv[1])
