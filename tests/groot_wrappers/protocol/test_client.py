"""The client against our server, against servers that behave like NVIDIA's and against worse ones that answer."""

import contextlib
import logging
import threading

import msgpack
import numpy as np
import pytest
import zmq

from groot_wrappers.errors import ContractError, Gr00tError, ProtocolError, ServerError, ServerUnreachableError
from groot_wrappers.modality import ModalityConfig
from groot_wrappers.protocol.client import PolicyClient
from groot_wrappers.protocol.wire.codec import Dialect, pack, unpack
from tests.groot_wrappers.protocol.wire.test_codec import NAIVE, pickled_npy
from tests.support import golden_frames
from tests.support.servers.fixtures import free_port
from tests.support.servers.policies import LANGUAGE_KEY, ToyPolicy, observation


@pytest.fixture
def scripted():
    """A REP socket that gives ready-made replies, by endpoint; it keeps the requests."""
    with contextlib.ExitStack() as stack:

        def start(dialect=Dialect.npy, **replies):
            replies = {"get_modality_config": ToyPolicy().get_modality_config()} | replies
            context = stack.enter_context(zmq.Context())
            rep = context.socket(zmq.REP)
            rep.linger = 0
            port = rep.bind_to_random_port("tcp://127.0.0.1")
            requests = []
            done = threading.Event()

            def loop():
                while not done.is_set():
                    if rep.poll(20):
                        requests.append(unpack(rep.recv())[0])
                        reply = replies.get(requests[-1]["endpoint"], {"error": "not scripted"})
                        rep.send(reply if isinstance(reply, bytes) else pack(reply, dialect))
                rep.close()

            thread = threading.Thread(target=loop, daemon=True)
            thread.start()
            stack.callback(thread.join, 5)
            stack.callback(done.set)
            return port, requests

        yield start


