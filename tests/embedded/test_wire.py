"""Heads of requests over real connections: endless ones, slow ones, ones that are none."""

import contextlib
import json
import socket
import threading
import time

import pytest
import uvicorn

from service.embedded import wire
from service.embedded.wire import MAX_HEAD_BYTES, MAX_HEADERS, BoundedProtocol

ASKED = b"GET / HTTP/1.1\r\nHost: here\r\n"


async def tell_length(scope, receive, send):
    """Answers with how many bytes came."""
    assert scope["type"] == "http"
    num_bytes, is_more = 0, scope["path"] != "/at-once"
    while is_more:
        message = await receive()
        num_bytes += len(message.get("body", b""))
        is_more = message.get("more_body", False)
    content = str(num_bytes).encode()
    length = [(b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": length})
    await send({"type": "http.response.body", "body": content})


@pytest.fixture(scope="module")
def port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(tell_length, http=BoundedProtocol, lifespan="off", log_level="critical")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.005)
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join()


@pytest.fixture
def connection(port):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as opened:
        yield opened


def everything(connection) -> bytes:
    """What comes until the server ends the connection."""
    said = b""
    while piece := connection.recv(65536):
        said += piece
    return said


def problem_of(said: bytes, status: int) -> dict:
    head, _, body = said.partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"content-type: application/problem+json" in head
    assert json.loads(body)["status"] == status
    return json.loads(body)


def sent_until_refused(connection, piece):
    """Send a piece again and again: it is refused long before it is a hundred times what is allowed."""
    num_bytes = 0
    try:
        while num_bytes < 100 * MAX_HEAD_BYTES:
            num_bytes += connection.send(piece)
            time.sleep(0.0002)
        said = everything(connection)
    except (BrokenPipeError, ConnectionResetError):  # the answer was lost with what was still under way
        said = b""
    assert num_bytes < 100 * MAX_HEAD_BYTES
    if said:
        problem_of(said, 431)


@pytest.mark.parametrize("begin", [b"GET /", ASKED, ASKED + b"X: ", ASKED + b"X"])
def test_a_head_without_end_is_refused_before_it_fills_the_memory(connection, begin):
    connection.sendall(begin)
    sent_until_refused(connection, b"a" * 4096)


def test_too_many_headers(connection):
    connection.sendall(ASKED + b"".join(b"X%d: a\r\n" % number for number in range(MAX_HEADERS)) + b"\r\n")
    assert "headers" in problem_of(everything(connection), 431)["detail"]


@pytest.mark.parametrize(
    "text", [b"NONSENSE\r\n\r\n", b"GET / HTTP/1.1\r\nHost here\r\n\r\n", b"\x16\x03\x01\x02\x00"]
)
def test_what_is_no_request(connection, text):
    connection.sendall(text)
    problem_of(everything(connection), 400)


def test_a_head_that_does_not_end_is_not_waited_for(port, monkeypatch):
    monkeypatch.setattr(wire, "HEAD_S", 0.05)
    for text, status in ((b"", None), (b"GET", 408), (ASKED, 408)):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(text)
            said = everything(connection)
            assert not said if status is None else problem_of(said, status)


def test_bodies_are_as_long_and_as_slow_as_they_like(port, monkeypatch):
    monkeypatch.setattr(wire, "HEAD_S", 0.05)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        for _ in range(2):  # on one connection
            length = 3 * MAX_HEAD_BYTES
            connection.sendall(b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: %d\r\n\r\n" % length)
            connection.sendall(bytes(length - 1))
            time.sleep(0.1)
            connection.sendall(b"\0")
            answer = connection.recv(1000)
            assert answer.startswith(b"HTTP/1.1 200")
            assert answer.endswith(str(length).encode())


def test_requests_that_come_at_once_are_answered_in_turn(connection):
    connection.sendall((ASKED + b"\r\n") * 3 + ASKED + b"Connection: close\r\n\r\n")
    assert everything(connection).count(b"HTTP/1.1 200") == 4


CHUNKED = b"POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n"


@pytest.mark.parametrize("trailer", [b"X: " + b"a" * 4096 + b"\r\n", b"a" * 4096, b"a:\r\n" * 1024])
def test_trailers_without_end_are_refused_before_they_fill_the_memory(connection, trailer):
    connection.sendall(CHUNKED)
    sent_until_refused(connection, trailer)


def test_trailers_without_end_after_the_answer_end_the_connection(port):
    """Who is refused at the head is answered before the body has come."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"POST /at-once HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 200")
        num_bytes = connection.send(b"0\r\n")
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while num_bytes < 100 * MAX_HEAD_BYTES:
                num_bytes += connection.send(b"X: " + b"a" * 4096 + b"\r\n")
                time.sleep(0.0002)
        assert num_bytes < 100 * MAX_HEAD_BYTES


def test_trailers_that_do_not_end_are_not_waited_for(port, monkeypatch):
    monkeypatch.setattr(wire, "HEAD_S", 0.05)
    for trailer in (b"", b"X: a", b"X: a\r\n"):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(CHUNKED)
            time.sleep(0.01)  # apart from the body
            connection.sendall(b"Y: a\r\n" + trailer)
            problem_of(everything(connection), 408)


def test_after_a_trailer_comes_the_next_request(connection):
    connection.sendall(CHUNKED + b"X: a\r\n\r\n" + ASKED + b"Connection: close\r\n\r\n")
    assert everything(connection).count(b"HTTP/1.1 200") == 2
