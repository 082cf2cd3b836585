"""What the terminal gets: lines on stdout, complaints on stderr, a progress bar in between."""

import errno
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from preprocess.errors import CaptioningError, OutputError, harmless, silence, tell
from preprocess.frames import MediaInfo

_CLEANING_S = 3.0
_LONGEST = 700  # characters of a complaint


class Ended(BaseException):
    """A signal that asks the program to end; as an exception, so that everything cleans up."""


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Inside, a signal to end raises; more of them do not disturb the cleaning up.

    Raises:
        Ended: on Ctrl-C, SIGTERM and SIGHUP, with their number.
    """
    came: list[tuple[int, float]] = []  # number and time of the latest that raised

    def end(number: int, _: object) -> None:
        if not came or time.monotonic() - came[-1][1] > _CLEANING_S:
            came.append((number, time.monotonic()))
            raise Ended(number)

    names = [name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    known = {name: signal.getsignal(getattr(signal, name)) for name in names}
    # what our caller had ignored (nohup, a shell's &) stays ignored
    before = {name: handler for name, handler in known.items() if handler != signal.SIG_IGN}
    for name in before:
        signal.signal(getattr(signal, name), end)
    try:
        yield
    except Exception:
        if came:  # libraries written in C make errors of their own of what interrupts them
            raise Ended(came[-1][0]) from None
        raise
    finally:
        for name, handler in before.items():  # one that ends us goes on being the only one
            signal.signal(getattr(signal, name), signal.SIG_IGN if came else handler)


def say(line: str) -> None:
    """Prints to stdout; a reader that left (| head) or a full disk does not stop the work.

    A terminal gets names without their control characters; a program needs them as they are.
    """
    try:
        _print(line)
    except OSError:
        silence()


def say_live(line: str) -> None:
    """The same where lines are the only result.

    Raises:
        OutputError: their reader left, or the disk is full.
    """
    try:
        _print(line)
    except OSError as error:
        raise _lost(error) from None


def say_result(line: str) -> None:
    """The same where a reader that left (| head) has had enough.

    Raises:
        OutputError: the disk is full.
    """
    try:
        _print(line)
    except BrokenPipeError:
        silence()
    except OSError as error:
        raise _lost(error) from None


def check_reader() -> None:
    """Asks whether somebody still reads stdout; where that cannot be asked, somebody does.

    Raises:
        OutputError: the reader left.
    """
    try:
        asked = select.poll()  # Windows has none
        asked.register(sys.stdout.fileno(), 0)
        found = asked.poll(0)
    except (AttributeError, OSError, ValueError):
        return
    if any(events & (select.POLLERR | select.POLLHUP) for _, events in found):
        raise _unread(os.strerror(errno.EPIPE))


def _print(line: str) -> None:
    if sys.stdout is not None and sys.stdout.isatty():
        line = "\n".join(map(harmless, line.split("\n")))
    print(line, flush=True)


def _lost(error: OSError) -> OutputError:
    silence()
    return _unread(error.strerror or type(error).__name__)


def _unread(reason: str) -> OutputError:
    return OutputError(
        f"나오는 문장을 받을 곳이 없어 멈춥니다 ({reason}). 끝까지 읽는 프로그램이나 자리가 남은 "
        "디스크로 보내세요.",
        f"nobody takes the sentences any more ({reason}): stopped. Send them to a program that "
        "reads to the end, or to a disk with room.",
    )


def complain(
    error: CaptioningError, language: str, path: Path | None = None, program: str = "caption_video"
) -> None:
    """One line on stderr, naming the input where the message does not."""
    said = error.text(language)
    about = f"{path}: " if path and path.name not in said else ""
    line = " ".join(f"{program}: {about}{said}".split())
    if len(line) > _LONGEST:  # a name can have thousands of characters
        line = f"{line[: _LONGEST // 2]} ... {line[-_LONGEST // 2 :]}"
    tell(line)


@contextmanager
def bar(
    label: str, media: MediaInfo, quiet: bool
) -> Iterator[tuple[Callable[[int], None] | None, Callable[[str], None]]]:
    """A progress bar on a terminal's stderr, and how to print lines past it."""
    try:
        from tqdm import tqdm
    except ImportError:
        tqdm = None
    if tqdm is None or quiet or sys.stderr is None or not sys.stderr.isatty():
        yield None, say
        return
    shape = "{desc} {percentage:3.0f}% |{bar:30}| {elapsed}<{remaining}"
    with tqdm(total=media.duration_ms, desc=label, bar_format=shape, leave=False) as drawn:

        def reach(ms: int) -> None:
            drawn.update(max(0, min(ms, media.duration_ms) - drawn.n))

        def past(line: str) -> None:
            with tqdm.external_write_mode(file=sys.stdout):
                say(line)

        yield reach, past


def any_bytes() -> None:
    """Lets file names of any bytes through stdout and stderr; a closed one is the null device."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:  # its number must not go to a film that is opened
            null = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, os.fdopen(null, "r" if name == "stdin" else "w"))
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            utf8 = stream.encoding.lower().replace("-", "") == "utf8"
            stream.reconfigure(errors="surrogateescape" if utf8 else "backslashreplace")
