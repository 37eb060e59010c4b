"""v3.0 to v2.1: numbers, lists and frames come back bit for bit, and nothing half done gets the name."""

import fcntl
import json
import os
import shutil

import av
import numpy as np
import pytest

from groot_wrappers.errors import ContractError, Gr00tError
from runners.datasets import paths
from runners.datasets.checks import check_dataset
from runners.datasets.conversion import convert, cutting, to_v21
from runners.datasets.reading import DatasetError
from tests.support.dataset_damage import cut, edit_json
from tests.support.dataset_reader import read_whole
from tests.support.samples.shared_files import VIDEO, join_videos, pixels_of

FRONT = "observation.images.front"
SAME_BYTES = [
    paths.EPISODES,
    paths.TASKS,
    paths.EPISODES_STATS,
    paths.STATS,
    paths.MODALITY,
    *map(paths.data_path, range(3)),
]


def back(folder, output):
    return convert(folder, "v2.1", output, lerobot_python=None)


def test_what_comes_back_is_what_was_recorded(dataset, shared, tmp_path):
    shutil.copyfile(dataset / paths.MODALITY, shared / paths.MODALITY)
    (shared / "README.md").write_text("whose it is")
    back(shared, tmp_path / "back")
    assert len(read_whole(tmp_path / "back")) == 3
    assert check_dataset(tmp_path / "back") == []
    assert (tmp_path / "back/README.md").read_text() == "whose it is"
    for file in SAME_BYTES:
        assert (tmp_path / "back" / file).read_bytes() == (dataset / file).read_bytes(), file
    infos = [json.loads((folder / paths.INFO).read_text()) for folder in (dataset, tmp_path / "back")]
    assert infos[0] == infos[1]
    for video in dataset.glob("videos/*/*/*.mp4"):
        times, pixels = pixels_of(video)
        same_times, same_pixels = pixels_of(tmp_path / "back" / video.relative_to(dataset))
        assert times == same_times
        np.testing.assert_array_equal(pixels, same_pixels)


def encode(path, frames, options, fps=20):
    """Write frames that grow brighter, by an encoder's own order of frames."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options=options)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for level in frames:
            noise = np.random.default_rng(level).integers(0, 40, (48, 64, 3))
            container.mux(stream.encode(av.VideoFrame.from_ndarray((noise + level).astype(np.uint8), format="rgb24")))
        container.mux(stream.encode())
    return path


def test_frames_that_are_predicted_from_later_ones_come_back_too(shared, tmp_path):
    """As encoders are set by default: packets are in another order than their frames, and key frames are rare."""
    ordered = {"preset": "medium", "x264-params": "keyint=250:bframes=3:b-adapt=0:scenecut=0"}
    videos = [encode(tmp_path / f"{begin}.mp4", range(begin, begin + n), ordered) for begin, n in ((0, 5), (60, 7))]
    join_videos(videos, shared / VIDEO.format(chunk_index=0, file_index=0, video_key=FRONT), 20)
    with av.open(str(videos[1])) as container:
        order = [packet.pts for packet in container.demux(video=0) if packet.pts is not None]
    assert order != sorted(order)
    back(shared, tmp_path / "back")
    for episode, video in enumerate(videos):
        times, pixels = pixels_of(video)
        same_times, same_pixels = pixels_of(tmp_path / "back" / paths.video_path(episode, "front"))
        assert same_times == pytest.approx([time - times[0] for time in times], abs=1e-6)
        np.testing.assert_array_equal(pixels, same_pixels)


def no_key_frame(folder):
    encode(folder / VIDEO.format(chunk_index=0, file_index=0, video_key=FRONT), range(12), {"g": "250"})


REFUSED = {
    "no key frame where an episode begins": (no_key_frame, "no key frame at 0.250 s, where episode 1 begins"),
    "a feature that is no number": (
        edit_json(paths.INFO, lambda i: i["features"].update(note={"dtype": "string", "shape": [1]})), "holds string"
    ),
    "half a video": (cut(VIDEO.format(chunk_index=0, file_index=0, video_key=FRONT), 0.5), "is damaged in episode 0"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_converted_is_refused_and_leaves_nothing(shared, tmp_path, what):
    damage, message = REFUSED[what]
    damage(shared)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(DatasetError, match=message):
        back(shared, tmp_path / "back")
    assert sorted(tmp_path.iterdir()) == before


def test_too_few_frames_are_refused(shared, tmp_path, monkeypatch):
    monkeypatch.setattr(cutting, "islice", lambda packets, count: [next(packets) for _ in range(count - 1)])
    with pytest.raises(DatasetError, match="not a frame for each of the 5 rows of episode 0"):
        back(shared, tmp_path / "back")


def test_other_numbers_are_refused(shared, tmp_path, monkeypatch):
    def slip(path, columns):
        columns["action"] = np.nextafter(columns["action"], 0)
        write_rows(path, columns)

    write_rows = to_v21.write_rows
    monkeypatch.setattr(to_v21, "write_rows", slip)
    with pytest.raises(Gr00tError, match=r"action of episode 0 was float32 .* and became other numbers"):
        back(shared, tmp_path / "back")
    assert not (tmp_path / "back").exists()


def test_nothing_is_converted_in_place_or_over_another(dataset, shared, tmp_path):
    with pytest.raises(ContractError, match="is there already"):
        back(shared, dataset)
    with pytest.raises(ContractError, match=r"lies in .*shared, which is not changed"):
        back(shared, shared / "v21")
    with pytest.raises(ContractError, match=r"is of v2\.1 already"):
        back(dataset, tmp_path / "back")


def test_leavings_of_a_kill_are_cleared_once_nobody_writes_there(shared, tmp_path):
    left = tmp_path / ".back.unfinished"
    (left / "result").mkdir(parents=True)
    (left / "result/old.parquet").write_text("half")
    lock = os.open(left, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    with pytest.raises(ContractError, match="Another process makes"):
        back(shared, tmp_path / "back")
    assert (left / "result/old.parquet").exists()
    os.close(lock)
    back(shared, tmp_path / "back")
    assert not left.exists()
    assert not list((tmp_path / "back").rglob("old.parquet"))
