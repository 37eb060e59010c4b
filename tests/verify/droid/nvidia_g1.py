"""N1.7's own classes and the keys of ``real_g1_relative_eef_relative_joints``: ``python -m ... FILE`` writes JSON.

The folder that ``GR00T_N1D7`` names has no modality config of that tag: it is built from what the checkpoints' say
(``tests.support.toys.g1``), of NVIDIA's classes. Its policy checks the observations of a toy, and its
``StateActionProcessor`` makes relative chunks absolute, which are compared with ours by ``relative_to``.
"""

import json
import os
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import yaml
from scipy.spatial.transform import Rotation

from groot_wrappers import Embodiment, Gr00tObservationWrapper
from groot_wrappers.embodiment.action_map import ActionLayout
from groot_wrappers.embodiment.isaaclab_env import IsaacLabEnv
from tests.support.toys.g1 import REAL_G1, SIDES, WRISTS, G1Env, homogeneous, nine
from tests.verify.droid.nvidia_configuration import let_in

SHIPPED = Path(__file__).parents[3] / "conf/embodiment/real_g1_relative_eef_relative_joints.yaml"
ENVS = 16


def theirs(modality):
    """Our modality configs as NVIDIA's."""
    types = import_module("gr00t.data.types")
    kinds = {"rep": types.ActionRepresentation, "type": types.ActionType, "format": types.ActionFormat}
    return {
        name: types.ModalityConfig(
            delta_indices=list(config.delta_indices),
            modality_keys=list(config.modality_keys),
            action_configs=None
            if config.action_configs is None
            else [
                types.ActionConfig(
                    **{field: kind[getattr(c, field)] for field, kind in kinds.items()}, state_key=c.state_key
                )
                for c in config.action_configs
            ],
        )
        for name, config in modality.items()
    }


def observe(config):
    """What the wrapper shows of the toy, its joints anywhere."""
    toy = G1Env(ENVS)
    deltas = {kind: REAL_G1[kind].delta_indices for kind in ("video", "state")}
    env = Gr00tObservationWrapper(toy, Embodiment.from_config(config), instruction="walk", delta_indices=deltas)
    env.reset(seed=0)
    toy.joints.normal_()
    return env.reset(seed=1)[0]


def compare(config, relative, made_absolute, *, takes_poses):
    """The furthest that relative chunks which NVIDIA made absolute are off where ours, by ``relative_to``, are played.

    Args:
        config: The embodiment, whose action keys are absolute.
        relative: Action key to its chunk.
        made_absolute: NVIDIA's way there, of a key, its chunk and its states.
        takes_poses: Of the toy.
    """
    toy = G1Env(ENVS, takes_poses=takes_poses)
    toy.joints.normal_()
    based = {
        key: target | ({"relative_to": key} if key in relative else {}) for key, target in config["action"].items()
    }
    absolute, embodiment = (Embodiment.from_config(config | {"action": action}) for action in (config["action"], based))
    layout, relative_layout = (ActionLayout(IsaacLabEnv(toy), one) for one in (absolute, embodiment))
    present = Gr00tObservationWrapper(toy, embodiment).present_state
    others = {key: np.zeros((ENVS, 40, width), np.float32) for key, width in layout.widths.items()}
    played = relative_layout.to_env(others | relative, relative_layout.bases(present))
    ours = layout.from_env(played, {})
    return max(
        float(np.abs(ours[key].numpy() - made_absolute(key, chunk, present(key).numpy())).max())
        for key, chunk in relative.items()
    )


def main(path):
    """Gather the facts."""
    let_in(os.environ["GR00T_N1D7"])
    policy = import_module("gr00t.policy.gr00t_policy").Gr00tPolicy
    processor = import_module("gr00t.data.state_action.state_action_processor").StateActionProcessor
    modality = theirs(REAL_G1)
    config = yaml.safe_load(SHIPPED.read_text())
    observation = observe(config)
    policy.check_observation(SimpleNamespace(modality_configs=modality), observation)

    configs = dict(zip(modality["action"].modality_keys, modality["action"].action_configs, strict=True))

    def made_absolute(key, relative, states):
        asked = configs[key]
        rows = [
            processor._convert_to_absolute_action(None, chunk, state, asked.type, asked.format)
            for chunk, state in zip(relative, states, strict=True)
        ]
        return np.stack(rows).astype(np.float32)

    rng = np.random.default_rng(1)
    poses = np.concatenate(
        [rng.normal(size=(ENVS, 40, 3)), Rotation.random(ENVS * 40, rng=rng).as_quat().reshape(ENVS, 40, 4)], -1
    )
    wrists = {key: nine(homogeneous(np.roll(poses, i, axis=0))).astype(np.float32) for i, key in enumerate(WRISTS)}
    arms = {f"{side}_arm": rng.normal(size=(ENVS, 40, 7)).astype(np.float32) for side in SIDES}
    by_wrists = {key: target for key, target in config["action"].items() if key not in arms}
    by_wrists |= {f"{s}_wrist_eef_9d": {"term": f"{s}_arm", "rotation": "rot6d", "order": "rows"} for s in SIDES}
    facts = {
        "observations": len(observation["state"]["waist"]),
        "off_arms": compare(config, arms, made_absolute, takes_poses=False),
        "off_wrists": compare(config | {"action": by_wrists}, wrists, made_absolute, takes_poses=True),
    }
    Path(path).write_text(json.dumps(facts | {"off": max(facts["off_arms"], facts["off_wrists"])}))


if __name__ == "__main__":
    main(*sys.argv[1:])
