"""Label files of no known form: where their Korean stands, and reading it by a key path.

A key path names the keys from the top, [] for every item of a list: "data.items[].text_ko".
"""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from preprocess.captions import hangul_share, sentences
from preprocess.sets.labels import FILMS, STILLS, Document, Label, listed, named
from preprocess.tally import Tally

STEP = re.compile(r"([^.\[\]]*)((?:\[\])*)")
DEEPEST = 40  # objects in objects


def korean_keys(document: Document) -> dict[str, str]:
    """Key path of every text field that holds Korean, with an example; the shortest first."""
    found: dict[str, str] = {}
    for path, value in _texts(document, "", 0):
        if hangul_share(value) >= 0.5:
            found.setdefault(path, value)
    return dict(sorted(found.items(), key=lambda item: (len(item[0]), item[0])))


def reaches(document: Document, key: str) -> bool:
    """Whether anything stands at a key path."""
    return next(_at(document, _steps(key), ()), None) is not None


def keyed(document: Document, tally: Tally, stem: str, key: str) -> Iterator[Label]:
    """The texts at a key path, each with the one picture or film that is named nearest to it.

    Where none is named the label file's own name is taken for the picture's or film's.
    """
    found: dict[str, list[object]] = {}
    for value, scopes in _at(document, _steps(key), (document,)):
        media = next((m for scope in reversed(scopes) if (m := _only(scope))), stem)
        found.setdefault(media, []).extend(s for t in listed(value) for s in sentences(t))
    if not found:
        tally.drop("nothing at --caption-key", stem)
    for media, captions in found.items():
        identity = named(PurePosixPath(media).with_suffix("") if media != stem else stem)
        yield Label(identity, tuple(captions), identity, (media,), films=(media,))


def _steps(key: str) -> list[str]:
    """The keys of a path, "[]" for every item."""
    steps: list[str] = []
    for piece in key.split("."):
        match = STEP.fullmatch(piece)
        name, lists = match.groups() if match else (piece, "")
        steps += ([name] if name else []) + ["[]"] * (len(lists) // 2)
    return steps


def _at(
    value: Document, steps: list[str], scopes: tuple[Document, ...]
) -> Iterator[tuple[Document, tuple[Document, ...]]]:
    if not steps:
        yield value, scopes
    elif steps[0] == "[]":
        for item in value if isinstance(value, list) else []:
            yield from _at(item, steps[1:], (*scopes, item))
    elif isinstance(value, dict) and steps[0] in value:
        inner = value[steps[0]]
        yield from _at(inner, steps[1:], (*scopes, inner))


def _only(scope: Document) -> str:
    """The one picture or film that a part of a document names; '' for none or several."""
    names = {
        v.strip() for _, v in _texts(scope, "", 0) if v.strip().lower().endswith(STILLS + FILMS)
    }
    return names.pop() if len(names) == 1 else ""


def _texts(value: Document, path: str, depth: int) -> Iterator[tuple[str, str]]:
    """Every text with its key path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict) and depth < DEEPEST:
        for key, inner in value.items():
            yield from _texts(inner, f"{path}.{key}" if path else str(key), depth + 1)
    elif isinstance(value, list) and depth < DEEPEST:
        for inner in value:
            yield from _texts(inner, f"{path}[]", depth + 1)