class TestCalls:
    @pytest.mark.parametrize("dialect", Dialect)
    def test_send_each_its_own_pictures(self, scripted, connect, dialect):
        port, requests = scripted(dialect, get_action=[{}, {}])
        client = connect(port)
        sent = [np.full((batch, 2, 150, 150, 3), value, np.uint8) for value, batch in enumerate((2, 2, 1, 2))]
        for pictures in sent:
            with pytest.raises(ContractError, match="'arm' must be in action"):
                client.get_action(observation(len(pictures)) | {"video": {"front": pictures}})
        seen = [request["data"]["observation"]["video"]["front"] for request in requests if "data" in request]
        assert all(np.array_equal(*pair) for pair in zip(seen, sent, strict=True))

    @pytest.mark.parametrize("dialect", Dialect)
    @pytest.mark.parametrize("form", ["nested", "flat"])
    def test_work_in_both_dialects_and_forms(self, serve, connect, dialect, form):
        server = serve(dialect=dialect, observation_form=form)
        client = connect(server.port, observation_form=form)
        client.wait_until_ready()
        assert client.ping() == {"status": "ok", "message": "Server is running"}
        assert client.get_modality_config() == ToyPolicy().get_modality_config()
        action, info = client.get_action(observation(), {"value": 0.5})
        assert sorted(action) == ["arm", "extra", "gripper"]
        assert action["arm"].dtype == np.float32
        assert action["arm"].shape == (2, 3, 7)
        assert (action["gripper"] == 0.5).all()
        assert info["saw"] == observation()["language"][LANGUAGE_KEY]
        assert client.reset({"episode_index": 3}) == {"options": {"episode_index": 3}}
        assert client.reset() == {"options": None}

    def test_learn_the_dialect_before_the_first_action(self, serve, connect):
        client = connect(serve(dialect=Dialect.npy).port)
        assert client.get_action(observation())[1]["calls"] == 1

    def test_send_the_golden_requests(self, scripted, connect):
        reply = (golden_frames.DATA / "npy_flat_reply.bin").read_bytes()
        configs = (golden_frames.DATA / "npy_modality_config.bin").read_bytes()
        port, requests = scripted(get_modality_config=configs, get_action=reply)
        seen = {
            "video": {"wrist_image_left": golden_frames.video(), "not wanted": np.zeros(9)},
            "state": {"joint_position": golden_frames.state()},
            "language": {golden_frames.LANGUAGE_KEY: [[golden_frames.INSTRUCTION]] * 2},
        }
        action, info = connect(port, observation_form="flat").get_action(seen)
        assert list(action) == ["joint_position", "gripper_position"]
        assert info == {"step": 7}
        golden_request = (golden_frames.DATA / "npy_flat_request.bin").read_bytes()
        assert pack(requests[-1], Dialect.npy) == golden_request

    def test_ask_for_the_configs_once(self, scripted, connect):
        port, requests = scripted(reset={})
        client = connect(port)
        client.reset()
        client.get_modality_config()
        client.reset()
        assert [request["endpoint"] for request in requests] == ["get_modality_config", "reset", "reset"]
        assert requests[1] == {"endpoint": "reset", "data": {"options": None}}
        assert requests[0] == {"endpoint": "get_modality_config"}

    def test_return_actions_that_are_ours_to_change(self, serve, connect):
        action, _ = connect(serve().port).get_action(observation())
        action["arm"] += 1
        assert action["arm"].flags.owndata

    def test_read_a_lazy_observation_once_and_only_what_is_wanted(self, serve, connect):
        read = []

        class Lazy(dict):
            def __getitem__(self, key):
                read.append(key)
                return observation()[key]

        connect(serve().port).get_action(Lazy(video=None, state=None, language=None, depth=None))
        assert read == ["video", "state", "language"]

    def test_count_what_they_cost(self, serve, connect):
        client = connect(serve().port)
        client.ping()
        assert client.stats.calls == 0
        before = client.stats.bytes
        assert before > 0
        for batch in (1, 4):
            client.get_action(observation(batch), {"sleep": 0.05})
        with pytest.raises(ServerError):
            client.get_action(observation(), {"fail": "value"})
        assert (client.stats.calls, client.stats.observations) == (2, 5)
        assert client.stats.bytes > before + 5 * 96
        assert len(client.stats.latencies_s) == 2
        assert all(0.05 < latency < 5 for latency in client.stats.latencies_s)

    def test_kill_ends_the_server(self, server_process, connect):
        server = server_process(allow_kill=True)
        connect(server.port).kill()
        assert server.process.wait(5) == 0

    def test_kill_may_be_refused(self, serve, connect):
        with pytest.raises(ServerError, match="refused kill: kill is refused"):
            connect(serve().port).kill()


class TestWrongObservations:
    def test_are_not_sent(self, scripted, connect):
        port, requests = scripted()
        client = connect(port)
        wrong = observation()
        wrong["state"]["arm"] = np.zeros((2, 1, 7))
        with pytest.raises(ContractError, match=r"'arm' must be a numpy array of type np.float32\. Got float64"):
            client.get_action(wrong)
        with pytest.raises(ContractError, match="must contain a 'language' key"):
            client.get_action({name: observation()[name] for name in ("video", "state")})
        with pytest.raises(ContractError, match=r"observation\['video'\] must be a dict, got None"):
            client.get_action(observation() | {"video": None})
        with pytest.raises(ContractError, match=r"State key 'arm' must be in observation. Got \['arms', 'hand'\]"):
            client.get_action(observation() | {"state": {"arms": 1, "hand": 2}})
        with pytest.raises(ProtocolError, match=r"message.data.options.x is a set"):
            client.get_action(observation(), {"x": set()})
        assert len(requests) == 1


