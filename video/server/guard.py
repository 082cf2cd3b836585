"""Connections that do nothing are closed: slow headers, slow bodies, readers that do not read.

uvicorn closes a connection that is idle after an answer; these three it waits for without end.
"""

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from video.server.uploads import problem

HEADER_S = 10.0  # for all of a request's headers, and between two requests
BODY_S = 10.0  # from when a body must come at the least rate
LEAST_RATE = 16_000.0  # bytes a second, on average
LONGEST_BODY_S = 3600.0
READING_S = 20.0  # an answer that nobody takes
_LOOK_S = 1.0
_UNREADABLE = (
    "요청을 읽을 수 없습니다. 주소의 한글은 %로 바꾸어 보내세요 (curl -G --data-urlencode q=사람).",
    "the request cannot be read. Percent-encode what is not ASCII in the address "
    "(curl -G --data-urlencode q=...).",
)


class GuardedProtocol(H11Protocol):
    """HTTP/1.1 with an end to patience; looked at once a second."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See asyncio.Protocol."""
        super().connection_made(transport)
        self._since = self._stuck_since = self.loop.time()
        self._came = self._unread = 0
        self._body = self._stuck = False
        self._watch = self.loop.call_later(_LOOK_S, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self._watch.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        self._came += len(data)
        super().data_received(data)

    def pause_writing(self) -> None:
        """See asyncio.Protocol."""
        self._stuck, self._stuck_since = True, self.loop.time()
        self._unread = self.transport.get_write_buffer_size()
        super().pause_writing()

    def resume_writing(self) -> None:
        """See asyncio.Protocol."""
        self._stuck = False
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """As every error of the service is told; what cannot be parsed never comes to the app."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            headers, body = problem(*_UNREADABLE)
            headers.append((b"connection", b"close"))
            answer = h11.Response(status_code=400, headers=headers, reason=b"Bad Request")
            for event in (answer, h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def on_response_complete(self) -> None:
        """The next request's headers may take their time anew."""
        self._begin(body=False)
        super().on_response_complete()

    def _begin(self, body: bool) -> None:
        self._body, self._since, self._came = body, self.loop.time(), 0

    def _look(self) -> None:
        body = self.conn.their_state is h11.SEND_BODY
        if body != self._body:
            self._begin(body)
        if self._is_hopeless():
            self.transport.abort()
            return
        self._watch = self.loop.call_later(_LOOK_S, self._look)

    def _is_hopeless(self) -> bool:
        now = self.loop.time()
        if self._stuck:
            unread = self.transport.get_write_buffer_size()
            if unread < self._unread:
                self._unread, self._stuck_since = unread, now
            return now - self._stuck_since > READING_S
        passed = now - self._since
        if self._body:
            if self.flow.read_paused:  # it is we who are slow
                self._begin(body=True)
            slow = passed > BODY_S and self._came < LEAST_RATE * passed
            return slow or passed > LONGEST_BODY_S
        return self.conn.their_state is h11.IDLE and passed > HEADER_S
