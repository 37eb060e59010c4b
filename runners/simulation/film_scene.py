"""FilmScene: the cameras that a video is taken by, set up in an env's config before the env is made.

* ``FilmScene``: what a recorder asks for its cameras.
* ``ORBIT``: the free camera, which is in no scene until somebody asks for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from groot_wrappers.embodiment.embodiment import VideoSource
from groot_wrappers.errors import ContractError, did_you_mean
from runners.config.building import built

__all__ = ["ORBIT", "FilmScene", "View"]

View = tuple[Sequence[float], Sequence[float]]
"""Where a camera stands and what is in its middle: x, y, z in the env's frame, metres."""

ORBIT = "orbit"
ORBIT_SIZE = (480, 640)
"""Height and width of its pictures, pixels."""

ORBIT_LENS = {"focal_length": 18.0, "horizontal_aperture": 20.955, "clipping_range": (0.05, 100.0)}
"""60 degrees wide where the picture is as wide as the aperture says; mm, and m of what is drawn."""

FAR_VIEW: View = ((7.5, 7.5, 7.5), (0.0, 0.0, 0.0))
"""IsaacLab's own for an env whose config says nothing."""


@dataclass(frozen=True)
class FilmScene:
    """The config of an env in which cameras are set up for videos.

    Args:
        env_cfg: The env's config, which is changed.
        renderer_cfg: What ``hydra.utils.instantiate`` builds the renderer from, as ``conf/sim`` has it.
        seen: What the policy looks at, by its video keys.
        policy_looks: Whether a policy looks at that; where episodes are played again, none does.
    """

    env_cfg: Any
    renderer_cfg: Any
    seen: dict[str, VideoSource]
    policy_looks: bool

    def film(self, cameras: Sequence[str] | None, size: tuple[int, int] | None, view: View | None = None) -> list[str]:
        """Set up cameras, and return their names.

        Args:
            cameras: Their names in the scene, ``orbit`` among them; None for those that the policy looks through.
            size: Height and width of their pictures, pixels; None for their own.
            view: Where ``orbit`` stands and what is in its middle; None for what the env's config shows its viewers.

        Raises:
            ContractError: There is no such camera in the config, the policy looks at no camera, or its pictures would
                become others.
        """
        looked_through = [source.sensor for source in self.seen.values() if source.sensor is not None]
        if cameras is None and not looked_through:
            raise ContractError(
                f"recorder.video.size={list(size or ())} was asked for, but the policy's pictures are terms of the "
                f"env's observation, whose size is the env's. Name a camera: recorder.video.cameras=[{ORBIT}]."
            )
        names = list(dict.fromkeys(looked_through if cameras is None else cameras))
        if ORBIT in names and not hasattr(self.env_cfg.scene, ORBIT):
            setattr(self.env_cfg.scene, ORBIT, self._orbit(view or view_of(self.env_cfg)))
        for name in names if size is not None else ():
            if name in looked_through and self.policy_looks:
                raise ContractError(
                    f"recorder.video.size={list(size or ())} was asked for, but the policy looks through the camera "
                    f"'{name}', and would see other pictures. Name one that it does not look through: "
                    f"recorder.video.cameras=[{ORBIT}]. An episode can be played again at any size: again=RUN."
                )
            _resize(self._camera(name), size or ORBIT_SIZE)
        return names

    def _camera(self, name: str) -> Any:
        """Return the config of a camera, in the scene or, of a direct env, beside it."""
        holders = (self.env_cfg.scene, self.env_cfg)
        there = {key: part for holder in holders for key, part in vars(holder).items() if hasattr(part, "renderer_cfg")}
        if name not in there:
            raise ContractError(
                f"recorder.video.cameras names '{name}', but the env's config has no such camera."
                f"{did_you_mean(name, [*there, ORBIT])} It has: {', '.join(dict.fromkeys([*there, ORBIT]))}."
            )
        return there[name]

    def _orbit(self, view: View) -> Any:
        """Return the config of a camera that stands free in each env."""
        import torch  # noqa: PLC0415  # takes seconds, as IsaacLab does
        from isaaclab.sensors import CameraCfg  # noqa: PLC0415
        from isaaclab.sim import PinholeCameraCfg  # noqa: PLC0415
        from isaaclab.utils.math import create_rotation_matrix_from_view, quat_from_matrix  # noqa: PLC0415

        eye, lookat = (torch.tensor([list(point)], dtype=torch.float32) for point in view)
        turned = quat_from_matrix(create_rotation_matrix_from_view(eye, lookat))
        return CameraCfg(
            prim_path="{ENV_REGEX_NS}/Orbit",
            offset=CameraCfg.OffsetCfg(pos=tuple(eye[0].tolist()), rot=tuple(turned[0].tolist()), convention="opengl"),
            data_types=["rgb"],
            height=ORBIT_SIZE[0],
            width=ORBIT_SIZE[1],
            spawn=PinholeCameraCfg(**ORBIT_LENS),
            renderer_cfg=built(self.renderer_cfg, "sim.renderer_cfg"),
        )


def view_of(env_cfg: Any) -> View:
    """Return where an env's config lets its viewers stand, and what they look at."""
    chosen = getattr(env_cfg.sim, "default_visualizer_cfg", None) or getattr(env_cfg, "viewer", None)
    return FAR_VIEW if chosen is None else (chosen.eye, chosen.lookat)


def _resize(camera: Any, size: tuple[int, int]) -> None:
    """Let a camera give larger pictures, or smaller ones, that show as much from top to bottom as they did."""
    if getattr(camera.spawn, "horizontal_aperture", None) is not None:
        camera.spawn.horizontal_aperture *= (size[1] / size[0]) / (camera.width / camera.height)
    camera.height, camera.width = size
