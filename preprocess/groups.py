"""Which frames of a film are decoded: not those that can hold nothing new.

Encoders write a film in groups: a keyframe, which stands for itself, then frames told as changes.
The sizes of these say before any decoding where much changes. Two kinds of frames stay undecoded:

- the rest of a group in which nothing happens: its changes are tiny and even, and the next
  keyframe looks like its own;
- the end of a group, up to UNSEEN_MS: nothing in it had to be told anew, and the next keyframe
  looks like what was seen before, or altogether different where the encoder ended the group
  early, as encoders do at cuts.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

import av.error
import numpy as np
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from preprocess.thumbs import Look, Thumb, difference, look

if TYPE_CHECKING:
    FilmPacket = Packet[VideoStream]
UNSEEN_MS = 2500  # of a group's end, and not more than its half
_CODECS = {"h264", "hevc", "mpeg4", "vp8", "vp9", "av1"}
_LEAST = 12  # packets of a group that is worth a look at the next keyframe
_MOST, _MOST_BYTES = 1500, 32 << 20  # held at a time, whatever a file claims
_EARLY = 0.9  # of the longest group: shorter ones were ended for a reason
_ANEW, _MORE = 0.4, 1.5  # changes over a keyframe, over those before: there may be a cut, a visitor
_TINY, _PIECES, _EVEN = 0.1, 8, 2.0  # sizes over a keyframe's, pieces of a group, largest / median
_SAME, _ALIKE, _OTHER = 1.5, 7.0, 28.0  # differences of frames: nothing, motion, a cut between


def chosen(
    packets: "Iterator[FilmPacket]",
    stream: VideoStream,
    peeker: VideoCodecContext,
    thumb: Callable[[VideoFrame], Thumb],
) -> Iterator[VideoFrame]:
    """Yields the frames worth decoding, in order; damaged packets cost their own frames only.

    Args:
        packets: all of the stream's, in order.
        stream: what they belong to.
        peeker: another decoder of the same stream, for single keyframes.
        thumb: makes a frame comparable.
    """
    reader = _Reader(stream, peeker, thumb)
    for group, following in _groups(packets):
        yield from reader.read(group, following)


def _groups(
    packets: "Iterator[FilmPacket]",
) -> "Iterator[tuple[list[FilmPacket], FilmPacket | None]]":
    """Packets from one keyframe up to the next, with the latter; with None where it is unknown."""
    group: list[FilmPacket] = []
    held = 0
    for packet in packets:
        if group and packet.is_keyframe:
            yield group, packet
            group, held = [], 0
        elif len(group) >= _MOST or held > _MOST_BYTES:
            yield group, None
            group, held = [], 0
        group.append(packet)
        held += packet.size
    yield group, None


class _Reader:
    """Decodes groups, whole or not."""

    def __init__(
        self,
        stream: VideoStream,
        peeker: VideoCodecContext,
        thumb: Callable[[VideoFrame], Thumb],
    ) -> None:
        self._stream, self._decoder, self._peeker = stream, stream.codec_context, peeker
        self._can_skip = stream.codec_context.name in _CODECS
        self._thumb = thumb
        self._longest = 0  # packets of the longest group so far
        self._key: tuple[FilmPacket | None, VideoFrame | None] = (None, None)
        self._ended = False  # the decoder has given all that it had: it starts anew
        self._least_pts: int | None = None

    def read(
        self, group: "Sequence[FilmPacket]", following: "FilmPacket | None"
    ) -> Iterator[VideoFrame]:
        """The group's frames; following: the next keyframe, if it is known."""
        shortened = len(group) < _EARLY * self._longest
        self._longest = max(self._longest, len(group))
        if not self._can_skip or following is None or len(group) < _LEAST or _untimed(group):
            yield from self._whole(group)
        elif _nothing_happens(group) and self._stays(group[0], following):
            yield from self._end()
            yield from self._peeked(group[0])
        else:
            yield from self._most(group, following, shortened)

    def _stays(self, key: "FilmPacket", following: "FilmPacket") -> bool:
        first, second = self._look(key), self._look(following)
        return first is not None and second is not None and difference(first, second) < _SAME

    def _most(
        self, group: "Sequence[FilmPacket]", following: "FilmPacket", shortened: bool
    ) -> Iterator[VideoFrame]:
        """The group, without its end where that holds nothing new."""
        kept, last = _kept(group, following), None
        for frame in self._whole(group[:kept]):
            last = frame
            yield frame
        other = self._look(following) if last and _predicted(group, kept, following) else None
        if last and other:
            apart = difference(look(self._thumb(last)), other)
            if (shortened and apart > _OTHER) or (apart < _ALIKE and _as_before(group, kept)):
                yield from self._end()
                return
        yield from self._whole(group[kept:])

    def _whole(self, packets: "Sequence[FilmPacket]") -> Iterator[VideoFrame]:
        if self._ended and packets:
            self._decoder.flush_buffers()
            self._ended, self._least_pts = False, packets[0].pts
        for packet in packets:
            yield from self._decoded(packet)

    def _end(self) -> Iterator[VideoFrame]:
        """What the decoder still holds."""
        if not self._ended:
            yield from self._decoded(None)
            self._ended = True

    def _decoded(self, packet: "FilmPacket | None") -> Iterator[VideoFrame]:
        try:
            frames = self._decoder.decode(packet)
        except av.error.FFmpegError:
            return
        for frame in frames:
            # frames before a keyframe that the decoder began with lack what they were told from
            if self._least_pts is None or frame.pts is None or frame.pts >= self._least_pts:
                yield self._timed(frame)

    def _look(self, key: "FilmPacket") -> Look | None:
        frame = next(self._peeked(key), None)
        return None if frame is None else look(self._thumb(frame))

    def _peeked(self, key: "FilmPacket") -> Iterator[VideoFrame]:
        """A keyframe's frame alone; the latest one is remembered."""
        if self._key[0] is not key:
            self._key = (key, self._alone(key))
        if self._key[1] is not None:
            yield self._key[1]

    def _alone(self, key: "FilmPacket") -> VideoFrame | None:
        try:
            found = [*self._peeker.decode(key), *self._peeker.decode(None)]
        except av.error.FFmpegError:
            found = []
        self._peeker.flush_buffers()
        return self._timed(found[0]) if found else None

    def _timed(self, frame: VideoFrame) -> VideoFrame:
        frame.time_base = self._stream.time_base
        return frame


