"""The configs without a simulator: whose assets, whose start, whose success."""

import pytest

from tasks.assets import gr1t2
from tasks.pick_place_gr1t2 import geometry

pytestmark = pytest.mark.slow  # IsaacLab takes seconds to import


@pytest.fixture(scope="module")
def env_cfg():
    """The module of configs; importing it takes seconds."""
    from tasks.pick_place_gr1t2 import env_cfg

    return env_cfg


def test_embedded_assets_lie_in_the_cache(env_cfg):
    scene = env_cfg.PickPlaceGR1T2EnvCfg().scene
    assert scene.robot.spawn.usd_path == str(gr1t2.gr1t2_usd())
    assert scene.ego_view.prim_path.endswith("/head_roll_link/head_pitch_link/EgoView")


def test_nucleus_gives_nvidias_robot_table_and_wheel(env_cfg):
    cfg = env_cfg.PickPlaceGR1T2EnvCfg()
    cfg.use_assets("nucleus")
    names = [part.spawn.usd_path.rsplit("/", 1)[1] for part in (cfg.scene.robot, cfg.scene.table, cfg.scene.object)]
    assert names == ["GR1T2_fourier_hand_6dof.usd", "packing_table.usd", "steering_wheel.usd"]
    assert cfg.scene.ego_view.prim_path.endswith("/Robot/head_pitch_link/EgoView")
    assert "legs" in cfg.scene.robot.actuators


def test_other_assets_are_refused(env_cfg):
    with pytest.raises(ValueError, match=r"Unknown assets 'local'\. Set task.assets=embedded or task.assets=nucleus"):
        env_cfg.PickPlaceGR1T2EnvCfg().use_assets("local")


def test_two_hands_take_start_and_success_of_the_registered_task(env_cfg):
    from isaaclab_tasks.contrib.pick_place.pickplace_gr1t2_env_cfg import PickPlaceGR1T2EnvCfg as Registered

    from tasks.pick_place_gr1t2.two_hands_env_cfg import PickPlaceGR1T2TwoHandsEnvCfg

    ours, registered = PickPlaceGR1T2TwoHandsEnvCfg(), Registered()
    assert ours.scene.object.init_state.pos[:2] == pytest.approx(registered.scene.object.init_state.pos[:2])
    assert ours.terminations.success.func is registered.terminations.success.func
    assert ours.terminations.success.params == registered.terminations.success.params
    assert env_cfg.PickPlaceGR1T2EnvCfg().scene.object.init_state.pos == geometry.WHEEL_START


def test_two_hands_with_nvidias_assets_have_the_registered_table_and_wheel_where_they_are():
    from isaaclab_tasks.contrib.pick_place.pickplace_gr1t2_env_cfg import PickPlaceGR1T2EnvCfg as Registered

    from tasks.pick_place_gr1t2.two_hands_env_cfg import PickPlaceGR1T2TwoHandsEnvCfg

    ours, registered = PickPlaceGR1T2TwoHandsEnvCfg(assets="nucleus").scene, Registered().scene
    for part, theirs in ((ours.object, registered.object), (ours.table, registered.packing_table)):
        assert part.spawn.usd_path == theirs.spawn.usd_path
        assert part.spawn.scale == theirs.spawn.scale
        assert part.init_state.pos == pytest.approx(theirs.init_state.pos)
        assert part.init_state.rot == pytest.approx(theirs.init_state.rot)
    assert ours.robot.init_state.pos == pytest.approx(registered.robot.init_state.pos)
    assert ours.robot.init_state.rot == pytest.approx(registered.robot.init_state.rot, abs=1e-4)
    start = (*geometry.TWO_HANDS_START, geometry.TABLE_HEIGHT)
    assert PickPlaceGR1T2TwoHandsEnvCfg().scene.object.init_state.pos == start


def test_play_has_four_envs(env_cfg):
    assert env_cfg.PickPlaceGR1T2PlayEnvCfg().scene.num_envs == 4