class TestErrorReplies:
    def test_leave_the_connection_usable(self, serve, connect):
        client = connect(serve().port)
        for calls in (1, 3):
            with pytest.raises(ServerError, match=r"at tcp://127\.0\.0\.1:\d+ refused get_action: ValueError: no plan"):
                client.get_action(observation(), {"fail": "value", "why": "no plan"})
            assert client.get_action(observation())[1]["calls"] == calls + 1

    @pytest.mark.parametrize(
        ("told", "form", "wanted"),
        [
            ("", "nested", r"it gave no reason \(an assertion without text\); its log holds the traceback"),
            (" ", "nested", "it gave no reason"),
            (None, "nested", "refused get_action: None"),
            ({"code": 3}, "nested", "{'code': 3}"),
            ("Observation must contain a 'video' key", "flat", "key.* `observation_form`=nested$"),
            ("Video key 'video.front' must be in observation", "nested", "tion.* `observation_form`=flat$"),
            ("State key 'state.arm' must be in observation", "nested", "`observation_form`=flat$"),
            # these are no matter of form
            ("Observation must contain a 'video' key", "nested", "key$"),
            ("Video key 'video.front' must be in observation", "flat", "observation$"),
            ("Video key 'front' must be in observation", "nested", "observation$"),
        ],
    )
    def test_are_put_into_words(self, scripted, connect, told, form, wanted):
        port, _ = scripted(get_action={"error": told})
        with pytest.raises(ServerError, match=wanted):
            connect(port, observation_form=form).get_action(observation())

    @pytest.mark.parametrize(("ours", "theirs"), [("nested", "flat"), ("flat", "nested")])
    def test_of_the_other_form_name_the_setting(self, serve, connect, ours, theirs):
        client = connect(serve(observation_form=theirs).port, observation_form=ours)
        with pytest.raises(ServerError, match=f"`observation_form`={theirs}"):
            client.get_action(observation())

    def test_of_a_server_in_another_dialect_after_a_restart_are_mended_by_asking_again(self, scripted, serve, connect):
        port = free_port()
        old = serve(port=port, dialect=Dialect.npy)
        client = connect(port)
        client.get_action(observation())
        serve.end(old)
        serve(port=port)
        with pytest.raises(ServerError, match=r"'npy'.*'msgpack_numpy'"):
            client.get_action(observation())
        client.get_action(observation())


class TestToken:
    secret = "s3cret-of-mine"

    def test_opens_the_server(self, serve, connect):
        client = connect(serve(api_token=self.secret).port, api_token=self.secret)
        client.wait_until_ready()
        client.get_action(observation())

    @pytest.mark.parametrize(
        ("token", "told"),
        [(None, "missing"), ("", "missing"), ("wrong", "not the one that the server was started with")],
    )
    def test_that_is_wrong_names_the_variable(self, serve, connect, token, told):
        client = connect(serve(api_token=self.secret).port, api_token=token)
        for call in (client.wait_until_ready, client.ping, client.get_modality_config, client.reset):
            with pytest.raises(ServerError, match=f"Unauthorized.*{told}.*`api_token`"):
                call()

    def test_is_sent_only_if_set(self, scripted, connect):
        port, requests = scripted(ping={"status": "ok"})
        connect(port).ping()
        connect(port, api_token=self.secret).ping()
        assert requests == [{"endpoint": "ping"}, {"endpoint": "ping", "api_token": self.secret}]

    def test_is_never_shown(self, scripted, connect, caplog):
        with caplog.at_level(logging.DEBUG):
            port, _ = scripted(ping={"error": f"bad request {{'api_token': '{self.secret}'}}"})
            client = connect(port, api_token=self.secret)
            with pytest.raises(ServerError, match=r"bad request .*\*\*\*") as refused:
                client.ping()
            nobody = connect(free_port(), api_token=self.secret, connect_timeout_s=0.1)
            with pytest.raises(ServerUnreachableError) as unreachable:
                nobody.wait_until_ready()
        for text in (str(refused.value), str(unreachable.value), repr(client), caplog.text):
            assert self.secret not in text


