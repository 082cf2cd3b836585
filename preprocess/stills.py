"""Still pictures and animated WebP as media (PyAV's FFmpeg has no reader for the latter).

Photos in HEIC and AVIF are made of tiles, which FFmpeg's libraries take for a film each: they are
read here alone, and drawn on as PNG.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, PngImagePlugin, UnidentifiedImageError

from preprocess.errors import DataError, MissingExtra
from preprocess.media import (
    PICTURE_MS,
    ArrayFrame,
    Limits,
    MediaInfo,
    check_animation,
    check_duration,
    check_size,
    is_heif,
    no_frame,
    not_media,
)
from preprocess.pictures import Picture, read_picture

SUFFIXES = (  # of photos
    ".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".heif", ".hif",
)  # fmt: skip
_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")
_TILED = ("AVIF", "HEIF")
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_STREAMS = (".mjpeg", ".mjpg")  # JPEG after JPEG, of which Pillow sees the first
_EXIF_ORIENTATION = 0x0112
_LARGEST = 500_000_000  # bytes: a still picture is read whole
_TURNS = {3: 180, 6: 90, 8: 270}
_SHOWN_AS_100_MS = 10  # browsers show WebP frames of 10 ms or less for 100 ms
_BROKEN = (OSError, ValueError, SyntaxError, EOFError, MemoryError, RuntimeError)
PngImagePlugin.MAX_TEXT_CHUNK = 2**24  # some tools write megabytes; a picture all the same
Image.MAX_IMAGE_PIXELS = None  # a header's size is checked against our own limits


def probe_still(path: Path, limits: Limits) -> MediaInfo | None:
    """What a still picture or an animated WebP is; None for everything else.

    Raises:
        VideoError: it cannot be decoded or is past a limit.
    """
    if path.suffix.lower() in _STREAMS:
        return None
    image = _opened(path)
    if image is None and is_heif(path):  # one of its tiles would be taken for the whole
        raise not_media(path)
    if image is None:
        return None
    with image:
        check_size(path, image.width, image.height, limits)
        turns, animated = _header(image)
        has_alpha = image.has_transparency_data
    if animated and image.format == "WEBP":
        return _animation(path, limits)
    if animated or image.format == "GIF":
        return None
    height, width = read_still(path).shape[:2]
    demuxer = "jpeg_pipe" if image.format in ("JPEG", "MPO") else ""
    about = (PICTURE_MS, 1.0, turns, False, 0, limits, has_alpha, False, 0, demuxer)
    return MediaInfo(path, "picture", width, height, *about)


def _header(image: Image.Image) -> tuple[int, bool]:
    """Degrees clockwise to upright, and whether it moves; a damaged header says neither."""
    try:
        turns = _TURNS.get(image.getexif().get(_EXIF_ORIENTATION, 1), 0)
        moves = bool(getattr(image, "is_animated", False))
    except _BROKEN:
        return 0, False
    return turns, moves and image.format in ("GIF", "PNG", "WEBP")


def pixels_of(path: Path) -> int:
    """Width x height as a picture's header has it: nothing is decoded. 0 if it is no picture."""
    try:
        with Image.open(path, formats=_FORMATS) as image:
            return int(image.width * image.height)
    except (UnidentifiedImageError, *_BROKEN):
        return 0


