"""What a policy says of itself in the reply to ping, as clients read and heed it."""

import logging

import numpy as np
import pytest
import zmq

from groot_wrappers.errors import ContractError, ServerError
from groot_wrappers.protocol.client_group import ClientGroup
from groot_wrappers.protocol.offer import PolicyOffer, offer_in
from groot_wrappers.protocol.wire.codec import Dialect, pack
from tests.support.servers.policies import JoiningPolicy, ToyPolicy, observation

ALIVE = {"status": "ok", "message": "Server is running"}
NOISE = np.array([[5, 0], [9, 3]])


class Seeded(JoiningPolicy):
    """Takes noise, one client at a time."""

    capabilities = ("row_noise",)


class Other(Seeded):
    """Is another policy."""

    identity = JoiningPolicy.identity | {"revision": 4}


class Unnamed(Seeded):
    """Does not say who it is."""

    identity = None


@pytest.mark.parametrize("dialect", Dialect)
def test_clients_learn_it(serve, connect, dialect):
    client = connect(serve(JoiningPolicy(), dialect=dialect).port)
    assert client.get_offer() == PolicyOffer(dict(JoiningPolicy.identity), ("row_noise", "joined_batches"))
    assert client.ping() == ALIVE | {
        "policy": dict(JoiningPolicy.identity),
        "capabilities": list(JoiningPolicy.capabilities),
    }


def test_reply_of_a_policy_that_says_nothing_is_that_of_the_real_server_to_the_byte(serve, connect):
    server = serve()
    with zmq.Context() as context, context.socket(zmq.REQ) as socket:
        socket.rcvtimeo = 5000
        socket.connect(f"tcp://127.0.0.1:{server.port}")
        socket.send(pack({"endpoint": "ping"}, Dialect.npy))
        assert socket.recv().hex() == ("82a6737461747573a26f6ba76d657373616765b1536572766572206973" + b" running".hex())
    assert connect(server.port).get_offer() == PolicyOffer()


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        ({"policy": "Gr00tPolicy", "capabilities": ["row_noise"]}, PolicyOffer({}, ("row_noise",))),
        ({"policy": {"a": [1]}, "capabilities": "row_noise"}, PolicyOffer()),
        ({"policy": {"a": 1, "b": {}}}, PolicyOffer()),
        ({"policy": {"a": "x" * 5000}}, PolicyOffer()),
        ({"policy": {f"{index}": 1 for index in range(100)}}, PolicyOffer()),
        ({"policy": {"a": float("inf")}}, PolicyOffer()),
        ({"policy": {"a": 2**64 - 1}}, PolicyOffer()),
        ({"capabilities": ["x" * 100]}, PolicyOffer()),
        ({"capabilities": ["x"] * 100}, PolicyOffer()),
        ({"capabilities": {"row_noise": 1}}, PolicyOffer()),
        ({"capabilities": [7]}, PolicyOffer()),
        ({"policy": {"a": True, "b": 0.5, "c": "d"}}, PolicyOffer({"a": True, "b": 0.5, "c": "d"})),
    ],
    ids=lambda value: f"{value!s:.60}",
)
def test_what_is_not_as_it_should_be_says_nothing(caplog, told, wanted):
    with caplog.at_level(logging.WARNING):
        assert offer_in(ALIVE | told) == wanted
    assert ("is left out" in caplog.text) == (wanted.identity != told.get("policy", {}) or "capabilities" in told)


def test_token_is_never_shown(scripted, connect):
    port, _ = scripted(ping=ALIVE | {"policy": {"call": "s3cret asks"}})
    assert connect(port, api_token="s3cret").get_offer().identity == {"call": "*** asks"}


@pytest.mark.slow
def test_another_policy_in_its_place_is_refused_with_what_differs(serve, connect):
    first = serve(Seeded(), allow_kill=True)
    client = connect(first.port)
    client.wait_until_ready()
    serve.end(first)
    second = serve(Other(), port=first.port, allow_kill=True)
    with pytest.raises(
        ContractError, match=r"(?s)came back with another policy:\n- revision: 3 before, 4 now\nIt must"
    ):
        client.wait_until_ready()
    client.kill()
    serve.end(second)
    serve(JoiningPolicy(), port=first.port)
    client.wait_until_ready()
    assert client.get_offer().capabilities == ("row_noise", "joined_batches"), "after a kill, it is a new one"