class TestReplies:
    @pytest.mark.parametrize(
        ("reply", "told"),
        [
            (b"ERROR", "not a message of the GR00T protocol: the message goes on for 4 bytes"),
            (b"", "not a message of the GR00T protocol"),
            (msgpack.packb({b"nd": True, b"type": "|O", b"kind": b"O", b"shape": [1], b"data": b"x"}), "pickled"),
            ({"arm": 3}, r"must answer get_action with \[action, info\], two dicts; got a dict.*N1.6"),
            (golden_frames.n1_5_reply(), r"got a dict, as GR00T N1.5 answers. GR00T N1.6 and later are supported"),
            ([{}, {}, {}], "got a list of 3"),
            ([{}, None], "got a list of 2"),
            ([{}, {}], "action that does not fit: Action key 'arm' must be in action"),
            ([{"arm": np.zeros((2, 3, 7))}, {}], "does not fit: .* np.float32. Got float64"),
            ([{"arm": np.zeros((1, 3, 7), np.float32)}, {}], "does not fit: .* batch size 2"),
        ],
        ids=lambda value: value[-24:] if isinstance(value, str) else "",
    )
    def test_that_do_not_fit_are_refused_naming_the_server(self, scripted, connect, reply, told):
        port, _ = scripted(get_action=reply, ping={"status": "ok"})
        client = connect(port)
        with pytest.raises(ContractError, match=told) as caught:
            client.get_action(observation())
        assert f"tcp://127.0.0.1:{port}" in str(caught.value)
        client.ping()

    @pytest.mark.parametrize("configs", [{}, {"state": {}}, [], {"state": ToyPolicy().get_modality_config()["state"]}])
    def test_without_modality_configs_are_refused(self, scripted, connect, configs):
        port, _ = scripted(get_modality_config=configs)
        with pytest.raises(ContractError, match="get_modality_config"):
            connect(port).get_action(observation())

    @pytest.mark.parametrize("reply", [3, {}, {"status": "bad"}, [{"status": "ok"}]])
    def test_to_ping_of_another_program_are_refused(self, scripted, connect, reply):
        port, _ = scripted(ping=reply)
        with pytest.raises(ProtocolError, match=r"not as a GR00T server does\. Check `host`"):
            connect(port).wait_until_ready()

    def test_to_reset_must_be_a_dict(self, scripted, connect):
        port, _ = scripted(reset=None)
        with pytest.raises(ContractError, match="must answer reset with a dict, got a NoneType"):
            connect(port).reset()

    def test_in_several_frames_are_refused(self, connect):
        with zmq.Context() as context, context.socket(zmq.REP) as rep:
            rep.linger = 0
            client = connect(rep.bind_to_random_port("tcp://127.0.0.1"))
            thread = threading.Thread(target=lambda: (rep.recv(), rep.send_multipart([b"a", b"b"])))
            thread.start()
            with pytest.raises(ProtocolError, match="in 2 frames"):
                client.ping()
            thread.join(5)

    def test_that_are_too_large_end_the_call(self, scripted, connect):
        port, _ = scripted(ping=bytes(100_000))
        with pytest.raises(ServerUnreachableError, match="a message was too large"):
            connect(port, max_message_bytes=10_000, timeout_s=2).ping()


ACTION = {"arm": np.zeros((2, 3, 7), np.float32), "gripper": np.zeros((2, 3, 1), np.float32)}


