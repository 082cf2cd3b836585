"""The scene tools over REST: hashtags, regions, attention and groups."""

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, File, Form, Query, UploadFile
from fastapi.responses import Response

from video.scenes.regions import DEFAULT as REGIONS
from video.scenes.tags import DEFAULT, TagOptions
from video.server.classic import check_count
from video.server.options import ServerOptions
from video.server.routes import TYPES, problems
from video.server.seeing import (
    grouped,
    grouped_shots,
    located,
    looked,
    tagged,
    tagged_track,
)
from video.server.service import Refused, Service
from video.server.shapes import (
    HashtagsShape,
    Impression,
    Kind,
    LooksShape,
    PhotoGroups,
    RegionsShape,
    ShotGroups,
)

MOST_GROUPED = 100  # photos: about half a minute
TYPES_DRAWN = {"png": "image/png", "gif": TYPES["gif"]}
Photos = Annotated[list[UploadFile], File()]
Photo = Annotated[UploadFile, File()]
Impressions = list[Impression]
Blocked = Annotated[str, Form(max_length=4000, description="words, parted by spaces or commas")]


def scene_routes(service: Service, options: ServerOptions) -> APIRouter:
    """What `python -m video.scenes` does, of photos that are sent and of jobs."""
    routes = APIRouter(tags=["scenes"])
    most = round(1e6 * options.max_photo_mb)
    _add_tags(routes, service, most)
    _add_looking(routes, service, most)
    _add_groups(routes, service, most)
    return routes


def _add_tags(routes: APIRouter, service: Service, most_bytes: int) -> None:
    @routes.post(
        "/get_hashtags", responses=problems(400, 413, 415, 422, 503), max_body_size=most_bytes
    )
    async def get_hashtags(
        image: Photos,
        impressions: Annotated[Impressions, Form()] = [],  # noqa: B006
        blocked: Blocked = "",
        most: Annotated[int, Form(ge=1, le=100)] = DEFAULT.most,
    ) -> HashtagsShape:
        """Keywords, related words and hashtags of up to ten photos together."""
        check_count(image)
        wishes = _wishes(impressions, blocked, most)
        return HashtagsShape.model_validate(await service.seen(image, tagged, wishes))

    @routes.get("/jobs/{number}/hashtags", responses=problems(404, 422, 503))
    async def job_hashtags(
        number: UUID,
        impressions: Annotated[Impressions, Query()] = [],  # noqa: B006
        blocked: Annotated[str, Query(max_length=4000)] = "",
        most: Annotated[int, Query(ge=1, le=100)] = DEFAULT.most,
    ) -> HashtagsShape:
        """The same of a film that was captioned here."""
        job = service.found(number)
        service.file(job, Kind("json"))  # 404 where there is none yet
        wishes = _wishes(impressions, blocked, most)
        return HashtagsShape.model_validate(await service.told(tagged_track, wishes, of=[job]))


def _wishes(impressions: Sequence[Any], blocked: str, most: int) -> TagOptions:
    names = tuple(one.value for one in impressions)
    words = tuple(word for word in re.split(r"[\s,]+", blocked) if word)
    return TagOptions(most=most, impressions=names, blocked=words)


def _drawable(*forms: str) -> dict[str, Any]:
    """How answers that can be pictures are told in the schema."""
    content: dict[str, Any] = {TYPES_DRAWN[form]: {} for form in forms}
    return {"responses": {200: {"content": content}, **problems(400, 413, 415, 422, 503)}}


def _add_looking(routes: APIRouter, service: Service, most_bytes: int) -> None:
    @routes.post(
        "/get_regions", response_model=RegionsShape, max_body_size=most_bytes, **_drawable("png")
    )
    async def get_regions(
        image: Photo,
        most: Annotated[int, Form(ge=1, le=30)] = REGIONS.most,
        form: Annotated[Literal["json", "png"], Form()] = "json",
    ) -> Any:
        """What is where in a photo: boxes with their own sentences, or the photo with them."""
        return _answered(await service.seen([image], located, most, form), form)

    @routes.post(
        "/get_attention",
        response_model=LooksShape,
        max_body_size=most_bytes,
        **_drawable("png", "gif"),
    )
    async def get_attention(
        image: Photo, form: Annotated[Literal["json", "png", "gif"], Form()] = "json"
    ) -> Any:
        """Where was looked in a photo for each word of its likeliest sentence."""
        return _answered(await service.seen([image], looked, form), form)


def _answered(told: Any, form: str) -> Any:
    """What is drawn as it is; fields for the response model to check."""
    return told if form == "json" else Response(told, media_type=TYPES_DRAWN[form])


def _add_groups(routes: APIRouter, service: Service, most_bytes: int) -> None:
    @routes.post(
        "/get_groups", responses=problems(400, 413, 415, 422, 503), max_body_size=most_bytes
    )
    async def get_groups(
        image: Photos, count: Annotated[int | None, Form(ge=1, le=MOST_GROUPED)] = None
    ) -> PhotoGroups:
        """Up to a hundred photos in groups by what is seen, each with a Korean name."""
        check_count(image, MOST_GROUPED)
        if (count or 1) > len(image):
            raise Refused(
                422,
                f"사진 {len(image)}장을 {count}묶음으로 나눌 수 없습니다.",
                f"{len(image)} photos cannot be {count} groups.",
            )
        return PhotoGroups.model_validate(await service.seen(image, grouped, count))

    @routes.get("/groups", responses=problems(404, 422, 503))
    async def groups(
        job: Annotated[list[UUID], Query(max_length=100)] = [],  # noqa: B006
        count: Annotated[int | None, Query(ge=1, le=1000)] = None,
    ) -> ShotGroups:
        """The shots of these jobs, or of the newest hundred, in groups."""
        of = [service.found(number) for number in job] or None
        return ShotGroups.model_validate(await service.told(grouped_shots, count, of=of))
