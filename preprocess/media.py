"""What is known of a video, animation or picture; its limits, and the words for refusing it."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import cv2
import numpy as np

from preprocess.errors import VideoError
from preprocess.pictures import Picture

_HEIF = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"avif")  # brands of ISO 23008-12 and AVIF
PICTURE_MS = 3000  # how long a still picture is taken to be seen
THUMB = (64, 36)  # width, height of the thumbs that shots are found on
SHORT_SIDE = 256  # the network looks at 224 px; more would be thrown away
_ALPHA = {"rgba", "bgra", "argb", "abgr", "ya8", "pal8", "rgba64be", "rgba64le"}
Kind = Literal["video", "animation", "picture"]


@dataclass(frozen=True)
class Limits:
    """Bounds past which a file is refused instead of filling memory or time.

    Attributes:
        pixels: largest width x height of one frame.
        duration_ms: longest film.
        animation_pixels: most pixels of all frames of a GIF, APNG or WebP together: a small file
            can hold thousands of large ones.
    """

    pixels: int = 8192 * 8192
    duration_ms: int = 12 * 3600 * 1000
    animation_pixels: int = 20 * 10**9

    def seconds(self, duration_ms: int) -> float:
        """How long any work on a film may take: sixty times its own length, and ten minutes."""
        return 600 + 0.06 * min(duration_ms, self.duration_ms)


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
        limits: what it was probed under; whoever reads it further keeps them.
        has_alpha: its pixels may be see-through.
        interlaced: its frames are two moments woven together.
        sounds: number of sound tracks.
        demuxer: ffmpeg's name of the format, where its own guess would go by the file's name.
        subtitles: number of subtitle tracks.
        hidden: it holds pictures that its edit list says are not to be shown.
        strays: times in ms after the first frame that damaged packets say and that are wrong.
        track: which of its picture tracks is the film; AVIF that moves has a still before it.
        pace: frames a second to draw it at, as it stands still at times; 0: at its own times.
        timed: its packets say when they are shown; those of raw streams may not.
    """

    path: Path
    kind: Kind
    width: int
    height: int
    duration_ms: int
    frame_rate: float
    rotation: int
    has_audio: bool
    start_ms: int
    limits: Limits = Limits()
    has_alpha: bool = False
    interlaced: bool = False
    sounds: int = 0
    demuxer: str = ""
    subtitles: int = 0
    hidden: bool = False
    strays: frozenset[int] = frozenset()
    track: int = 0
    pace: float = 0.0
    timed: bool = True

    @property
    def film(self) -> str:
        """What ffmpeg calls the track that was looked at."""
        return f"0:V:{self.track}"


class Frame(Protocol):
    """One moment of a film; pixels are converted only when asked for."""

    time_ms: int  # after the film's first frame

    def thumb(self) -> Picture:
        """uint8 (36, 64, 3) in Y, U, V, not turned: enough to compare frames."""

    def picture(self) -> Picture:
        """uint8 (H, W, 3) RGB, upright, square pixels, flat on white, shorter side <= 256."""

    def kept(self) -> Callable[[], Picture]:
        """What picture() gives, for any later time, in the memory of that picture."""


class ArrayFrame:
    """A Frame over a whole upright RGB picture."""

    def __init__(self, time_ms: int, picture: Picture) -> None:
        self.time_ms = time_ms
        self._picture = picture

    def thumb(self) -> Picture:
        """See Frame."""
        small = cv2.resize(self._picture, THUMB, interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2YUV), np.uint8)

    def picture(self) -> Picture:
        """See Frame."""
        size = shrunk(self._picture.shape[1], self._picture.shape[0])
        return np.asarray(cv2.resize(self._picture, size, interpolation=cv2.INTER_AREA), np.uint8)

    def kept(self) -> Callable[[], Picture]:
        """See Frame."""
        picture = self.picture()
        return lambda: picture


