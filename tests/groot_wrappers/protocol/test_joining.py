"""Several clients of one policy that allows it: their requests are one batch, and nobody suffers from a neighbour."""

import signal
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
import zmq

from groot_wrappers.errors import ContractError
from groot_wrappers.protocol import joining
from groot_wrappers.protocol.answers import Question, Request
from groot_wrappers.protocol.joining import MOST_OF_ONE, Waiting, WaitingLine
from groot_wrappers.protocol.server import PolicyServer
from groot_wrappers.protocol.wire.codec import Dialect, pack, unpack
from tests.support.servers.policies import LANGUAGE_KEY, JoiningPolicy, ToyPolicy, observation

PONG = {
    "status": "ok",
    "message": "Server is running",
    "policy": dict(JoiningPolicy.identity),
    "capabilities": list(JoiningPolicy.capabilities),
}


def asking(batch=4, pixel=7, *, text=None, seed=None, **options):
    seen = observation(batch, pixel)
    if text is not None:
        seen["language"][LANGUAGE_KEY] = [[text]] * batch
    if seed is not None:
        options["row_noise"] = np.array([[seed, row] for row in range(batch)])
    return {"endpoint": "get_action", "data": {"observation": seen, "options": options}}


class Raw:
    """A client that sends what it likes, when it likes; the server has read a request once it answers a ping."""

    def __init__(self, context, port):
        self.socket = context.socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.rcvtimeo = 10_000
        self.socket.connect(f"tcp://127.0.0.1:{port}")

    def send(self, message):
        frame = message if isinstance(message, bytes) else pack(message, Dialect.msgpack_numpy)
        self.socket.send_multipart([b"", frame])

    def receive(self):
        return unpack(self.socket.recv_multipart()[-1])[0]

    def let_wait(self, message):
        """Send a request while the policy is busy, and return once it waits."""
        self.send(message)
        self.send({"endpoint": "ping"})
        assert self.receive() == PONG
        return self


@pytest.fixture
def raw():
    with zmq.Context() as context:
        yield lambda server: Raw(context, server.port)
        context.destroy(linger=0)


@pytest.fixture
def held(serve, raw):
    """A server whose policy is at work for a client of its own; ``release`` lets it answer what waits by then."""
    policy = JoiningPolicy()
    policy.may_answer.clear()
    server = serve(policy, allow_kill=True)
    first = raw(server)
    first.let_wait(asking(1))
    assert policy.is_asked.wait(10)

    def release():
        policy.may_answer.set()
        assert first.receive()[1] == {"rows": 1}

    server.policy, server.release = policy, release
    yield server
    policy.may_answer.set()


def chunk(reply, *, client, text, seed=None):
    """Check that a reply is that of the request of this client alone."""
    action, _ = reply
    assert action["arm"].shape == (4, 3, 7)
    assert (action["arm"][:, :, 0] == client).all()
    assert (action["arm"][:, :, 1] == len(text)).all()
    noise = [[-1, -1]] * 4 if seed is None else [[seed, row] for row in range(4)]
    assert action["arm"][:, 0, 2:4].tolist() == noise
    return True


def test_four_clients_of_four_make_one_batch_of_sixteen(held, raw):
    texts = ["lift", "push it", "open the drawer", "x"]
    clients = [raw(held).let_wait(asking(4, index, text=text, seed=10 + index)) for index, text in enumerate(texts)]
    held.release()
    for index, (client, text) in enumerate(zip(clients, texts, strict=True)):
        reply = client.receive()
        assert chunk(reply, client=index, text=text, seed=10 + index)
        assert reply[1] == {"rows": 16}
    assert held.policy.asked[1:] == [[text for text in texts for _ in range(4)]]


@pytest.mark.slow
def test_a_batch_is_no_larger_than_the_policy_is_ready_for(held, raw):
    clients = [raw(held).let_wait(asking(batch, text=str(batch))) for batch in (4, 20, 8, 4, 4)]
    held.release()
    replies = [client.receive()[1]["rows"] for client in clients]
    assert replies == [16, 20, 16, 16, 4]
    assert [len(texts) for texts in held.policy.asked[1:]] == [16, 20, 4]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("one", "other"),
    [
        (asking(sleep=0), asking()),
        (asking(sleep=0), asking(sleep=0.001)),
        (asking(seed=3), asking()),
        (asking(), asking() | {"data": {"observation": observation(4)}}),
    ],
    ids=["option", "value", "noise", "none"],
)
def test_requests_of_other_options_are_asked_apart(held, raw, one, other):
    clients = [raw(held).let_wait(message) for message in (one, other, one, other)]
    held.release()
    assert [client.receive()[1]["rows"] for client in clients] == [8, 8, 8, 8]


