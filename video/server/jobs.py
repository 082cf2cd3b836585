"""Jobs as they are kept: one row each in SQLite, one folder each for the film and its results."""

import json
import os
import shutil
import sqlite3
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from preprocess.errors import OutputError

State = Literal["waiting", "working", "done", "failed", "cancelled"]
Task = Literal["caption", "burn", "moments"]
OPEN: tuple[State, ...] = ("waiting", "working")
TABLE = "jobs.db"
TRIES = 3  # a film that ends the whole service each time is not begun a fourth time
_TABLE = """
CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, suffix TEXT NOT NULL, task TEXT NOT NULL,
    state TEXT NOT NULL, created REAL NOT NULL, changed REAL NOT NULL, bytes INTEGER NOT NULL,
    wishes TEXT NOT NULL, stage TEXT NOT NULL DEFAULT '', share REAL NOT NULL DEFAULT 0,
    error_ko TEXT NOT NULL DEFAULT '', error_en TEXT NOT NULL DEFAULT '',
    tries INTEGER NOT NULL DEFAULT 0)
"""


def is_id(name: str) -> bool:
    """Whether it is an id as new_id makes them."""
    with suppress(ValueError):
        return str(uuid.UUID(name)) == name
    return False


@contextmanager
def tables(data: Path) -> Iterator[None]:
    """Inside, what SQLite cannot do is told as an error of ours.

    Raises:
        OutputError: a table in the folder cannot be read or written.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise OutputError(
            f"'{data}'의 {TABLE}이나 queue.db를 쓸 수 없습니다 ({error}). 디스크를 확인하거나 "
            "--data로 다른 폴더를 주세요.",
            f"{TABLE} or queue.db in '{data}' cannot be used ({error}). Check the disk, or give "
            "another folder with --data.",
        ) from None


class NoRoom(Exception):
    """As many jobs as may wait are waiting."""


@dataclass(frozen=True)
class Job:
    """One film and what is to become of it.

    Attributes:
        id: a UUID; who knows it may read and change the job.
        name: of the film as its owner calls it; shown, never used as a path.
        suffix: of the stored film, from a list of known ones.
        task: "caption" it, "burn" edited captions, or tell "moments".
        state: what has become of it.
        created: when, in seconds since 1970.
        changed: when state changed.
        bytes: size of the film.
        wishes: options of the task, as JSON allows.
        stage: what is being done: "looking", or the format that is written.
        share: of the stage, 0..1.
        error_ko: why it failed.
        error_en: the same in English.
        tries: how often it was begun.
    """

    id: str
    name: str
    suffix: str
    task: Task
    state: State
    created: float
    changed: float
    bytes: int
    wishes: dict[str, Any]
    stage: str = ""
    share: float = 0.0
    error_ko: str = ""
    error_en: str = ""
    tries: int = 0


_COUNT = "SELECT count(*) FROM jobs WHERE state IN ('waiting', 'working')"
_COLUMNS = ", ".join(field.name for field in fields(Job))


class Jobs:
    """The table of jobs; several processes may hold one."""

    def __init__(self, data: Path) -> None:
        self.data, self._file = data, data / TABLE
        with self._opened() as table:
            table.execute("PRAGMA journal_mode=WAL")
            table.execute(_TABLE)

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        """The table; each command is a transaction of its own."""
        with (
            tables(self.data),
            closing(sqlite3.connect(self._file, timeout=30, isolation_level=None)) as table,
        ):
            table.row_factory = sqlite3.Row
            yield table

    def folder(self, number: str) -> Path:
        """Where the job's film and results lie."""
        return self.data / "jobs" / number

    def film(self, job: Job) -> Path:
        """The film as it was sent."""
        return self.folder(job.id) / f"film{job.suffix}"

    def new_id(self) -> str:
        """An id that nobody can guess."""
        return str(uuid.uuid4())

    def add(self, job: Job, most: int) -> None:
        """Takes a job in.

        Raises:
            NoRoom: `most` jobs are open already.
        """
        values = [getattr(job, f.name) for f in fields(Job)]
        values = [json.dumps(v) if isinstance(v, dict) else v for v in values]
        marks = ", ".join("?" for _ in values)
        command = f"INSERT INTO jobs ({_COLUMNS}) SELECT {marks} WHERE ({_COUNT}) < ?"
        with self._opened() as table:
            if not table.execute(command, (*values, most)).rowcount:
                raise NoRoom

    def get(self, number: str) -> Job | None:
        """The job of that id."""
        return next(iter(self._read("WHERE id = ?", number)), None)

    def newest(self, most: int = 100) -> list[Job]:
        """Jobs, the newest first."""
        return self._read("ORDER BY created DESC LIMIT ?", most)

    def unfinished(self) -> list[Job]:
        """Jobs that wait or are worked on, the oldest first."""
        return self._read("WHERE state IN ('waiting', 'working') ORDER BY created")

    def count_open(self) -> int:
        """How many jobs wait or are worked on."""
        with self._opened() as table:
            return int(table.execute(_COUNT).fetchone()[0])

    def ahead(self, job: Job) -> int:
        """How many open jobs came before."""
        where = "WHERE state IN ('waiting', 'working') AND changed < ?"
        return len(self._read(where, job.changed)) if job.state == "waiting" else 0

    def begin(self, number: str) -> Job | None:
        """Marks a waiting job as worked on; None if there is nothing to do (cancelled, removed)."""
        change = "state = 'working', tries = tries + 1, stage = '', share = 0"
        done = self._change(number, ("waiting",), f"{change}, changed = ?", time.time())
        return self.get(number) if done else None

    def tell(self, number: str, stage: str, share: float) -> None:
        """How far the work is."""
        self._change(number, ("working",), "stage = ?, share = ?", stage, share)

    def end(self, number: str, state: State, error: tuple[str, str] = ("", "")) -> bool:
        """An open job's end; False if it had ended already."""
        change = "state = ?, error_ko = ?, error_en = ?, changed = ?, stage = '', share = ?"
        return self._change(number, OPEN, change, state, *error, time.time(), state == "done")

    def again(self, number: str, task: Task, wishes: dict[str, Any], most: int) -> bool:
        """A finished job waits once more, for another task; False if it is open.

        Raises:
            NoRoom: `most` jobs are open already.
        """
        if self.count_open() >= most:
            raise NoRoom
        change = "state = 'waiting', task = ?, wishes = ?, changed = ?, tries = 0, "
        change += "error_ko = '', error_en = '', stage = '', share = 0"
        ended: Sequence[State] = ("done", "failed", "cancelled")
        return self._change(number, ended, change, task, json.dumps(wishes), time.time())

    def back(self, number: str) -> None:
        """A job whose worker went with the service waits again."""
        self._change(number, ("working",), "state = 'waiting'")

    def remove(self, number: str) -> None:
        """Forgets the job, its film and its results: these first, for the table needs room."""
        shutil.rmtree(self.folder(number), ignore_errors=True)
        with self._opened() as table:
            table.execute("DELETE FROM jobs WHERE id = ?", (number,))

    def old(self, before: float) -> list[Job]:
        """Ended jobs that did not change since."""
        return self._read("WHERE state NOT IN ('waiting', 'working') AND changed < ?", before)

    def used_bytes(self) -> int:
        """What all films and results take on the disk; files come and go while it is counted."""
        total = 0
        for folder, _, names in os.walk(self.data / "jobs"):
            for name in names:
                with suppress(OSError):
                    total += Path(folder, name).stat().st_size
        return total

    def _change(self, number: str, states: Sequence[State], change: str, *values: Any) -> bool:
        marks = ", ".join("?" for _ in states)
        command = f"UPDATE jobs SET {change} WHERE id = ? AND state IN ({marks})"
        with self._opened() as table:
            return table.execute(command, (*values, number, *states)).rowcount > 0

    def _read(self, rest: str, *values: Any) -> list[Job]:
        with self._opened() as table:
            rows = table.execute(f"SELECT {_COLUMNS} FROM jobs {rest}", values).fetchall()
        return [Job(**{**dict(row), "wishes": json.loads(row["wishes"])}) for row in rows]
