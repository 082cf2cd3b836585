"""The scene tools in a worker: of photos that were sent, and of the tracks of jobs."""

import io
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from preprocess.errors import DataError
from preprocess.media import Limits
from video.scenes.attention import encoded, looks
from video.scenes.grouping import Item, group
from video.scenes.pictures import item_of, shot_items
from video.scenes.regions import RegionOptions, drawn, regions
from video.scenes.tags import Hashtags, TagOptions, of_photos, of_track
from video.server.photos import Sent, pictures
from video.server.worker import Held
from video.track import Track, from_json

Tracks = Sequence[tuple[str, Path]]  # jobs with their JSON results; what is gone is left out


def tagged(held: Held, photos: Sequence[Sent], limits: Limits, options: TagOptions) -> Any:
    """Hashtags of all photos together."""
    return _tags(of_photos(list(pictures(photos, limits)), held.captioner, options))


def located(held: Held, photos: Sequence[Sent], limits: Limits, most: int, form: str) -> Any:
    """What is where in the photo: as fields, or drawn ("png")."""
    picture = next(pictures(photos, limits))
    found = regions(picture, held.captioner, RegionOptions.of(most))
    if form == "png":
        held_png = io.BytesIO()
        drawn(picture, found).save(held_png, "PNG")
        return held_png.getvalue()
    height, width = picture.shape[:2]
    told = [{**asdict(one), "confidence": round(float(one.confidence), 4)} for one in found]
    return {"name": photos[0][1], "width": width, "height": height, "regions": told}


def looked(held: Held, photos: Sequence[Sent], limits: Limits, form: str) -> Any:
    """Where was looked for each morpheme: as fields, or drawn ("png", "gif")."""
    picture = next(pictures(photos, limits))
    seen = looks(picture, held.captioner)
    if form != "json":
        return encoded(picture, seen, form)
    told = [{"word": one.word, "heat": np.round(one.heat, 4).tolist()} for one in seen.looks]
    confidence = round(float(seen.confidence), 4)
    return {"name": photos[0][1], "text": seen.text, "confidence": confidence, "looks": told}


def grouped(held: Held, photos: Sequence[Sent], limits: Limits, count: int | None) -> Any:
    """The photos in groups by what is seen."""
    seen = zip(photos, pictures(photos, limits), strict=True)
    items = [item_of(name, picture, held.captioner, held.words) for (_, name), picture in seen]
    told = [
        {"index": index, "name": item.name, "caption": item.caption}
        for index, item in enumerate(items)
    ]
    return _groups(held, items, told, count)


def tagged_track(held: Held, tracks: Tracks, options: TagOptions) -> Any:
    """Hashtags of the one film.

    Raises:
        DataError: its captions are gone.
    """
    for _, track in _read(tracks):
        return _tags(of_track(track, held.words, options))
    raise DataError("이 작업에는 자막이 없습니다.", "this job has no captions.")


def grouped_shots(held: Held, tracks: Tracks, count: int | None) -> Any:
    """All shots of the films in groups; none where there is no shot."""
    found = list(_read(tracks))
    items = [item for _, track in found for item in shot_items(track, held.words)]
    told = [
        {"job": job, "name": track.video, "start_ms": shot.start_ms, "end_ms": shot.end_ms,
         "caption": shot.caption}
        for job, track in found for shot in track.shots
    ]  # fmt: skip
    return _groups(held, items, told, count) if items else {"groups": []}


def _groups(
    held: Held, items: Sequence[Item], told: Sequence[dict[str, Any]], count: int | None
) -> dict[str, Any]:
    found = group(items, held.words, count)
    groups = [{"name": g.name, "members": [told[m] for m in g.members]} for g in found]
    return {"groups": groups}


def _tags(found: Hashtags) -> dict[str, Any]:
    return {**asdict(found), "line": found.line}


def _read(tracks: Tracks) -> Iterator[tuple[str, Track]]:
    for job, path in tracks:
        with suppress(OSError):  # of a job that was removed this moment
            yield job, from_json(path.read_text("utf-8"))
