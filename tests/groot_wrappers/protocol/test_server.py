"""The server as a raw socket meets it: what it answers, what it refuses, and that nothing ends it."""

import logging
import signal
import threading
import time

import msgpack
import numpy as np
import pytest
import zmq

from groot_wrappers.errors import ContractError, Gr00tError
from groot_wrappers.modality import ModalityConfig
from groot_wrappers.protocol.flat_form import flatten_observation
from groot_wrappers.protocol.server import PolicyServer
from groot_wrappers.protocol.wire.codec import Dialect, pack, unpack
from tests.support import golden_frames
from tests.support.servers.fixtures import free_port
from tests.support.servers.policies import LANGUAGE_KEY, ToyPolicy, observation

PING = {"endpoint": "ping"}
ALIVE = {"status": "ok", "message": "Server is running"}


@pytest.fixture
def talk():
    """Send raw frames and read the reply, as REQ or another socket."""
    context = zmq.Context()

    def ask(server, *frames, kind=zmq.REQ):
        with context.socket(kind) as socket:
            socket.linger = 0
            socket.rcvtimeo = 5000
            socket.connect(f"tcp://127.0.0.1:{server.port}")
            socket.send_multipart(frames)
            return unpack(socket.recv_multipart()[-1])[0]

    yield ask
    context.destroy(linger=0)


@pytest.fixture
def say(talk):
    """Send a message in the server's dialect."""

    def ask(server, message, dialect=Dialect.msgpack_numpy):
        return talk(server, pack(message, dialect))

    return ask


def asking(seen=None, **options):
    return {
        "endpoint": "get_action",
        "data": {"observation": observation() if seen is None else seen, "options": options},
    }


class TestEndpoints:
    def test_are_those_of_the_real_server(self, serve, say):
        server = serve(allow_kill=True)
        assert say(server, PING) == ALIVE
        assert say(server, {"endpoint": "get_modality_config"}) == ToyPolicy().get_modality_config()
        action, info = say(server, asking())
        assert action["arm"].shape == (2, 3, 7)
        assert info == {"calls": 1, "saw": observation()["language"][LANGUAGE_KEY]}
        assert say(server, {"data": asking()["data"]})[1]["calls"] == 2
        assert say(server, {"endpoint": "reset", "data": {"options": {"step_index": 3}}}) == {
            "options": {"step_index": 3}
        }
        assert say(server, {"endpoint": "reset"}) == {"options": None}
        assert say(server, {"endpoint": "kill"}) is None

    def test_that_are_unknown_are_told_with_those_known(self, serve, say):
        known = "This server has: get_action, get_modality_config, kill, ping, reset"
        server = serve()
        assert say(server, {"endpoint": "get_acton"})["error"] == f"Unknown endpoint: 'get_acton'. {known}"
        assert say(server, {"endpoint": ["x"]})["error"] == f"Unknown endpoint: ['x']. {known}"

    def test_kill_is_refused_unless_allowed(self, serve, say):
        server = serve()
        assert "kill is refused" in say(server, {"endpoint": "kill"})["error"]
        assert say(server, PING) == ALIVE

    @pytest.mark.parametrize("dialect", Dialect)
    @pytest.mark.parametrize("form", ["nested", "flat"])
    def test_golden_requests_get_golden_replies(self, serve, talk, dialect, form):
        class Golden(ToyPolicy):
            def get_modality_config(self):
                return {key: ModalityConfig.from_json(config) for key, config in golden_frames.configs().items()}

            def get_action(self, observation, options):
                chunk = {"joint_position": golden_frames.action(7), "gripper_position": golden_frames.action(1)}
                return chunk, {"step": np.int64(7)}

        server = serve(Golden(), dialect=dialect, observation_form=form)
        name = f"{dialect}_{form}"
        with zmq.Context() as context, context.socket(zmq.REQ) as socket:
            socket.rcvtimeo = 5000
            socket.connect(f"tcp://127.0.0.1:{server.port}")
            for request, reply in (
                ((golden_frames.DATA / f"{name}_request.bin").read_bytes(), f"{name}_reply.bin"),
                (pack({"endpoint": "get_modality_config"}, dialect), f"{dialect}_modality_config.bin"),
            ):
                socket.send(request)
                assert socket.recv() == (golden_frames.DATA / reply).read_bytes()


