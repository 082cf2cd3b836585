"""Request bodies: how many at a time, how large, and answers that reach whoever is still sending.

Plain ASGI, outside the framework, so that a refusal comes before a body is read.
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Refuse = Callable[[Scope], tuple[int, str, str] | None]

LINGER_S = 3.0
_EDITS = re.compile(r"/jobs/[^/]+/captions")


class Lingering:
    """An answer that comes before its request has been read whole still arrives.

    Closing a connection with unread bytes resets it, and the client may lose the answer. So the
    answer is sent, and what still comes is read and dropped for a moment.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # who expects 100-continue waits for a word before it sends
        whole = [not _has_body(scope) or any(name == b"expect" for name, _ in scope["headers"])]

        async def watched() -> Message:
            message = await receive()
            whole[0] = not message.get("more_body", False)
            return message

        async def sent(message: Message) -> None:
            last = message["type"] == "http.response.body" and not message.get("more_body", False)
            if whole[0] or not last:
                await send(message)
                return
            await send({**message, "more_body": True})
            await _drain(receive)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

        await self._app(scope, watched, sent)


@dataclass(frozen=True)
class Sizes:
    """Most bytes of a request's body.

    Attributes:
        uploads: of an upload to each path.
        edits: of edited sentences.
        others: of any other request.
    """

    uploads: Mapping[str, int]
    edits: int
    others: int

    def is_upload(self, scope: Scope) -> bool:
        """Whether the request brings a film or photos."""
        return scope["method"] == "POST" and scope["path"] in self.uploads

    def most(self, scope: Scope) -> int:
        """Of this request."""
        if self.is_upload(scope):
            return self.uploads[scope["path"]]
        edits = scope["method"] == "PUT" and _EDITS.fullmatch(scope["path"])
        return self.edits if edits else self.others


class Admission:
    """Counts the bodies that are being received, and refuses one too many or too large unread."""

    def __init__(self, app: App, sizes: Sizes, refuse: Refuse, at_once: int) -> None:
        """How large a body may be; why an upload may not come now; how many at once."""
        self._app, self._sizes, self._refuse, self._at_once = app, sizes, refuse, at_once
        self._now = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        body = scope["type"] == "http" and _has_body(scope)
        upload = body and self._sizes.is_upload(scope)
        most = self._sizes.most(scope) if body else 0
        refusal = too_large(most) if body and (content_length(scope) or 0) > most else None
        if upload and not refusal:
            refusal = _BUSY if self._now >= self._at_once else None
            refusal = refusal or await asyncio.to_thread(self._refuse, scope)
        if refusal:
            await answer(send, *refusal)
        elif upload:
            await self._counted(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _counted(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One of those that are being received, until its body has come."""
        self._now += 1
        counted = [True]

        async def watched() -> Message:
            message = await receive()
            if counted[0] and not message.get("more_body", False):
                self._now -= 1
                counted[0] = False
            return message

        try:
            await self._app(scope, watched, send)
        finally:
            self._now -= counted[0]


def too_large(most: int) -> tuple[int, str, str]:
    """How a body of more bytes than that is refused."""
    limit = f"{most / 1e6:.10g} MB"
    return (
        413,
        f"보낸 것이 너무 큽니다 (한도 {limit}). 더 작은 것을 보내세요.",
        f"what was sent is too large (limit {limit}). Send something smaller.",
    )


_BUSY = (
    503,
    "지금 받고 있는 파일이 많습니다. 잠시 뒤에 다시 보내세요.",
    "many files are being received now. Send it again in a moment.",
)


async def answer(send: Send, status: int, korean: str, english: str) -> None:
    """Sends an error in the form of all errors of the service."""
    headers, body = problem(korean, english)
    if status in (429, 503):
        headers.append((b"retry-after", b"5"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def problem(korean: str, english: str) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Headers and body of an error."""
    body = json.dumps({"detail": korean, "detail_en": english}, ensure_ascii=False).encode()
    length = str(len(body)).encode()
    return [(b"content-type", b"application/json"), (b"content-length", length)], body


def content_length(scope: Scope) -> int | None:
    """The length that a request says it has."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return None


def _has_body(scope: Scope) -> bool:
    chunked = any(name == b"transfer-encoding" for name, _ in scope["headers"])
    return chunked or bool(content_length(scope))


async def _drain(receive: Receive) -> None:
    """Reads and drops what still comes, for LINGER_S at most."""
    try:
        async with asyncio.timeout(LINGER_S):
            while (await receive()).get("more_body", False):
                pass
    except TimeoutError:
        pass
