"""The client and what comes back: errors, replies that do not fit, what policies add, older and other servers."""

import threading

import msgpack
import numpy as np
import pytest
import zmq

from groot_wrappers.errors import ContractError, ProtocolError, ServerError, ServerUnreachableError
from groot_wrappers.modality import ModalityConfig
from groot_wrappers.protocol.wire.codec import Dialect
from tests.groot_wrappers.protocol.wire.test_codec import NAIVE, pickled_npy
from tests.support import golden_frames
from tests.support.servers.fixtures import free_port
from tests.support.servers.policies import ToyPolicy, observation


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
