"""Cameras that videos are taken by: set up before the env is made, and never at the cost of what the policy sees."""

import pytest
from omegaconf import OmegaConf

from groot_wrappers.embodiment.embodiment import VideoSource
from groot_wrappers.errors import ContractError
from runners.simulation.env_cfg import load_env_cfg
from runners.simulation.film_scene import FAR_VIEW, FilmScene, view_of
from tests.support.composing import compose

pytestmark = [pytest.mark.isaaclab, pytest.mark.slow]  # IsaacLab takes seconds to import

LIFT = {"id": "Isaac-Groot-Lift-Cube-Franka-v0", "import": "tasks"}
SEEN = {"wrist": VideoSource(sensor="wrist_camera"), "scene": VideoSource(sensor="scene_camera")}


@pytest.fixture
def scene():
    """Return the lift's config, with what films it."""

    def make(*, seen=SEEN, policy_looks=True):
        sim = OmegaConf.to_object(compose("play").sim)
        return FilmScene(load_env_cfg(LIFT, sim), sim.renderer_cfg, seen, policy_looks)

    return make


def test_scene_has_no_camera_that_nobody_asked_for(scene):
    film = scene()
    before = set(vars(film.env_cfg.scene))
    assert film.film(["scene_camera"], None) == ["scene_camera"]
    assert set(vars(film.env_cfg.scene)) == before


def test_orbit_stands_where_the_tasks_viewers_stand_and_looks_where_they_do(scene):
    import torch
    from isaaclab.utils.math import matrix_from_quat

    film = scene()
    film.film(["orbit"], (720, 1280))
    orbit, view = film.env_cfg.scene.orbit, film.env_cfg.view
    assert (orbit.height, orbit.width, orbit.offset.pos) == (720, 1280, pytest.approx(view.eye))
    forward = -matrix_from_quat(torch.tensor([orbit.offset.rot]))[0, :, 2]  # a camera of OpenGL looks along -z
    wanted = torch.tensor(view.lookat) - torch.tensor(view.eye)
    assert forward.tolist() == pytest.approx((wanted / wanted.norm()).tolist(), abs=1e-5)
    assert type(orbit.renderer_cfg).__name__ == "NewtonWarpRendererCfg"
    elsewhere = scene()
    elsewhere.film(["orbit"], None, ((1.0, 2.0, 3.0), (0.0, 0.0, 0.0)))
    assert elsewhere.env_cfg.scene.orbit.offset.pos == pytest.approx((1.0, 2.0, 3.0))


def test_larger_picture_of_the_policys_camera_shows_as_much_from_top_to_bottom(scene):
    film = scene(policy_looks=False)
    camera = film.env_cfg.scene.scene_camera
    tall = camera.spawn.horizontal_aperture * camera.height / camera.width
    assert film.film(None, (360, 640)) == ["wrist_camera", "scene_camera"]
    assert (camera.height, camera.width) == (360, 640)
    assert camera.spawn.horizontal_aperture * 360 / 640 == pytest.approx(tall)


def test_what_the_policy_sees_is_never_changed(scene):
    for cameras in (None, ["orbit", "wrist_camera"]):
        with pytest.raises(ContractError, match=r"the policy looks through the camera 'wrist_camera'.*again=RUN"):
            scene().film(cameras, (720, 1280))


def test_camera_that_is_not_there_is_refused_with_those_that_are(scene):
    with pytest.raises(ContractError, match=r"names 'scene_cam'.*Did you mean 'scene_camera'.*It has: .*orbit"):
        scene().film(["scene_cam"], (720, 1280))
    with pytest.raises(ContractError, match="terms of the env's observation"):
        scene(seen={"front": VideoSource(obs="policy.front")}).film(None, (720, 1280))


def test_view_of_an_env_that_says_nothing_is_isaaclabs(scene):
    film = scene()
    film.env_cfg.sim.default_visualizer_cfg = None
    assert view_of(film.env_cfg) == FAR_VIEW
