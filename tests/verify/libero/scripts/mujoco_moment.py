"""States of a model of MuJoCo's, for LIBERO's predicates to look at: ``MujocoMoment``."""

import mujoco
import numpy as np
import torch


class MujocoMoment:
    """States qpos (n, nq) in double precision: a thing of some grams presses a tenth of a micrometre into a shelf."""

    def __init__(self, model, qpos):
        self._model, self._qpos = model, torch.from_numpy(np.array(qpos, dtype=float))
        positions, rotations, self._touching = [], [], []
        data = mujoco.MjData(model)
        owners = [model.body(model.body_rootid[body]).name.removesuffix("_main") for body in model.geom_bodyid]
        for row in qpos:
            data.qpos[:] = row
            mujoco.mj_fwdPosition(model, data)
            positions.append(data.xpos.copy())
            rotations.append(data.xmat.reshape(-1, 3, 3).copy())
            pairs = data.contact.geom[data.contact.dist <= 0]
            self._touching.append({frozenset((owners[first], owners[second])) for first, second in pairs})
        self._positions, self._rotations = torch.from_numpy(np.array(positions)), torch.from_numpy(np.array(rotations))

    def pose(self, body):
        number = self._model.body(body).id
        return self._positions[:, number], self._rotations[:, number]

    def joint(self, name):
        return self._qpos[:, self._model.joint(name).qposadr[0]]

    def touching(self, first, second):
        return torch.tensor([frozenset((first, second)) in pairs for pairs in self._touching])
