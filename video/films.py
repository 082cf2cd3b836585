"""Which films a run is about, and where the results of each go."""

import errno
import secrets
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from preprocess.errors import DataError
from preprocess.files import is_file, is_folder
from preprocess.sets.labels import FILMS
from video.job import Job
from video.outputs import in_folder

_SUFFIXES = (*FILMS, ".gif")


def jobs_for(
    given: Sequence[Path], out: Path, forms: Sequence[str], results: Collection[str] = ()
) -> list[Job]:
    """Every film once, and where its results go: folders stay folders.

    Args:
        given: films, folders, lists.
        out: where the results go.
        forms: their suffixes.
        results: of earlier runs; in a folder they are no films, nor is 'a.captioned.mp4' beside
            'a.mp4'.

    Raises:
        DataError: a list cannot be read or names what cannot be, or there is no film at all.
    """
    found: dict[Path, Path] = {}
    for path, folder in _films(given, out, results):
        found.setdefault(path.absolute(), folder)
    if not found:
        raise DataError(
            f"'{given[0]}'에 영상이 없습니다. 영상 파일이나 영상이 든 폴더를 주세요.",
            f"there is no film in '{given[0]}'. Give films, or folders that hold some.",
        )
    return [
        Job(film, tuple(in_folder(film, (out / folder).absolute(), form) for form in forms),
            secrets.token_hex(6))
        for film, folder in found.items()
    ]  # fmt: skip


def _films(
    given: Sequence[Path], out: Path, results: Collection[str]
) -> Iterator[tuple[Path, Path]]:
    """Films and the folder below --out that each belongs to."""
    for path in _unlisted(given):
        if not is_folder(path):
            yield path, Path()
            continue
        below = out.resolve() if path.resolve() in out.resolve().parents else None
        for film in sorted(path.rglob("*")):
            if _is_wanted(film, below) and str(film.absolute()) not in results:
                yield film, film.parent.relative_to(path)


def _unlisted(given: Sequence[Path]) -> Iterator[Path]:
    """What is given, in the place of a list what it names; a list that comes again is not read."""
    waiting, seen = list(reversed(given)), set()
    while waiting:
        path = waiting.pop()
        if path.suffix.lower() != ".txt" or is_folder(path):
            yield path
        elif path.absolute() not in seen:
            seen.add(path.absolute())
            waiting += reversed(_listed(path))


def _is_wanted(film: Path, out: Path | None) -> bool:
    if film.suffix.lower() not in _SUFFIXES or film.name.startswith(".") or not is_file(film):
        return False
    return not _is_result(film) and (out is None or out not in film.resolve().parents)


def _is_result(film: Path) -> bool:
    """Whether it is named as a result of a film beside it; no manifest is needed to know it."""
    stem = film.stem.removesuffix(".captioned")
    if stem == film.stem:
        return False
    ends = (end for suffix in _SUFFIXES for end in (suffix, suffix.upper()))
    return any(is_file(film.with_name(stem + end)) for end in ends)


def _listed(path: Path) -> list[Path]:
    try:
        lines = path.read_text(encoding="utf-8-sig", errors="surrogateescape").splitlines()
    except OSError as error:
        raise DataError(
            f"영상의 목록 '{path}'을(를) 읽을 수 없습니다 ({error.strerror}). 경로를 확인하세요.",
            f"the list of films '{path}' cannot be read ({error.strerror}). Check the path.",
        ) from None
    return [_named(path, number, line) for number, line in enumerate(lines, 1) if line.strip()]


def _named(listing: Path, number: int, line: str) -> Path:
    """What a line names; whether it is there, who opens it tells.

    Raises:
        DataError: no file can have such a name.
    """
    if "\0" in line:
        raise DataError(
            f"'{listing}' {number}째 줄에 NUL 문자가 있습니다. UTF-8로 한 줄에 하나씩 적으세요.",
            f"line {number} of '{listing}' has a NUL character. Write one path a line, in UTF-8.",
        )
    try:
        Path(line).lstat()
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise DataError(
                f"'{listing}' {number}째 줄은 경로로 너무 깁니다 ({len(line):,}자). "
                "한 줄에 경로 하나씩 적으세요.",
                f"line {number} of '{listing}' is too long for a path ({len(line):,} characters). "
                "Write one path a line.",
            ) from None
    return Path(line)
