"""What a tagger made of each sentence, kept on the disk: an SQLite file in the data folder."""

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from preprocess.errors import OutputError
from preprocess.tagger import Tagger

FORMAT = 1  # raise it when the same tagger's morphemes are cut or named in another way
SECONDS = 2.0  # of work that a sudden end can cost
TABLE = """CREATE TABLE IF NOT EXISTS cut (
    tagger TEXT, sentence TEXT, morphemes TEXT, PRIMARY KEY (tagger, sentence)
) WITHOUT ROWID"""


class MorphemeCache:
    """Sentences and their morphemes (JSON, or None where they do not give the sentence back).

    What another tagger or another version of it made is kept, and not found. SQLite's own journal
    sees to it that an end in the middle, kill -9 and all, leaves whole rows.

    Raises:
        OutputError: the file cannot be used; from every method.
    """

    def __init__(self, path: Path, tagger: Tagger) -> None:
        self.path = path
        self.tagger = f"{tagger.name} {tagger.version}"
        with self._told():
            self._file = sqlite3.connect(path)
            if self._file.execute("PRAGMA user_version").fetchone() != (FORMAT,):
                self._file.execute("DROP TABLE IF EXISTS cut")
            self._file.execute(TABLE)
            self._file.execute(f"PRAGMA user_version = {FORMAT}")

    def __enter__(self) -> "MorphemeCache":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def missing(self, sentences: Iterable[str]) -> list[str]:
        """The sentences that are not known yet, each once, sorted: the order of the file."""
        wanted = set(sentences)
        with self._told():
            known = "SELECT sentence FROM cut WHERE tagger = ?"
            for (sentence,) in self._file.execute(known, (self.tagger,)):
                wanted.discard(sentence)
        return sorted(wanted)

    def add(self, cuts: Iterable[tuple[str, str | None]], advance: Callable[[], object]) -> None:
        """Keeps each (sentence, morphemes) as it comes; `advance` is called for each."""
        since = time.monotonic()
        with self._told():
            try:
                for sentence, morphemes in cuts:
                    row = (self.tagger, sentence, morphemes)
                    self._file.execute("INSERT OR REPLACE INTO cut VALUES (?, ?, ?)", row)
                    advance()
                    if time.monotonic() - since > SECONDS:
                        self._file.commit()
                        since = time.monotonic()
            finally:
                self._file.commit()

    def get(self, sentence: str) -> str | None:
        """The morphemes of a sentence that is not missing."""
        asked = "SELECT morphemes FROM cut WHERE tagger = ? AND sentence = ?"
        with self._told():
            found: tuple[str | None] = self._file.execute(asked, (self.tagger, sentence)).fetchone()
        return found[0]

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise OutputError(
                f"'{self.path}'을(를) 쓸 수 없습니다 ({error}). 다른 실행이 쓰고 있는지, 자리와 "
                "권한이 있는지 보고, 손상되었으면 지우고 다시 하세요.",
                f"cannot use '{self.path}' ({error}). See whether another run uses it, to its "
                "rights and free space; if it is damaged, delete it and run again.",
            ) from None
