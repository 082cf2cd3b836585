"""Shots of the films that were captioned here, found by what is seen in them."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from video.scenes.library import Library, Place
from video.scenes.matching import words_of
from video.scenes.store import texts_of
from video.server.worker import Held
from video.track import from_json

MOST = 20
Stamp = tuple[str, int, int]  # job, and its result's time and size
Read = tuple[list[Place], list[list[str]]]  # a film's shots, and the full words of each


class Shelf:
    """The films that were asked last, as a process keeps them: only new ones are read."""

    def __init__(self) -> None:
        self._read: dict[Stamp, Read] = {}
        self._library: Library | None = None

    def library(self, held: Held, tracks: Sequence[tuple[str, Path]]) -> Library:
        """The shots of these jobs; what is gone meanwhile is left out."""
        found: dict[Stamp, Read] = {}
        for job, path in tracks:
            with suppress(OSError):
                stat = path.stat()
                stamp = (job, stat.st_mtime_ns, stat.st_size)
                found[stamp] = self._read.get(stamp) or _read(held, job, path)
        if self._library is None or list(found) != list(self._read):
            places = [place for shots, _ in found.values() for place in shots]
            words = [word for _, cut in found.values() for word in cut]
            self._read, self._library = found, Library(places, words, held.words)
        return self._library


def _read(held: Held, job: str, path: Path) -> Read:
    track = from_json(path.read_text("utf-8"))
    places = [(track.video, job, s.start_ms, s.end_ms, s.caption) for s in track.shots]
    return places, [words_of(texts_of(shot), held.words) for shot in track.shots]


_shelf = Shelf()


def find(
    held: Held, tracks: Sequence[tuple[str, Path]], query: str, shelf: Shelf = _shelf
) -> list[dict[str, Any]]:
    """The shots that answer a query best, best first.

    Args:
        held: whose words are compared.
        tracks: jobs with their JSON results; what is gone meanwhile is left out.
        query: Korean words.
        shelf: of this process.
    """
    return [
        {
            "job": hit.track,
            "name": hit.video,
            "start_ms": hit.start_ms,
            "end_ms": hit.end_ms,
            "caption": hit.caption,
            "score": round(hit.score, 4),
        }
        for hit in shelf.library(held, tracks).search(query, MOST)
    ]
