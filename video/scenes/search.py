"""`python -m video.scenes search WORDS TRACK...|--index LIBRARY.sqlite`: shots by what is seen."""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from preprocess.errors import DataError, SettingError
from preprocess.files import path_of
from video.console import say_result
from video.values import whole

if TYPE_CHECKING:
    from model.words import Words
    from video.scenes.library import Hit
    from video.track import Track

ABOUT = "말로 장면을 찾습니다. (Finds shots by Korean words.)"


def search(query: str, tracks: "Sequence[Track]", words: "Words", top: int = 10) -> "list[Hit]":
    """The shots of films that answer a Korean query best, best first.

    Who asks the same films often keeps a Library (video.scenes.library) instead.

    Raises:
        SettingError: the query is empty, or top is below 1.
    """
    from video.scenes.library import Library

    return Library.of((("", track) for track in tracks), words).search(query, top)


def add(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    more = parser.add_argument
    more("query", metavar="WORDS", help='찾을 말, 예: "빨간 차가 지나가는 장면"')
    more("tracks", nargs="*", type=path_of, metavar="TRACK.json|FOLDER", help="-o 이름.json의 결과")
    more("--index", type=path_of, metavar="LIBRARY.sqlite", help="index 명령으로 만든 색인")
    more("--top", type=whole(1, 100_000), default=10, metavar="N", help="몇 개 (%(default)s)")
    more("--json", action="store_true", help="JSON으로 (as JSON)")


def run(arguments: argparse.Namespace) -> int:
    """Prints the shots that answer best."""
    from model.words import Words
    from video.scenes.index import no_tracks
    from video.scenes.library import Library
    from video.subtitles import clock

    if bool(arguments.tracks) == bool(arguments.index):
        raise SettingError(
            "자막 기록(-o 이름.json의 결과)이나 --index 가운데 하나를 주세요.",
            "give tracks (made with -o NAME.json) or --index, one of them.",
        )
    words = Words.load(arguments.model)
    if arguments.index:
        library = Library.load(arguments.index, words)
    else:
        tracks = list(_tracks(arguments.tracks))
        if not tracks:
            raise no_tracks(arguments.tracks)
        library = Library.of(tracks, words)
    hits = library.search(arguments.query, arguments.top)
    if arguments.json:
        say_result(json.dumps([asdict(hit) for hit in hits], ensure_ascii=False, indent=1))
        return 0
    if not hits:
        say_result(_NOTHING[arguments.lang])
    for hit in hits:
        times = f"{clock(hit.start_ms)}-{clock(hit.end_ms)}"
        say_result(f"{hit.score:.2f}  {hit.video}  {times}  {' '.join(hit.caption.split())}")
    return 0


_NOTHING = {
    "ko": "찾은 장면이 없습니다. 다른 말로 찾아 보세요.",
    "en": "No shot was found. Try other Korean words.",
}


def _tracks(paths: Sequence[Path]) -> "Iterator[tuple[str, Track]]":
    """The tracks; of a folder's JSON files those that are tracks."""
    from video.reading import read_track
    from video.scenes.index import files

    for path in files(paths):
        try:
            track = read_track(path)
        except DataError:
            if path in paths:
                raise
            continue
        yield str(path), track
