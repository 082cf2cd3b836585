"""Routes by the names and fields of an older captioning service, answered at once."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Request, Response, UploadFile
from fastapi.responses import JSONResponse

from video.server.options import ServerOptions
from video.server.photos import describe
from video.server.routes import problems
from video.server.service import Refused, Service
from video.server.shapes import (
    CaptionsList,
    ImageCaption,
    JobShape,
    Kind,
    Metric,
    VideoCaptions,
)

MOST_PHOTOS = 10
_WAIT_S = 0.2
_LATER: dict[int | str, dict[str, Any]] = {
    202: {"model": JobShape, "description": "it takes longer: follow the job"}
}


def classic_routes(service: Service, options: ServerOptions) -> APIRouter:
    """/get_captions, /get_image_caption and /get_video_captions."""
    routes = APIRouter(tags=["captions"])
    photo_bytes = round(1e6 * options.max_photo_mb)
    photo_problems = problems(400, 413, 415, 422, 503)

    @routes.post("/get_captions", responses=photo_problems, max_body_size=photo_bytes)
    async def get_captions(image: Annotated[list[UploadFile], File()]) -> CaptionsList:
        """Up to three sentences for each photo."""
        check_count(image)
        told = await service.seen(image, describe, False)
        return CaptionsList.model_validate({"captions": told})

    @routes.post("/get_image_caption", responses=photo_problems, max_body_size=photo_bytes)
    async def get_image_caption(image: Annotated[UploadFile, File()]) -> ImageCaption:
        """A photo's sentence, the vectors of its words, and the CNN's features."""
        told = await service.seen([image], describe, True)
        return ImageCaption.model_validate(told[0])

    @routes.post(
        "/get_video_captions",
        response_model=VideoCaptions,
        responses={**_LATER, **problems(400, 413, 415, 422, 429, 503)},
        max_body_size=round(1e6 * options.max_film_mb),
    )
    async def get_video_captions(
        request: Request,
        video: Annotated[UploadFile, File()],
        every_n_second: Annotated[float, Form(ge=0.1, le=3600)] = 1.0,
        metric: Annotated[Metric, Form()] = "cosine",
        rolling_window_size: Annotated[int, Form(ge=1, le=1000)] = 5,
    ) -> Response:
        """A film's sentences at regular times, and how unlike each is to those before."""
        wishes = {
            "every_n_second": every_n_second,
            "metric": metric,
            "rolling_window_size": rolling_window_size,
        }
        job = await service.submit(video, "moments", wishes)
        return await _waited(service, job.id, request)

    return routes


def check_count(photos: list[UploadFile], most: int = MOST_PHOTOS) -> None:
    """Refuses more than `most` photos."""
    if len(photos) > most:
        raise Refused(
            413,
            f"사진이 {len(photos)}장입니다. {most}장까지 보내세요.",
            f"{len(photos)} photos. Send {most} at most.",
        )


async def _waited(service: Service, number: str, request: Request) -> Response:
    """The moments when they are there; a client that left takes the job with it."""
    end = asyncio.get_running_loop().time() + service.options.answer_s
    while (job := service.found(number)).state in ("waiting", "working"):
        if await request.is_disconnected():
            service.queue.cancel(number)
        if asyncio.get_running_loop().time() > end:
            return JSONResponse(service.shape(job).model_dump(mode="json"), 202)
        await asyncio.sleep(_WAIT_S)
    if job.state != "done":
        raise Refused(415, job.error_ko or "취소되었습니다.", job.error_en or "cancelled.")
    told: Any = service.file(job, Kind("moments")).read_bytes()
    return Response(told, media_type="application/json")
