"""`python -m video.scenes index LIBRARY.sqlite TRACK|FOLDER...`: films to be searched later."""

import argparse
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from preprocess.errors import DataError
from preprocess.files import is_file, is_folder, path_of
from video.console import complain, say

ABOUT = "여러 영상의 자막 기록을 색인 하나에 모읍니다. (Keeps an index of captioned films.)"


def add(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument("index", type=path_of, metavar="LIBRARY.sqlite")
    parser.add_argument(
        "tracks", nargs="+", type=path_of, metavar="TRACK.json|FOLDER", help="-o 이름.json의 결과"
    )


def run(arguments: argparse.Namespace) -> int:
    """Adds new tracks, reads changed ones anew, takes out those that are gone."""
    from model.words import Words
    from video.scenes.store import placed, update

    words = Words.load(arguments.model)
    tracks = list(files(arguments.tracks))
    changes = update(arguments.index, tracks, arguments.tracks, words)
    told = {placed(path) for path in arguments.tracks}
    asked = [(path, error) for path, error in changes.refused if path in told]
    for _, error in asked:
        complain(error, arguments.lang, program="scenes")
    if not os.path.lexists(arguments.index):  # there was nothing to keep
        if not asked:
            raise no_tracks(arguments.tracks)
        return 1
    passed = len(changes.refused) - len(asked)
    counts = (changes.added, changes.updated, changes.removed, changes.kept, passed)
    names = {
        "ko": ("더함", "고침", "뺌", "그대로", "자막 기록이 아님"),
        "en": ("added", "updated", "removed", "kept", "no track"),
    }[arguments.lang]
    line = ", ".join(f"{n} {c:,}" for n, c in zip(names, counts, strict=True))
    say(f"{arguments.index}: {line}")
    return 1 if asked else 0


def files(paths: Sequence[Path]) -> Iterator[Path]:
    """The files named, and every JSON file in the folders named, each once."""
    from video.scenes.store import placed

    seen: set[Path] = set()
    for path in paths:
        inside = sorted(filter(is_file, path.rglob("*.json"))) if is_folder(path) else [path]
        for one in inside:
            if placed(one) not in seen:
                seen.add(placed(one))
                yield one


def no_tracks(paths: Sequence[Path]) -> DataError:
    """There is nothing that could be searched."""
    names = ", ".join(f"'{path}'" for path in paths[:3])
    return DataError(
        f"{names}에 자막 기록이 없습니다. 먼저 만드세요: python caption_video.py 영상 -o .json",
        f"there is no track in {names}. Make one: python caption_video.py FILM -o .json",
    )