def _untimed(group: "Sequence[FilmPacket]") -> bool:
    return any(packet.pts is None for packet in group)


def _nothing_happens(group: "Sequence[FilmPacket]") -> bool:
    """Whether the changes in a group are tiny, and as tiny everywhere."""
    sizes = np.array([packet.size for packet in islice(group, 1, None)])
    if sizes.max() > _TINY * group[0].size:
        return False
    largest = [piece.max() for piece in np.array_split(sizes, min(_PIECES, len(sizes)))]
    return bool(max(largest) <= _EVEN * np.median(largest))


def _predicted(group: "Sequence[FilmPacket]", kept: int, following: "FilmPacket") -> bool:
    """Whether nothing in the end of a group had to be told anew."""
    return _largest(group[kept:]) <= _ANEW * min(group[0].size, following.size)


def _as_before(group: "Sequence[FilmPacket]", kept: int) -> bool:
    """Whether no more changes in the end of a group than before."""
    return _largest(group[kept:]) <= _MORE * _largest(group[1:kept])


def _largest(packets: "Sequence[FilmPacket]") -> int:
    return max((packet.size for packet in packets), default=0)


def _kept(group: "Sequence[FilmPacket]", following: "FilmPacket") -> int:
    """How many packets of a group, in decoding order, reach to where its unseen part begins."""
    begin, end = group[0].pts or 0, following.pts or 0
    unseen = int(UNSEEN_MS / 1000 / float(following.time_base or 1))
    until = max((begin + end) // 2, end - unseen)
    return next((i for i, p in enumerate(group) if (p.pts or 0) > until), len(group))