def read_still(path: Path) -> Picture:
    """The picture as uint8 (H, W, 3) RGB, upright, flat on white.

    Raises:
        VideoError: it cannot be decoded.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise OSError(f"> {_LARGEST // 10**6} MB")
        with Image.open(path, formats=_formats(path)) as image, _silence():
            if image.format in _TILED:
                return _flat(ImageOps.exif_transpose(image))
            if image.has_transparency_data:
                return _flat(image)
            return read_picture(path)
    except (*_BROKEN, DataError):
        raise no_frame(path) from None


def drawable(media: MediaInfo, folder: Path) -> MediaInfo:
    """The same where ffmpeg reads it as we do; a photo of tiles, or a TIFF, as a PNG in folder.

    Raises:
        VideoError: it cannot be decoded.
    """
    whole = folder / "photo.png"
    if media.kind == "picture" and _is_tiff(media.path):  # of which ffmpeg reads some as black
        Image.fromarray(read_still(media.path)).save(whole, compress_level=1)
        return replace(media, path=whole, rotation=0, has_alpha=False)
    if media.kind != "picture" or not is_heif(media.path):
        return media
    try:
        with Image.open(media.path, formats=_formats(media.path)) as image:
            upright = ImageOps.exif_transpose(image)
            upright.convert("RGBA" if media.has_alpha else "RGB").save(whole, compress_level=1)
    except _BROKEN:
        raise no_frame(media.path) from None
    return replace(media, path=whole)


def _is_tiff(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) in _TIFF


def _formats(path: Path) -> tuple[str, ...]:
    """What Pillow is to try; the reader of HEIC is loaded for who needs it.

    Raises:
        OSError: a photo of tiles is too large to be read whole.
        MissingExtra: pi-heif is not installed.
    """
    if not is_heif(path):
        return _FORMATS
    if path.stat().st_size > _LARGEST:
        raise OSError(f"> {_LARGEST // 10**6} MB")
    try:
        import pi_heif
    except ImportError:
        raise MissingExtra(
            "HEIC 사진을 읽으려면 pi-heif가 필요합니다. 설치하세요: pip install pi-heif",
            "HEIC photos need pi-heif. Install it: pip install pi-heif",
        ) from None
    pi_heif.register_heif_opener()
    return _TILED


@contextmanager
def _silence() -> Iterator[None]:
    """Without what libjpeg writes to stderr of damaged photos."""
    try:
        kept = os.dup(2)
    except OSError:  # there is no stderr
        yield
        return
    try:
        with Path(os.devnull).open("w") as null:
            os.dup2(null.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def webp_frames(path: Path) -> Iterator[ArrayFrame]:
    """Yields the frames of an animated WebP at their times; it ends where damage begins."""
    time_ms = 0
    with Image.open(path, formats=("WEBP",)) as image:
        for number in range(getattr(image, "n_frames", 1)):
            try:
                image.seek(number)
                picture = _flat(image)
            except _BROKEN:
                return
            yield ArrayFrame(time_ms, picture)
            time_ms += _shown_ms(image)


def _animation(path: Path, limits: Limits) -> MediaInfo:
    duration_ms = count = 0
    with Image.open(path, formats=("WEBP",)) as image:
        check_animation(path, image.size, getattr(image, "n_frames", 1), limits)
        for number in range(getattr(image, "n_frames", 1)):
            try:
                image.seek(number)
                image.load()
            except _BROKEN:
                break
            count += 1
            duration_ms += _shown_ms(image)
            check_duration(path, duration_ms, limits)
        width, height = image.size
    if not count:
        raise no_frame(path)
    rate = round(count * 1000 / duration_ms, 3)
    about = (duration_ms, rate, 0, False, 0, limits, True)
    return MediaInfo(path, "animation", width, height, *about)


def _shown_ms(image: Image.Image) -> int:
    shown = int(image.info.get("duration") or 0)
    return 100 if shown <= _SHOWN_AS_100_MS else shown


def _opened(path: Path) -> Image.Image | None:
    """The picture with its header read; None when it is no picture."""
    try:
        return Image.open(path, formats=_formats(path))
    except (UnidentifiedImageError, *_BROKEN):
        return None


def _flat(image: Image.Image) -> Picture:
    """uint8 (H, W, 3) RGB of the present frame on white."""
    solid = image.convert("RGBA")
    white = Image.new("RGBA", solid.size, "white")
    return np.asarray(Image.alpha_composite(white, solid).convert("RGB"), np.uint8)
