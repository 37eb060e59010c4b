"""A policy that keeps a pole up and sees nothing but pixels, for the cartpoles that IsaacLab registers.

Facts of the camera (``isaaclab_tasks.core.cartpole.cartpole_common``): 96 x 96, seen from the side; the rail is brown,
cart and pole are nearly black, all else is bright.
"""

import numpy as np

from groot_wrappers import ModalityConfig

PAST = 4
"""Control steps (1/60 s) between the two pictures of which speeds are taken; nearer ones hardly differ."""

_STEP_S = 1 / 60
_METRES_PER_PIXEL = 0.045  # at the rail
_POLE, _CART = 50, 75  # brightest channel of the two is below these
_RAIL, _MIDDLE = 47.5, 47.5  # row of the rail, column of the picture's middle


class PoleBalancer:
    """Asks for the picture of now and of PAST control steps ago; answers with one effort, as a part of 100 N."""

    def get_modality_config(self):
        return {
            "video": ModalityConfig(delta_indices=(-PAST, 0), modality_keys=("side",)),
            "state": ModalityConfig(delta_indices=(0,), modality_keys=("cart",)),
            "action": ModalityConfig(delta_indices=(0,), modality_keys=("effort",)),
            "language": ModalityConfig(delta_indices=(0,), modality_keys=("task",)),
        }

    def get_action(self, observation, options=None):
        seen = np.array([[look(frame) for frame in frames] for frames in observation["video"]["side"]])
        cart, angle = seen[:, 1].T
        cart_speed, angle_speed = (seen[:, 1] - seen[:, 0]).T / (PAST * _STEP_S)
        # The picture's right is the cart's left.
        effort = -(1.5 * angle + 0.22 * angle_speed + 0.13 * cart + 0.18 * cart_speed)
        return {"effort": np.clip(effort, -1, 1).astype(np.float32)[:, None, None]}, {}

    def reset(self, options=None):
        return {}


def look(frame):
    """Return the cart's place (m, right is positive) and the pole's angle (rad, 0 is up, right is positive)."""
    brightness = frame.max(axis=-1)
    pole = np.argwhere(brightness < _POLE)
    cart = np.argwhere((brightness >= _POLE) & (brightness < _CART))
    if not len(pole) or not len(cart):
        return 0.0, 0.0
    middle = cart[:, 1].mean()
    up, aside = _RAIL - pole[:, 0].mean(), pole[:, 1].mean() - middle
    return (middle - _MIDDLE) * _METRES_PER_PIXEL, np.arctan2(aside, up)