class TestObservations:
    def test_of_the_wrong_form_are_told_as_the_real_server_does(self, serve, say):
        flat = flatten_observation(observation(), ToyPolicy().get_modality_config())
        assert say(serve(), asking(flat))["error"].startswith("Observation must contain a 'video' key")
        server = serve(observation_form="flat")
        assert say(server, asking())["error"].startswith("Video key 'video.front' must be in observation")
        assert list(say(server, asking(flat))[0]) == ["action.arm", "action.gripper", "action.extra"]

    def test_need_every_language_key_as_on_the_real_server(self, serve, say):
        class Two(ToyPolicy):
            def get_modality_config(self):
                return super().get_modality_config() | {"language": ModalityConfig((0,), (LANGUAGE_KEY, "task"))}

        one = observation()
        assert "Language key 'task' must be in observation" in say(serve(Two()), asking(one))["error"]
        both = one | {"language": {LANGUAGE_KEY: [["a"], ["b"]], "task": [["a"], ["b"]]}}
        assert say(serve(Two()), asking(both))[1]["saw"] == [["a"], ["b"]]
        flat = flatten_observation(both, Two().get_modality_config())
        flat["annotation.human.coarse_action"] = flat.pop("task")
        assert say(serve(Two(), observation_form="flat"), asking(flat))[1]["saw"] == [["a"], ["b"]]

    def test_are_checked(self, serve, say):
        server = serve()
        wrong = observation()
        wrong["state"]["arm"] = np.zeros((2, 1, 7))
        assert "np.float32. Got float64" in say(server, asking(wrong))["error"]
        assert "'observation' must be a map, got a list" in say(server, asking([]))["error"]
        assert "'observation' must be a map, got a NoneType" in say(server, {"endpoint": "get_action"})["error"]
        assert "'data' of get_action must be a map" in say(server, {"endpoint": "get_action", "data": 3})["error"]
        for endpoint in ("get_action", "reset"):
            data = {"observation": observation()} if endpoint == "get_action" else {}
            for extra, told in (({"more": 1}, "as data, got"), ({"options": 1}, "'options' must be a map or nil")):
                assert told in say(server, {"endpoint": endpoint, "data": data | extra})["error"]
        assert say(server, PING) == ALIVE

    def test_in_the_other_dialect_are_refused_naming_both(self, serve, say):
        told = say(serve(), asking(), Dialect.npy)["error"]
        assert "in the dialect 'npy' (N1.6, first N1.7)" in told
        assert "this server speaks 'msgpack_numpy' (N1.7 since May 2026)" in told
        assert "dialect=msgpack_numpy" in say(serve(dialect=Dialect.npy), asking())["error"]


