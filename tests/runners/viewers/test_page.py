"""``viewer=page``: what the page tells, what it costs while nobody looks, and whom it does not answer."""

import io
import json
import urllib.error
import urllib.request

import numpy as np
import pytest
from PIL import Image

from groot_wrappers.errors import ContractError
from runners.episodes.plan import PlannedEpisode
from runners.recorders.recorder import RunInfo
from runners.statistics.stop_rule import StopRule
from runners.viewers import page
from runners.viewers.mosaic import mosaic
from runners.viewers.page import PageViewer
from tests.support.samples.rows import make_row, make_step, picture

SCRIPT = "<script>alert(1)</script>"
RED, BLUE = (220, 20, 20), (20, 20, 220)
PLAN = [PlannedEpisode(index, 7, SCRIPT) for index in range(4)]


@pytest.fixture
def viewer(tmp_path):
    viewer = PageViewer(port=0)
    viewer.on_run_start(RunInfo(tmp_path, {}, 20.0, "Toy-v0", stop=StopRule(PLAN, None)))
    viewer.url = f"http://127.0.0.1:{viewer._server.server_port}"
    yield viewer
    viewer.on_run_end(None)


def get(viewer, path, **headers):
    request = urllib.request.Request(viewer.url + path, headers=headers)  # noqa: S310  # our own
    with urllib.request.urlopen(request, timeout=5) as reply:  # noqa: S310
        return reply.headers, reply.read()


def told(viewer):
    return json.loads(get(viewer, "/state")[1])


def seen(*colours):
    return {"video": {"camera": np.stack([picture(32, 48, colour, colour) for colour in colours])[:, None]}}


def test_page_tells_how_the_run_stands(viewer):
    assert told(viewer) | {"steps_per_second": 0} == {
        "task": "Toy-v0",
        "planned": 4,
        "done": 0,
        "success_rate": None,
        "ci_low": None,
        "ci_high": None,
        "latency_ms": None,
        "steps_per_second": 0,
        "picture": 0,
        "is_over": False,
        "envs": {},
    }
    viewer.on_episodes_start({0: PLAN[0], 1: PLAN[1]}, {})
    viewer.on_control_step(make_step({}, [True, True]))
    viewer.on_chunk([0, 1], {}, 0.0521)
    row = make_row(1, env=1, steps=1)
    viewer.on_row_written(row, [row])
    state = told(viewer)
    assert (state["done"], state["success_rate"], state["latency_ms"]) == (1, 1.0, 52.1)
    assert 0 < state["ci_low"] < state["ci_high"] <= 1
    assert state["envs"]["1"] == {
        "episode": 1,
        "step": 1,
        "instruction": SCRIPT,
        "last": "episode 1: success after 1 steps",
    }


def test_tried_again_episode_counts_once_as_it_ended_last(viewer):
    rows = [make_row(0, success=None, ended="error"), make_row(0, attempt=1)]
    viewer.on_episodes_start({0: PLAN[0]}, {})
    viewer.on_row_written(rows[-1], rows)
    assert (told(viewer)["done"], told(viewer)["success_rate"]) == (1, 1.0)


def test_picture_shows_all_envs_in_their_colours(viewer):
    get(viewer, "/view.jpg")
    viewer.on_beat(seen(RED, BLUE))
    headers, body = get(viewer, "/view.jpg?1")
    assert headers["Content-Type"] == "image/jpeg"
    pixels = np.asarray(Image.open(io.BytesIO(body))).astype(int)
    for env_id, colour in enumerate((RED, BLUE)):
        top = mosaic(seen(RED, BLUE)["video"])
        height, width = (top.shape[0], 48) if top.shape[0] == 32 else (32, 48)
        left, row = (env_id * width, 0) if top.shape[0] == 32 else (0, env_id * height)
        assert np.abs(pixels[row + height // 2, left + width // 2] - colour).max() < 24


def test_nothing_is_drawn_or_encoded_while_nobody_looks(viewer, monkeypatch):
    monkeypatch.setattr(page, "mosaic", lambda video: pytest.fail("drawn"))
    monkeypatch.setattr(page, "as_jpeg", lambda picture: pytest.fail("encoded"))
    told(viewer)
    viewer.on_beat(seen(RED))
    assert told(viewer)["picture"] == 0


def test_picture_is_encoded_once_however_many_look(viewer, monkeypatch):
    encoded = []
    monkeypatch.setattr(page, "as_jpeg", lambda picture: encoded.append(1) or b"jpeg")
    get(viewer, "/view.jpg")
    viewer.on_beat(seen(RED))
    assert [get(viewer, "/view.jpg")[1] for _ in range(3)] == [b"jpeg"] * 3
    assert len(encoded) == 1


@pytest.mark.parametrize("name", ["evil.example", "evil.example:8090", "127.0.0.1.evil.example", ""])
def test_foreign_names_are_refused(viewer, name):
    for path in ("/", "/state", "/view.jpg"):
        with pytest.raises(urllib.error.HTTPError, match="403"):
            get(viewer, path, Host=name)


@pytest.mark.parametrize("name", ["localhost:9000", "127.0.0.1", "[::1]:8090", "LOCALHOST"])
def test_own_names_are_answered_on_any_port_as_behind_ssh(viewer, name):
    assert get(viewer, "/state", Host=name)[0]["Cache-Control"] == "no-store"


def test_foreign_text_is_never_markup(viewer):
    headers, body = get(viewer, "/")
    assert b"innerHTML" not in body
    assert "default-src 'self'" in headers["Content-Security-Policy"]


def test_unknown_paths_are_not_found(viewer):
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get(viewer, "/../../etc/passwd")


def test_listens_to_this_machine_alone_and_elsewhere_where_the_port_is_taken(viewer, tmp_path, capsys):
    assert viewer._server.server_address[0] == "127.0.0.1"
    other = PageViewer(port=viewer._server.server_port)
    other.on_run_start(RunInfo(tmp_path, {}, 20.0, "Toy-v0", stop=StopRule(PLAN, None)))
    port = other._server.server_port
    other.on_run_end(None)
    assert port != viewer._server.server_port
    assert f"http://127.0.0.1:{port}  (from elsewhere: ssh -L {port}:127.0.0.1:{port}" in capsys.readouterr().err


def test_port_that_is_none_is_refused():
    with pytest.raises(ContractError, match=r"viewer\.port=70000 was asked for"):
        PageViewer(port=70000)


def test_rows_are_the_same_with_and_without_it(play):
    def rows(*recorders):
        played = play(2, 5, recorders=recorders)
        return [(row.index, row.seed, row.success, row.ended, row.steps, row.episode_return) for row in played.rows]

    assert rows(PageViewer(port=0)) == rows()
