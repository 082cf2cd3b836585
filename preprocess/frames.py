"""The only reader of video: probing, and frames in order by their real timestamps, upright."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Limits:
    """Bounds past which a file is refused instead of filling memory or time.

    Attributes:
        pixels: largest width x height of one frame.
        duration_ms: longest film.
    """

    pixels: int = 8192 * 4320
    duration_ms: int = 12 * 3600 * 1000


@dataclass(frozen=True)
class MediaInfo:
    """What is known of a video, animation or picture before it is read through.

    Attributes:
        path: the file.
        kind: "picture" has one frame; "animation" is GIF, APNG or WebP with several.
        width: of the upright picture with square pixels, in pixels.
        height: of the upright picture with square pixels, in pixels.
        duration_ms: from the first frame's start to the last frame's end; PICTURE_MS for a picture.
        frame_rate: average frames a second; 1.0 for a picture.
        rotation: degrees clockwise (0, 90, 180, 270) the stored picture is turned to be upright.
        has_audio: a sound stream is there.
        start_ms: the first video frame's time after the container's start.
    """

    path: Path
    kind: Literal["video", "animation", "picture"]
    width: int
    height: int
    duration_ms: int
    frame_rate: float
    rotation: int
    has_audio: bool
    start_ms: int


def probe(path: Path, limits: Limits = Limits()) -> MediaInfo:  # noqa: B008 - frozen
    """What a media file is, after decoding its first frame.

    Raises:
        VideoError: no such file, no video, nothing decodable, or past a limit.
    """
    raise NotImplementedError
