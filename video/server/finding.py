"""Shots of the films that were captioned here, found by what is seen in them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from video.scenes.library import Library
from video.server.worker import Held
from video.track import from_json

MOST = 20


def find(held: Held, tracks: Sequence[tuple[str, Path]], query: str) -> list[dict[str, Any]]:
    """The shots that answer a query best, best first.

    Args:
        held: whose words are compared.
        tracks: jobs with their JSON results; what is gone meanwhile is left out.
        query: Korean words.
    """
    texts = [(job, path.read_text("utf-8")) for job, path in tracks if path.is_file()]
    library = Library.of([(job, from_json(text)) for job, text in texts], held.words)
    return [
        {
            "job": hit.track,
            "name": hit.video,
            "start_ms": hit.start_ms,
            "end_ms": hit.end_ms,
            "caption": hit.caption,
            "score": round(hit.score, 4),
        }
        for hit in library.search(query, MOST)
    ]
