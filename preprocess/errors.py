"""The error tree of the whole project, and how a command ends; every room can raise.

CaptioningError            a person can act on it: the doors print one line and exit non-zero
├── DataError              a data set, caption file or picture cannot be used
├── VideoError             a video or picture to be captioned cannot be read
├── OutputError            a result cannot be written (exists, is the input, no space)
├── CaptionerFileError     a .kcap file is damaged, too new, or not ours
├── SettingError           an option has a value that cannot be used
└── MissingExtra           an optional package is not installed

Anything else that escapes is a bug and keeps its traceback.
"""

import errno
import os
import sys
import unicodedata
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import pairwise


class CaptioningError(Exception):
    """What happened, with the value, and what to do; one line, in Korean and in English.

    Both texts are the exception's arguments, so an error pickles unchanged (process pools, Ray).

    Example:
        raise SettingError(f"빔은 1 이상이어야 합니다: {n}.", f"beam must be at least 1: {n}.")
    """

    def __init__(self, korean: str, english: str) -> None:
        super().__init__(korean, english)

    def text(self, language: str = "ko") -> str:
        """The message on one line; language is 'ko' or 'en'."""
        return " ".join(str(self.args[1 if language == "en" else 0]).split())

    def __str__(self) -> str:
        return self.text("en")


class DataError(CaptioningError):
    """A data set, caption file or training picture cannot be used."""


class VideoError(CaptioningError):
    """A video or picture to be captioned cannot be read."""


class OutputError(CaptioningError):
    """A result cannot be written."""


class CaptionerFileError(CaptioningError):
    """A captioner file is damaged, of a newer format, or not a captioner file."""


class SettingError(CaptioningError):
    """An option has a value that cannot be used."""


class MissingExtra(CaptioningError):
    """An optional package is needed and not installed."""


def harmless(line: str) -> str:
    """Without what a terminal would obey: control characters in the names of files."""
    return "".join("?" if unicodedata.category(c) == "Cc" else c for c in line)


def tell(line: str) -> None:
    """A line on stderr; that nobody can be told does not stop the work."""
    with suppress(OSError):
        print(harmless(line), file=sys.stderr, flush=True)


def language_of(arguments: Sequence[str]) -> str:
    """The language asked for, known before the command line is read: its errors need it."""
    asked = [b for a, b in pairwise(arguments) if a == "--lang"]
    return "en" if "--lang=en" in arguments or "en" in asked else "ko"


STOPPED = "멈췄습니다 (interrupted)."
_ROOMS = ("preprocess", "model", "video")  # a module of theirs that is not there is a bug


def exit_status(
    work: Callable[[], int | None], program: str, language: str = "ko", stopped: str = STOPPED
) -> int:
    """Runs a command's work as every door does: an error is one line, a bug keeps its traceback.

    Args:
        work: returns its exit status; None is 0.
        program: begins the line on stderr.
        language: of the line, "ko" or "en".
        stopped: said on Ctrl-C, which gives 130.
    """
    try:
        status = work() or 0
        if sys.stdout is not None:
            sys.stdout.flush()
        return status
    except BrokenPipeError:  # | head has had enough
        silence()
        return 0
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        silence()
        tell(f"{program}: {_no_room(error).text(language)}")
        return 1
    except CaptioningError as error:
        tell(f"{program}: {error.text(language)}")
        return 1
    except ModuleNotFoundError as error:
        told = missing_package(error, "requirements.txt")
        if told is None:
            raise
        tell(f"{program}: {told.text(language)}")
        return 1
    except KeyboardInterrupt:
        tell(f"{program}: {stopped}")
        return 130


def silence() -> None:
    """What is left in stdout's buffer goes nowhere, instead of failing again at the end."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _no_room(error: OSError) -> OutputError:
    return OutputError(
        f"쓸 자리가 없습니다 ({error.strerror}). 디스크 공간을 비우세요.",
        f"there is no room to write ({error.strerror}). Free some disk space.",
    )


def missing_package(error: ModuleNotFoundError, requirements: str) -> MissingExtra | None:
    """What is said of a package that is not there; None of a module of ours: that is a bug.

    Args:
        error: of the import.
        requirements: the file that names the package.
    """
    name = (error.name or "").split(".")[0]
    if name in ("", *_ROOMS):
        return None
    return MissingExtra(
        f"'{name}' 패키지가 없습니다. 설치하세요: pip install -r {requirements}",
        f"the package '{name}' is not installed. Install it: pip install -r {requirements}",
    )
