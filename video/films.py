"""Which films a run is about, and where the results of each go."""

import errno
import os
import secrets
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from preprocess.errors import DataError, OutputError
from preprocess.files import is_file, is_folder
from preprocess.sets.labels import FILMS
from video.job import Job
from video.outputs import in_folder
from video.pipeline import stamp

_SUFFIXES = (*FILMS, ".gif")


def jobs_for(
    given: Sequence[Path], out: Path, forms: Collection[str], results: Collection[str] = ()
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
        found.setdefault(path, folder)
    if not found:
        raise DataError(
            f"'{given[0]}'에 영상이 없습니다. 영상 파일이나 영상이 든 폴더를 주세요.",
            f"there is no film in '{given[0]}'. Give films, or folders that hold some.",
        )
    place = settled(out)
    return [
        Job(film, tuple(in_folder(film, place / folder, form) for form in forms),
            secrets.token_hex(6), stamp(film))
        for film, folder in found.items()
    ]  # fmt: skip


def settled(path: Path) -> Path:
    """The same however the way there is written; a film that is a link keeps its own name."""
    if path.name in ("", "..") or is_folder(path):
        return Path(os.path.realpath(path))
    return Path(os.path.realpath(path.parent)) / path.name


def _films(
    given: Sequence[Path], out: Path, results: Collection[str]
) -> Iterator[tuple[Path, Path]]:
    """Films, settled, and the folder below --out that each belongs to."""
    for path in _unlisted(given):
        if not is_folder(path):
            yield settled(path), Path()
            continue
        place = Path(os.path.realpath(out))
        below = place if Path(os.path.realpath(path)) in place.parents else None
        for film in sorted(_inside(path)):
            if _is_wanted(film, below) and str(known := settled(film)) not in results:
                yield known, film.parent.relative_to(path)


def _inside(folder: Path) -> Iterator[Path]:
    """Every file in a folder and those below, behind links too; no folder twice.

    Raises:
        DataError: one of them may not be read: its films would be left out.
    """

    def refuse(error: OSError) -> None:
        raise DataError(
            f"폴더 '{error.filename}'을(를) 읽을 수 없습니다 ({error.strerror}). 권한을 확인하거나 "
            "다른 폴더를 주세요.",
            f"the folder '{error.filename}' cannot be read ({error.strerror}). Check its rights, "
            "or give other folders.",
        )

    seen: set[str] = set()
    for top, folders, files in os.walk(folder, onerror=refuse, followlinks=True):
        seen.add(os.path.realpath(top))
        folders[:] = [name for name in folders if os.path.realpath(Path(top, name)) not in seen]
        yield from (Path(top, name) for name in files)


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
    if film.suffix.lower() not in _SUFFIXES or film.name.startswith("."):
        return False
    if not is_file(film) and not film.is_symlink():  # that one names no film is told
        return False
    inside = out is not None and out in Path(os.path.realpath(film)).parents
    return not _is_result(film) and not inside


def _is_result(film: Path) -> bool:
    """Whether it is named as a result of a film beside it; no manifest is needed to know it."""
    stem = film.stem.removesuffix(".captioned")
    if stem == film.stem:
        return False
    ends = (end for suffix in _SUFFIXES for end in (suffix, suffix.upper()))
    return any(is_file(film.with_name(stem + end)) for end in ends)


def is_input(target: Path) -> OutputError:
    """What is said of a result that would replace a film."""
    return OutputError(
        f"결과 '{target}'은(는) 입력이기도 합니다. --out을 바꾸세요.",
        f"the result '{target}' is an input. Give another --out.",
    )


def met(target: Path, film: Path) -> OutputError:
    """What is said of a result that two films have."""
    return OutputError(
        f"'{target}'은(는) '{film}'의 결과이기도 합니다. 둘 가운데 하나의 이름을 바꾸거나 다른 "
        "--out으로 따로 실행하세요.",
        f"'{target}' is the result of '{film}' too. Rename one of the two films, or run them "
        "apart with another --out.",
    )


def _listed(path: Path) -> list[Path]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"영상의 목록 '{path}'을(를) 읽을 수 없습니다 ({error.strerror}). 경로를 확인하세요.",
            f"the list of films '{path}' cannot be read ({error.strerror}). Check the path.",
        ) from None
    lines = [line.removesuffix("\r") for line in _text(data).split("\n")]
    return [_named(path, number, line) for number, line in enumerate(lines, 1) if line.strip()]


def _text(data: bytes) -> str:
    """A list as Windows' editor writes it, or of names of any bytes."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        as_bytes = data.decode("utf-8", "surrogateescape")
    lines = [line for line in data.split(b"\n") if line.strip()]
    if any(os.path.lexists(os.fsdecode(line.removesuffix(b"\r"))) for line in lines):
        return as_bytes
    try:
        return data.decode("cp949")
    except UnicodeDecodeError:
        return as_bytes


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