@pytest.mark.slow
def test_requests_of_other_shapes_or_with_more_than_is_wanted_are_asked_apart(held, raw):
    larger, more = asking(), asking()
    larger["data"]["observation"]["video"]["front"] = np.zeros((4, 2, 8, 8, 3), np.uint8)
    more["data"]["observation"]["state"]["extra"] = np.zeros((4, 1, 1), np.float32)
    clients = [raw(held).let_wait(message) for message in (asking(), larger, more, more, asking())]
    held.release()
    assert [client.receive()[1]["rows"] for client in clients] == [8, 4, 4, 4, 8]


def test_the_guilty_one_of_a_joined_call_gets_the_error_alone(held, raw):
    texts = ["a", "fail", "b"]
    clients = [raw(held).let_wait(asking(4, index, text=text)) for index, text in enumerate(texts)]
    held.release()
    assert clients[1].receive() == {"error": "ValueError: no plan"}
    assert chunk(clients[0].receive(), client=0, text="a")
    assert chunk(clients[2].receive(), client=2, text="b")
    assert [len(texts) for texts in held.policy.asked[1:]] == [12, 4, 4, 4]


def test_what_is_refused_is_so_at_once_and_beside_good_ones(held, raw):
    good = raw(held).let_wait(asking(text="good"))
    wrong = asking()
    wrong["data"]["observation"]["state"]["arm"] = np.zeros((4, 1, 7))
    few = asking()
    few["data"]["options"] = {"row_noise": np.zeros((3, 2), np.int64)}
    for message, told in (
        (wrong, "np.float32. Got float64"),
        (few, "the option 'row_noise' must be int64 (4, 2), .* Got int64 (3, 2)"),
        (b"\xc1", "tag 0xc1"),
        ({"endpoint": "get_acton"}, "Unknown endpoint"),
    ):
        bad = raw(held)
        bad.send(message)
        error = bad.receive()["error"]  # while the policy is at work
        assert all(part in error for part in told.split(".*"))
    held.release()
    assert chunk(good.receive(), client=7, text="good")


def test_a_client_that_dies_in_a_joined_batch_takes_no_reply_from_the_others(held, raw):
    clients = [raw(held).let_wait(asking(4, index, text="lift")) for index in range(3)]
    clients[1].socket.close()
    held.release()
    assert chunk(clients[0].receive(), client=0, text="lift")
    assert chunk(clients[2].receive(), client=2, text="lift")


@pytest.mark.slow
def test_a_client_that_sends_without_end_is_refused_its_surplus(held, raw):
    flood, good = raw(held), raw(held).let_wait(asking(text="good"))
    for _ in range(MOST_OF_ONE + 2):
        flood.send(asking())
    assert [flood.receive()["error"][:22] for _ in range(2)] == ["4 requests of this cli"] * 2
    held.release()
    assert chunk(good.receive(), client=7, text="good")
    assert all(isinstance(flood.receive(), list) for _ in range(MOST_OF_ONE))


def test_a_reset_keeps_its_place(held, raw):
    before = raw(held).let_wait(asking(text="before"))
    reset = raw(held).let_wait({"endpoint": "reset", "data": {"options": {"x": 1}}})
    after = raw(held).let_wait(asking(text="after"))
    held.release()
    assert reset.receive() == {"options": {"x": 1}}
    assert [client.receive()[1]["rows"] for client in (before, after)] == [4, 4]


@pytest.mark.slow
def test_what_waited_before_a_kill_is_answered(held, raw):
    before = raw(held).let_wait(asking(text="before"))
    kill = raw(held).let_wait({"endpoint": "kill"})
    held.release()
    assert chunk(before.receive(), client=7, text="before")
    assert kill.receive() is None


