"""PATHs on the command line -> samples: read, matched, split, unpacked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from preprocess.archives import Archives
from preprocess.errors import DataError, SettingError
from preprocess.files import make_folder
from preprocess.leaks import Bits
from preprocess.matching import Match, Table, matched
from preprocess.parts import part_of
from preprocess.reading import Source, check_found, read_shelf, read_source, told
from preprocess.records import Sample
from preprocess.shelf import Shelf
from preprocess.splits import read_table
from preprocess.tally import Tally
from preprocess.unpacking import unpacked


@dataclass(frozen=True)
class Wanted:
    """What was asked for.

    Attributes:
        paths: downloads, at least one.
        pictures: where pictures lie apart from their labels; one a path, or all for all.
        splits: tables of ids; one a path, or one for all.
        caption_key: where captions are in a form that is not known here, or "".
    """

    paths: Sequence[Path]
    pictures: Sequence[Path] = ()
    splits: Sequence[Path] = ()
    caption_key: str = ""


@dataclass(frozen=True, eq=False)
class Gathered:
    """What was found.

    Attributes:
        samples: at least one.
        hashes: bool (N, 128), the difference hash of each sample's first picture.
        tallies: what was dropped, by set.
    """

    samples: list[Sample]
    hashes: Bits
    tallies: dict[str, Tally]


def gathered(wanted: Wanted, out: Path, say: Callable[[str], object]) -> Gathered:
    """The samples of all paths.

    Args:
        wanted: what was asked for.
        out: the data folder, made if needed.
        say: gets a line for each set that was recognised.

    Raises:
        SettingError: the numbers of paths, pictures and splits do not fit.
        DataError: something cannot be read, or nothing usable remains.
        OutputError: out cannot be written or has too little room.
    """
    paths = _checked(wanted)
    tables = [read_table(path) for path in wanted.splits]
    with Archives(out / "unpacked", out) as archives:
        sources = [read_source(path, archives, wanted.caption_key) for path in paths]
        check_found(sources, paths)
        _name_apart(sources)
        for line in (line for source in sources for line in told(source)):
            say(line)
        pictures = _pictures(wanted, sources, archives)
        matches = matched(sources, pictures, _each(tables, len(paths)))
        _check_left(matches, sources, paths)
        make_folder(out)

        def drop(match: Match, reason: str) -> None:
            sources[match.source].tally(match.form).drop(reason, match.member.name)

        found = unpacked(out, matches, drop)
    _check_left(found, sources, paths)
    hashes = np.stack([bits for _, bits in found])
    return Gathered([sample for sample, _ in found], hashes, _tallies(sources))


def _checked(wanted: Wanted) -> list[Path]:
    """The paths, each once: of a whole that came in parts, one part."""
    if not wanted.paths:
        raise SettingError(
            "읽을 것이 없습니다. 받은 폴더나 파일을 주세요: python -m preprocess PATH --out DATA",
            "nothing to read. Give a download: python -m preprocess PATH --out DATA",
        )
    found: dict[Path, Path] = {}
    for path in wanted.paths:
        part = part_of(path.name)
        found.setdefault(path.with_name(part[0]) if part else path, path)
    if len(wanted.splits) not in (0, 1, len(found)):
        raise SettingError(
            f"PATH {len(found)}개에 --splits {len(wanted.splits)}개입니다. "
            "하나만 주거나 PATH마다 하나씩 주세요.",
            f"{len(found)} PATHs and {len(wanted.splits)} --splits were given. "
            "Give one, or one a PATH.",
        )
    return list(found.values())


def _each(tables: Sequence[Table], count: int) -> list[Table | None]:
    """A table for each path: its own, or the one for all."""
    if len(tables) == 1:
        return [tables[0]] * count
    return list(tables) if tables else [None] * count


def _pictures(wanted: Wanted, sources: Sequence[Source], archives: Archives) -> list[list[Shelf]]:
    """For each source the shelves of --pictures that belong to it."""
    own = len(wanted.pictures) == len(sources)
    shelves = [
        read_shelf(path, archives, sources[number if own else 0].tally(""))
        for number, path in enumerate(wanted.pictures)
    ]
    if own:
        return [[shelf] for shelf in shelves]
    together = Shelf()
    for shelf in shelves:
        together.take(shelf)
    return [[together] for _ in sources]


def _name_apart(sources: Sequence[Source]) -> None:
    """Gives a number to sources that have a name of an earlier one: data, data-2."""
    taken: set[str] = set()
    for source in sources:
        name, number = source.name, 1
        while source.name in taken:
            number += 1
            source.name = f"{name}-{number}"
        taken.add(source.name)


def _check_left(left: Sequence[object], sources: Sequence[Source], paths: Sequence[Path]) -> None:
    if left:
        return
    where, whole = ", ".join(f"'{path}'" for path in paths), Tally()
    for tally in _tallies(sources).values():
        whole.add(tally)
    raise DataError(
        f"{where}에서 쓸 것이 남지 않았습니다 ({whole.worst()}). 사진이 따로 있으면 --pictures로 "
        "주세요.",
        f"nothing usable in {where} ({whole.worst()}). If the pictures lie apart, give them with "
        "--pictures.",
    )


def _tallies(sources: Sequence[Source]) -> dict[str, Tally]:
    """What was dropped, by set; sets of which nothing was are left out."""
    found: dict[str, Tally] = {}
    for source in sources:
        for form, tally in source.tallies.items():
            if tally.dropped:
                found.setdefault(source.set_name(form), Tally()).add(tally)
    return found