class TestPolicies:
    @pytest.mark.parametrize(
        ("options", "told"),
        [
            ({"fail": "value", "why": "no plan"}, "ValueError: no plan"),
            ({"fail": "assertion"}, "AssertionError: "),
            ({"fail": "value", "why": "x" * 5000}, "ValueError: xxx"),
            ({"dtype": "float64"}, "the policy's action is not what its modality config promises: Action key 'arm'"),
            ({"horizon": 2}, "Action key 'arm' must have horizon 3"),
            ({"batch": 1}, "Action key 'arm' must have batch size 2"),
            ({"drop": "gripper"}, "Action key 'gripper' must be in action"),
            ({"return": "nothing"}, r"must return (action, info), got a NoneType"),
            ({"return": "list"}, r"must return (action, info), got a list"),
            ({"return": "unsendable"}, "message[1].x is a object, which cannot be sent"),
        ],
        ids=str,
    )
    def test_that_fail_are_told_and_served_on(self, serve, say, options, told):
        server = serve()
        reply = say(server, asking(**options))
        assert list(reply) == ["error"]
        assert told in reply["error"]
        assert "Traceback" not in reply["error"]
        assert say(server, asking())[1]["calls"] == 2

    @pytest.mark.parametrize("dialect", Dialect)
    def test_that_tell_texts_in_arrays_are_sent_as_lists_of_str(self, serve, say, dialect):
        told = {
            "names": np.array([["a", "bc"]]),
            "bytes": np.array([b"x", "é".encode()]),
            "objects": np.array(["lift", None, 3, np.array(["in"])], object),
            "nested": [{"one": np.array("text")}],
            "numbers": np.arange(3),
            "plain": [b"\xff", "x", 0.5, None],
        }
        seen = told | {
            "names": [["a", "bc"]],
            "bytes": ["x", "é"],
            "objects": ["lift", None, 3, ["in"]],
            "nested": [{"one": "text"}],
        }

        class Talkative(ToyPolicy):
            def get_action(self, observation, options):
                return super().get_action(observation, options)[0], told

            def reset(self, options):
                return told

        server = serve(Talkative(), dialect=dialect)
        for reply in (say(server, asking(), dialect)[1], say(server, {"endpoint": "reset"}, dialect)):
            assert repr(reply) == repr(seen)

    def test_that_say_unreadable_things_are_served_on(self, serve, say):
        class Rude(ToyPolicy):
            def reset(self, options):
                raise ValueError("\ud800")

        server = serve(Rude())
        assert say(server, {"endpoint": "reset"})["error"] == "ValueError: ?"

    def test_that_fail_leave_their_traceback_in_the_log(self, serve, say, caplog):
        with caplog.at_level(logging.INFO, "groot_wrappers.protocol.server"):
            say(serve(), asking(fail="value", why="no plan"))
        assert "Traceback" in caplog.text
        assert "no plan" in caplog.text

    def test_reset_must_return_a_dict(self, serve, say):
        class Silent(ToyPolicy):
            def reset(self, options):
                return None

        assert "reset must return a dict, got a NoneType" in say(serve(Silent()), {"endpoint": "reset"})["error"]

    def test_nan_is_passed_on(self, serve, say):
        assert np.isnan(say(serve(), asking(value=float("nan")))[0]["gripper"]).all()

    def test_without_configs_are_not_served(self):
        class Bare(ToyPolicy):
            def get_modality_config(self):
                return {}

        with pytest.raises(ContractError, match="must name an 'action'"):
            PolicyServer(Bare(), port=0)


class TestToken:
    def test_is_demanded_on_every_endpoint(self, serve, say):
        server = serve(api_token="s3cret", allow_kill=True)
        for endpoint in ("ping", "get_modality_config", "get_action", "reset", "kill", "nonsense"):
            for extra in (
                {},
                {"api_token": "wrong"},
                {"api_token": None},
                {"api_token": b"s3cret"},
                {"api_token": "ü"},
            ):
                reply = say(server, {"endpoint": endpoint} | extra)
                assert reply == {"error": "Unauthorized: Invalid API token"}
        assert say(server, PING | {"api_token": "s3cret"}) == ALIVE

    def test_is_not_logged(self, serve, say, caplog):
        with caplog.at_level(logging.DEBUG):
            say(serve(api_token="s3cret"), PING | {"api_token": "s3cret", "endpoint": "x"})
        assert "s3cret" not in caplog.text

    def test_is_not_needed_where_none_is_set(self, serve, say):
        assert say(serve(), PING | {"api_token": "any"}) == ALIVE


