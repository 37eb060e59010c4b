"""VideoRecorder: a video shows what the cameras saw, the right way up, in its colours, from the first frame on."""

from types import SimpleNamespace

import av
import numpy as np
import pytest

from groot_wrappers.errors import ContractError
from runners.recorders import Recorders
from runners.recorders.recorder import RunInfo
from runners.recorders.video import VideoRecorder
from tests.support.samples.rows import make_episode, make_row, make_step, picture
from tests.support.toys.policy import ToyPolicy

RED, GREEN, BLUE, GREY = (220, 20, 20), (20, 200, 20), (20, 20, 220), (128, 128, 128)
TOLERANCE = 16
"""Of a channel, after H.264 and 4:2:0 chroma."""


def decode(path):
    """Return the frames of a video, uint8 (N, H, W, 3), and its rate."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p", "browsers play nothing else"
        frames = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(stream)])
        return frames, float(stream.average_rate)


def observe(**cameras):
    """Return an observation with these frames, each (H, W, 3) for one env or a list for several."""
    batches = {key: np.stack(frames if isinstance(frames, list) else [frames]) for key, frames in cameras.items()}
    return {"video": {key: batch[:, None] for key, batch in batches.items()}}


def record(folder, frames, execution=1):
    recorder = VideoRecorder(frames)
    recorder.on_run_start(RunInfo(folder=folder, config={}, fps=20.0, task="Toy-v0", execution=execution))
    return recorder


@pytest.fixture
def recorder(tmp_path):
    recorder = record(tmp_path, "control_steps")
    yield recorder
    recorder.on_run_end(None)


def near(pixels, colour):
    return np.abs(pixels.astype(int) - colour).max() <= TOLERANCE


def test_video_shows_every_control_step_the_right_way_up(recorder, tmp_path):
    recorder.on_episodes_start({0: make_episode(3)}, observe(camera=picture(64, 96, RED, BLUE)))
    for _ in range(9):
        recorder.on_control_step(make_step(observe(camera=picture(64, 96, GREEN, BLUE)), [True]))
    recorder.on_control_step(make_step(observe(camera=picture(64, 96, GREY, GREY)), [False]))
    row = make_row(3)
    recorder.on_episode_end(row)
    assert row.video == "videos/episode_000003.mp4"
    frames, rate = decode(tmp_path / row.video)
    assert frames.shape == (10, 64, 96, 3), "the first frame and one a step; another episode's frame is not shown"
    assert rate == 20.0
    assert near(frames[0, 8:24, 8:-8], RED)
    assert near(frames[9, 8:24, 8:-8], GREEN)
    assert near(frames[:, 40:56, 8:-8], BLUE)


def test_cameras_stand_side_by_side_in_the_embodiments_order(recorder, tmp_path):
    observation = observe(wrist=picture(48, 64, RED, RED), scene=picture(64, 32, GREEN, BLUE))
    recorder.on_episodes_start({0: make_episode()}, observation)
    recorder.on_episode_end(make_row())
    frames, _ = decode(tmp_path / "videos/episode_000000.mp4")
    assert frames.shape[1:] == (64, 96, 3)
    assert near(frames[0, 8:40, 8:56], RED)
    assert near(frames[0, 52:, 8:56], (0, 0, 0)), "a smaller camera is padded below"
    assert near(frames[0, 8:24, 72:88], GREEN)
    assert near(frames[0, 40:56, 72:88], BLUE)


@pytest.mark.parametrize("size", [(7, 5), (8, 8), (33, 47), (2, 2), (225, 224)])
def test_sizes_that_h264_does_not_take_are_padded(recorder, tmp_path, size):
    recorder.on_episodes_start({0: make_episode()}, observe(camera=picture(*size, GREY, GREY)))
    recorder.on_control_step(make_step(observe(camera=picture(*size, GREY, GREY)), [True]))
    recorder.on_episode_end(make_row())
    frames, _ = decode(tmp_path / "videos/episode_000000.mp4")
    height, width = size
    assert frames.shape == (2, height + height % 2, width + width % 2, 3)
    assert near(frames[:, : (height + 1) // 2, : (width + 1) // 2], GREY)


def test_only_the_present_frame_of_a_history_is_shown(recorder, tmp_path):
    past, present = picture(64, 64, RED, RED), picture(64, 64, BLUE, BLUE)
    recorder.on_episodes_start({0: make_episode()}, {"video": {"camera": np.stack([past, present])[None]}})
    recorder.on_episode_end(make_row())
    assert near(decode(tmp_path / "videos/episode_000000.mp4")[0], BLUE)


def test_each_env_has_a_video_of_its_own(recorder, tmp_path):
    colours = [RED, GREEN, BLUE]
    observation = observe(camera=[picture(64, 64, colour, colour) for colour in colours])
    recorder.on_episodes_start({0: make_episode(5), 2: make_episode(6)}, observation)
    recorder.on_control_step(make_step(observation, [True, True, False]))
    recorder.on_episode_end(make_row(6, env=2))
    recorder.on_episodes_start({2: make_episode(7)}, observation)
    recorder.on_control_step(make_step(observation, [True, True, True]))
    recorder.on_run_end(None)
    wanted = {"000005_interrupted": (3, RED), "000006": (1, BLUE), "000007_interrupted": (2, BLUE)}
    assert {path.name for path in (tmp_path / "videos").iterdir()} == {f"episode_{name}.mp4" for name in wanted}
    for name, (length, colour) in wanted.items():
        frames, _ = decode(tmp_path / f"videos/episode_{name}.mp4")
        assert len(frames) == length
        assert near(frames, colour)


def test_second_try_does_not_overwrite_the_video_of_the_first(recorder, tmp_path):
    for attempt in (0, 1):
        recorder.on_episodes_start({0: make_episode()}, observe(camera=picture(64, 64, RED, RED)))
        row = make_row(attempt=attempt)
        recorder.on_episode_end(row)
        assert len(decode(tmp_path / row.video)[0]) == 1
    assert row.video == "videos/episode_000000_attempt_1.mp4"


def test_half_a_video_of_a_killed_start_is_taken_away(recorder, tmp_path):
    (tmp_path / "videos/recording_000003.mp4").write_bytes(b"half")
    recorder.on_run_start(recorder._run)
    assert not list((tmp_path / "videos").iterdir())


def test_videos_of_interrupted_episodes_are_closed_and_play(recorder, tmp_path):
    recorder.on_episodes_start({0: make_episode()}, observe(camera=picture(64, 64, RED, RED)))
    for _ in range(4):
        recorder.on_control_step(make_step(observe(camera=picture(64, 64, RED, RED)), [True]))
    recorder.on_run_end(None)
    assert len(decode(tmp_path / "videos/episode_000000_interrupted.mp4")[0]) == 5
    recorder.on_run_end(None)


@pytest.mark.parametrize("execution", [1, 4])
def test_rollout_is_recorded_as_it_was_seen(play, recorder, tmp_path, execution):
    """The toy paints goal and control step into red and green: each video is of its episode, and changes over time."""
    run = play(3, 7, execution=execution, recorders=[recorder])
    Recorders([recorder]).on_run_end(None)
    for row in run.rows:
        frames, _ = decode(tmp_path / row.video)
        # The frame after the last step shows another episode already, and is left out.
        assert len(frames) == row.steps
        assert np.abs(frames[..., 0].astype(int) - run.watcher.goals[row.index]).max() <= TOLERANCE
    assert run.env.env.renders <= run.watcher.steps + len(run.policy.asked)


@pytest.mark.parametrize("execution", [1, 4])
def test_video_of_the_beats_draws_nothing_more_and_plays_in_real_time(play, tmp_path, execution):
    recorder = record(tmp_path, "beats", execution)
    run = play(3, 7, execution=execution, recorders=[recorder])
    Recorders([recorder]).on_run_end(None)
    for row in run.rows:
        frames, rate = decode(tmp_path / row.video)
        assert len(frames) == row.server_calls == -(-row.steps // execution)
        assert rate == 20 / execution
        assert np.abs(frames[..., 0].astype(int) - run.watcher.goals[row.index]).max() <= TOLERANCE
    beats = sum(kind == "action" for kind, _ in run.policy.asked)
    assert run.toy.camera.draws == run.env.env.renders == beats


def test_episode_that_ends_before_its_first_beat_has_no_video(tmp_path):
    recorder = record(tmp_path, "beats")
    recorder.on_episodes_start({0: make_episode()}, observe(camera=picture(64, 64, RED, RED)))
    row = make_row()
    recorder.on_episode_end(row)
    recorder.on_run_end(None)
    assert row.video is None
    assert not list((tmp_path / "videos").iterdir())


def test_video_that_cannot_be_written_is_told(recorder, tmp_path):
    (tmp_path / "videos").rmdir()
    recorder.on_episodes_start({0: make_episode()}, observe(camera=picture(64, 64, RED, RED)))
    with pytest.raises(OSError, match="No such file"):
        recorder.on_episode_end(make_row())


def test_frames_that_nobody_knows_are_refused():
    with pytest.raises(ContractError, match=r"recorder\.video\.frames=all .* beats, control_steps"):
        VideoRecorder("all")


def test_server_that_looks_at_no_pictures_is_refused_before_the_run():
    modality = ToyPolicy().get_modality_config()
    VideoRecorder().check(modality)
    del modality["video"]
    with pytest.raises(ContractError, match=r"looks at no pictures.* recorder=\[wandb\]"):
        VideoRecorder().check(modality)


def test_cameras_of_the_scene_take_the_place_of_what_the_policy_sees(tmp_path):
    drawn = []

    def draw(colour):
        drawn.append(colour)
        return np.stack([picture(32, 64, colour, BLUE)] * 2)[:, None]

    cameras = {"orbit": lambda: draw(GREEN), "wrist": lambda: draw(RED), "unseen": lambda: draw(GREY)}
    recorder = VideoRecorder("control_steps", ["wrist", "orbit"])
    recorder.on_run_start(RunInfo(folder=tmp_path, config={}, fps=20.0, task="Toy-v0", cameras=cameras))
    recorder.on_episodes_start({1: make_episode()}, {})
    recorder.on_control_step(make_step({}, [True, True]))
    recorder.on_control_step(make_step({}, [True, False]))
    recorder.on_episode_end(make_row(env=1))
    recorder.on_run_end(None)
    frames, _ = decode(tmp_path / "videos/episode_000000.mp4")
    assert frames.shape == (2, 32, 128, 3)
    assert near(frames[:, 2:14, 4:60], RED)
    assert near(frames[:, 2:14, 68:124], GREEN)
    assert drawn == [RED, GREEN] * 2, "nothing is drawn for an episode that is over, nor for nobody"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"size": [720]}, r"recorder\.video\.size=\[720\] was asked for, but it takes height and width"),
        ({"size": [8, 1280]}, "16 to 4096 pixels"),
        ({"size": "720p"}, "such as \\[720, 1280\\]"),
        ({"cameras": "orbit"}, r"takes a list of names, such as \[orbit\]"),
        ({"cameras": []}, r"takes a list of names"),
        ({"view": [1, 2, 3]}, r"view=\[1, 2, 3\] was asked for, but it takes where the camera orbit stands"),
        ({"view": [[1, 2, 3], [1, 2]]}, "x, y, z in metres"),
        ({"view": [[1, 2, 3], [1, 2, 3]]}, "another point that it looks at"),
        ({"view": [[1, 2, float("inf")], [0, 0, 0]]}, "x, y, z in metres"),
        ({"failed": "half"}, r"recorder\.video\.failed=half was asked for\. Set it to full"),
    ],
)
def test_setting_that_makes_no_sense_is_refused(settings, told):
    with pytest.raises(ContractError, match=told):
        VideoRecorder(**settings)


def test_camera_that_the_env_has_not_is_refused_with_those_that_it_has(tmp_path):
    run = RunInfo(folder=tmp_path, config={}, fps=20.0, task="Toy-v0", cameras={"scene_camera": None})
    with pytest.raises(ContractError, match=r"names 'scene_cam'.*Did you mean 'scene_camera'\? It has: scene_camera"):
        VideoRecorder(cameras=["scene_cam"]).on_run_start(run)


def test_failed_episodes_of_an_env_whose_episodes_begin_together_cannot_be_filmed(tmp_path):
    manifest = SimpleNamespace(reset_mode="per_batch")
    with pytest.raises(ContractError, match="begins episodes in all envs together"):
        VideoRecorder(failed="full").on_run_start(
            RunInfo(folder=tmp_path, config={}, fps=20.0, task="Toy-v0", manifest=manifest)
        )
