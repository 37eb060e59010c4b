"""The burner of a stove that is on glows, as LIBERO shows it: ``BurnerLights``, and ``Burners``, the event term."""

import re
from typing import Any

import torch
import warp as wp
from isaaclab.envs import ManagerBasedEnv
from isaaclab.managers import EventTermCfg, ManagerTermBase
from isaaclab_newton.physics import NewtonManager

from tasks.common.seeded_resets import uses_episode_generators
from tasks.libero.goals.moment import EnvMoment
from tasks.libero.goals.predicates import predicate_test
from tasks.libero.scene.asset import LiberoScene, libero_scene
from tasks.libero.suites.bddl import Predicate
from tasks.libero.suites.fixtures import GLOWING, burner_of

__all__ = ["BurnerLights", "Burners"]


class BurnerLights:
    """Shows burners or hides them: MuJoCo's look does not draw a mesh of a negative colour; others draw a black disc.

    Args:
        env: What has the scene.
        scene: The task.
    """

    def __init__(self, env: Any, scene: LiberoScene):
        problem, model = scene.task.problem, NewtonManager.get_model()
        stoves = [name for name, category in problem.fixtures.items() if category == GLOWING]
        self._moment = EnvMoment(env, ())
        self._colours = wp.to_torch(model.shape_color)
        burners = [burner_of(re.split("[/ ]", label)[-1]) for label in model.shape_label]
        worlds = model.shape_world.numpy()
        shapes = {
            stove: sorted((shape for shape, name in enumerate(burners) if name == stove), key=worlds.__getitem__)
            for stove in stoves
        }
        # What is only seen is not there where no camera looks.
        shown = {stove: each for stove, each in shapes.items() if each}
        self._tests = [predicate_test(Predicate("turnon", (name,)), problem, scene.model) for name in shown]
        self._shapes = [torch.tensor(each, device=self._colours.device) for each in shown.values()]

    def look(self) -> None:
        """Look at the stoves of all envs."""
        for test, shapes in zip(self._tests, self._shapes, strict=True):
            seen = self._colours[shapes].abs()
            self._colours[shapes] = torch.where(test(self._moment)[:, None], seen, -seen)


@uses_episode_generators
class Burners(ManagerTermBase):
    """Event term: looks at all stoves, whenever an episode begins and behind each control step."""

    def __init__(self, cfg: EventTermCfg, env: ManagerBasedEnv):
        super().__init__(cfg, env)
        self._lights = BurnerLights(env, libero_scene(env.cfg.suite, env.cfg.index))

    def __call__(self, env: ManagerBasedEnv, env_ids: torch.Tensor | slice | None) -> None:
        """Look."""
        self._lights.look()
