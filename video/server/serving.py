"""The service on a socket: uvicorn, as it is set up here."""

import uvicorn

from video.server.app import build_app
from video.server.guard import GuardedProtocol
from video.server.options import ServerOptions
from video.server.service import Service

_CONNECTIONS = 512


def serve(service: Service, options: ServerOptions) -> None:
    """Answers until a signal ends it."""
    config = uvicorn.Config(
        build_app(service),
        host=options.host,
        port=options.port,
        http=GuardedProtocol,
        ws="none",
        limit_concurrency=_CONNECTIONS,
        timeout_graceful_shutdown=5,
        log_level="info",
        server_header=False,
        proxy_headers=False,
    )
    uvicorn.Server(config).run()
