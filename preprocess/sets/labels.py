"""What a label file says of one picture or film, before that is looked for."""

import math
from dataclasses import dataclass
from typing import Any, Literal

from preprocess.tally import Tally

STILLS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
UNREAD = (".gif", ".avif", ".heic", ".heif")  # pictures all the same
FILMS = (
    ".mp4", ".mov", ".mkv", ".avi", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv", ".ts", ".mts",
    ".m2ts", ".vob", ".flv", ".3gp", ".3g2", ".ogv", ".asf", ".mxf",
)  # fmt: skip
Kind = tuple[str, ...]  # how the names of its files end
Split = Literal["train", "val", "test", ""]
Document = Any  # whatever JSON holds; of a table, the list of its rows


@dataclass(frozen=True)
class Label:
    """Captions and the names by which their picture can be found.

    Attributes:
        identity: unique in its set, without "/".
        captions: as they were written, perhaps no text at all.
        group: the film, clip or picture it belongs to; never split.
        stills: names of picture files that show it, the best first.
        along: instead of stills the names of each of several pictures, in order of time.
        within: how many folders of a still's name must agree with its file's at least.
        films: names of the film to take it from where no still is there, the likeliest first.
        span_ms: where in the film, half-open; None is all of it.
        frames: where in the film, counted in frames, in order of time; instead of span_ms.
        split: "train", "val", "test" where the label itself says so.
        topic: place, genre or category in the set's own words.
    """

    identity: str
    captions: tuple[Any, ...]
    group: str
    stills: tuple[str, ...] = ()
    along: tuple[tuple[str, ...], ...] = ()
    within: int = 0
    films: tuple[str, ...] = ()
    span_ms: tuple[int, int] | None = None
    frames: tuple[int, ...] = ()
    split: Split = ""
    topic: str = ""

    @property
    def looks(self) -> tuple[tuple[str, ...], ...]:
        """The names of each picture that shows it, in order of time."""
        return self.along or ((self.stills,) if self.stills else ())


def named(*parts: Any) -> str:
    """An identity from parts, without "/"."""
    return ":".join(str(part).replace("/", ":") for part in parts)


def listed(value: Any) -> list[Any]:
    """A list as it is, nothing as an empty one, anything else as its only item."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def records(value: Any, tally: Tally | None = None) -> list[dict[str, Any]]:
    """The objects of a list; other items are left out, and counted where there is a tally."""
    items = listed(value)
    others = [item for item in items if not isinstance(item, dict)]
    if tally and others:
        tally.drop("record that is no object", repr(others[0]), len(others))
    return [item for item in items if isinstance(item, dict)]


def text(value: Any) -> str:
    """A stripped string; numbers become strings, everything else ''."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value).strip()


def milliseconds(value: Any) -> int | None:
    """A time as ms: "MM:SS.f", "HH:MM:SS.f" or seconds; None if it is none of these."""
    try:
        pieces = [float(piece) for piece in text(value).split(":")]
    except ValueError:
        return None
    if not 1 <= len(pieces) <= 3 or not all(math.isfinite(p) and p >= 0 for p in pieces):
        return None
    total = 0.0
    for piece in pieces:
        total = total * 60 + piece
    return round(total * 1000)


def kind_of(name: str) -> Kind | None:
    """STILLS, FILMS or None."""
    lower = name.lower()
    return STILLS if lower.endswith(STILLS) else FILMS if lower.endswith(FILMS) else None


def padded(name: str) -> tuple[str, ...]:
    """A name, and if it is a number the same with zeros before it, as files are often called."""
    if not (name.isascii() and name.isdecimal()):
        return (name,)
    coco = [f"COCO_{split}_{name.zfill(12)}" for split in ("train2014", "val2014")]
    return tuple(dict.fromkeys([name, *(name.zfill(width) for width in range(3, 13)), *coco]))
