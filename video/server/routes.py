"""Jobs over REST: send a film, follow it, fetch its results, change its sentences, cancel."""

import asyncio
from contextlib import suppress
from secrets import token_hex
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, File, Form, UploadFile
from fastapi.responses import FileResponse, Response

from preprocess.errors import DataError
from preprocess.files import whole_file
from video.server.films import ALWAYS
from video.server.jobs import Job
from video.server.options import ServerOptions
from video.server.service import Refused, Service
from video.server.shapes import JobList, JobShape, Kind, Problem, Sentences, Style, Wanted
from video.track import CaptionedShot, Track, from_json, to_json

TYPES = {
    "mp4": "video/mp4",
    "gif": "image/gif",
    "jpg": "image/jpeg",
    "srt": "application/x-subrip",
    "vtt": "text/vtt; charset=utf-8",
    "ass": "text/plain; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
    "json": "application/json",
    "moments": "application/json",
}
PLAYED = {".mp4": "video/mp4", ".m4v": "video/mp4", ".mov": "video/mp4", ".webm": "video/webm"}
UNKNOWN = "application/octet-stream"
EDIT_BYTES = 4_000_000
_FILES: dict[int | str, dict[str, Any]] = {
    200: {"content": {kind: {} for kind in (*TYPES.values(), *PLAYED.values(), UNKNOWN)}},
    206: {"description": "a range of it"},
    416: {"description": "no such range"},
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """How these statuses are told in the schema."""
    return {status: {"model": Problem} for status in statuses}


def job_routes(service: Service, options: ServerOptions) -> APIRouter:
    """The routes under /jobs."""
    routes = APIRouter(prefix="/jobs", tags=["jobs"])
    _add_sending(routes, service, round(1e6 * options.max_film_mb))
    _add_following(routes, service)
    _add_ending(routes, service)
    return routes


def _add_sending(routes: APIRouter, service: Service, most: int) -> None:
    """Films, and edited sentences; a film has `most` bytes."""

    @routes.post(
        "",
        status_code=202,
        responses=problems(400, 413, 422, 429, 503),
        max_body_size=most,
    )
    async def submit(
        video: Annotated[UploadFile, File(description="a film, GIF or photo")],
        formats: Annotated[list[Wanted], Form()] = [Wanted.mp4, Wanted.srt],  # type: ignore[attr-defined]  # noqa: B006
        style: Annotated[Style, Form()] = Style.film,  # type: ignore[attr-defined]
        max_shot: Annotated[float, Form(ge=1, le=3600, description="seconds")] = 8.0,
    ) -> JobShape:
        """Takes a film in; its captions come as a job."""
        wishes = {
            "formats": sorted({f.value for f in formats}),
            "style": style.value,
            "max_shot_ms": round(1000 * max_shot),
        }
        return service.shape(await service.submit(video, "caption", wishes))

    @routes.put(
        "/{number}/captions",
        status_code=202,
        responses=problems(400, 404, 409, 413, 422, 429, 503),
        max_body_size=EDIT_BYTES,
    )
    async def edit(number: UUID, sentences: Sentences) -> JobShape:
        """Takes edited sentences; the results are made anew with them."""
        return await asyncio.to_thread(_edited, service, service.found(number), sentences)


def _add_following(routes: APIRouter, service: Service) -> None:
    @routes.get("")
    def listed() -> JobList:
        """The newest hundred jobs."""
        return JobList(jobs=[service.shape(job) for job in service.jobs.newest()])

    @routes.get("/{number}", responses=problems(404, 422))
    def job(number: UUID) -> JobShape:
        """One job and how far it is."""
        return service.shape(service.found(number))

    @routes.get(
        "/{number}/files/{kind}",
        responses={**_FILES, **problems(404, 422)},
        response_class=FileResponse,
    )
    def file(number: UUID, kind: Kind, download: bool = False) -> FileResponse:
        """The film or a result, whole or by ranges; with `download` to be kept, not shown."""
        found = service.found(number)
        return _sent(service, found, kind, download)


def _add_ending(routes: APIRouter, service: Service) -> None:
    @routes.post("/{number}/cancel", responses=problems(404, 409, 422))
    def cancel(number: UUID) -> JobShape:
        """Ends a waiting or running job."""
        if not service.queue.cancel(service.found(number).id):
            raise Refused(409, "이미 끝난 작업입니다.", "the job has ended already.")
        return service.shape(service.found(number))

    @routes.delete("/{number}", status_code=204, responses=problems(404, 422))
    def remove(number: UUID) -> Response:
        """Ends the job if it runs, and removes its film and results."""
        found = service.found(number)
        service.queue.cancel(found.id)
        service.queue.idle(found.id, within_s=5)
        service.jobs.remove(found.id)
        return Response(status_code=204)


def _sent(service: Service, job: Job, kind: Kind, download: bool) -> FileResponse:
    path = service.file(job, kind)
    known = PLAYED.get(job.suffix, UNKNOWN) if kind.value == "film" else TYPES[kind.value]
    stem = job.name.rsplit(".", 1)[0] or job.name
    ending = {"film": job.suffix, "moments": ".moments.json"}.get(kind.value, f".{kind.value}")
    name = f"{stem}.captioned{ending}" if kind.value in ("mp4", "gif", "jpg") else stem + ending
    shown = "attachment" if download or known == UNKNOWN else "inline"
    return FileResponse(path, media_type=known, filename=name, content_disposition_type=shown)


def _edited(service: Service, job: Job, sentences: Sentences) -> JobShape:
    """Keeps the sentences beside the results and queues the burning."""
    _check_edit(job, sentences)
    end_ms = _end_ms(service, job)
    _check_inside(sentences, end_ms)
    shots = tuple(CaptionedShot(s.start_ms, s.end_ms, s.caption, 0.0) for s in sentences.shots)
    track = Track(job.name, end_ms or shots[-1].end_ms, "", shots)
    edit = service.jobs.folder(job.id) / f"edited-{token_hex(8)}.json"
    with whole_file(edit) as temporary:
        temporary.write_text(to_json(track), encoding="utf-8")
    try:  # of several at once, one is taken, with its own sentences
        service.again(job, _wishes(job, sentences), edit)
    except BaseException:
        edit.unlink(missing_ok=True)
        raise
    return service.shape(service.found(job.id))


def _check_edit(job: Job, sentences: Sentences) -> None:
    """Refuses sentences that are none, times that cannot be, and a job that is not done."""
    spans = [(s.start_ms, s.end_ms) for s in sentences.shots]
    flat = [time for span in spans for time in span]
    if flat != sorted(flat) or any(a == b for a, b in spans):
        raise Refused(
            400,
            "문장의 시각이 차례대로가 아니거나 겹칩니다.",
            "the sentences' times are not in order, or overlap.",
        )
    if not any(s.caption.strip() for s in sentences.shots):
        raise Refused(400, "문장이 하나도 없습니다.", "there is no sentence.")
    if job.state in ("waiting", "working") or job.task == "moments":
        raise Refused(
            409,
            "자막을 다는 일이 끝난 뒤에 고칠 수 있습니다.",
            "captions can be changed when captioning has ended.",
        )


def _end_ms(service: Service, job: Job) -> int | None:
    """When the film ends, as its captions tell; None if there are none."""
    with suppress(Refused, OSError, DataError):
        return from_json(service.file(job, Kind("json")).read_text("utf-8")).duration_ms
    return None


def _check_inside(sentences: Sentences, end_ms: int | None) -> None:
    """Refuses sentences that nobody would see."""
    start_ms = min(s.start_ms for s in sentences.shots if s.caption.strip())
    if end_ms and start_ms >= end_ms:
        raise Refused(
            400,
            f"첫 문장이 {start_ms} ms에 시작하는데 영상은 {end_ms} ms에 끝납니다. 시각을 고치세요.",
            f"the first sentence starts at {start_ms} ms, but the film ends at {end_ms} ms. "
            "Correct the times.",
        )


def _wishes(job: Job, sentences: Sentences) -> dict[str, Any]:
    """What is made anew: what is asked for, or else what there was."""
    formats = job.wishes.get("formats", list(ALWAYS))
    if sentences.formats is not None:
        formats = sorted({f.value for f in sentences.formats})
    style = sentences.style.value if sentences.style else job.wishes.get("style", "film")
    return {**job.wishes, "formats": formats, "style": style}
