"""The data folder: what `python -m preprocess` makes in it, and that nobody else's files lie there.

A hidden mark tells that it is one; the mark is locked for as long as a run works on it.
"""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from preprocess.errors import CaptioningError, OutputError, SettingError
from preprocess.files import make_folder, only_one

MARK = ".captioning-data"
OURS = (
    "samples.jsonl", "tokens.jsonl", "morphemes.sqlite", "dataset.json", "report.html",
    "features", "pictures", "frames", "unpacked",
)  # fmt: skip
_OLDER = ("morphemes.sqlite", "features/keys.json")  # what tells a folder from before the mark


@contextmanager
def data_folder(out: Path, inputs: Iterable[Path]) -> Iterator[bool]:
    """Inside, the folder is there and ours alone; yields whether it was made for this.

    Args:
        out: of the data.
        inputs: what will be read.

    Raises:
        SettingError: out is an input, or an input lies in what is made there.
        OutputError: it cannot be made or written, another run works on it, or it holds a file of
            somebody else's that would be replaced.
    """
    _check_apart(out, inputs)
    _check_ours(out)
    made = not os.path.lexists(out)
    make_folder(out)
    with only_one(out, MARK):
        try:
            yield made
        finally:
            if not any(os.path.lexists(out / name) for name in OURS):  # nothing was begun
                with suppress(OSError):
                    (out / MARK).unlink()


@contextmanager
def undone(out: Path) -> Iterator[None]:
    """Takes a folder that was made for this run away again if what is done inside fails.

    What a full disk ended stays, for the next run.
    """
    try:
        yield
    except OutputError:
        if {path.name for path in out.iterdir()} <= {MARK}:
            shutil.rmtree(out, ignore_errors=True)
        raise
    except CaptioningError:
        shutil.rmtree(out, ignore_errors=True)
        raise


def _check_apart(out: Path, inputs: Iterable[Path]) -> None:
    # not Path.resolve, which ends with a traceback where a link leads to itself
    real = os.path.realpath(out)
    ours = {os.path.realpath(out / name) for name in OURS}
    for path in inputs:
        place = os.path.realpath(path)
        if place == real:
            raise SettingError(
                f"--out '{out}'은(는) 읽을 폴더입니다. 다른 폴더나 그 안의 새 폴더를 주세요.",
                f"--out '{out}' is a folder to read from. Give another one, or a new one inside "
                "it.",
            )
        if any(place == own or place.startswith(own + os.sep) for own in ours):
            raise SettingError(
                f"'{path}'은(는) --out '{out}'에 새로 쓸 자리입니다. --out을 바꾸세요.",
                f"'{path}' lies where --out '{out}' will be written. Give another --out.",
            )


def _check_ours(out: Path) -> None:
    """Refuses to replace what no run of this program has made."""
    try:
        str(out.absolute()).encode()
    except UnicodeEncodeError:  # samples.jsonl is to name the pictures in it
        shown = os.fsencode(out).decode("utf-8", "backslashreplace")
        raise OutputError(
            f"--out '{shown}': 경로의 이름이 UTF-8이 아닙니다. 다른 이름을 주세요.",
            f"--out '{shown}': the path is not UTF-8. Give another name.",
        ) from None
    with suppress(OSError):
        if any((out / name).exists() for name in (MARK, *_OLDER)):
            return
    for name in OURS:
        if os.path.lexists(out / name):
            raise OutputError(
                f"'{out / name}'은(는) 이 프로그램이 만든 것이 아닙니다. --out에 새 폴더를 주세요.",
                f"'{out / name}' was not made by this program. Give --out a new folder.",
            )
