"""What the terminal gets: lines on stdout, complaints on stderr, a progress bar in between."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from preprocess.errors import CaptioningError
from preprocess.frames import MediaInfo


def say(line: str) -> None:
    """Prints to stdout; a reader that left (| head) does not stop the work."""
    try:
        print(line, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def complain(error: CaptioningError, language: str, path: Path | None = None) -> None:
    """One line on stderr, naming the input where the message does not."""
    said = error.text(language)
    about = f"{path}: " if path and path.name not in said else ""
    sys.stderr.write(f"caption_video: {' '.join(about.split())}{' ' if about else ''}{said}\n")


@contextmanager
def bar(
    label: str, media: MediaInfo, quiet: bool
) -> Iterator[tuple[Callable[[int], None] | None, Callable[[str], None]]]:
    """A progress bar on a terminal's stderr, and how to print lines past it."""
    try:
        from tqdm import tqdm
    except ImportError:
        tqdm = None
    if tqdm is None or quiet or not sys.stderr.isatty():
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
    """Lets file names of any bytes through stdout and stderr."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            utf8 = stream.encoding.lower().replace("-", "") == "utf8"
            stream.reconfigure(errors="surrogateescape" if utf8 else "backslashreplace")
