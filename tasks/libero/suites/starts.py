"""Where episodes of LIBERO begin: ``official_starts`` are the published ones.

A start is ``[time, qpos, qvel]`` of the task's scene in MuJoCo's layout, quaternions w first: the arm's seven joints,
the two fingers, seven numbers of each object in the order of the BDDL, then the joints of fixtures in theirs. In the
starts objects hang some centimetres above what they stand on; LIBERO's evaluations let them fall for ten control steps
of an action that is zero, but for the gripper's, which is opened by -1 (``WAITING_STEPS``).
"""

import zipfile

import numpy as np

from tasks.assets.cache import AssetError
from tasks.libero.suites.suites import LiberoTask
from tasks.libero.suites.wheels import starts_file

__all__ = ["WAITING_STEPS", "official_starts"]

WAITING_STEPS = 10
"""Control steps for which an evaluation waits before the policy is asked (``num_steps_wait`` of OpenVLA's)."""

_COUNT = 50
_ROBOT, _FREE_QPOS, _FREE_QVEL = 9, 7, 6


def official_starts(task: LiberoTask) -> np.ndarray:
    """Return the published starts in their order, float64 (50, 1 + nq + nv).

    Raises:
        AssetError: The wheels' data are missing, or the file does not have the starts of this task's scene.
    """
    path = starts_file(task.suite, task.name)
    try:
        with np.load(path, allow_pickle=False) as archive:
            starts = archive["states"]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise AssetError(f"{path} has no starts: {error}. Delete LIBERO's data, then `make libero-assets`") from error
    # What is left of a row are as many positions as velocities of fixtures' joints.
    wide = 1 + 2 * _ROBOT + (_FREE_QPOS + _FREE_QVEL) * len(task.problem.objects)
    if (
        starts.dtype != np.float64
        or starts.ndim != 2
        or len(starts) != _COUNT
        or starts.shape[1] < wide
        or (starts.shape[1] - wide) % 2
        or not np.isfinite(starts).all()
    ):
        raise AssetError(
            f"{path} has {starts.dtype} {starts.shape}, and {_COUNT} rows of {wide} finite numbers and two for each "
            f"joint of a fixture were expected, as {task.name} has {len(task.problem.objects)} objects"
        )
    return starts
