"""The one picture that a tool looks at: a still, or a moment of a film."""

from pathlib import Path

from preprocess.files import temporary_folder
from preprocess.frames import probe
from preprocess.pictures import Picture
from preprocess.stills import read_still
from video.preview import still_at


def still(path: Path, at_ms: int = 0) -> Picture:
    """The picture in a file, or the frame that a film shows at a moment: uint8 (H, W, 3) RGB.

    Raises:
        VideoError: it cannot be read.
        SettingError: the film is over by then.
    """
    with temporary_folder() as folder:
        return read_still(still_at(probe(path), at_ms, folder).path)
