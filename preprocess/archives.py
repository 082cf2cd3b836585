"""Downloads as they came: folders, tars, zips, zips in zips and parts, read where they lie.

Nothing is unpacked here but an archive within a compressed one, which cannot be read in place; it
goes into the cache folder. Members that are no plain files, lead outside or swell are refused and
counted.
"""

import errno
import io
import os
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

from preprocess.errors import DataError
from preprocess.files import check_room, is_file, is_folder, make_folder, open_many
from preprocess.members import (
    BROKEN,
    Member,
    copy,
    damaged,
    decoded_name,
    ignored,
    inside,
    refused_tar,
    refused_zip,
    swells,
    zip_name,
)
from preprocess.parts import Joined, in_order, part_of
from preprocess.tally import Tally

ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz")
DEEPEST = 4  # archives in archives


class Archives(ExitStack):
    """Opens downloads and keeps their archives open until it is left.

    Args:
        cache: folder for archives that cannot be read in place; made when needed.
        away: a folder that is no part of any download: the output.
    """

    def __init__(self, cache: Path, away: Path) -> None:
        super().__init__()
        open_many()  # a set may come in a thousand archives
        self._cache, self._away = cache, Path(os.path.realpath(away))
        self._roots: dict[str, str] = {}  # the name of each download, and where that lies

    def members(self, path: Path, tally: Tally) -> Iterator[Member]:
        """Every file in a download: a folder, an archive, one part of it, or a label file.

        Raises:
            DataError: there is nothing, it may not be read, an archive is damaged, or parts are
                missing.
            OutputError: no room for an archive that has to be unpacked.
        """
        if is_folder(path):
            real = Path(os.path.realpath(path))
            found = _folder(real, self._before(real), self._away, tally)
        elif is_file(path):
            part = part_of(path.name)
            before = self._before(path.with_name(part[0]) if part else path)
            found = _single(path, before)
        else:
            raise DataError(
                f"'{path}'이(가) 없습니다. 경로를 확인하세요.",
                f"'{path}' does not exist. Check the path.",
            )
        yield from self._unfolded(found, tally, 0)

    def _before(self, download: Path) -> str:
        """What its members' names begin with: a number where another download has its name."""
        number, place = 1, os.path.realpath(download)
        while self._roots.setdefault(f"{number}~{download.name}", place) != place:
            number += 1
        return f"{number}~" if number > 1 else ""

    def _unfolded(self, found: Iterable[Member], tally: Tally, depth: int) -> Iterator[Member]:
        """The members with parts joined and archives opened."""
        for member in self._joined(found):
            if not member.name.lower().endswith(ARCHIVES):
                yield member
            elif depth == DEEPEST:
                tally.drop("archive nested too deep", member.name)
            else:
                inner = self._opened(member, tally)
                yield from self._unfolded(inner, tally, depth + 1)

    def _joined(self, found: Iterable[Member]) -> Iterator[Member]:
        """Parts as the one file they make; a file joined by hand beside its parts is left out."""
        wholes: dict[str, dict[int, Member]] = {}
        others: list[Member] = []
        for member in found:
            part = part_of(member.name)
            if part:
                wholes.setdefault(part[0], {})[part[1]] = member
            else:
                others.append(member)
        yield from (member for member in others if member.name not in wholes)
        for name, parts in wholes.items():
            order = in_order(name, {n: part.size for n, part in parts.items()})
            yield _whole(name, [parts[n] for n in order])

    def _opened(self, member: Member, tally: Tally) -> Iterator[Member]:
        searchable = self._searchable(member)
        try:
            file = self.enter_context(searchable.open())
            if member.name.lower().endswith(".zip"):
                yield from self._zipped(file, member.name, tally)
            else:
                yield from self._tarred(file, member, tally)
        except BROKEN as error:
            if getattr(error, "errno", None) == errno.EMFILE:
                raise _too_many(member.name) from None
            if isinstance(error, PermissionError):
                raise _locked_away(member.name, error) from None
            raise damaged(member.name, error) from None

    def _zipped(self, file: IO[bytes], name: str, tally: Tally) -> Iterator[Member]:
        archive = self.enter_context(zipfile.ZipFile(file))
        infos = [info for info in archive.infolist() if not info.is_dir()]
        _check_headers(file, infos)
        packed = sum(info.compress_size for info in infos)
        if swells(sum(info.file_size for info in infos), packed):
            tally.drop("archive that swells", name, len(infos))
            return
        for info in infos:
            inner = inside(zip_name(info), name)
            reason = refused_zip(info) if inner else "name leads outside"
            if reason:
                tally.drop(reason, f"{name}/{zip_name(info)}")
            elif not ignored(inner):
                opens, stamp = _opener(archive.open, info), f"{info.CRC:08x}"
                yield Member(inner, info.file_size, opens, seekable=False, stamp=stamp)

    def _tarred(self, file: IO[bytes], member: Member, tally: Tally) -> Iterator[Member]:
        name, plain, total = member.name, member.name.lower().endswith(".tar"), 0
        archive = self.enter_context(
            tarfile.open(  # noqa: SIM115 - left with the others
                fileobj=file, mode="r:" if plain else "r:*"
            )
        )
        for info in archive:
            total += info.size
            if swells(total, member.size):
                tally.drop("archive that swells", name)
                return
            inner = inside(decoded_name(os.fsencode(info.name)), name)
            if info.isdir() or ignored(inner):
                continue
            reason = refused_tar(info) if inner else "name leads outside"
            if reason:
                tally.drop(reason, f"{name}/{info.name}")
            else:
                opens = _opener(archive.extractfile, info)
                yield Member(inner, info.size, opens, seekable=plain, stamp=f"{info.mtime:.0f}")
        _check_end(file, archive.offset if plain else None)

    def _searchable(self, member: Member) -> Member:
        """The member, copied into the cache where it cannot be searched as it is."""
        if member.seekable:
            return member
        target = self._cache / sha256(member.told.encode()).hexdigest()[:20]
        if not (target.exists() and target.stat().st_size == member.size):
            check_room(target.parent, member.size)
            make_folder(target.parent)
            copy(member, target)
        return replace(member, open=_opener(target.open, "rb"))


