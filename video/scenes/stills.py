"""The one picture that a tool looks at, a still or a moment of a film, and where it may write."""

from collections.abc import Sequence
from pathlib import Path

from preprocess import files
from preprocess.errors import SettingError
from preprocess.frames import probe
from preprocess.media import Limits
from preprocess.pictures import Picture
from preprocess.stills import read_still
from video.preview import still_at


def still(path: Path, at_ms: int = 0, limits: Limits = Limits()) -> Picture:  # noqa: B008 - frozen
    """The picture in a file, or the frame that a film shows at a moment: uint8 (H, W, 3) RGB.

    Raises:
        VideoError: it cannot be read or is past a limit.
        SettingError: the film is over by then.
    """
    with files.temporary_folder() as folder:
        return read_still(still_at(probe(path, limits), at_ms, folder).path)


def check_result(target: Path, source: Path, suffixes: Sequence[str], overwrite: bool) -> None:
    """Refuses before any work what must not or cannot be written.

    Raises:
        SettingError: target has none of the suffixes.
        OutputError: target is the source, exists and overwrite is off, or cannot be written.
    """
    if target.suffix.lower() not in suffixes:
        known = ", ".join(suffixes)
        raise SettingError(
            f"'{target}'의 형식을 모릅니다. 끝을 다음 가운데 하나로 하세요: {known}.",
            f"unknown format of '{target}'. End it in one of: {known}.",
        )
    files.check_result(target, [source], overwrite, "-o")
