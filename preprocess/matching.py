"""Labels with the files that show them, cleaned captions and splits."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TypeGuard

from preprocess.captions import kept
from preprocess.members import Member, same_file
from preprocess.reading import Found, Source
from preprocess.sets.labels import FILMS, STILLS, Label, kind_of
from preprocess.shelf import Shelf, found
from preprocess.splits import Unit, assigned
from preprocess.tally import Tally

Table = Mapping[str, str]
Media = tuple[Member, ...]


@dataclass(frozen=True)
class Match:
    """A label that can be used.

    Attributes:
        label: as it was read.
        captions: those of it that can be used, cleaned; at least one.
        members: the pictures in order of time, or the film, that show it; at least one.
        source: number of the PATH it came from.
        form: of the set.
        set_name: where it is counted, and the beginning of its key.
        official: its split by the download's folders, or "".
        split: "train", "val" or "test"; "" until splits are assigned.
        shares: the group it is one with because they show the same file, or "".
    """

    label: Label
    captions: tuple[str, ...]
    members: tuple[Member, ...]
    source: int
    form: str
    set_name: str
    official: str
    split: str = ""
    shares: str = ""

    @property
    def member(self) -> Member:
        """The picture for who looks at one alone, or the film."""
        return self.members[len(self.members) // 2]

    @property
    def key(self) -> str:
        """Unique over all sets."""
        return f"{self.set_name}/{self.label.identity}"

    @property
    def group(self) -> str:
        """What is never split, over all sets."""
        return self.shares or f"{self.set_name}/{self.label.group}"


def matched(
    sources: Sequence[Source], pictures: Sequence[Sequence[Shelf]], tables: Sequence[Table | None]
) -> list[Match]:
    """The labels of all sources that have a caption, a picture or film, and a split.

    Args:
        sources: what was read, a PATH each.
        pictures: for each source, further shelves that are looked at first.
        tables: for each source, the split by id that its user gave, if any.
    """
    everything = _Everything(sources)
    matches: list[Match] = []
    named: set[str] = set()  # files that a label names
    bare = [source.shelf for source in sources if not source.found]  # pictures and no labels
    if len(sources) - len(bare) > 1:  # whose they are is not known
        bare = []
    for number, source in enumerate(sources):
        shelves = [*pictures[number], source.shelf, *bare, everything]
        matches += _of_source(number, source, shelves, named)
    _count_unnamed(sources, named)
    distinct = _together(list(_distinct(matches, sources)))
    return list(_split(distinct, sources, _tables(sources, tables)))


def _tables(sources: Sequence[Source], given: Sequence[Table | None]) -> list[Table | None]:
    """For each source the table that its user gave, that lies in it, or that is a PATH itself."""
    alone = next((s.table for s in sources if s.table is not None and not s.found), None)
    found = [t if t is not None else s.table for t, s in zip(given, sources, strict=True)]
    return [table if table is not None else alone for table in found]


class _Everything(Shelf):
    """The pictures and films of all sources: labels and pictures may come as PATHs of their own."""

    def __init__(self, sources: Sequence[Source]) -> None:
        super().__init__()
        for source in sources if len(sources) > 1 else ():
            self.take(source.shelf)


def _count_unnamed(sources: Sequence[Source], named: set[str]) -> None:
    """Counts pictures and films that no label names; of a drama's frames most have none."""
    for source in sources:
        if not any(found.form == "drama" for found in source.found):
            rest = [member for member in source.shelf if member.told not in named]
            if rest:
                source.tally("").drop("file that no label names", rest[0].name, len(rest))


def _of_source(
    number: int, source: Source, shelves: Sequence[Shelf], named: set[str]
) -> Iterator[Match]:
    for form in dict.fromkeys(f.form for f in source.found):
        labelled = [f for f in source.found if f.form == form]
        tally, name = source.tally(form), source.set_name(form)
        media = _media(labelled, shelves)
        named.update(m.told for members in media if not isinstance(members, str) for m in members)
        for f, members in zip(labelled, media, strict=True):
            shown = f.label.identity
            captions = kept(f.label.captions, shown, tally)
            if not captions:
                tally.drop("no usable caption", shown)
            elif isinstance(members, str):
                tally.drop(members, f"{shown}: {_first_name(f.label)}")
            else:
                _count_missing(f.label, members, tally)
                yield Match(f.label, captions, members, number, form, name, f.official)


def _first_name(label: Label) -> str:
    return next((name for names in (*label.looks, label.films) for name in names), "")


def _count_missing(label: Label, members: Media, tally: Tally) -> None:
    """Counts the pictures of a shot that are not there where others are."""
    missing = len(label.along) - len(members)
    if missing > 0 and kind_of(members[0].name) == STILLS:
        tally.drop("picture missing", f"{label.identity}: {_first_name(label)}", missing)


def _media(labelled: Sequence[Found], shelves: Sequence[Shelf]) -> list[Media | str]:
    """The files of each label, or why there is none: from the first shelf that has it.

    Films alone are the last resort. The last shelf, where all sets lie together, is asked only
    for a set of which nothing is on the others: sets call different pictures by one name.
    """
    *own, everything = shelves
    found = _on_shelves(labelled, own)
    return found if any(map(_is_there, found)) else _on_shelves(labelled, [everything])


