"""The HTTP client beside servers that drop, refuse and hang up: asked again, or named plainly."""

import socket
import threading
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

import pytest
import urllib3
from support.client_side import closed_port
from support.waiting import PATIENCE

from femtotango.dranspose_client import http
from femtotango.dranspose_client.http import Http
from femtotango.errors import BadReply, TimedOut, Unreachable

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
ERROR = b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nlate"
CUT = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"
DROP = b""
SSH = b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n"


class Server:
    """Gives one answer after the other, and closes a connection behind what is no answer."""

    def __init__(self, answers: Sequence[bytes]) -> None:
        self._answers = list(answers)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.connections = 0
        self.asked: list[str] = []
        self.requests: list[bytes] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while self._answers:
            connection, _ = self._listening.accept()
            self.connections += 1
            with connection:
                while self._answers and (request := connection.recv(4096)):
                    self.asked.append(request.split(b"\r\n")[0].decode())
                    self.requests.append(request)
                    answer = self._answers.pop(0)
                    connection.sendall(answer)
                    if answer in (DROP, CUT, SSH):
                        break
                else:
                    connection.recv(4096)

    def close(self) -> None:
        self._listening.close()


@contextmanager
def serving(*answers: bytes) -> Iterator[tuple[Server, Http]]:
    with closing(Server(answers)) as server, closing(Http("controller", server.url)) as client:
        yield server, client


@pytest.mark.parametrize("first", [DROP, CUT])
def test_a_dropped_connection_is_asked_once_more(first: bytes) -> None:
    with serving(first, ANSWER) as (server, client):
        assert client._json(client._ask("GET", "/status")) == {}
        assert server.connections == 2


def test_what_must_not_be_done_twice_is_asked_once() -> None:
    with (
        serving(DROP, ANSWER) as (server, client),
        pytest.raises(Unreachable, match=r"Remote end closed|reset by peer"),
    ):
        client._ask("POST", "/sequence", json={"a": 1}, repeat=False)
    assert server.asked == ["POST /sequence HTTP/1.1"]


def test_a_query_goes_with_a_body() -> None:
    with serving(ANSWER) as (server, client):
        client._ask("POST", "/sequence", params={"all wrap": "true"}, json={"a": 1})
        assert server.asked == ["POST /sequence?all+wrap=true HTTP/1.1"]


def test_an_error_says_what_was_asked() -> None:
    with (
        serving(ERROR) as (_, client),
        pytest.raises(BadReply, match="answered 503 to GET /status: late"),
    ):
        client._json(client._ask("GET", "/status"))


def test_nobody_there_is_told_without_names_of_objects() -> None:
    with closed_port() as url, closing(Http("reducer", url)) as client:
        with pytest.raises(Unreachable) as raised:
            client._ask("GET", "/status")
        assert "Connection refused" in str(raised.value)
        assert "urllib3" not in str(raised.value)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (CUT, "it closed the connection within its answer"),
        (SSH, "what answers there speaks no HTTP, but SSH-2.0-OpenSSH_9.2p1 Debian"),
    ],
)
def test_answers_that_are_none_are_named(answer: bytes, said: str) -> None:
    with serving(answer, answer) as (_, client), pytest.raises(Unreachable) as raised:
        client._ask("GET", "/status")
    assert said in str(raised.value)
    assert "\r" not in str(raised.value)


def test_name_and_password_of_an_address_are_sent() -> None:
    with closing(Server([ANSWER])) as server:
        url = server.url.replace("//", "//b\N{EURO SIGN}am:p%40ss@")
        with closing(Http("controller", url)) as client:
            client._ask("GET", "/status")
            assert client.url == server.url, "messages do not show them"
    assert b"Basic " + b64encode("b\N{EURO SIGN}am:p@ss".encode()) in server.requests[0]


@pytest.mark.parametrize("reused", [False, True])
def test_a_large_body_may_take_as_long_as_its_answer(
    monkeypatch: pytest.MonkeyPatch, reused: bool
) -> None:
    connect = 0.05
    monkeypatch.setattr(http, "LONG", urllib3.Timeout(connect=connect, read=PATIENCE))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        body = b"x" * 30_000_000  # more than sockets hold
        sent = threading.Event()

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                if reused:
                    connection.recv(4096)
                    connection.sendall(ANSWER)
                assert not sent.wait(4 * connect)
                left = len(body)
                while left > 0:
                    left -= len(connection.recv(1_000_000))
                connection.sendall(ANSWER)

        server = threading.Thread(target=answer, daemon=True)
        server.start()
        with closing(Http("controller", url)) as client:
            if reused:
                client._ask("GET", "/status")
            assert client._ask("POST", "/a", content=body, timeout=http.LONG).status == 200
            sent.set()
        server.join()


def test_a_body_that_nobody_takes_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "LONG", urllib3.Timeout(connect=0.1, read=0.1))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with closing(Http("controller", url)) as client, pytest.raises(TimedOut, match="timed out"):
            client._ask("POST", "/a", content=b"x" * 30_000_000, timeout=http.LONG)
        connection, _ = listening.accept()
        connection.close()
        listening.setblocking(False)
        with pytest.raises(BlockingIOError):
            listening.accept()  # it is not sent again


def test_a_connection_that_another_thread_closes_is_none() -> None:
    with serving(ANSWER) as (_, client):
        client._ask("GET", "/status")
        client._newest.sock.close()
        assert not client.is_connected


def test_a_connection_is_kept_for_the_next_request_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(ANSWER, ANSWER) as (server, client):
        assert not client.is_connected
        client._ask("GET", "/status")
        assert client.is_connected
        client._ask("GET", "/status")
        assert server.connections == 1
    with serving(ANSWER, ANSWER) as (server, client):
        client._ask("GET", "/status")
        monkeypatch.setattr(http, "_KEPT", -1.0)
        client._ask("GET", "/status")
        assert server.connections == 2


def test_a_server_that_ends_is_seen_without_asking() -> None:
    with serving(ANSWER, DROP) as (_, client):
        client._ask("GET", "/status")
        kept = client._newest
        with pytest.raises(Unreachable):
            client._ask("POST", "/status", repeat=False)
        assert not kept.is_connected
        assert not client.is_connected
