"""The client where no reply comes: servers that load, hang, die or were never there, and the end of its own process."""

import gc
import http.server
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time

import pytest
import zmq

from groot_wrappers.errors import Gr00tError, ServerUnreachableError
from groot_wrappers.protocol.client import PolicyClient
from groot_wrappers.protocol.wire.codec import Dialect
from tests.support.servers.fixtures import free_port
from tests.support.servers.policies import observation


class TestWaiting:
    def test_for_nobody_ends_with_the_whole_story(self, connect):
        port = free_port()
        start = time.monotonic()
        with pytest.raises(ServerUnreachableError) as caught:
            connect(port, connect_timeout_s=0.5).wait_until_ready()
        assert 0.5 <= time.monotonic() - start < 5
        told = str(caught.value)
        assert told.startswith(f"Failed to connect to Gr00t server at tcp://127.0.0.1:{port}: no answer to ping in 0.")
        for part in (
            "nobody listens there",
            f"python -m gr00t.eval.run_gr00t_server --model-path ... --embodiment-tag ... --port {port}",
            "`host`=... `port`=...",
            "`connect_timeout_s`=120",
        ):
            assert part in told

    def test_for_a_host_that_nobody_knows_says_so(self):
        with PolicyClient("gpu-box.invalid", connect_timeout_s=0.2, timeout_s=0.2) as client:
            for call in (client.wait_until_ready, client.get_modality_config):
                with pytest.raises(ServerUnreachableError) as caught:
                    call()
                told = str(caught.value)
                assert "the host name 'gpu-box.invalid' cannot be resolved: " in told
                assert "`host`=10.0.0.7" in told
                assert "nobody listens" not in told
                assert "connect_timeout_s" not in told, "more time is of no use"

    @pytest.mark.timing
    @pytest.mark.parametrize(
        ("found", "told"),
        [
            (socket.gaierror(-3, "Temporary failure in name resolution"), "be resolved: Temporary failure in name res"),
            (UnicodeError("label empty or too long"), "be resolved: label empty or too long"),
            ([(socket.AF_INET6, 1, 6, "", ("2001:db8::7", 0, 0, 0))], "stands for the IPv6 address 2001:db8::7 alone"),
            (None, "be resolved: no name server answers"),
        ],
        ids=["no network", "no name", "IPv6", "stuck"],
    )
    def test_for_a_host_says_why_its_name_leads_nowhere(self, monkeypatch, found, told):
        released = threading.Event()

        def look_up(host, port):
            if isinstance(found, Exception):
                raise found
            if found is None:
                released.wait(10)
            return found or [(socket.AF_INET, 1, 6, "", ("10.0.0.7", 0))]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        monkeypatch.setattr("groot_wrappers.protocol.host_names._LIMIT_S", 0.2)
        start = time.monotonic()
        with (
            PolicyClient("gpu-box.invalid", connect_timeout_s=0.1) as client,
            pytest.raises(ServerUnreachableError, match=told),
        ):
            client.wait_until_ready()
        assert time.monotonic() - start < 2
        released.set()

    def test_for_a_server_that_loads_its_model_ends_when_it_listens(self, serve, connect):
        port = free_port()
        waited = []
        client = connect(port, connect_timeout_s=20, on_wait=waited.append)
        timer = threading.Timer(1.3, lambda: serve(port=port))
        timer.start()
        start = time.monotonic()
        client.wait_until_ready()
        assert 1.2 < time.monotonic() - start < 10
        timer.join()
        assert len(waited) >= 1
        assert waited[0] == pytest.approx(1, abs=0.8)

    def test_that_is_interrupted_leaves_the_client_usable(self, serve, connect):
        class Enough(Exception):  # noqa: N818  # as KeyboardInterrupt
            pass

        def stop(_):
            raise Enough

        port = free_port()
        client = connect(port, on_wait=stop)
        with pytest.raises(Enough):
            client.wait_until_ready()
        serve(port=port)
        client.wait_until_ready()

    def test_for_one_that_answers_without_the_envelope_of_a_reply_ends_with_the_connection(self, connect):
        with zmq.Context() as context, context.socket(zmq.ROUTER) as router:
            router.setsockopt(zmq.LINGER, 0)
            port = router.bind_to_random_port("tcp://127.0.0.1")

            def answer():
                route, _, _ = router.recv_multipart()
                time.sleep(0.1)  # the client has begun to watch the connection by then
                router.send_multipart([route, b"no envelope"])

            thread = threading.Thread(target=answer)
            thread.start()
            with pytest.raises(ServerUnreachableError, match="broke off ping"):
                connect(port, timeout_s=20).ping()
            thread.join(5)

    def test_for_a_web_server_says_what_is_wrong(self, connect):
        with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as web:
            web.RequestHandlerClass.log_message = lambda *_: None
            thread = threading.Thread(target=web.serve_forever, args=(0.05,), daemon=True)
            thread.start()
            with pytest.raises(ServerUnreachableError, match="does not speak ZeroMQ"):
                connect(web.server_port, connect_timeout_s=0.3).wait_until_ready()
            web.shutdown()
            thread.join(5)


