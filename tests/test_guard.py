"""Connections that do nothing are closed; those that do something are not. Real sockets."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
import uvicorn

from video.server import guard
from video.server.uploads import Lingering

PATIENCE_S = 1.0
BIG = b"x" * 30_000_000


async def app(scope, receive, send):
    """Reads the whole body and says its length; /early does not read; /big says much."""
    if scope["type"] != "http":
        return
    size, more = 0, scope["path"] != "/early"
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    body = BIG if scope["path"] == "/big" else str(size).encode()
    length = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": length})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with pytest.MonkeyPatch.context() as patch, serving() as number:
        for name in ("HEADER_S", "BODY_S", "READING_S"):
            patch.setattr(guard, name, PATIENCE_S)
        patch.setattr(guard, "_LOOK_S", 0.1)
        yield number


@contextmanager
def serving() -> Iterator[int]:
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        Lingering(app), http=guard.GuardedProtocol, ws="none", log_level="critical", lifespan="off"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(
        target=lambda: asyncio.run(server.serve(sockets=[listening])), daemon=True
    )
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield listening.getsockname()[1]
    server.should_exit = True
    thread.join(timeout=10)
    listening.close()


def closed_after(port: int, first: bytes, more: bytes, step_s: float = 0.1) -> float | None:
    """Seconds until the server closes on somebody who sends `more` again and again; None: never."""
    begin = time.monotonic()
    with socket.create_connection(("127.0.0.1", port)) as mine:
        mine.sendall(first)
        mine.settimeout(step_s)
        while time.monotonic() - begin < 10 * PATIENCE_S:
            try:
                if mine.recv(1000) == b"":
                    return time.monotonic() - begin
            except TimeoutError:
                pass
            except OSError:
                return time.monotonic() - begin
            try:
                mine.sendall(more)
            except OSError:
                return time.monotonic() - begin
    return None


def test_silence_and_slow_headers_are_closed(port):
    for first, more in ((b"", b""), (b"GET / HTTP/1.1\r\n", b"X-A: b\r\n")):
        after = closed_after(port, first, more)
        assert after is not None and after >= PATIENCE_S


def test_a_slow_body_is_closed(port):
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
    after = closed_after(port, head, b"z")
    assert after is not None and after >= PATIENCE_S


def test_a_body_that_comes_at_the_least_rate_is_taken(port):
    pieces, piece = 30, b"z" * int(0.15 * guard.LEAST_RATE)
    with socket.create_connection(("127.0.0.1", port)) as mine:
        head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {pieces * len(piece)}\r\n\r\n"
        mine.sendall(head.encode())
        for _ in range(pieces):
            mine.sendall(piece)
            time.sleep(0.1)
        assert mine.recv(1000).endswith(str(pieces * len(piece)).encode())


def test_who_does_not_read_is_closed(port):
    with socket.create_connection(("127.0.0.1", port)) as mine:
        mine.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(4 * PATIENCE_S)
        got = 0
        with suppress(ConnectionResetError):
            while data := mine.recv(1_000_000):
                got += len(data)
    assert got < len(BIG)


def test_who_reads_slowly_gets_it_all(port):
    got = 0
    with socket.create_connection(("127.0.0.1", port)) as mine:
        mine.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        while data := mine.recv(1_000_000):
            got += len(data)
            time.sleep(0.05)
    assert got > len(BIG)


def test_an_early_answer_reaches_who_is_still_sending(port):
    with socket.create_connection(("127.0.0.1", port)) as mine:
        mine.sendall(b"POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n\r\n")
        for _ in range(50):
            mine.sendall(b"y" * 100_000)
        answer = mine.recv(1000)
    assert answer.startswith(b"HTTP/1.1 200")


def test_what_is_no_http_is_told_as_every_error_is(port):
    with socket.create_connection(("127.0.0.1", port)) as mine:
        mine.sendall("GET /search?q=사람 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        answer = b""
        while data := mine.recv(1000):
            answer += data
    head, body = answer.split(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 Bad Request") and b"application/json" in head
    told = json.loads(body)
    assert list(told) == ["detail", "detail_en"]
    assert all("--data-urlencode" in text for text in told.values())


def test_requests_follow_each_other_on_one_connection(port):
    with socket.create_connection(("127.0.0.1", port)) as mine:
        for _ in range(3):
            mine.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")
            answer = mine.recv(1000)
            while not answer.endswith(b"\r\n\r\n3"):
                answer += mine.recv(1000)
            time.sleep(PATIENCE_S / 2)