class TestInfo:
    @pytest.mark.parametrize("dialect", Dialect)
    def test_of_a_replay_server_comes_as_it_was_told(self, serve, connect, dialect):
        told = {"current_step": 16, "episode_length": 40, "episode_index": 3}

        class Replay(ToyPolicy):
            def get_action(self, observation, options):
                return super().get_action(observation, options)[0], told

            def reset(self, options):
                return told | {"current_step": (options or {}).get("step_index", 0)}

        client = connect(serve(Replay(), dialect=dialect).port)
        assert client.reset({"episode_index": 3, "step_index": 8}) == told | {"current_step": 8}
        info = client.get_action(observation())[1]
        assert info == told
        assert {type(value) for value in info.values()} == {int}

    @pytest.mark.parametrize("dialect", Dialect)
    def test_that_cannot_be_read_costs_no_action(self, scripted, connect, dialect):
        def reply(info):
            return msgpack.packb([ACTION, info], default=NAIVE[dialect])

        pickled = {
            Dialect.npy: pickled_npy(),
            Dialect.msgpack_numpy: {b"nd": True, b"type": "|O", b"kind": b"O", b"shape": [1], b"data": b"x"},
        }[dialect]
        info = {"names": np.array(["lift", "put"]), "raw": np.array([b"ab"]), "loss": np.ones(2), "deep": [pickled]}
        port, _ = scripted(get_action=reply(info))
        action, seen = connect(port).get_action(observation())
        assert action["arm"].shape == (2, 3, 7)
        assert (seen["names"], seen["raw"], seen["loss"].tolist()) == (["lift", "put"], ["ab"], [1.0, 1.0])
        assert "cannot be" in seen["deep"][0]

    @pytest.mark.parametrize(
        ("value", "told"),
        [
            (np.full((2, 3, 7), "x"), "Got list"),
            (np.zeros((2, 3, 7), "M8[s]"), "Got .an array of dtype datetime64.s. cannot be sent; only bools"),
        ],
        ids=["texts", "dates"],
    )
    def test_alone_may_hold_such_arrays(self, scripted, connect, value, told):
        reply = msgpack.packb([ACTION | {"arm": value}, {}], default=NAIVE[Dialect.npy])
        port, _ = scripted(get_action=reply)
        with pytest.raises(ContractError, match=f"Action key 'arm' must be a numpy array, .* {told}"):
            connect(port).get_action(observation())


class TestOlderServers:
    def test_are_told_by_their_modality_configs(self, scripted, connect):
        port, requests = scripted(get_modality_config=golden_frames.n1_5_modality_config(), ping={"status": "ok"})
        client = connect(port)
        client.wait_until_ready()
        for call in (client.get_modality_config, client.reset, lambda: client.get_action(observation())):
            with pytest.raises(ContractError, match=rf":{port} has .* GR00T N1.5 .* N1.6 and later are supported"):
                call()
        assert {request["endpoint"] for request in requests} == {"ping", "get_modality_config"}

    @pytest.mark.parametrize("endpoint", ["reset", "get_modality_config"])
    def test_are_told_by_what_they_lack(self, scripted, connect, endpoint):
        port, _ = scripted(**{endpoint: {"error": f"Unknown endpoint: {endpoint}"}})
        with pytest.raises(ServerError, match=f"refused {endpoint}: .*N1.5's .* GR00T N1.6 and later are supp"):
            connect(port).reset()

    def test_that_know_no_msgpack_are_told_by_their_error(self, scripted, connect):
        port, _ = scripted(ping=b"ERROR")
        with pytest.raises(ProtocolError, match=r"GR00T N1 answers so\. GR00T N1.6 and later are supported"):
            connect(port).wait_until_ready()

    def test_are_not_taken_for_one_whose_keys_have_dots(self, serve, connect):
        class Dotted(ToyPolicy):
            def get_modality_config(self):
                return super().get_modality_config() | {"state": ModalityConfig((0,), ("state.arm",))}

        assert connect(serve(Dotted()).port).get_modality_config()["state"].modality_keys == ("state.arm",)


class Renamed(ToyPolicy):
    """Calls the camera otherwise."""

    def get_modality_config(self):
        return super().get_modality_config() | {"video": ModalityConfig((-1, 0), ("back",))}


