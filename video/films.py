"""Which films a run is about, and where the results of each go."""

import secrets
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from preprocess.errors import DataError
from preprocess.sets.labels import FILMS
from video.job import Job
from video.outputs import in_folder


def jobs_for(
    given: Sequence[Path], out: Path, forms: Sequence[str], results: Collection[str] = ()
) -> list[Job]:
    """Every film once, and where its results go: folders stay folders.

    Args:
        given: films, folders, lists.
        out: where the results go.
        forms: their suffixes.
        results: of earlier runs; in a folder they are no films.

    Raises:
        DataError: a list cannot be read, or there is no film at all.
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
    for path in given:
        if path.is_dir():
            below = out.resolve() if path.resolve() in out.resolve().parents else None
            for film in sorted(path.rglob("*")):
                if _is_wanted(film, below) and str(film.absolute()) not in results:
                    yield film, film.parent.relative_to(path)
        elif path.suffix.lower() == ".txt":
            yield from _films(_listed(path), out, results)
        else:
            yield path, Path()


def _is_wanted(film: Path, out: Path | None) -> bool:
    if film.suffix.lower() not in (*FILMS, ".gif") or film.name.startswith("."):
        return False
    return film.is_file() and (out is None or out not in film.resolve().parents)


def _listed(path: Path) -> list[Path]:
    try:
        lines = path.read_text(encoding="utf-8-sig", errors="surrogateescape").splitlines()
    except OSError as error:
        raise DataError(
            f"영상의 목록 '{path}'을(를) 읽을 수 없습니다 ({error.strerror}). 경로를 확인하세요.",
            f"the list of films '{path}' cannot be read ({error.strerror}). Check the path.",
        ) from None
    return [Path(line) for line in lines if line.strip()]
