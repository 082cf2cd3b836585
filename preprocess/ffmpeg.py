"""The one place where ffmpeg's command line is built and run: white-lists, limits, kill."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


def input_arguments(path: Path, *options: str) -> list[str]:
    """The arguments that open one media file and nothing else; options come before its -i."""
    raise NotImplementedError


def run(
    arguments: Sequence[str],
    *,
    on_progress: Callable[[int], None] | None = None,
    timeout_s: float = 24 * 3600.0,
) -> None:
    """Runs ffmpeg to its end; on_progress gets the output time reached, in milliseconds.

    Raises:
        VideoError: ffmpeg failed or ran past timeout_s.
        OutputError: there is no space or no permission to write.
    """
    raise NotImplementedError


@contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """A hidden path beside target to write to; it becomes target on success and goes on failure.

    Raises:
        OutputError: the folder is missing or cannot be written, or nothing was written.
    """
    raise NotImplementedError
    yield