class TestAnotherServerInItsPlace:
    told = (
        r"(?s):{} came back with another modality config:\n- video: .*'front'.* before, .*'back'.* now\nIt must serve"
    )

    def test_is_told_by_what_differs(self, serve, connect):
        first = serve()
        client = connect(first.port)
        client.get_action(observation())
        serve.end(first)
        second = serve(Renamed(), port=first.port)
        with pytest.raises(ContractError, match=self.told.format(first.port)) as caught:
            client.get_action(observation())  # by the connection of before, which came back unseen
        assert "- state" not in str(caught.value)
        client.wait_until_ready()
        for call in (client.get_modality_config, client.reset):
            with pytest.raises(ContractError, match=self.told.format(first.port)):
                call()
        serve.end(second)
        serve(port=first.port)
        assert client.get_action(observation())[1]["calls"] == 1, "the right one is welcome again"

    def test_is_told_where_only_the_action_shows_it(self, serve, connect):
        class Shorter(ToyPolicy):
            def get_modality_config(self):
                return super().get_modality_config() | {"action": ModalityConfig((0, 1), ("arm", "gripper"))}

            def get_action(self, observation, options):
                action, info = super().get_action(observation, options)
                return {key: values[:, :2] for key, values in action.items() if key != "extra"}, info

        first = serve()
        client = connect(first.port)
        client.get_action(observation())
        serve.end(first)
        serve(Shorter(), port=first.port)
        with pytest.raises(ContractError, match=r"(?s)- action: .*\[0, 1, 2\].* before, .*\[0, 1\].* now"):
            client.get_action(observation())

    def test_is_a_new_one_after_kill(self, serve, connect):
        first = serve(allow_kill=True)
        client = connect(first.port)
        client.get_modality_config()
        client.kill()
        serve.end(first)
        serve(Renamed(), port=first.port)
        assert client.get_modality_config()["video"].modality_keys == ("back",)

    def test_leaves_the_error_that_has_another_cause(self, serve, connect):
        client = connect(serve().port)
        with pytest.raises(ServerError, match="no plan"):
            client.get_action(observation(), {"fail": "value", "why": "no plan"})


class TestArguments:
    @pytest.mark.parametrize(
        ("host", "endpoint"),
        [
            ("localhost", "tcp://localhost:5555"),
            ("10.0.0.7", "tcp://10.0.0.7:5555"),
            ("gpu_1.lab-2.example", "tcp://gpu_1.lab-2.example:5555"),
            ("::1", "tcp://[::1]:5555"),
            ("[fe80::2]", "tcp://[fe80::2]:5555"),
        ],
    )
    def test_make_the_endpoint(self, host, endpoint):
        with PolicyClient(host) as client:
            assert client.endpoint == endpoint
            assert repr(client) == f"PolicyClient('{endpoint}', observation_form='nested')"

    @pytest.mark.parametrize(
        "host",
        [
            "",
            "tcp://10.0.0.7",
            "tcp://10.0.0.7:5555",
            "10.0.0.7:5555",
            "a b",
            "a/b",
            "*",
            "[::1",
            "::g",
            None,
            7,
            "a;b",
            "-a",
        ],
    )
    def test_name_a_host_that_is_none(self, host):
        with pytest.raises(Gr00tError, match=r"`host` must be a bare name.*`host`=10.0.0.7 `port`=5555"):
            PolicyClient(host)

    @pytest.mark.parametrize("port", [0, -1, 65536, "5555", 55.0, None, True])
    def test_name_a_port_that_is_none(self, port):
        with pytest.raises(Gr00tError, match=r"`port` must be a whole number from 1 to 65535"):
            PolicyClient("localhost", port)

    @pytest.mark.parametrize(
        ("options", "told"),
        [
            ({"observation_form": "deep"}, "`observation_form` must be one of nested, flat, got 'deep'"),
            ({"timeout_s": 0}, "`timeout_s` must be positive and finite seconds, got 0"),
            ({"timeout_s": float("nan")}, "`timeout_s` must be positive"),
            ({"connect_timeout_s": float("inf")}, "`connect_timeout_s` must be positive and finite"),
        ],
        ids=str,
    )
    def test_are_checked(self, options, told):
        with pytest.raises(Gr00tError, match=told):
            PolicyClient(**options)

    def test_ipv6_reaches_a_server(self, serve, connect):
        try:
            server = serve(host="::1")
        except Gr00tError:
            pytest.skip("no IPv6 here")
        with PolicyClient("::1", server.port, connect_timeout_s=5) as client:
            client.wait_until_ready()
