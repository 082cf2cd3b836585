"""Synthetic clips, made on the spot; shared by the tests of frames, shots and burning."""

import subprocess
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
import numpy.typing as npt

Colour = tuple[int, int, int]
Picture = npt.NDArray[np.uint8]
RED, GREEN, BLUE, GREY, WHITE = (
    (220, 20, 20),
    (20, 200, 20),
    (20, 20, 220),
    (128, 128, 128),
    (255, 255, 255),
)


def ffmpeg(*arguments: str | Path) -> None:
    """Runs ffmpeg, overwriting; fails loudly."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-y"]
    done = subprocess.run([*command, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def flat(colour: Colour, size: tuple[int, int] = (160, 90)) -> Picture:
    """A plain picture with a darker lower right quarter, so that turning it shows; size (w, h)."""
    picture = np.full((size[1], size[0], 3), colour, dtype=np.uint8)
    picture[size[1] // 2 :, size[0] // 2 :] //= 2
    return picture


def write_frames(
    path: Path,
    frames: Iterable[tuple[int, Picture]],
    *,
    sar: Fraction | None = None,
    codec: str = "libx264",
    last_ms: int = 40,
) -> Path:
    """Writes RGB pictures at their own times (ms), H.264 4:4:4 so that odd sizes work."""
    with av.open(f"file:{path}", "w") as container:
        stream = None
        for pts, picture in frames:
            if stream is None:
                stream = container.add_stream(codec, rate=1000)
                stream.height, stream.width = picture.shape[:2]
                stream.pix_fmt = "yuv444p" if codec == "libx264" else "yuv420p"
                stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
                if codec == "libx264":
                    stream.options = {"preset": "ultrafast", "crf": "12"}
                if sar:
                    stream.codec_context.sample_aspect_ratio = sar
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base, frame.duration = pts, Fraction(1, 1000), last_ms
            _mux(container, stream.encode(frame), last_ms)
        _mux(container, stream.encode(None), last_ms)
    return path


def _mux(container, packets, duration_ms: int) -> None:
    for packet in packets:  # x264 reports one tick for the last frame
        packet.duration = int(duration_ms / 1000 / packet.time_base)
        container.mux(packet)


def colour_clip(
    path: Path,
    shots: Sequence[tuple[Colour, int]] = ((RED, 2000), (GREEN, 2000), (BLUE, 2000)),
    *,
    size: tuple[int, int] = (160, 90),
    fps: int = 25,
    sar: Fraction | None = None,
    offset_ms: int = 0,
) -> Path:
    """A silent clip of plain colours with hard cuts; shots: (colour, milliseconds)."""
    step = 1000 // fps
    times: list[tuple[int, Picture]] = []
    start = 0
    for colour, length in shots:
        picture = flat(colour, size)
        times += [(offset_ms + t, picture) for t in range(start, start + length, step)]
        start += length
    return write_frames(path, times, sar=sar, last_ms=step)


def with_sound(silent: Path, path: Path, seconds: float = 6.0) -> Path:
    """The same picture with a sine tone (AAC)."""
    tone = ("-f", "lavfi", "-t", str(seconds), "-i", "sine=440")
    ffmpeg("-i", f"file:{silent}", *tone, "-c:v", "copy", "-c:a", "aac", f"file:{path}")
    return path


def turned(clip: Path, path: Path, degrees: int) -> Path:
    """The same stream with a display matrix; players turn it degrees counter-clockwise."""
    ffmpeg("-display_rotation", str(degrees), "-i", f"file:{clip}", "-c", "copy", f"file:{path}")
    return path
