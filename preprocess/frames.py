"""The only reader of video: probing, and frames in order by their real timestamps, upright."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import av.error
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import Colorspace, VideoReformatter
from av.video.stream import VideoStream

from preprocess.ffmpeg import FORMATS, PROTOCOLS
from preprocess.media import (
    PICTURE_MS,
    THUMB,
    ArrayFrame,
    Frame,
    Limits,
    MediaInfo,
    check_animation,
    check_duration,
    check_file,
    check_size,
    has_alpha,
    in_time,
    is_webp,
    no_frame,
    no_picture_stream,
    not_media,
    quarter_turn,
    shrunk,
    small_plane,
    too_slow,
)
from preprocess.pictures import Picture, on_white
from preprocess.stills import probe_still, read_still, webp_frames
from preprocess.timeline import Clock, Course, Unbroken, ms_of

__all__ = ["PICTURE_MS", "Frame", "Limits", "MediaInfo", "frames", "probe"]

_LARGE = 1920 * 1088  # pixels; two threads decode smaller frames sooner, but for a tenth more work
_READING_S = 20.0  # for the header, or to the next packet: both take an instant
_NO_TIMES = 0x80  # AVFMT_NOTIMESTAMPS: raw streams
_SPARED = {"h264", "hevc", "libdav1d", "av1", "vp8", "vp9"}  # in MPEG-2 and -4 cuts are anywhere
_RESTARTS = 0x200  # AVFMT_TS_DISCONT: formats whose times can start anew
# Planes of 8 bits that can be compared as they lie in memory.
_PLANAR = {"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p"}
_UNSCALED = {8, *range(10, 19)}  # matrices that swscale does not know: YCgCo, ICtCp ... (H.273)


def probe(path: Path, limits: Limits = Limits()) -> MediaInfo:  # noqa: B008 - frozen
    """What a media file is, after decoding its first frame and reading its packets' times.

    The times of the packets are read to the end (no decoding): headers of cut-off files lie.

    Raises:
        VideoError: no such file, no video, nothing decodable, or past a limit.
    """
    check_file(path)
    still = probe_still(path, limits)
    if still is not None:
        return still
    with _opened(path, limits) as (container, stream):
        first = next(filter(None, _decoded(container, stream)), None)
        if first is None:
            raise no_frame(path)
        origin_ms = ms_of(first.pts, first.time_base) or 0
        width, height = _upright_size(first, _aspect(stream))
        check_size(path, width, height, limits)
        found = MediaInfo(
            path=path,
            kind="animation" if container.format.name in {"gif", "apng"} else "video",
            width=width,
            height=height,
            duration_ms=0,
            frame_rate=0.0,
            rotation=-quarter_turn(first.rotation) % 360,
            has_audio=bool(container.streams.audio),
            start_ms=origin_ms - _container_start_ms(container),
            limits=limits,
            has_alpha=has_alpha(first.format.name),
            interlaced=bool(first.interlaced_frame),
            sounds=len(container.streams.audio),
            subtitles=len(container.streams.subtitles),
            track=_track(container),
        )
    return _timed(found, origin_ms, limits)


def frames(media: MediaInfo) -> Iterator[Frame]:
    """Yields the frames in the order of their times, damaged ones left out.

    Frames that no other frame needs (H.264's topmost B frames) are skipped undecoded, which
    nearly halves the cost; encoders put a needed frame at every cut. Where too many lie between
    two needed ones, or all times hang on counting them, all are decoded. Only the newest Frame
    may be asked for pixels.

    Raises:
        VideoError: reading takes longer than media.limits allow.
    """
    if media.kind == "picture":
        yield ArrayFrame(0, read_still(media.path))
    elif media.kind == "animation" and is_webp(media.path):
        yield from in_time(media, webp_frames(media.path))
    else:
        yield from in_time(media, _film_frames(media))


def _film_frames(media: MediaInfo) -> Iterator[Frame | None]:
    with _opened(media.path, media.limits) as (container, stream):
        context = stream.codec_context
        timed = not container.format.flags & _NO_TIMES
        context.skip_frame = "NONREF" if timed and context.name in _SPARED else "DEFAULT"
        course = Course(_container_start_ms(container) + media.start_ms, media)
        converter = _Converter(stream)
        for frame in _decoded(container, stream):
            time_ms = course.reached(frame) if frame else None
            yield _FilmFrame(time_ms, frame, converter) if frame and time_ms is not None else None
            if course.leaps:
                context.skip_frame = "DEFAULT"


class _Converter:
    """Scales and turns a stream's frames; keeps the scalers' tables between frames."""

    def __init__(self, stream: VideoStream) -> None:
        self._aspect = _aspect(stream)  # a number: the stream itself is freed with its container
        self._thumbs, self._smaller, self._pictures = (VideoReformatter() for _ in range(3))

    def thumb(self, frame: VideoFrame) -> Picture:
        if _is_planar(frame):
            planes = [_plane(plane) for plane in frame.planes[:3]]
        else:
            planes = list(_pixels(_scaled(self._thumbs, frame, *THUMB, "yuv444p")))
        return np.stack([small_plane(plane) for plane in planes], axis=-1)

    def kept(self, frame: VideoFrame) -> Callable[[], Picture]:
        turn = quarter_turn(frame.rotation)
        width, height = shrunk(*_upright_size(frame, self._aspect))
        if turn % 180:
            width, height = height, width
        layout = "rgba" if has_alpha(frame.format.name) else "rgb24"
        if not _is_planar(frame):
            picture = self._upright(frame, (width, height), layout, turn)
            return lambda: picture
        # two steps are twice as fast as one, and the second is for pictures that are used
        if (width, height) != (frame.width, frame.height):
            frame = _scaled(self._smaller, frame, width, height, "yuv444p")
        return lambda: self._upright(frame, (width, height), layout, turn)

    def _upright(self, frame: VideoFrame, size: tuple[int, int], layout: str, turn: int) -> Picture:
        small = _pixels(_scaled(self._pictures, frame, *size, layout))
        turned = np.rot90(small, turn // 90)
        return np.ascontiguousarray(on_white(turned) if layout == "rgba" else turned)


def _scaled(
    scaler: VideoReformatter, frame: VideoFrame, width: int, height: int, layout: str
) -> VideoFrame:
    if frame.colorspace in _UNSCALED:
        frame.colorspace = Colorspace.ITU709
    return scaler.reformat(frame, width, height, layout, interpolation="AREA", threads=1)


def _is_planar(frame: VideoFrame) -> bool:
    """Whether its planes can be read as they lie; those of AMV lie upside down."""
    return frame.format.name in _PLANAR and all(plane.line_size > 0 for plane in frame.planes)


def _pixels(frame: VideoFrame) -> Picture:
    return np.asarray(frame.to_ndarray(), np.uint8)


class _FilmFrame:
    """A Frame over PyAV's."""

    def __init__(self, time_ms: int, frame: VideoFrame, converter: _Converter) -> None:
        self.time_ms = time_ms
        self._frame, self._converter = frame, converter

    def thumb(self) -> Picture:
        return self._converter.thumb(self._frame)

    def picture(self) -> Picture:
        return self.kept()()

    def kept(self) -> Callable[[], Picture]:
        return self._converter.kept(self._frame)


@contextmanager
def _opened(path: Path, limits: Limits) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The container with its film stream, behind the same white-lists as ffmpeg's."""
    try:
        container = av.open(
            f"file:{path.absolute()}",
            container_options={"protocol_whitelist": PROTOCOLS, "format_whitelist": FORMATS},
            metadata_errors="replace",
            timeout=_READING_S,
        )
    except (av.error.FFmpegError, UnicodeError):
        raise not_media(path) from None
    with container:
        stream = _film(container)
        if stream is None:
            raise no_picture_stream(path) if container.streams.audio else not_media(path)
        context = stream.codec_context
        check_size(path, context.width, context.height, limits)
        context.options = {"max_pixels": str(limits.pixels)}  # sizes can change in mid-stream
        is_large = context.width * context.height > _LARGE
        context.thread_type, context.thread_count = "AUTO", 2 if is_large else 1
        yield container, stream


def _film(container: InputContainer) -> VideoStream | None:
    """The first film stream (ffmpeg's 0:V:0); the covers of songs are no films."""
    covers = av.stream.Disposition.attached_pic
    films = [s for s in container.streams.video if not s.disposition & covers]
    film = films[min(_track(container), len(films) - 1)] if films else None
    return None if film is None or film.codec_context is None else film


def _track(container: InputContainer) -> int:
    """Which film stream it is: AVIF that moves begins with a still of itself."""
    return int(container.metadata.get("major_brand") == "avis" and len(container.streams.video) > 1)


def _decoded(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame | None]:
    """Yields the frames that can be decoded, and None for a packet that gives none.

    A damaged packet costs its own frame only.
    """
    for packet in _packets(container, stream):
        try:
            decoded = [frame for frame in packet.decode() if isinstance(frame, VideoFrame)]
        except av.error.FFmpegError:
            decoded = []
        yield from decoded or (None,)


def _packets(container: InputContainer, stream: VideoStream) -> "Iterator[Packet[VideoStream]]":
    """Yields the stream's packets up to the end or to where the file is cut off."""
    packets = container.demux(stream)
    jumps = Unbroken() if container.format.flags & _RESTARTS else None
    while True:
        try:
            packet = next(packets)
        except av.error.ExitError:
            raise too_slow(Path(container.name.removeprefix("file:")), _READING_S) from None
        except (StopIteration, av.error.FFmpegError, IndexError):  # a damaged stream table
            return
        if jumps:
            jumps.join(packet)
        yield packet


def _timed(found: MediaInfo, origin_ms: int, limits: Limits) -> MediaInfo:
    """The same with duration and frame rate read from the times of all packets."""
    with _opened(found.path, limits) as (container, stream):
        clock = Clock(stream.time_base, origin_ms)
        for packet in _packets(container, stream):
            clock.see(packet)
        step_ms = float(1000 / (stream.average_rate or stream.guessed_rate or 25))
        duration_ms, rate = clock.span(step_ms)
    check_duration(found.path, duration_ms, limits)
    if found.kind == "animation":
        check_animation(found.path, (found.width, found.height), clock.count, limits)
    if clock.count <= 1 and found.kind == "animation":
        return replace(found, kind="picture", duration_ms=PICTURE_MS, frame_rate=1.0)
    found = replace(found, hidden=clock.hidden, strays=clock.strays)
    found = replace(found, pace=clock.pace, timed=clock.timed)
    return replace(found, duration_ms=duration_ms, frame_rate=rate)


def _container_start_ms(container: InputContainer) -> int:
    return round((container.start_time or 0) / 1000)  # it counts microseconds


def _aspect(stream: VideoStream) -> Fraction:
    """Width of one stored pixel over its height."""
    told = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio
    return told if told and Fraction(1, 10) <= told <= 10 else Fraction(1)  # past it: damage


def _upright_size(frame: VideoFrame, aspect: Fraction) -> tuple[int, int]:
    """Width and height as seen: square pixels (the width gives way, as in players), turned."""
    width, height = max(1, round(frame.width * aspect)), frame.height
    return (height, width) if quarter_turn(frame.rotation) % 180 else (width, height)


def _plane(plane: VideoPlane) -> Picture:
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[: plane.height, : plane.width]
