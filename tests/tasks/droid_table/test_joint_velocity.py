"""The YAMLs of openpi's DROID checkpoints: what is asked of an openpi server, and what its answers are."""

import numpy as np
import pytest
from omegaconf import OmegaConf

from groot_wrappers.embodiment.matching import match_embodiment
from groot_wrappers.openpi_bridge import policy as bridge
from tests.support.composing import compose

pytestmark = pytest.mark.isaaclab


def test_openpis_droid_policy_fits_the_embodiment(monkeypatch):
    monkeypatch.setattr(bridge, "Connection", lambda *where: None)
    settings = dict(compose("serve", "policy=openpi_droid").policy)
    settings.pop("_target_")
    modality = bridge.OpenpiBridge(**settings).get_modality_config()
    config = compose("play", "task=droid_table", "embodiment=droid_joint_velocity", "server=expert")
    embodiment = match_embodiment(OmegaConf.to_object(config.embodiment), modality, execution=15)
    assert set(embodiment.action) == {"joint_velocity", "gripper_position"}
    assert config.task.env.actions._target_ == "tasks.droid_table.joint_velocity.JointVelocityActionsCfg"


def test_an_answer_of_eight_numbers_is_seven_velocities_and_the_gripper(monkeypatch):
    asked = {}

    class Server:
        def ask(self, observation):
            asked.update(observation)
            return {"actions": np.tile(np.arange(8.0), (15, 1))}

    monkeypatch.setattr(bridge, "Connection", lambda *where: Server())
    settings = dict(compose("serve", "policy=openpi_droid").policy)
    settings.pop("_target_")
    policy = bridge.OpenpiBridge(**settings)
    cameras, pictures = ("exterior_image_1_left", "wrist_image_left"), np.zeros((1, 1, 180, 320, 3), np.uint8)
    state = {"joint_position": np.zeros((1, 1, 7), np.float32), "gripper_position": np.ones((1, 1, 1), np.float32)}
    language = {"task": [["put the red mug on the plate"]]}
    action, _ = policy.get_action({"video": dict.fromkeys(cameras, pictures), "state": state, "language": language})
    assert set(asked) == {"prompt"} | {f"observation/{key}" for key in (*cameras, *state)}
    assert asked["observation/joint_position"].shape == (7,)
    np.testing.assert_array_equal(action["joint_velocity"], np.tile(np.arange(7.0), (1, 15, 1)))
    np.testing.assert_array_equal(action["gripper_position"], np.full((1, 15, 1), 7.0))