def _on_shelves(labelled: Sequence[Found], shelves: Sequence[Shelf]) -> list[Media | str]:
    stills: list[Media | str] = []
    films: list[Media | str] = []
    for shelf in shelves:
        files = _on_shelf(labelled, shelf)
        if any(_is_there(file) and kind_of(file[0].name) == STILLS for file in files):
            stills = _filled(stills, files)
        else:
            films = _filled(films, files)
    return stills or films


def _on_shelf(labelled: Sequence[Found], shelf: Shelf) -> list[Media | str]:
    """The files of each label on one shelf.

    Two folders that labels name must be those that stills lie in; only where none of a set's are,
    one, and then none.
    """
    found: list[Media | str] = []
    for within in (2, 1, 0):
        files = [_files(f, shelf, within) for f in labelled]
        there = {kind_of(file[0].name) for file in files if not isinstance(file, str)}
        if STILLS in there:
            return files
        found = found or (files if there or not within else [])
    return found


def _filled(before: list[Media | str], after: list[Media | str]) -> list[Media | str]:
    """What was found before, and where nothing was, what is found now."""
    pairs = zip(before or after, after, strict=True)
    return [b if _is_there(b) or not _is_there(a) else a for b, a in pairs]


def _is_there(file: Media | str) -> TypeGuard[Media]:
    return not isinstance(file, str)


def _files(found_label: Found, shelf: Shelf, within: int) -> Media | str:
    label, split = found_label.label, found_label.official
    within = max(within, label.within)
    looks = [found(shelf, names, STILLS, split, within) for names in label.looks]
    stills = tuple(look for look in looks if isinstance(look, Member))
    why = next((look for look in looks if isinstance(look, str)), "picture missing")
    if stills or not label.films:
        return stills or why
    film = found(shelf, label.films, FILMS, split)
    return (film,) if isinstance(film, Member) else why if looks else film


def _distinct(matches: Sequence[Match], sources: Sequence[Source]) -> Iterator[Match]:
    """Each label once, with what others of its id say of the same picture.

    Another picture of the same id (Training and Validation may both count from 1) is told apart by
    a number; the same label in several PATHs is one.
    """
    known: dict[str, list[Match]] = {}
    labels: set[tuple[str, str, tuple[str, ...], int]] = set()
    for match in matches:
        same = (match.form, match.label.identity, match.captions, match.member.size)
        of_id = known.setdefault(match.key, [])
        at = next((i for i, m in enumerate(of_id) if same_file(m.member, match.member)), len(of_id))
        told = of_id[at].captions if at < len(of_id) else ()
        new = tuple(caption for caption in match.captions if caption not in told)
        if same in labels or not new:
            sources[match.source].tally(match.form).drop("id occurs twice", match.label.identity)
        elif at == len(of_id):
            of_id.append(_numbered(match, at + 1) if at else match)
        else:
            official = of_id[at].official or match.official
            of_id[at] = replace(of_id[at], captions=told + new, official=official)
        labels.add(same)
    for of_id in known.values():
        yield from of_id


def _numbered(match: Match, number: int) -> Match:
    label = match.label
    identity = f"{label.identity}:{number}"
    group = identity if label.group == label.identity else label.group
    return replace(match, label=replace(label, identity=identity, group=group))


def _together(matches: Sequence[Match]) -> list[Match]:
    """The same, with groups that show one file as one group: labels may name it in many ways."""
    of_group: dict[str, str] = {}

    def first(group: str) -> str:
        while of_group.setdefault(group, group) != group:
            group = of_group[group]
        return group

    of_file: dict[str, str] = {}
    for match in matches:
        for member in match.members:
            known = of_file.setdefault(member.told, match.group)
            of_group[first(match.group)] = first(known)
    return [
        replace(match, shares=of) if (of := first(match.group)) != match.group else match
        for match in matches
    ]


def _split(
    matches: Iterable[Match], sources: Sequence[Source], tables: Sequence[Table | None]
) -> Iterator[Match]:
    """The same with splits; sources without a table of their own are one set if of one form.

    A group that two sets put into different splits teaches.
    """
    sets: dict[tuple[str, int], list[Match]] = {}
    drawn: dict[str, str] = {}  # by which name a group is drawn, whichever set it is in
    for match in matches:
        drawn.setdefault(match.group, match.label.group)
        own = match.source if tables[match.source] is not None else -1
        sets.setdefault((match.form, own), []).append(match)
    placed: list[Match] = []
    said: dict[str, set[str]] = {}
    for (form, own), members in sets.items():
        units = [Unit(_names(m), m.group, drawn[m.group], m.official) for m in members]
        asked = form == "plain" and any(m.label.split for m in members)
        splits = assigned(units, tables[own] if own >= 0 else None, asked)
        for match, split in zip(members, splits, strict=True):
            if split:
                placed.append(replace(match, split=split))
                said.setdefault(match.group, set()).add(split)
            else:
                _no_split(sources[match.source].tally(form), match)
    for match in placed:
        yield match if len(said[match.group]) == 1 else replace(match, split="train")


def _names(match: Match) -> tuple[str, ...]:
    files = (*match.label.stills[:1], *match.label.films[:1], *(m.name for m in match.members))
    bases = [PurePosixPath(file).name for file in files]
    return (match.label.identity, match.label.group, *bases)


def _no_split(tally: Tally, match: Match) -> None:
    tally.drop("in no split", match.label.identity)
