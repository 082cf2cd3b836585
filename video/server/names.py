"""Names that strangers give to files: shown as text, never used as paths."""

import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

from preprocess.sets.labels import FILMS as KNOWN
from video.draw import FILMS, PICTURES
from video.track import printable

_OTHERS = ".gif .webp .apng .bmp .avif .heic .heif .hif"
MEDIA = {*FILMS, *KNOWN, *PICTURES, *_OTHERS.split()}
_LONGEST = 120  # characters
_UNNAMED = "film"


def shown(name: str | None) -> str:
    """A file's name as it may be shown: one line, no folders, nothing that turns text around."""
    text = unicodedata.normalize("NFC", printable(name or ""))
    text = "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cf", "Zl", "Zp"))
    text = PurePosixPath(PureWindowsPath(text).name).name.strip()
    if len(text) > _LONGEST:
        text = text[: _LONGEST - 20] + "..." + text[-17:]
    return text if text.strip(".") else _UNNAMED


def stored(name: str) -> str:
    """The suffix that the file is kept with: one that is known, or none."""
    suffix = PurePosixPath(name).suffix.lower()
    return suffix if suffix in MEDIA else ""
