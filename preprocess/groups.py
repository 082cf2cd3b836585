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
from typing import Generic, Protocol, TypeVar

import numpy as np

from preprocess.thumbs import Look, Thumb, difference, look

UNSEEN_MS = 2500  # of a group's end, and not more than its half
CODECS = {"h264", "hevc", "mpeg4", "vp8", "vp9", "av1"}  # whose packets say what changes
_LEAST = 12  # packets of a group that is worth a look at the next keyframe
_MOST, _MOST_BYTES = 1500, 32 << 20  # held at a time, whatever a file claims
_EARLY = 0.9  # of the longest group: shorter ones were ended for a reason
_ANEW, _MORE = 0.4, 1.5  # changes over a keyframe, over those before: there may be a cut, a visitor
_TINY, _PIECES, _EVEN = 0.1, 8, 2.0  # sizes over a keyframe's, pieces of a group, largest / median
_SAME, _ALIKE, _OTHER = 1.5, 7.0, 28.0  # differences of frames: nothing, motion, a cut between


class Packet(Protocol):
    """What an encoder wrote of one frame; times in ticks of the stream."""

    @property
    def pts(self) -> int | None:
        """When the frame is shown."""

    @property
    def size(self) -> int:
        """Bytes."""

    @property
    def is_keyframe(self) -> bool:
        """Whether it stands for itself."""


class Decoded(Protocol):
    """A decoded frame."""

    @property
    def pts(self) -> int | None:
        """When it is shown, in ticks."""


F = TypeVar("F", bound=Decoded)
P = TypeVar("P", bound=Packet)
Some = TypeVar("Some", bound=Packet, contravariant=True)
Shown = TypeVar("Shown", bound=Decoded, covariant=True)


class Decoder(Protocol[Some, Shown]):
    """Packets in, frames out, some packets later."""

    def decode(self, packet: Some | None) -> Sequence[Shown]:
        """The frames that are ready, none for damage; of None: all that are left."""

    def restart(self) -> None:
        """Forgets what was decoded."""


def chosen(
    packets: Iterator[P],
    decoder: Decoder[P, F],
    peeker: Decoder[P, F],
    thumb: Callable[[F], Thumb],
    unseen: int,
) -> Iterator[F]:
    """Yields the frames worth decoding, in order.

    Args:
        packets: all of the stream's, in order.
        decoder: the stream's.
        peeker: another one, for single keyframes.
        thumb: makes a frame comparable.
        unseen: UNSEEN_MS in ticks; 0: packets of this kind of stream say nothing.
    """
    reader = _Reader(decoder, peeker, thumb, unseen)
    for group, following in _groups(packets):
        yield from reader.read(group, following)


def _groups(packets: Iterator[P]) -> Iterator[tuple[list[P], P | None]]:
    """Packets from one keyframe up to the next, with the latter; with None where it is unknown."""
    group: list[P] = []
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


class _Reader(Generic[P, F]):
    """Decodes groups, whole or not."""

    def __init__(
        self,
        decoder: Decoder[P, F],
        peeker: Decoder[P, F],
        thumb: Callable[[F], Thumb],
        unseen: int,
    ) -> None:
        self._decoder, self._peeker, self._thumb, self._unseen = decoder, peeker, thumb, unseen
        self._longest = 0  # packets of the longest group so far
        self._key: tuple[P | None, F | None] = (None, None)
        self._ended = False  # the decoder has given all that it had: it starts anew
        self._least_pts: int | None = None

    def read(self, group: Sequence[P], following: P | None) -> Iterator[F]:
        """The group's frames; following: the next keyframe, if it is known."""
        shortened = len(group) < _EARLY * self._longest
        self._longest = max(self._longest, len(group))
        if not self._unseen or following is None or len(group) < _LEAST or _untimed(group):
            yield from self._whole(group)
        elif _nothing_happens(group) and self._stays(group[0], following):
            yield from self._end()
            yield from self._peeked(group[0])
        else:
            yield from self._most(group, following, shortened)

    def _stays(self, key: P, following: P) -> bool:
        first, second = self._look(key), self._look(following)
        return first is not None and second is not None and difference(first, second) < _SAME

    def _most(self, group: Sequence[P], following: P, shortened: bool) -> Iterator[F]:
        """The group, without its end where that holds nothing new."""
        kept, last = _kept(group, following, self._unseen), None
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

    def _whole(self, packets: Sequence[P]) -> Iterator[F]:
        if self._ended and packets:
            self._decoder.restart()
            self._ended, self._least_pts = False, packets[0].pts
        for packet in packets:
            yield from self._decoded(packet)

    def _end(self) -> Iterator[F]:
        """What the decoder still holds."""
        if not self._ended:
            yield from self._decoded(None)
            self._ended = True

    def _decoded(self, packet: P | None) -> Iterator[F]:
        for frame in self._decoder.decode(packet):
            # frames before a keyframe that the decoder began with lack what they were told from
            if self._least_pts is None or frame.pts is None or frame.pts >= self._least_pts:
                yield frame

    def _look(self, key: P) -> Look | None:
        frame = next(self._peeked(key), None)
        return None if frame is None else look(self._thumb(frame))

    def _peeked(self, key: P) -> Iterator[F]:
        """A keyframe's frame alone; the latest one is remembered."""
        if self._key[0] is not key:
            self._key = (key, self._alone(key))
        if self._key[1] is not None:
            yield self._key[1]

    def _alone(self, key: P) -> F | None:
        found = [*self._peeker.decode(key), *self._peeker.decode(None)]
        self._peeker.restart()
        return found[0] if found else None


def _untimed(group: Sequence[Packet]) -> bool:
    return any(packet.pts is None for packet in group)


def _nothing_happens(group: Sequence[Packet]) -> bool:
    """Whether the changes in a group are tiny, and as tiny everywhere."""
    sizes = np.array([packet.size for packet in group[1:]])
    if sizes.max() > _TINY * group[0].size:
        return False
    largest = [piece.max() for piece in np.array_split(sizes, min(_PIECES, len(sizes)))]
    return bool(max(largest) <= _EVEN * np.median(largest))


def _predicted(group: Sequence[Packet], kept: int, following: Packet) -> bool:
    """Whether nothing in the end of a group had to be told anew."""
    return _largest(group[kept:]) <= _ANEW * min(group[0].size, following.size)


def _as_before(group: Sequence[Packet], kept: int) -> bool:
    """Whether no more changes in the end of a group than before."""
    return _largest(group[kept:]) <= _MORE * _largest(group[1:kept])


def _largest(packets: Sequence[Packet]) -> int:
    return max((packet.size for packet in packets), default=0)


def _kept(group: Sequence[Packet], following: Packet, unseen: int) -> int:
    """How many packets of a group, in decoding order, reach to where its unseen part begins."""
    begin, end = group[0].pts or 0, following.pts or 0
    until = max((begin + end) // 2, end - unseen)
    return next((i for i, p in enumerate(group) if (p.pts or 0) > until), len(group))
