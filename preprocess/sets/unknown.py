"""Label files of no known form: where their Korean stands, and reading it by a key path.

A key path names the keys from the top, [] for every item of a list, * for every key of an object:
"data.items[].text_ko", "*[]" of {"a.jpg": ["..."]}.
"""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from preprocess.captions import hangul_share, sentences
from preprocess.sets.labels import Document, Label, kind_of, listed, named, padded, text
from preprocess.tally import Tally

STEP = re.compile(r"([^.\[\]]*)((?:\[\])*)")
DEEPEST = 40  # objects in objects
CALLING = re.compile(
    r"(image|img|picture|photo|file|video|clip|이미지|사진|영상|파일)"
    r"[_ ]?(id|name|no|num|number|key|path|아이디|번호|이름|명)?"
)


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

    Where none is named it is looked for by the label file's own name and by what the caption's
    object calls its picture: {"image_id": 7} is 7.jpg, or 000007.jpg.
    """
    found: dict[tuple[str, ...], list[object]] = {}
    pictures = _Pictures(document)
    for value, scopes in _at(document, _steps(key), (document,)):
        name = pictures.named(scopes)
        media = (name,) if name else (*_called(scopes), stem)
        found.setdefault(media, []).extend(s for t in listed(value) for s in sentences(t))
    if not found:
        tally.drop("nothing at --caption-key", stem)
    for media, captions in found.items():
        whole = kind_of(media[0]) is not None
        identity = named(PurePosixPath(media[0]).with_suffix("") if whole else media[0])
        names = media if whole else (stem, *media[:-1])
        yield Label(identity, tuple(captions), identity, names, films=names)


class _Pictures:
    """The pictures and films that the objects of a document name, each looked at once."""

    def __init__(self, document: Document) -> None:
        self._seen: dict[int, tuple[Document, str]] = {}  # by id(), which is one's while it is kept
        self._by_id = dict(_numbered(document, 0))

    def named(self, scopes: tuple[Document, ...]) -> str:
        """The one that is named nearest, or whose id is: {image_id} and {id, file_name}."""
        return next((m for s in reversed(scopes) if (m := self._only(s) or self._other(s))), "")

    def _only(self, scope: Document) -> str:
        if id(scope) not in self._seen:
            self._seen[id(scope)] = (scope, _only(scope))
        return self._seen[id(scope)][1]

    def _other(self, scope: Document) -> str:
        told = (self._by_id.get(text(value), "") for _, value in _callings(scope))
        return next(filter(None, told), "")


def _numbered(value: Document, depth: int) -> Iterator[tuple[str, str]]:
    """The id and picture of every object that has both."""
    if isinstance(value, list) and depth < DEEPEST:
        for inner in value:
            yield from _numbered(inner, depth + 1)
    elif isinstance(value, dict) and depth < DEEPEST:
        names = [v for v in value.values() if isinstance(v, str) and _is_name(v)]
        if len(names) == 1 and text(value.get("id")):
            yield text(value["id"]), names[0].strip()
        for inner in value.values():
            yield from _numbered(inner, depth + 1)


def _callings(scope: Document) -> Iterator[tuple[str, Document]]:
    """The members of an object that call a picture or film: image_id, fileName, 영상번호."""
    for key, value in scope.items() if isinstance(scope, dict) else ():
        if CALLING.fullmatch(str(key).strip().lower()):
            yield key, value


def _called(scopes: tuple[Document, ...]) -> tuple[str, ...]:
    """What the nearest object that says so calls its picture, and the same with more zeros."""
    for scope in reversed(scopes):
        for _, value in _callings(scope):
            if (name := text(value)) and " " not in name:
                return padded(name)
    return ()


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
    elif steps[0] == "*":
        for key, inner in value.items() if isinstance(value, dict) else ():
            yield from _at(inner, steps[1:], (*scopes, {"file": key}, inner))
    elif isinstance(value, dict) and steps[0] in value:
        inner = value[steps[0]]
        yield from _at(inner, steps[1:], (*scopes, inner))


def _only(scope: Document) -> str:
    """The one picture or film that a part of a document names; '' for none or several."""
    names = {v.strip() for _, v in _texts(scope, "", 0) if _is_name(v)}
    return names.pop() if len(names) == 1 else ""


def _is_name(value: str) -> bool:
    """Whether it is the name of a picture or film; an address is where a copy was once."""
    return kind_of(value.strip()) is not None and "://" not in value


def _texts(value: Document, path: str, depth: int) -> Iterator[tuple[str, str]]:
    """Every text with its key path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict) and depth < DEEPEST:
        for key, inner in value.items():
            step = "*" if kind_of(key) or key.isdecimal() else key  # a name rather than a key
            yield from _texts(inner, f"{path}.{step}" if path else step, depth + 1)
    elif isinstance(value, list) and depth < DEEPEST:
        for inner in value:
            yield from _texts(inner, f"{path}[]", depth + 1)
