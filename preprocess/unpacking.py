"""Matched labels become samples: their pictures as files, out of archives and films.

Of an archive only what a label shows is unpacked, of a film only the moments that are described.
What is there already is kept, so an interrupted run goes on.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path, PurePosixPath

from tqdm import tqdm

from preprocess.errors import DataError, VideoError
from preprocess.files import check_room, make_folder, whole_file
from preprocess.frames import probe
from preprocess.leaks import Bits, difference_hash
from preprocess.matching import Match
from preprocess.media import Limits
from preprocess.members import Member, copy
from preprocess.moments import LOOKS, take, times_ms
from preprocess.pictures import read_picture
from preprocess.records import Sample, in_time, middle_first
from preprocess.sets.labels import FILMS, kind_of
from preprocess.stills import pixels_of

STILL_BYTES = 60_000  # of one moment, generously
Files = dict[str, tuple[Path, ...]]  # by a match's key
Drop = Callable[[Match, str], None]


def unpacked(out: Path, matches: Sequence[Match], drop: Drop) -> list[tuple[Sample, Bits]]:
    """The samples in the order of the matches, each with its first picture's difference hash.

    What cannot be taken out or decoded is dropped.

    Args:
        out: the data folder, which gets "pictures" and "frames" where they are needed.
        matches: with their splits.
        drop: is told of each match that falls out, and why.

    Raises:
        OutputError: there is no room, or out cannot be written.
    """
    check_room(out, _needed(out, matches))
    by_film: dict[str, list[Match]] = {}
    files: Files = {}
    for match in tqdm(matches, desc="꺼내기", unit="개", disable=None):
        if kind_of(match.member.name) == FILMS:
            by_film.setdefault(match.member.told, []).append(match)
        else:
            files |= _stills(out, match, drop)
    for same in tqdm(by_film.values(), desc="영상", unit="편", disable=None if by_film else True):
        files |= _moments(out, same, drop)
    return _looked(matches, files, drop)


def _needed(out: Path, matches: Sequence[Match]) -> int:
    """Bytes that will be written at most: packed pictures, moments, one packed film at a time."""
    packed = {x.told: x for match in matches for x in match.members if not x.path}
    stills = [x for x in packed.values() if kind_of(x.name) != FILMS]
    of_films = [m.member for m in matches if kind_of(m.member.name) == FILMS]
    noted = {x.told: _note(out, x).exists() for x in of_films}
    films = [x for x in of_films if not noted[x.told]]
    left = sum(x.size for x in stills if not _still(out, x).exists())
    largest = max((x.size for x in films if not x.path), default=0)
    return left + len(films) * len(LOOKS) * STILL_BYTES + largest


def _stills(out: Path, match: Match, drop: Drop) -> Files:
    """The pictures as files: where they lie, or taken out of their archive."""
    files = []
    for member in match.members:
        target = member.path or _still(out, member)
        try:
            if not target.exists():
                _copied(member, target)
            files.append(target)
        except DataError:
            drop(match, "picture damaged in its archive")
    return {match.key: middle_first(files)} if files else {}


def _moments(out: Path, matches: Sequence[Match], drop: Drop) -> Files:
    """The pictures of all labels of one film; a note of them spares reading the film again."""
    member = matches[0].member
    note = _note(out, member)
    wanted = {m.key: [m.label.span_ms, m.label.frames, member.size] for m in matches}
    found = _noted(note, wanted)
    if found is None:
        try:
            with _on_disk(out, member) as film:
                found = _taken(out, film, matches)
        except (VideoError, DataError):
            for match in matches:
                drop(match, "film cannot be decoded")
            return {}
        _write_note(note, wanted, found)
    for match in matches:
        if not found[match.key]:
            drop(match, "moment past the film's end")
    return {key: files for key, files in found.items() if files}


def _taken(out: Path, film: Path, matches: Sequence[Match]) -> Files:
    media = probe(film)
    times = {
        match.key: {
            _target(out / "frames", f"{match.member.told} {match.key} {number}", ".jpg"): time_ms
            for number, time_ms in enumerate(times_ms(match.label, media))
        }
        for match in matches
    }
    take(media, {path: t for moments in times.values() for path, t in moments.items()})
    return {key: tuple(path for path in times[key] if path.exists()) for key in times}


def _noted(note: Path, wanted: Mapping[str, object]) -> Files | None:
    """The files that an earlier run took for the same labels, if all are there."""
    try:
        told = json.loads(note.read_text(encoding="utf-8"))
        folder = note.parent.parent
        found = {key: tuple(folder / f for f in files) for key, files in told["files"].items()}
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return None
    same = told.get("wanted") == json.loads(json.dumps(wanted))
    return found if same and all(f.exists() for files in found.values() for f in files) else None


def _write_note(note: Path, wanted: Mapping[str, object], found: Files) -> None:
    folder = note.parent.parent
    names = {key: [f.relative_to(folder).as_posix() for f in fs] for key, fs in found.items()}
    make_folder(note.parent)
    with whole_file(note) as temporary:
        text = json.dumps({"wanted": wanted, "files": names}, ensure_ascii=False)
        temporary.write_text(text, encoding="utf-8")


@contextmanager
def _on_disk(out: Path, member: Member) -> Iterator[Path]:
    """A film as a file, for as long as it is read."""
    if member.path:
        yield member.path
        return
    suffix = PurePosixPath(member.name).suffix.lower()
    target = _target(out / "frames", member.told, suffix)
    try:
        _copied(member, target)
        yield target
    finally:
        target.unlink(missing_ok=True)


def _looked(matches: Sequence[Match], files: Files, drop: Drop) -> list[tuple[Sample, Bits]]:
    """The samples of the pictures that can be decoded, with the hash of the first."""
    there = [match for match in matches if match.key in files]
    paths = list(dict.fromkeys(path for match in there for path in files[match.key]))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        done = pool.map(_hash, paths)
        looks = list(tqdm(done, desc="사진", unit="장", total=len(paths), disable=None))
    hashes = {p: look for p, look in zip(paths, looks, strict=True) if not isinstance(look, str)}
    reasons = {p: look for p, look in zip(paths, looks, strict=True) if isinstance(look, str)}
    found = []
    for match in there:
        for path in files[match.key]:
            if path in reasons:
                drop(match, reasons[path])
        good = middle_first([path for path in in_time(files[match.key]) if path in hashes])
        if good:
            found.append((_sample(match, good), hashes[good[0]]))
    return found


def _hash(path: Path) -> Bits | str:
    """The picture's hash, or why there is none; what would fill the memory is not decoded."""
    pixels = pixels_of(path)
    if pixels > Limits().pixels:
        return "picture too large"
    try:
        return difference_hash(read_picture(path)) if pixels else "picture cannot be decoded"
    except DataError:
        return "picture cannot be decoded"


def _sample(match: Match, files: Sequence[Path]) -> Sample:
    pictures = tuple(str(path.absolute()) for path in files)
    return Sample(match.key, pictures, match.captions, match.split, match.group, match.label.topic)


def _copied(member: Member, target: Path) -> None:
    make_folder(target.parent)
    copy(member, target)


def _still(out: Path, member: Member) -> Path:
    """Where a packed picture is taken out to."""
    return _target(out / "pictures", member.told, PurePosixPath(member.name).suffix.lower())


def _note(out: Path, member: Member) -> Path:
    """Where it is written which moments of a film were taken."""
    return _target(out / "frames", member.told, ".json")


def _target(folder: Path, told: str, suffix: str) -> Path:
    """A file named by a hash: names of members may be of any length and lead anywhere."""
    digest = sha256(told.encode()).hexdigest()
    return folder / digest[:2] / (digest[2:24] + suffix)
