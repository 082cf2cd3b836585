"""The only reader of video: probing, and frames in order by their real timestamps, upright."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import av.error
import cv2
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from preprocess.ffmpeg import FORMATS, PROTOCOLS
from preprocess.groups import CODECS, UNSEEN_MS, chosen
from preprocess.media import (
    PICTURE_MS,
    THUMB,
    ArrayFrame,
    Frame,
    Limits,
    MediaInfo,
    check_duration,
    check_file,
    check_size,
    no_frame,
    no_picture_stream,
    not_media,
    shrunk,
)
from preprocess.pictures import Picture, on_white
from preprocess.stills import is_webp, probe_still, read_still, webp_frames

__all__ = ["PICTURE_MS", "Frame", "Limits", "MediaInfo", "frames", "probe"]

_THREADS = 2
_ANIMATIONS = {"gif", "apng"}
# Planes of 8 bits that can be compared as they lie in memory.
_PLANAR = {"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p"}
_ALPHA = {"rgba", "bgra", "argb", "abgr", "ya8", "pal8", "rgba64be", "rgba64le"}


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
        first = next(_decoded(container, stream), None)
        if first is None:
            raise no_frame(path)
        origin_ms = _time_ms(first.pts, first.time_base) or 0
        animated = container.format.name in _ANIMATIONS
        width, height = _upright_size(first, _aspect(stream))
        found = MediaInfo(
            path=path,
            kind="animation" if animated else "video",
            width=width,
            height=height,
            duration_ms=0,
            frame_rate=0.0,
            rotation=-first.rotation % 360,
            has_audio=bool(container.streams.audio),
            start_ms=origin_ms - _container_start_ms(container),
        )
    return _timed(found, origin_ms, limits)


def frames(media: MediaInfo, limits: Limits = Limits()) -> Iterator[Frame]:  # noqa: B008 - frozen
    """Yields the frames in the order of their times, damaged ones left out.

    Frames that no other frame needs (H.264's topmost B frames) are skipped undecoded, which
    nearly halves the cost; encoders put a needed frame at every cut. preprocess.groups says what
    else is. Only the newest Frame may be asked for pixels.
    """
    if media.kind == "picture":
        yield ArrayFrame(0, read_still(media.path))
    elif media.kind == "animation" and is_webp(media.path):
        yield from webp_frames(media.path)
    else:
        yield from _film_frames(media, limits)


def _film_frames(media: MediaInfo, limits: Limits) -> Iterator[Frame]:
    with (
        _opened(media.path, limits) as (container, stream),
        _opened(media.path, limits) as (_, second),
    ):
        stream.codec_context.skip_frame = "NONREF"
        origin_ms = _container_start_ms(container) + media.start_ms
        last_ms, step_ms = -1, max(1, round(1000 / media.frame_rate))
        converter = _Converter(stream)
        base, known = stream.time_base, stream.codec_context.name in CODECS
        unseen = int(UNSEEN_MS / 1000 / base) if base and known else 0
        packets, pair = _packets(container, stream), (_Decoder(stream), _Decoder(second))
        for frame in chosen(packets, *pair, converter.thumb, unseen):
            absolute_ms = _time_ms(frame.pts, frame.time_base)
            guess_ms = 0 if last_ms < 0 else last_ms + step_ms
            time_ms = guess_ms if absolute_ms is None else absolute_ms - origin_ms
            if last_ms < time_ms < media.duration_ms:  # a time that runs backwards is damage
                last_ms = time_ms
                yield _FilmFrame(time_ms, frame, converter)


class _Converter:
    """Scales and turns a stream's frames; keeps the scalers' tables between frames."""

    def __init__(self, stream: VideoStream) -> None:
        self._aspect = _aspect(stream)  # a number: the stream itself is freed with its container
        self._thumbs, self._pictures = VideoReformatter(), VideoReformatter()

    def thumb(self, frame: VideoFrame) -> Picture:
        if frame.format.name in _PLANAR:
            planes = [_plane(plane) for plane in frame.planes[:3]]
        else:
            planes = list(_scaled(self._thumbs, frame, *THUMB, "yuv444p"))
        small = [cv2.resize(plane, THUMB, interpolation=cv2.INTER_AREA) for plane in planes]
        return np.stack(small, axis=-1).astype(np.uint8, copy=False)

    def picture(self, frame: VideoFrame) -> Picture:
        width, height = shrunk(*_upright_size(frame, self._aspect))
        if frame.rotation % 180:
            width, height = height, width
        layout = "rgba" if _has_alpha(frame) else "rgb24"
        small = _scaled(self._pictures, frame, width, height, layout)
        turned = np.rot90(small, frame.rotation // 90)
        return np.ascontiguousarray(on_white(turned) if layout == "rgba" else turned)


class _Decoder:
    """A stream's decoder, to which damage is silence."""

    def __init__(self, stream: VideoStream) -> None:
        self._context, self._base = stream.codec_context, stream.time_base

    def decode(self, packet: "Packet[VideoStream] | None") -> list[VideoFrame]:
        with suppress(av.error.FFmpegError):
            found = self._context.decode(packet)
            for frame in found:
                frame.time_base = self._base
            return found
        return []

    def restart(self) -> None:
        self._context.flush_buffers()


def _scaled(
    scaler: VideoReformatter, frame: VideoFrame, width: int, height: int, layout: str
) -> Picture:
    small = scaler.reformat(frame, width, height, layout, interpolation="AREA", threads=1)
    return np.asarray(small.to_ndarray(), np.uint8)


class _FilmFrame:
    """A Frame over PyAV's."""

    def __init__(self, time_ms: int, frame: VideoFrame, converter: _Converter) -> None:
        self.time_ms = time_ms
        self._frame, self._converter = frame, converter

    def thumb(self) -> Picture:
        return self._converter.thumb(self._frame)

    def picture(self) -> Picture:
        return self._converter.picture(self._frame)


@contextmanager
def _opened(path: Path, limits: Limits) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The container with its film stream, behind the same white-lists as ffmpeg's."""
    options = {"protocol_whitelist": PROTOCOLS, "format_whitelist": FORMATS}
    try:
        container = av.open(
            f"file:{path.absolute()}", container_options=options, metadata_errors="replace"
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
        context.thread_type, context.thread_count = "AUTO", _THREADS
        yield container, stream


def _film(container: InputContainer) -> VideoStream | None:
    """The first film stream (ffmpeg's 0:V:0); the covers of songs are no films."""
    cover = av.stream.Disposition.attached_pic
    films = [s for s in container.streams.video if not s.disposition & cover]
    return films[0] if films and films[0].codec_context is not None else None


def _decoded(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """Yields the frames that can be decoded; a damaged packet costs its own frame only."""
    for packet in _packets(container, stream):
        try:
            decoded = packet.decode()
        except av.error.FFmpegError:
            continue
        yield from (frame for frame in decoded if isinstance(frame, VideoFrame))


def _packets(container: InputContainer, stream: VideoStream) -> "Iterator[Packet[VideoStream]]":
    """Yields the stream's packets up to the end or to where the file is cut off."""
    packets = container.demux(stream)
    while True:
        try:
            yield next(packets)
        except (StopIteration, av.error.FFmpegError, IndexError):  # a damaged stream table
            return


def _timed(found: MediaInfo, origin_ms: int, limits: Limits) -> MediaInfo:
    """The same with duration and frame rate read from the times of all packets."""
    with _opened(found.path, limits) as (container, stream):
        clock = _Clock(stream, origin_ms)
        for packet in _packets(container, stream):
            clock.see(packet)
        step_ms = float(1000 / (stream.average_rate or stream.guessed_rate or 25))
        duration_ms, rate = clock.span(step_ms)
    check_duration(found.path, duration_ms, limits)
    if clock.count <= 1 and found.kind == "animation":
        return replace(found, kind="picture", duration_ms=PICTURE_MS, frame_rate=1.0)
    return replace(found, duration_ms=duration_ms, frame_rate=rate)


class _Clock:
    """The time span of a stream, from its packets alone."""

    def __init__(self, stream: VideoStream, origin_ms: int) -> None:
        self._base, self._origin_ms = stream.time_base, origin_ms
        self.count = 0
        self._last: tuple[float, float] = (-1.0, 0.0)  # start and length of the latest shown

    def see(self, packet: "Packet[VideoStream]") -> None:
        """Takes in one packet, in any order."""
        if not packet.size or packet.is_discard or self._base is None:
            return
        self.count += 1
        ticks = packet.dts if packet.pts is None else packet.pts
        if ticks is None:
            return
        start_ms = float(ticks * self._base * 1000) - self._origin_ms
        self._last = max(self._last, (start_ms, float((packet.duration or 0) * self._base * 1000)))

    def span(self, step_ms: float) -> tuple[int, float]:
        """Duration in ms and average frames a second; step_ms where the file tells no length."""
        start_ms, length_ms = self._last
        if start_ms < 0:  # no times at all: raw streams
            start_ms, length_ms = step_ms * max(0, self.count - 1), step_ms
        duration_ms = max(1, round(start_ms + (length_ms or step_ms)))
        return duration_ms, round(self.count * 1000 / duration_ms, 3)


def _time_ms(pts: int | None, time_base: Fraction | None) -> int | None:
    return None if pts is None or time_base is None else round(pts * time_base * 1000)


def _container_start_ms(container: InputContainer) -> int:
    return round((container.start_time or 0) / 1000)  # AV_TIME_BASE counts microseconds


def _aspect(stream: VideoStream) -> Fraction:
    """Width of one stored pixel over its height."""
    told = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio
    return told if told and told > 0 else Fraction(1)


def _upright_size(frame: VideoFrame, aspect: Fraction) -> tuple[int, int]:
    """Width and height as seen: square pixels (the width gives way, as in players), turned."""
    width, height = max(1, round(frame.width * aspect)), frame.height
    return (height, width) if frame.rotation % 180 else (width, height)


def _plane(plane: VideoPlane) -> Picture:
    """Every n-th row, still four or more for one of the thumb: the time goes into reading them."""
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[: plane.height : max(1, plane.height // (4 * THUMB[1])), : plane.width]


def _has_alpha(frame: VideoFrame) -> bool:
    return frame.format.name in _ALPHA or frame.format.name.startswith(("yuva", "gbrap"))