@pytest.mark.slow
def test_answers_are_those_of_clients_that_ask_alone(serve, connect):
    """Through real clients, all at the same time, again and again."""
    server = serve(JoiningPolicy())
    failures = []

    def play(index):
        client = connect(server.port)
        for number in range(20):
            noise = np.array([[index, number]] * 2)
            action, _ = client.get_action(observation(2, index), {"row_noise": noise})
            if not (action["arm"][:, :, :4:2] == index).all() or not (action["arm"][:, :, 3] == number).all():
                failures.append((index, number))

    threads = [threading.Thread(target=play, args=(index,)) for index in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not failures


@pytest.mark.slow
def test_requests_in_flat_form_are_joined_and_parted_too(serve, connect):
    policy = JoiningPolicy()
    server = serve(policy, observation_form="flat")
    policy.may_answer.clear()
    clients = [connect(server.port, observation_form="flat") for _ in range(3)]
    answers = {}

    def ask(index):
        answers[index] = clients[index].get_action(observation(2, index))

    threads = [threading.Thread(target=ask, args=(index,)) for index in range(3)]
    for thread in threads:
        thread.start()
    policy.may_answer.set()
    for thread in threads:
        thread.join(10)
    assert all((answers[index][0]["arm"][:, :, 0] == index).all() for index in range(3))


@pytest.mark.slow
def test_a_policy_that_says_nothing_is_asked_one_request_after_another(serve, raw):
    server = serve(ToyPolicy())
    clients = [raw(server) for _ in range(3)]
    for client in clients:
        client.send(asking(sleep=0.05))
    replies = [client.receive()[1] for client in clients]
    assert sorted(reply["calls"] for reply in replies) == [1, 2, 3]
    assert {len(reply["saw"]) for reply in replies} == {4}
    names = {thread.name for thread in threading.enumerate()}
    assert "reads requests" not in names, "and by the thread that serves"


@pytest.mark.slow
def test_the_policy_is_asked_in_the_thread_that_serves(serve, connect):
    threads = []

    class Where(JoiningPolicy):
        def get_action(self, observation, options):
            threads.append(threading.current_thread().name)
            return super().get_action(observation, options)

    connect(serve(Where()).port).get_action(observation())
    assert "serve_forever" in threads[0]


class TestTime:
    """A call takes as long for many rows as for few, as on a GPU that is not full."""

    CALL_S = 0.05

    @classmethod
    def played_s(cls, serve, connect, policy, *, clients, requests):
        """Return how long clients take that all ask again and again."""
        server = serve(policy)
        connected = [connect(server.port, timeout_s=20) for _ in range(clients)]
        for client in connected:
            client.get_action(observation(4))

        def ask(client):
            for _ in range(requests):
                client.get_action(observation(4), {"sleep": cls.CALL_S})

        threads = [threading.Thread(target=ask, args=(client,)) for client in connected]
        start = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        return time.monotonic() - start

    @pytest.mark.timing
    def test_of_several_clients_is_hardly_more_than_that_of_one(self, serve, connect):
        in_turns = self.played_s(serve, connect, ToyPolicy(), clients=4, requests=5)
        together = self.played_s(serve, connect, JoiningPolicy(), clients=4, requests=5)
        assert together < 0.5 * in_turns, (together, in_turns)

    @pytest.mark.timing
    def test_of_a_single_client_is_what_it_was(self, serve, connect):
        alone = [self.played_s(serve, connect, made(), clients=1, requests=10) for made in (ToyPolicy, JoiningPolicy)]
        assert alone[1] < 1.1 * alone[0], alone


@pytest.mark.process
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_a_server_that_has_clients(server_process, raw, number, code):
    server = server_process(policy="joining")
    client = raw(server)
    client.let_wait(asking(sleep=0.2))
    server.process.send_signal(number)
    assert server.process.wait(10) == code


@pytest.mark.process
def test_clients_of_a_server_that_dies_learn_it(server_process, connect, raw):
    from groot_wrappers.errors import ServerUnreachableError

    server = server_process(policy="joining")
    client = connect(server.port)
    client.wait_until_ready()
    raw(server).let_wait(asking(text="exit", sleep=0.1))
    with pytest.raises(ServerUnreachableError, match="broke off get_action"):
        client.get_action(observation())


@pytest.mark.parametrize(
    ("attributes", "told"),
    [
        ({"batch_sizes": None}, r"its batch_sizes must be ascending ints, such as \(1, 4, 16\). Got None"),
        ({"batch_sizes": ()}, "must be ascending ints"),
        ({"batch_sizes": (4, 1)}, "must be ascending ints"),
        ({"batch_sizes": (True, 4)}, "must be ascending ints"),
        ({"capabilities": "joined_batches"}, "capabilities must be a tuple of names; got 'joined_batches'"),
        ({"capabilities": (1,)}, "1 is no name of 1 to 64 characters"),
        ({"identity": "toy"}, "identity must be a flat dict of str to .*; got 'toy'"),
        ({"identity": {"a": {"b": 1}}}, "'a' is dict"),
        ({"identity": {"a": np.int64(1)}}, "'a' is int64"),
        ({"identity": {"a": float("nan")}}, "'a' is nan"),
        ({"identity": {"a": 10**400}}, "'a' takes more than 64 bits"),
        ({"identity": {"a": "x" * 2000}}, "'a' has 2000 characters, more than 1024"),
        ({"identity": {"": 1}}, "a key is '', which is no name"),
        ({"identity": {str(index): 1 for index in range(100)}}, "it has 100 fields, more than 64"),
    ],
    ids=str,
)
def test_a_policy_that_says_what_cannot_be_is_not_served(attributes, told):
    policy = type("Odd", (JoiningPolicy,), attributes)()
    with pytest.raises(ContractError, match=told):
        PolicyServer(policy, port=0)


class TestWaitingLine:
    """Which requests are taken, and how long the first one waits: by events, not by the clock."""

    @staticmethod
    def question(client, rows=4, kind="a"):
        return Waiting([client, b""], Request("get_action", Question({}, None, rows)), kind)

    def test_a_single_client_never_waits(self):
        line = WaitingLine(16, window_s=60)
        for _ in range(3):
            line.put(self.question(b"one"))
            assert len(line.take(0)) == 1

    def test_the_first_waits_until_all_that_asked_lately_are_there(self):
        line = WaitingLine(16, window_s=60)
        for client in (b"one", b"two"):
            line.put(self.question(client))
        assert len(line.take(0)) == 2
        line.put(self.question(b"one"))
        taken = []
        taker = threading.Thread(target=lambda: taken.extend(line.take(0)))
        taker.start()
        taker.join(0.05)
        assert taker.is_alive()
        line.put(self.question(b"two"))
        taker.join(10)
        assert len(taken) == 2

    def test_what_waited_while_the_policy_worked_waits_for_a_client_that_asks_again_at_once(self, monkeypatch):
        now = SimpleNamespace(s=0.0)
        monkeypatch.setattr(joining, "time", SimpleNamespace(monotonic=lambda: now.s))
        line = WaitingLine(16, window_s=1, lately_s=100)

        def put(client):
            line.put(Waiting([client, b""], self.question(client).request, "a", now.s))

        put(b"one")
        assert len(line.take(0)) == 1
        for client in (b"two", b"one"):  # in turns: each asks while the other one is worked for
            put(client)
            now.s += 10
            assert len(line.take(0)) == 1, "it is not known yet to ask again at once"
        put(b"two")
        now.s += 10
        taken = []
        taker = threading.Thread(target=lambda: taken.extend(line.take(0)))
        taker.start()
        taker.join(0.05)
        assert taker.is_alive(), "the answer to the other one is just out"
        put(b"one")
        taker.join(10)
        assert len(taken) == 2

    def test_nobody_waits_for_one_that_has_asked_long_ago_or_once_the_window_is_over(self):
        for settings in ({"window_s": 60, "lately_s": 0.01}, {"window_s": 0.01}):
            line = WaitingLine(16, **settings)
            line.put(self.question(b"one"))
            line.put(self.question(b"two"))
            assert len(line.take(0)) == 2
            time.sleep(0.02)
            line.put(self.question(b"one"))
            assert len(line.take(0)) == 1

    def test_a_full_batch_and_what_is_asked_alone_do_not_wait(self):
        for rows, kind in ((16, "a"), (4, None)):
            line = WaitingLine(16, window_s=60)
            line.put(self.question(b"two"))
            line.put(self.question(b"one"))
            line.take(0)
            line.put(self.question(b"one", rows, kind))
            assert len(line.take(0)) == 1

    def test_nothing_comes_where_nothing_waits(self):
        assert WaitingLine(16).take(0) == []