class TestJunk:
    @pytest.mark.parametrize(
        ("frames", "told"),
        [
            ([b""], "cut short"),
            ([b"GET / HTTP/1.1"], "goes on for"),
            ([b"\xc1"], "tag 0xc1"),
            ([msgpack.packb([1, 2])], "must be a map with an 'endpoint', got a list"),
            ([msgpack.packb(None)], "got a NoneType"),
            ([msgpack.packb(PING)] * 2, "must be one frame, got 2"),
            ([b"\x91" * 1000], "nested deeper"),
        ],
        ids=lambda value: value[0][:8].hex() if isinstance(value, list) else "",
    )
    def test_is_answered_and_survived(self, serve, talk, say, frames, told):
        server = serve()
        assert told in talk(server, *frames)["error"]
        assert say(server, PING) == ALIVE

    @pytest.mark.parametrize(
        "frames", [[b"x"], [b"", b"x"], [b"", b""], [b"a", b"b", b"", b"c"], [b""], [b"", b"", b""]]
    )
    def test_from_other_sockets_is_answered_and_survived(self, serve, talk, say, frames):
        server = serve()
        assert "error" in talk(server, *frames, kind=zmq.DEALER)
        assert say(server, PING) == ALIVE

    def test_that_is_too_large_is_dropped_and_survived(self, serve, say):
        server = serve(max_message_bytes=100_000)
        with zmq.Context() as context, context.socket(zmq.REQ) as socket:
            socket.linger = 0
            socket.connect(f"tcp://127.0.0.1:{server.port}")
            socket.send(bytes(1_000_000))
            assert not socket.poll(300)
            assert say(server, PING) == ALIVE

    def test_from_a_client_that_leaves_is_survived(self, serve, say):
        server = serve()
        for _ in range(20):
            with zmq.Context() as context, context.socket(zmq.REQ) as socket:
                socket.connect(f"tcp://127.0.0.1:{server.port}")
                socket.send(pack(asking(sleep=0.01), Dialect.msgpack_numpy))
                socket.linger = 20
        assert say(server, PING) == ALIVE


class TestListening:
    def test_is_on_this_machine_alone_unless_told(self, serve):
        server = serve()
        assert server.endpoint == f"tcp://127.0.0.1:{server.port}"
        assert serve(host="*").endpoint.startswith("tcp://0.0.0.0:")

    def test_on_a_taken_port_is_an_error_that_says_so(self, serve):
        port = serve().port
        with pytest.raises(
            Gr00tError, match=rf"cannot listen on tcp://127.0.0.1:{port}: Address.*in use.*another port"
        ):
            PolicyServer(ToyPolicy(), port=port)

    def test_on_a_host_that_nobody_knows_is_an_error_that_says_so(self):
        with pytest.raises(Gr00tError, match=r"'gpu-box.invalid' cannot be resolved: .* an address of this machine"):
            PolicyServer(ToyPolicy(), "gpu-box.invalid")

    @pytest.mark.parametrize(
        ("options", "told"),
        [
            ({"port": 65536}, "`port` must be a whole number from 0 to 65535, got 65536"),
            ({"port": True}, "`port` must be a whole number"),
            ({"host": "tcp://x"}, "`host` must be a bare name or address such as 10.0.0.7, got 'tcp://x'"),
            ({"observation_form": "deep"}, "must be one of nested, flat, got 'deep'"),
        ],
        ids=str,
    )
    def test_with_impossible_arguments_is_refused(self, options, told):
        with pytest.raises(Gr00tError, match=told):
            PolicyServer(ToyPolicy(), **options)

    def test_ends_with_stop_from_a_thread_and_frees_the_port(self):
        port = free_port()
        for _ in range(2):
            with PolicyServer(ToyPolicy(), port=port) as server:
                thread = threading.Thread(target=server.serve_forever, daemon=True)
                thread.start()
                thread.join(0.5)
                assert thread.is_alive()
                server.stop()
                thread.join(5)
                assert not thread.is_alive()
            server.close()

    def test_ends_with_an_allowed_kill(self, say):
        with PolicyServer(ToyPolicy(), port=0, allow_kill=True) as server:
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            assert say(server, {"endpoint": "kill"}) is None
            thread.join(5)
            assert not thread.is_alive()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_it_promptly(server_process, number, code):
    process = server_process().process
    time.sleep(0.1)
    process.send_signal(number)
    assert process.wait(10) == code
