"""The web application: routes, page, and what every answer has in common."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException

from preprocess.errors import CaptioningError
from video.fonts import packaged_font
from video.server.classic import classic_routes
from video.server.edges import Edges
from video.server.finding import find
from video.server.routes import EDIT_BYTES, job_routes, problems
from video.server.scenes import scene_routes
from video.server.service import Refused, Service
from video.server.shapes import About, Health, Hits
from video.server.uploads import Admission, Lingering, Sizes, too_large

PAGE = Path(__file__).with_name("page")
PHOTOS = (
    "/get_captions",
    "/get_image_caption",
    "/get_hashtags",
    "/get_regions",
    "/get_attention",
    "/get_groups",
)
UPLOADS = ("/jobs", "/get_video_captions", *PHOTOS)
SMALL_BYTES = 100_000  # of any other request
_SWEEP_S = 600.0
_log = logging.getLogger("video.server")
_SAID = {
    400: ("요청을 읽을 수 없습니다.", "the request cannot be read."),
    404: ("그런 주소가 없습니다.", "there is no such address."),
    405: ("이 주소로는 그렇게 할 수 없습니다.", "this address does not take that method."),
}


def build_app(service: Service) -> Any:
    """The ASGI application of a service."""
    app = FastAPIOffline(
        redoc_url=None,
        favicon_url="/icon.svg",
        title="한국어 영상 자막",
        version="1",
        description="영상과 사진에 보이는 것을 한국어로 말합니다. (Says in Korean what is seen.)",
        max_body_size=SMALL_BYTES,
        lifespan=_lifespan,
    )
    app.state.service, options = service, service.options
    _add_own(app, service)
    app.include_router(job_routes(service, options))
    app.include_router(classic_routes(service, options))
    app.include_router(scene_routes(service, options))
    _add_page(app)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(HTTPException, _failed)
    app.add_exception_handler(RequestValidationError, _unfit)
    app.add_exception_handler(CaptioningError, _unable)
    app.add_exception_handler(Exception, _broken)
    film, photo = (round(1e6 * mb) for mb in (options.max_film_mb, options.max_photo_mb))
    most = {path: photo if path in PHOTOS else film for path in UPLOADS}
    app.state.sizes = Sizes(most, EDIT_BYTES, SMALL_BYTES)
    inner = Admission(app, app.state.sizes, service.refuse, options.uploads)
    return Lingering(Edges(inner, options.hosts, options.allow_host))


def _add_own(app: FastAPI, service: Service) -> None:
    @app.get("/health", tags=["service"])
    async def health() -> Health:
        """Whether the service answers."""
        return Health(status="ok", open_jobs=service.jobs.count_open())

    @app.get("/search", tags=["service"], responses=problems(422, 503))
    async def search(q: Annotated[str, Query(min_length=1, max_length=200)]) -> Hits:
        """Shots of the newest hundred jobs, by what is seen."""
        return Hits.model_validate({"hits": await service.told(find, q)})

    @app.get("/about", tags=["service"])
    async def about() -> About:
        """The captioner's sources and terms, and the limits of the service."""
        names = ("max_film_mb", "max_photo_mb", "max_hours", "keep_hours", "waiting")
        limits = {name: float(getattr(service.options, name)) for name in names}
        return About(captioner=service.about, limits=limits)


def _add_page(app: FastAPI) -> None:
    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(PAGE / "index.html", media_type="text/html; charset=utf-8")

    @app.get("/icon.svg", include_in_schema=False)
    async def icon() -> FileResponse:
        return FileResponse(PAGE / "icon.svg", media_type="image/svg+xml")

    @app.get("/font.otf", include_in_schema=False)
    async def font() -> FileResponse:
        """Hangul for a machine that has none; browsers fetch it only then."""
        return FileResponse(packaged_font(), media_type="font/otf")

    app.mount("/page", StaticFiles(directory=PAGE), name="page")


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Sweeps now and then, as long as the service runs."""

    async def sweep() -> None:
        while True:
            await asyncio.sleep(_SWEEP_S)
            try:
                await asyncio.to_thread(app.state.service.sweep)
            except Exception:  # the next one may succeed
                _log.exception("sweeping")

    sweeping = asyncio.create_task(sweep())
    yield
    sweeping.cancel()


def _told(status: int, korean: str, english: str) -> JSONResponse:
    headers = {"Retry-After": "5"} if status in (429, 503) else None
    return JSONResponse({"detail": korean, "detail_en": english}, status, headers)


async def _refused(_: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, Refused):
        raise error
    return _told(error.status, error.korean, error.english)


async def _failed(request: Request, error: Exception) -> JSONResponse:
    status = getattr(error, "status_code", 400)
    if status == 413:
        return _told(*too_large(request.app.state.sizes.most(request.scope)))
    headers = getattr(error, "headers", None)
    answer = _told(status, *_SAID.get(status, _SAID[400]))
    answer.headers.update(headers or {})
    return answer


async def _unfit(_: Request, error: Exception) -> JSONResponse:
    """A field is missing or has a value that cannot be used; values are not sent back."""
    found = error.errors() if isinstance(error, RequestValidationError) else []
    fields = ", ".join(dict.fromkeys(filter(None, map(_field, found))))
    return _told(422, f"값이 없거나 쓸 수 없습니다: {fields}", f"missing or unusable: {fields}")


def _field(error: Any) -> str:
    """A field's name, and the values that it takes where they are listed."""
    parts = [part for part in error.get("loc", ()) if isinstance(part, str)]
    name = re.sub(r"[^\w, .-]", "?", parts[-1][:40]) if parts else ""
    known = re.findall(r"'([^']+)'", str(error.get("ctx", {}).get("expected", "")))
    return f"{name} ({' | '.join(known)})" if known else name


async def _unable(_: Request, error: Exception) -> JSONResponse:
    """Of ours, and nobody told it better: the disk is full, a folder is gone. No text: paths."""
    _log.warning("%s", error)
    return _told(
        503, "지금은 할 수 없습니다. 서버의 기록을 보세요.", "not possible now: see the log."
    )


async def _broken(_: Request, __: Exception) -> JSONResponse:
    return _told(500, "서버의 잘못입니다. 기록을 보세요.", "the server is at fault. See its log.")