class TestRowNoise:
    @pytest.mark.parametrize("form", ["nested", "flat"])
    def test_goes_to_a_policy_that_takes_it(self, serve, connect, form):
        client = connect(serve(Seeded(), observation_form=form).port, observation_form=form)
        action, _ = client.get_action(observation(), {"sleep": 0}, row_noise=NOISE)
        assert action["arm"][:, 0, 2:4].tolist() == NOISE.tolist()

    @pytest.mark.slow
    def test_changes_no_byte_of_a_request_to_another_server(self, scripted, connect):
        port, requests = scripted(get_action={"error": "no"}, ping=ALIVE)
        sent = []
        for options in ({}, {"row_noise": NOISE}):
            client = connect(port)
            with pytest.raises(Exception, match="no"):
                client.get_action(observation(), **options)
            (asked,) = [request for request in requests if request["endpoint"] == "get_action"][-1:]
            sent.append(pack(asked, Dialect.npy))
        assert sent[0] == sent[1]

    def test_that_is_none_is_refused_on_either_side(self, serve, connect):
        client = connect(serve(Seeded()).port)
        wanted = r"the option 'row_noise' must be int64 \(2, 2\)"
        for noise in (NOISE[:1], NOISE[:, :1], NOISE.astype(np.int32), NOISE.astype(float), NOISE.tolist()):
            with pytest.raises(ContractError, match=wanted):
                client.get_action(observation(), row_noise=noise)
            with pytest.raises(ServerError, match=wanted):
                client.get_action(observation(), {"row_noise": noise})

    @pytest.mark.slow
    def test_is_an_option_like_any_other_to_a_policy_that_does_not_take_it(self, serve, connect):
        connect(serve(ToyPolicy()).port).get_action(observation(), {"row_noise": "mine"})


class TestGroups:
    @staticmethod
    def group(connect, *servers):
        return ClientGroup([connect(server.port) for server in servers])

    def test_split_the_noise_with_the_rows(self, serve, connect):
        policies = Seeded(), Seeded()
        with self.group(connect, *map(serve, policies)) as group:
            noise = np.array([[seed, 2 * seed] for seed in range(5)])
            action, _ = group.get_action(observation(5), row_noise=noise)
        assert action["arm"][:, 0, 2:4].tolist() == noise.tolist()
        assert [len(policy.asked[0]) for policy in policies] == [2, 3]

    @pytest.mark.slow
    def test_ask_for_the_rows_of_a_lost_server_with_their_own_noise(self, serve, connect):
        class Breaking(Seeded):
            def get_action(self, observation, options):
                raise RuntimeError("out of memory")

        with self.group(connect, serve(Breaking()), serve(Seeded())) as group:
            noise = np.array([[seed, 2 * seed] for seed in range(5)])
            action, _ = group.get_action(observation(5), row_noise=noise)
        assert action["arm"][:, 0, 2:4].tolist() == noise.tolist()

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("policies", "wanted"),
        [
            ((Seeded, JoiningPolicy), PolicyOffer(dict(JoiningPolicy.identity), ("row_noise",))),
            ((Seeded, ToyPolicy), PolicyOffer()),
            ((Seeded, Unnamed), PolicyOffer({}, ("row_noise",))),
            ((ToyPolicy, ToyPolicy), PolicyOffer()),
        ],
        ids=str,
    )
    def test_offer_what_all_of_them_do(self, serve, connect, policies, wanted):
        with self.group(connect, *(serve(policy()) for policy in policies)) as group:
            assert group.get_offer() == wanted

    def test_of_different_policies_are_refused(self, serve, connect):
        with (
            self.group(connect, serve(Seeded()), serve(Unnamed()), serve(Other())) as group,
            pytest.raises(ContractError, match=r"(?s)do not serve the same policy:\n- revision: 3 and 4\nAll of"),
        ):
            group.get_offer()
