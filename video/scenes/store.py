"""The index file of a library: one SQLite database, kept up to date with the films' tracks.

Every film is written whole or not at all, so neither a kill nor a power cut leaves half of one; the
next update takes up what is missing. Each sentence's full words stand beside it: no text is cut
twice.
"""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from model.words import Words
from preprocess.errors import DataError, OutputError
from preprocess.files import is_file
from video.reading import read_track
from video.scenes.matching import words_of
from video.track import CaptionedShot, Track

APPLICATION, VERSION = 0x4B56434C, 1  # "KVCL", Korean video caption library
BATCH = 100  # films written in one transaction: waiting for the disk is what takes time
WAIT_S = 60.0  # for another program that writes the same file
SCHEMA = """
CREATE TABLE about (vocabulary TEXT NOT NULL);
CREATE TABLE film (
    id INTEGER PRIMARY KEY, track BLOB NOT NULL UNIQUE, video TEXT NOT NULL,
    modified_ns INTEGER NOT NULL, bytes INTEGER NOT NULL
);
CREATE TABLE shot (
    film INTEGER NOT NULL REFERENCES film ON DELETE CASCADE,
    start_ms INTEGER NOT NULL, end_ms INTEGER NOT NULL, caption TEXT NOT NULL,
    alternatives TEXT NOT NULL, words TEXT NOT NULL
);
CREATE INDEX shot_of_film ON shot(film);
"""
Row = tuple[str, str, int, int, str, list[str]]  # video, track, start_ms, end_ms, caption, words


def read(index: Path, words: Words) -> list[Row]:
    """Every shot of an index, film by film.

    Raises:
        DataError: there is none, it is damaged, or it was made with another captioner.
    """
    with _opened(index, create=False) as base:
        _check_vocabulary(base, index, words)
        rows = base.execute(
            "SELECT video, track, start_ms, end_ms, caption, words "
            "FROM shot JOIN film ON film.id = film ORDER BY track, start_ms"
        )
        return [(video, os.fsdecode(t), *middle, said.split()) for video, t, *middle, said in rows]


def texts_of(shot: CaptionedShot) -> tuple[str, ...]:
    """All sentences of a shot, the shown one first."""
    return shot.caption, *(other.caption for other in shot.alternatives)


@dataclass
class Changes:
    """What became of an index: numbers of films, and the tracks that could not be read."""

    added: int = 0
    updated: int = 0
    removed: int = 0
    kept: int = 0
    refused: tuple[tuple[Path, DataError], ...] = ()


def update(index: Path, tracks: Sequence[Path], within: Sequence[Path], words: Words) -> Changes:
    """Brings an index up to date; makes it if it is not there.

    Args:
        index: the SQLite file.
        tracks: JSON files of tracks.
        within: folders (or files) whose films are taken out where their track is gone.
        words: of the captioner; an index made with another one is made anew from its tracks.

    Raises:
        DataError: the index is damaged or no index of this program.
        OutputError: it cannot be written.
    """
    changes, new = Changes(), not os.path.lexists(index)
    tops = [placed(top) for top in within if not _is_gone(top)]  # a disk may not be mounted
    with _opened(index, create=True) as base:
        known = _known(base, words)
        paths = list(dict.fromkeys(map(placed, tracks)))
        for begin in range(0, len(paths), BATCH):
            with base:
                for path in paths[begin : begin + BATCH]:
                    _take(base, path, known, words, changes)
        for name in list(known):
            path = Path(os.fsdecode(name))
            inside = any(path.is_relative_to(top) for top in tops)
            if inside and _is_gone(path):
                with base:
                    base.execute("DELETE FROM film WHERE track = ?", (name,))
                changes.removed += 1
    if new and not changes.added:
        index.unlink(missing_ok=True)
    return changes


def placed(path: Path) -> Path:
    """The path from the root, the same however the way there is written."""
    plain = Path(os.path.normpath(path.absolute()))
    # behind a link, `..` is another folder than the text says
    return plain if ".." not in path.parts or plain.resolve() == path.resolve() else path.resolve()


def _known(base: sqlite3.Connection, words: Words) -> dict[bytes, tuple[int, int]]:
    """The films that need no second look: time and size of each one's track by its name."""
    vocabulary = base.execute("SELECT vocabulary FROM about").fetchone()
    if vocabulary != (words.fingerprint,):
        _cut_anew(base, words)
    rows = base.execute("SELECT track, modified_ns, bytes FROM film")
    return {bytes(name): (modified, size) for name, modified, size in rows}


def _cut_anew(base: sqlite3.Connection, words: Words) -> None:
    """The full words of every shot, as another vocabulary has them."""
    with base:
        base.execute("DELETE FROM about")
        base.execute("INSERT INTO about VALUES (?)", (words.fingerprint,))
        rows = base.execute("SELECT rowid, caption, alternatives FROM shot").fetchall()
        cut = ((" ".join(words_of((c, *a.split("\n")), words)), row) for row, c, a in rows)
        base.executemany("UPDATE shot SET words = ? WHERE rowid = ?", cut)


