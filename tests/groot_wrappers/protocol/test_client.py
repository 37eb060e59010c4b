"""The client: what it sends, what its calls cost, its token and its arguments."""

import logging

import numpy as np
import pytest

from groot_wrappers.errors import ContractError, Gr00tError, ProtocolError, ServerError, ServerUnreachableError
from groot_wrappers.protocol.client import PolicyClient
from groot_wrappers.protocol.wire.codec import Dialect, pack
from tests.support import golden_frames
from tests.support.servers.fixtures import free_port
from tests.support.servers.policies import LANGUAGE_KEY, ToyPolicy, observation


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
