"""Where the captioner looked, laid over its shots: ASS drawings, in one pass with the captions.

The regions are drawn as what they are, a coarse grid; the blur only softens their edges.
"""

from collections.abc import Iterator, Sequence

from video.style import Look
from video.subtitles import Cue
from video.track import CaptionedShot, Track

LEVELS = 6  # of warmth
THICKEST = 190  # opacity 0-255 of the warmest
EVEN = 3.0  # times the mean: a shot that is looked at evenly is hardly warm


def drawings(track: Track, look: Look) -> list[Cue]:
    """The heat of every shot that has one, as ASS drawings for a picture of look's size."""
    return [cue for shot in track.shots if shot.attention for cue in _of_shot(shot, look)]


def _of_shot(shot: CaptionedShot, look: Look) -> Iterator[Cue]:
    """One drawing a level: the regions that are as warm."""
    shares = [share for row in shot.attention for share in row]
    mean = 1 / len(shares)  # what is looked at less than evenly stays as it is
    most = max(*shares, EVEN * mean) - mean
    soft = min(look.width / len(shot.attention[0]), look.height / len(shot.attention)) / 8
    for level in range(1, LEVELS + 1):
        cells = _boxes(shot.attention, look)
        boxes = [box for box, share in cells if round(LEVELS * (share - mean) / most) == level]
        if boxes:
            alpha = 255 - THICKEST * level // LEVELS
            green = 255 - 255 * level // LEVELS  # from yellow to red
            colour = rf"\1c&H00{green:02X}FF&\1a&H{alpha:02X}&"
            style = rf"\an7\pos(0,0)\bord0\shad0\blur{soft:.0f}{colour}\p1"
            yield Cue(shot.start_ms, shot.end_ms, f"{{{style}}}{' '.join(boxes)}")


def _boxes(rows: Sequence[Sequence[float]], look: Look) -> Iterator[tuple[str, float]]:
    """Each region's outline in pixels, and its share."""
    for r, row in enumerate(rows):
        top, bottom = (look.height * i // len(rows) for i in (r, r + 1))
        for c, share in enumerate(row):
            left, right = (look.width * i // len(row) for i in (c, c + 1))
            path = f"m {left} {top} l {right} {top} l {right} {bottom} l {left} {bottom}"
            yield path, share
