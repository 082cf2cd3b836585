"""Finding the picture or film that a label names among everything that was downloaded."""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import PurePosixPath

from preprocess.members import Member, same_file
from preprocess.sets.labels import FILMS, UNREAD, Kind, kind_of
from preprocess.splits import official_split


class Shelf:
    """Pictures and films by the stems of their names, whatever case and folder they are in."""

    def __init__(self, members: Iterable[Member] = ()) -> None:
        self._by_stem: dict[tuple[str, Kind], list[Member]] = {}
        for member in members:
            self.put(member)

    def put(self, member: Member) -> bool:
        """Takes a member in if it is a picture or film."""
        kind = kind_of(member.name)
        if kind:
            self._by_stem.setdefault((_stem(member.name), kind), []).append(member)
        return bool(kind)

    def __len__(self) -> int:
        return sum(map(len, self._by_stem.values()))

    def __iter__(self) -> Iterator[Member]:
        return chain.from_iterable(self._by_stem.values())

    def take(self, other: "Shelf") -> None:
        """Takes in what is on another shelf."""
        for key, members in other._by_stem.items():
            self._by_stem.setdefault(key, []).extend(members)

    def candidates(self, name: str, kind: Kind, within: int) -> list[Member]:
        """The members that agree with a name, or path, in most parts from its end.

        Args:
            name: as a label has it, with folders or without.
            kind: of the file.
            within: how many folders must agree at least, if the name has so many.
        """
        if kind_of(name) not in (None, kind):
            return []
        found = self._by_stem.get((_stem(name), kind), [])
        wanted = _parts(name)
        told = kind_of(name) is not None and len(found) > 1
        if told:  # a.jpg beside a.png: the label says which
            found = [m for m in found if _parts(m.name)[-1] == wanted[-1]] or found
        shares = [_shared(wanted[:-1], _parts(m.name)[:-1]) for m in found]
        most = max(shares, default=0)
        if most < min(within, len(wanted) - 1):
            return []
        return [m for m, share in zip(found, shares, strict=True) if share == most]


def found(
    shelf: Shelf, names: Sequence[str], kind: Kind, split: str = "", within: int = 0
) -> Member | str:
    """The member of the first name that a shelf has, else why there is none.

    Names that several files have are told apart by Training and Validation; the same file met
    twice (packed and unpacked) is one.
    """
    for name in names:
        if ".." in PurePosixPath(name.replace("\\", "/")).parts:
            return "picture outside the picture folder"
        members = shelf.candidates(name, kind, within)
        same = [m for m in members if split and official_split(m.name) == split] or members
        if not all(same_file(same[0], other) for other in same[1:]):
            return "several files have this name"
        if same:
            return next((m for m in same if m.path), same[0])
    if kind == FILMS:
        return "film missing"
    unread = any(name.lower().endswith(UNREAD) for name in names)
    return "picture of a kind that is not read" if unread else "picture missing"


def _parts(name: str) -> list[str]:
    folded = unicodedata.normalize("NFC", name).casefold().replace("\\", "/")
    return [part for part in folded.split("/") if part]


def _stem(name: str) -> str:
    last = (_parts(name) or [""])[-1]
    return PurePosixPath(last).stem if kind_of(last) else last


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    """How many parts agree, from the end."""
    pairs = zip(reversed(one), reversed(other), strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
