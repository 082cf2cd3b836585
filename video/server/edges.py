"""Who may ask, and what every answer tells the browser."""

from collections.abc import Collection
from urllib.parse import urlsplit

from video.server.uploads import App, Message, Receive, Scope, Send, answer

_SAFE = ("GET", "HEAD", "OPTIONS")
_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_DOCS = "; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'"  # Swagger UI
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


class Edges:
    """Answers only to its own names, takes changes only from its own pages, allows no foreign code.

    A page elsewhere could otherwise send films here from its visitors' browsers, or bind its own
    name to this address and read the answers.
    """

    def __init__(self, app: App, hosts: Collection[str], own: Collection[str] = ()) -> None:
        """Names to answer to, and those among them whose pages are ours at any port."""
        self._app, self._hosts = app, {host.lower() for host in hosts}
        self._own = {name.lower() for name in own} - {"*"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        policy = (_POLICY + (_DOCS if scope["path"].startswith("/docs") else "")).encode()

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                more = (*_HEADERS, (b"content-security-policy", policy))
                message = {**message, "headers": [*message.get("headers", []), *more]}
            await send(message)

        headers = dict(scope["headers"])
        host = _name(headers.get(b"host", b"").decode("latin-1"))
        if "*" not in self._hosts and host not in self._hosts:
            await answer(
                sent,
                400,
                "이 이름으로는 답하지 않습니다. 서버를 --allow-host로 시작하세요.",
                "not answered under this name. Start the server with --allow-host.",
            )
        elif scope["method"] not in _SAFE and not _is_own(headers, self._own):
            await answer(
                sent,
                403,
                "다른 사이트의 페이지에서는 보낼 수 없습니다.",
                "pages of other sites may not send anything.",
            )
        else:
            await self._app(scope, receive, sent)


def _is_own(headers: dict[bytes, bytes], own: Collection[str]) -> bool:
    """Whether a browser sends it from our own page; other programs send no Origin.

    A proxy may have put its own word for us into Host: then the name tells.
    """
    origin = headers.get(b"origin")
    if origin is None:
        return headers.get(b"sec-fetch-site", b"none") in (b"none", b"same-origin")
    page = urlsplit(origin.decode("latin-1")).netloc
    return page == headers.get(b"host", b"").decode("latin-1") or _name(page) in own


def _name(host: str) -> str:
    """The name in a Host header, without its port."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""