def _too_many(name: str) -> DataError:
    return DataError(
        f"압축 파일이 너무 많아 '{name}'을(를) 열 수 없습니다. ulimit -n으로 한도를 올리거나 "
        "폴더를 나누어 주세요.",
        f"too many archives: '{name}' cannot be opened. Raise the limit with ulimit -n, or give "
        "the folder in parts.",
    )


def _locked_away(name: str, error: OSError) -> DataError:
    return DataError(
        f"'{name}'을(를) 읽을 수 없습니다 ({error.strerror}). 파일의 권한을 확인하세요.",
        f"cannot read '{name}' ({error.strerror}). Check the file's rights.",
    )


def _check_headers(file: IO[bytes], infos: list[zipfile.ZipInfo]) -> None:
    """Raises BadZipFile where the table of contents points at something else than members."""
    for info in infos[:1] + infos[-1:]:
        if info.header_offset >= 0:
            file.seek(info.header_offset)
        if info.header_offset < 0 or file.read(4) != b"PK\3\4":
            raise zipfile.BadZipFile("its table of contents does not fit")


def _check_end(file: IO[bytes], offset: int | None) -> None:
    """Raises tarfile.ReadError where a tar's members end in half a header: tarfile says nothing."""
    if offset is not None:
        file.seek(offset)
        if file.read(tarfile.BLOCKSIZE) not in (b"", bytes(tarfile.BLOCKSIZE)):
            raise tarfile.ReadError("unexpected end of data")


def _folder(real: Path, before: str, away: Path, tally: Tally) -> Iterator[Member]:
    """The files of a folder in the order of their names; links out of it are not followed."""

    def unreadable(error: OSError) -> None:
        tally.drop("folder that cannot be read", str(error.filename))

    for place, folders, files in os.walk(real, onerror=unreadable):
        here = Path(place)
        linked = [f for f in folders if (here / f).is_symlink()]
        folders[:] = sorted(f for f in folders if f not in linked and (here / f) != away)
        for name in sorted([*files, *linked]):
            path = here / name
            shown = f"{before}{real.name}/{path.relative_to(real).as_posix()}"
            if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(real):
                tally.drop("link out of the folder", shown)
            elif path.is_symlink() and not path.exists():
                tally.drop("link to nothing", shown)
            elif is_file(path) and not ignored(named := decoded_name(os.fsencode(shown))):
                yield _file(path, named)


def _single(path: Path, before: str) -> Iterator[Member]:
    """A file, or every part of the whole that it is a part of."""
    part = part_of(path.name)
    if not part:
        yield _file(path, before + decoded_name(os.fsencode(path.name)))
        return
    for other in sorted(path.absolute().parent.iterdir()):
        found = part_of(other.name)
        if found and found[0] == part[0] and other.is_file():
            yield _file(other, before + decoded_name(os.fsencode(other.name)))


def _file(path: Path, name: str) -> Member:
    """A file of a folder; one whose name no text can hold is copied like one of an archive."""
    try:
        str(path).encode()
        own: Path | None = path
    except UnicodeEncodeError:
        own = None
    seen = path.stat()
    stamp = str(seen.st_mtime_ns)
    return Member(name, seen.st_size, _opener(path.open, "rb"), own, stamp=stamp)


def _whole(name: str, parts: list[Member]) -> Member:
    sizes = [part.size for part in parts]

    def opened() -> IO[bytes]:
        return io.BufferedReader(Joined([part.open for part in parts], sizes))

    seekable, stamp = all(part.seekable for part in parts), " ".join(p.stamp for p in parts)
    return Member(name, sum(sizes), opened, seekable=seekable, stamp=stamp)


def _opener(function: Callable[..., Any], argument: Any) -> Callable[[], IO[bytes]]:
    return lambda: function(argument)