class TestTimeOuts:
    def test_name_endpoint_time_and_remedy_and_leave_the_client_usable(self, serve, connect):
        server = serve()
        client = connect(server.port, timeout_s=0.2)
        with pytest.raises(ServerUnreachableError) as caught:
            client.get_action(observation(), {"sleep": 0.4})
        told = str(caught.value)
        assert f"Gr00t server at tcp://127.0.0.1:{server.port} did not answer get_action within 0." in told
        assert "busy or stuck" in told
        assert "raise `timeout_s` (now 0.2)" in told
        time.sleep(0.3)
        assert client.get_action(observation())[1]["calls"] == 2  # not the stale reply to the first

    def test_come_where_nobody_listens(self, connect):
        client = connect(free_port(), timeout_s=0.1)
        for call in (client.ping, client.kill, client.get_modality_config, client.reset):
            with pytest.raises(ServerUnreachableError, match=r"within \d\.\d s \(nobody listens there\)"):
                call()

    def test_come_where_the_server_is_halted(self, server_process, connect):
        server = server_process()
        client = connect(server.port, timeout_s=0.3)
        client.ping()
        os.kill(server.process.pid, signal.SIGSTOP)
        with pytest.raises(ServerUnreachableError, match=r"did not answer ping within \d\.\d s"):
            client.ping()
        os.kill(server.process.pid, signal.SIGCONT)
        client.wait_until_ready()


class TestDeath:
    def test_of_a_server_that_another_follows_makes_the_client_ask_again(self, serve, connect):
        port = free_port()
        client = connect(port, timeout_s=0.5)
        first = serve(port=port, dialect=Dialect.npy)
        client.get_action(observation())
        serve.end(first)
        with pytest.raises(ServerUnreachableError):
            client.ping()
        serve(port=port)
        client.wait_until_ready()
        assert client.get_action(observation())[1]["calls"] == 1

    def test_in_the_middle_of_a_call_is_told_at_once(self, server_process, connect):
        server = server_process()
        client = connect(server.port, timeout_s=20)
        client.ping()
        start = time.monotonic()
        with pytest.raises(ServerUnreachableError, match=r"broke off get_action after \d\.\d s \(the connection broke"):
            client.get_action(observation(), {"exit": True})
        assert time.monotonic() - start < 10

    def test_between_two_calls_is_not_waited_out(self, server_process, connect):
        server = server_process()
        client = connect(server.port, timeout_s=20)
        client.get_action(observation())
        server.kill()
        start = time.monotonic()
        with pytest.raises(ServerUnreachableError, match=r"broke off get_action after 5\.\d s"):
            client.get_action(observation())
        assert time.monotonic() - start < 10

    def test_and_return_are_survived(self, server_process, connect):
        port = free_port()
        server = server_process(port=port)
        client = connect(port)
        client.get_action(observation())
        server.kill()
        with pytest.raises(ServerUnreachableError):
            connect(port, timeout_s=0.1).ping()
        server = server_process(port=port)
        assert client.get_action(observation())[1]["calls"] == 1  # by the connection of before
        threading.Timer(0.2, server.kill).start()
        with pytest.raises(ServerUnreachableError, match="broke off get_action"):
            client.get_action(observation(), {"sleep": 10})
        server_process(port=port)
        client.wait_until_ready()
        assert client.get_action(observation())[1]["calls"] == 1


class TestEnd:
    @pytest.mark.process
    @pytest.mark.parametrize("last", ["client.close()", "del client", "pass"])
    def test_of_the_process_does_not_hang(self, last):
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            script = f"""
                import sys
                from groot_wrappers.protocol.client import PolicyClient
                assert "torch" not in sys.modules and "gymnasium" not in sys.modules
                client = PolicyClient("127.0.0.1", {silent.getsockname()[1]}, timeout_s=0.1)
                try:
                    client.ping()
                except RuntimeError as error:
                    print("told")
                client._connection._open_socket().send(b"pending")
                {last}
            """
            done = subprocess.run(
                [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=20, check=False
            )
        assert (done.returncode, done.stdout, done.stderr) == (0, "told\n", "")

    def test_of_a_client_frees_what_it_holds(self, serve):
        server = serve()
        before = len(os.listdir("/proc/self/fd"))
        for close in (True, False) * 10:
            client = PolicyClient("127.0.0.1", server.port, timeout_s=5)
            client.ping()
            if close:
                client.close()
                client.close()
        del client
        gc.collect()
        assert len(os.listdir("/proc/self/fd")) < before + 20

    def test_of_a_client_is_told_to_who_uses_it_still(self, serve):
        with PolicyClient("127.0.0.1", serve().port) as client:
            client.ping()
        with pytest.raises(Gr00tError, match="was closed; make another client"):
            client.ping()