def _take(
    base: sqlite3.Connection,
    path: Path,
    known: dict[bytes, tuple[int, int]],
    words: Words,
    changes: Changes,
) -> None:
    """Puts one film in, or leaves it as it is."""
    name = os.fsencode(path)
    try:
        stat = path.stat()
        seen = (stat.st_mtime_ns, stat.st_size)
        if known.get(name) == seen:
            changes.kept += 1
            return
        track = read_track(path)
    except (DataError, OSError) as error:
        told = error if isinstance(error, DataError) else _gone(path, error)
        changes.refused += ((path, told),)
        return
    base.execute("DELETE FROM film WHERE track = ?", (name,))
    film = base.execute(
        "INSERT INTO film (track, video, modified_ns, bytes) VALUES (?, ?, ?, ?)",
        (name, track.video, *seen),
    ).lastrowid
    base.executemany("INSERT INTO shot VALUES (?, ?, ?, ?, ?, ?)", _rows(film, track, words))
    if name in known:
        changes.updated += 1
    else:
        changes.added += 1


def _rows(film: int | None, track: Track, words: Words) -> Iterator[tuple[object, ...]]:
    for shot in track.shots:
        others = "\n".join(" ".join(other.caption.split()) for other in shot.alternatives)
        found = " ".join(words_of(texts_of(shot), words))
        yield film, shot.start_ms, shot.end_ms, shot.caption, others, found


def _is_gone(path: Path) -> bool:
    """Whether a file is known not to be there; a folder without rights does not tell."""
    try:
        return not path.exists()
    except OSError:
        return False


@contextmanager
def _opened(index: Path, create: bool) -> Iterator[sqlite3.Connection]:
    """The database, known to be one of ours; errors of SQLite as errors that say what to do."""
    if not create and not is_file(index):
        raise DataError(
            f"색인 '{index}'이(가) 없습니다. python -m video.scenes index로 만드세요.",
            f"there is no index '{index}'. Make it with python -m video.scenes index.",
        )
    uri = f"{index.absolute().as_uri()}?mode={'rwc' if create else 'rw'}"
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=WAIT_S)) as base:
            base.execute("PRAGMA foreign_keys = ON")
            if not _is_ours(base):
                raise _foreign(index, "application_id")
            yield base
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _AROUND:
            raise _foreign(index, str(error)) from None
        raise OutputError(
            f"색인 '{index}'에 쓰거나 읽을 수 없습니다 ({error}). 폴더, 권한, 남은 공간, "
            "색인을 쓰고 있는 다른 프로그램을 확인하세요.",
            f"index '{index}' cannot be written or read ({error}). Check the folder, its rights, "
            "free space, and other programs that are writing it.",
        ) from None


# errors that lie around the file; any other means that it is not what was written
_AROUND = {
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_PERM, sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_READONLY,
}  # fmt: skip


def _is_ours(base: sqlite3.Connection) -> bool:
    """Whether it is an index; an empty file becomes one."""
    with base:
        base.execute("BEGIN IMMEDIATE" if _is_empty(base) else "BEGIN")
        if _is_empty(base):
            for line in SCHEMA.split(";"):
                base.execute(line)
            base.execute(f"PRAGMA application_id = {APPLICATION}")
            base.execute(f"PRAGMA user_version = {VERSION}")
        marks = [base.execute(f"PRAGMA {name}").fetchone()[0] for name in _MARKS]
    return marks == [APPLICATION, VERSION]


_MARKS = ("application_id", "user_version")


def _is_empty(base: sqlite3.Connection) -> bool:
    return bool(base.execute("SELECT count(*) = 0 FROM sqlite_master").fetchone()[0])


def _check_vocabulary(base: sqlite3.Connection, index: Path, words: Words) -> None:
    if base.execute("SELECT vocabulary FROM about").fetchone() != (words.fingerprint,):
        raise DataError(
            f"색인 '{index}'은(는) 다른 캡셔너로 만들었습니다. python -m video.scenes index를 "
            "다시 하세요.",
            f"index '{index}' was made with another captioner. Run python -m video.scenes index "
            "again.",
        )


def _gone(path: Path, error: OSError) -> DataError:
    return DataError(
        f"자막 기록 '{path}'을(를) 읽을 수 없습니다 ({error.strerror}). 경로를 확인하세요.",
        f"cannot read the track '{path}' ({error.strerror}). Check the path.",
    )


def _foreign(index: Path, what: str) -> DataError:
    return DataError(
        f"'{index}'은(는) 이 프로그램의 색인이 아니거나 손상되었습니다 ({what}). 다른 이름을 "
        "주거나, 지우고 다시 만드세요.",
        f"'{index}' is damaged or no index of this program ({what}). Give another name, or delete "
        "it and make it again.",
    )
