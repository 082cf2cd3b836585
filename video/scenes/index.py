"""`python -m video.scenes index LIBRARY.sqlite TRACK|FOLDER...`: films to be searched later."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from preprocess.files import is_folder
from video.console import say

ABOUT = "여러 영상의 자막 기록을 색인 하나에 모읍니다. (Keeps an index of captioned films.)"


def add(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument("index", type=Path, metavar="LIBRARY.sqlite")
    parser.add_argument(
        "tracks", nargs="+", type=Path, metavar="TRACK.json|FOLDER", help="-o 이름.json의 결과"
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
        print(f"scenes: {error.text(arguments.lang)}", file=sys.stderr)
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
    """The files named, and every JSON file in the folders named."""
    for path in paths:
        if is_folder(path):
            yield from sorted(p for p in path.rglob("*.json") if p.is_file())
        else:
            yield path