def small_plane(plane: Picture) -> Picture:
    """One plane of a thumb: uint8 (H, W) -> uint8 (36, 64).

    Of every n-th row, still four or more for one of the thumb: the time goes into reading them.
    Halved first where it can be, which OpenCV does ten times as fast as the rest.
    """
    rows = plane[:: max(1, plane.shape[0] // (4 * THUMB[1]))]
    height, width = rows.shape
    if height >= 4 * THUMB[1] and width >= 4 * THUMB[0]:
        even = rows[: height - height % 2, : width - width % 2]
        rows = cv2.resize(even, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(rows, THUMB, interpolation=cv2.INTER_AREA), np.uint8)


def shrunk(width: int, height: int) -> tuple[int, int]:
    """The size whose shorter side is SHORT_SIDE at most, of about the same aspect (up to 8:1)."""
    scale = min(1.0, SHORT_SIDE / min(width, height))
    most = 8 * SHORT_SIDE  # a strip 1 px high must not stay as wide as it is
    return tuple(min(most, max(1, round(side * scale))) for side in (width, height))  # type: ignore[return-value]


def has_alpha(layout: str) -> bool:
    """Whether pixels of a layout (ffmpeg's names) can be see-through."""
    return layout in _ALPHA or layout.startswith(("yuva", "gbrap"))


def is_webp(path: Path) -> bool:
    """Whether a file begins as WebP does."""
    with path.open("rb") as file:
        return file.read(12)[8:] == b"WEBP"


def is_heif(path: Path) -> bool:
    """Whether a file begins as a photo in HEIC or AVIF does; films and animations do otherwise."""
    with path.open("rb") as file:
        start = file.read(12)
    return start[4:8] == b"ftyp" and start[8:] in _HEIF


def check_file(path: Path) -> None:
    """Raises VideoError unless path is a regular file with something in it."""
    try:
        empty = path.stat().st_size == 0
    except (OSError, ValueError) as error:
        raise _unopened(path, getattr(error, "strerror", None) or error) from None
    if not path.is_file():
        raise VideoError(
            f"'{path}'은(는) 파일이 아닙니다. 파일을 하나씩 주세요.",
            f"'{path}' is not a file. Give files one by one.",
        )
    if empty:
        raise VideoError(
            f"'{path}'은(는) 빈 파일입니다 (0바이트). 다시 받으세요.",
            f"'{path}' is empty (0 bytes). Fetch it again.",
        )
    try:
        path.open("rb").close()
    except OSError as error:
        raise _unopened(path, error.strerror) from None


def _unopened(path: Path, reason: object) -> VideoError:
    return VideoError(
        f"'{path}'을(를) 열 수 없습니다 ({reason}). 경로를 확인하세요.",
        f"cannot open '{path}' ({reason}). Check the path.",
    )


def quarter_turn(rotation: float) -> int:
    """Degrees counter-clockwise to upright: 0, 90, 180, 270; other angles are left as they are."""
    quarters = round(rotation / 90)
    return 90 * quarters % 360 if abs(rotation - 90 * quarters) <= 1 else 0


def check_size(path: Path, width: int, height: int, limits: Limits) -> None:
    """Raises VideoError when one frame would hold too many pixels."""
    if width * height > limits.pixels:
        raise VideoError(
            f"'{path}'의 화면이 너무 큽니다 ({width}x{height}, 한도 {limits.pixels:,} 화소). "
            "줄이거나 한도를 올리세요: --max-megapixels",
            f"'{path}' is too large ({width}x{height}, limit {limits.pixels:,} pixels). Shrink it, "
            "or raise the limit: --max-megapixels",
        )


def check_animation(path: Path, size: tuple[int, int], count: int, limits: Limits) -> None:
    """Raises VideoError when all frames of an animation would take too long to draw."""
    width, height = size
    if width * height * count > limits.animation_pixels:
        most = limits.animation_pixels // (width * height)
        raise VideoError(
            f"'{path}'에는 {width}x{height} 그림이 {count:,}장 있습니다 (한도 {most:,}장). "
            "줄이거나 동영상으로 바꾸세요.",
            f"'{path}' has {count:,} pictures of {width}x{height} (limit {most:,}). Shrink it, or "
            "make a film of it.",
        )


def check_duration(path: Path, duration_ms: int, limits: Limits) -> None:
    """Raises VideoError when the film is longer than the limit."""
    if duration_ms > limits.duration_ms:
        hours, most = duration_ms / 3.6e6, limits.duration_ms / 3.6e6
        raise VideoError(
            f"'{path}'이(가) 너무 깁니다 ({hours:.1f}시간, 한도 {most:g}시간). 나누거나 한도를 "
            "올리세요: --max-hours",
            f"'{path}' is too long ({hours:.1f} h, limit {most:g} h). Split it, or raise the "
            "limit: --max-hours",
        )


def in_time(media: MediaInfo, found: Iterable[Frame | None]) -> Iterator[Frame]:
    """The same frames, as long as the time for reading them lasts.

    Args:
        media: what they are of.
        found: the frames, and None for what was read and is none.

    Raises:
        VideoError: it is over.
    """
    limit_s, spent_s = media.limits.seconds(media.duration_ms), 0.0
    coming, started = iter(found), time.monotonic()
    for frame in coming:
        spent_s += time.monotonic() - started
        if spent_s > limit_s:
            raise too_slow(media.path, limit_s)
        if frame is not None:
            yield frame
        started = time.monotonic()  # what is done with the frame is not reading


def too_slow(path: Path, limit_s: float) -> VideoError:
    """Reading does not come to its end."""
    return VideoError(
        f"'{path}'을(를) {limit_s:g}초 안에 읽지 못해 멈췄습니다. 나누거나 다시 인코딩하세요.",
        f"'{path}' could not be read within {limit_s:g} s. Split it, or encode it again.",
    )


def not_media(path: Path) -> VideoError:
    """The file is of no kind that is read here."""
    return VideoError(
        f"'{path}'은(는) 읽을 수 있는 영상이나 사진이 아닙니다. 파일을 확인하세요.",
        f"'{path}' is not a video or picture that can be read. Check the file.",
    )


def no_picture_stream(path: Path) -> VideoError:
    """There is sound and nothing to see."""
    return VideoError(
        f"'{path}'에는 소리만 있고 화면이 없습니다. 영상이 있는 파일을 주세요.",
        f"'{path}' has sound but no video stream. Give a file with a picture.",
    )


def no_frame(path: Path) -> VideoError:
    """There is a video stream of which nothing can be decoded."""
    return VideoError(
        f"'{path}'에서 한 장면도 풀 수 없습니다 (잘렸거나 손상됨). 다시 받거나 다시 인코딩하세요.",
        f"'{path}' has no decodable frame (cut off or damaged). Fetch or encode it again.",
    )
