"""The times of a film's packets and frames: joined where they jump, in order, and their span."""

from collections import Counter
from fractions import Fraction
from heapq import heappop, heappush
from statistics import median_low
from typing import Protocol

_JUMP_S = 10  # as ffmpeg counts it (-dts_delta_threshold)
_BACK_S = Fraction(1, 10)
_REORDERED = 16  # frames that a codec may decode ahead of the one that is shown next
_MOST_STRAYS = 1000
_WAITS_MS = 1000  # as late as a caption may come
_PACES = (10.0, 60.0)  # least and most frames a second
_FAR = 2.5  # average steps from a frame's end to the next one, from which on too much is left out


class Stamped(Protocol):
    """What is needed of a packet; times are in ticks of time_base seconds."""

    pts: int | None
    dts: int | None
    duration: int | None

    @property
    def time_base(self) -> Fraction | None:
        """Seconds."""

    @property
    def size(self) -> int:
        """Bytes."""

    @property
    def is_discard(self) -> bool:
        """Whether it is decoded, but not shown."""


class Unbroken:
    """Joins the times of broadcasts, where they start anew with every piece, as ffmpeg does.

    A film that was put together from such pieces then goes on without a gap, and captions are
    drawn where they were seen.
    """

    def __init__(self) -> None:
        self._shift = self._last = 0
        self._next: int | None = None

    def join(self, packet: Stamped) -> None:
        """Shifts the times of the next packet, if they have jumped before it or at it."""
        if packet.dts is None or not packet.time_base:
            return
        dts, second = packet.dts + self._shift, 1 / packet.time_base
        if self._next is not None:
            jump = dts - self._next
            if abs(jump) > _JUMP_S * second or dts + _BACK_S * second < self._last:
                self._shift, dts = self._shift - jump, self._next
        if packet.pts is not None:
            packet.pts += self._shift
        packet.dts = self._last = dts
        self._next = dts + (packet.duration or 0)


Moment = tuple[float, float]  # a frame's start and length in ms


class _Leap:
    """Packets far ahead of all others: after a pause, or strays with a wrong time.

    Attributes:
        reached: the latest of the packets that go on from before.
        ahead: starts of the others.
    """

    def __init__(self, before: Moment) -> None:
        self.reached, self.ahead = before, list[float]()
        self._returned = 0

    def see(self, moment: Moment) -> None:
        """Takes in the next packet."""
        if moment[0] - self.reached[0] > 1000 * _JUMP_S:
            self.ahead.append(moment[0])
            self._returned = 0
        else:
            self.reached = max(self.reached, moment)
            self._returned += 1

    @property
    def is_false(self) -> bool:
        """Whether more packets go on from before than a codec could have put off."""
        return self._returned > _REORDERED


class _Steps:
    """How long frames are shown, from their starts in ms in the order of decoding."""

    def __init__(self) -> None:
        self._waiting: list[float] = []
        self._counts = Counter[int]()
        self._last: float | None = None

    def see(self, start: float) -> None:
        """Takes in the next packet's."""
        heappush(self._waiting, start)
        if len(self._waiting) > _REORDERED:
            self._count(heappop(self._waiting))

    def _count(self, start: float) -> None:
        if self._last is not None:
            self._counts[round(start - self._last)] += 1
        self._last = start

    def pace(self, end: float) -> float:
        """Frames a second that show captions on time; 0 where the frames' own times do.

        Args:
            end: of the film, in ms; what starts after it has a wrong time.
        """
        for start in (*sorted(s for s in self._waiting if s < end), end):
            self._count(start)
        self._waiting = []
        if not self._counts or max(self._counts) <= _WAITS_MS:
            return 0.0
        usual = median_low(self._counts.elements())
        return min(max(1000 / max(usual, 1), _PACES[0]), _PACES[1])


class Clock:
    """The time span of a stream, from its packets alone.

    Args:
        time_base: length of a tick in seconds.
        origin_ms: when the first frame is shown.

    Attributes:
        count: packets that are shown.
        hidden: there are others, which somebody cut away.
        strays: ms after the film's start of single packets whose time is wrong: they leap ahead,
            and the others go on from before.
        pace: frames a second to draw it at, as MediaInfo has it; known with the span.
        timed: a packet said when it is shown.
    """

    def __init__(self, time_base: Fraction | None, origin_ms: int) -> None:
        self._base, self._origin_ms = time_base, origin_ms
        self.count, self.hidden = 0, False
        self.strays: frozenset[int] = frozenset()
        self.pace, self.timed = 0.0, False
        self._last: Moment = (-1.0, 0.0)  # the latest shown
        self._steps = _Steps()
        self._leap: _Leap | None = None

    def see(self, packet: Stamped) -> None:
        """Takes in the file's next packet."""
        self.hidden = self.hidden or packet.is_discard
        if not packet.size or packet.is_discard or self._base is None:
            return
        self.count += 1
        ticks = packet.dts if packet.pts is None else packet.pts
        if ticks is None:
            return
        self.timed = True
        start_ms = float(ticks * self._base * 1000) - self._origin_ms
        self._reach((start_ms, float((packet.duration or 0) * self._base * 1000)))

    def _reach(self, moment: Moment) -> None:
        self._steps.see(moment[0])
        if moment[0] - self._last[0] > 1000 * _JUMP_S:
            self._leap = _Leap(self._last)
        self._last = max(self._last, moment)
        if self._leap is None:
            return
        self._leap.see(moment)
        if self._leap.is_false:
            self._last = self._leap.reached
            self.strays |= {round(start) for start in self._leap.ahead}
        if self._leap.is_false or len(self._leap.ahead) + len(self.strays) > _MOST_STRAYS:
            self._leap = None

    def span(self, step_ms: float) -> tuple[int, float]:
        """Duration in ms and average frames a second; step_ms where the file tells no length."""
        start_ms, length_ms = self._last
        if start_ms < 0:  # no times at all: raw streams
            start_ms, length_ms = step_ms * max(0, self.count - 1), step_ms
        duration_ms = max(1, round(start_ms + (length_ms or step_ms)))
        self.pace = self._steps.pace(duration_ms)
        return duration_ms, max(0.001, round(self.count * 1000 / duration_ms, 3))


class Shown(Protocol):
    """What is needed of a decoded frame; times are in ticks of time_base seconds."""

    @property
    def pts(self) -> int | None:
        """When it is shown."""

    @property
    def duration(self) -> int | None:
        """For how long."""

    @property
    def time_base(self) -> Fraction | None:
        """Seconds."""


class Spanned(Protocol):
    """What is needed of a film that was probed."""

    @property
    def duration_ms(self) -> int:
        """Its length."""

    @property
    def frame_rate(self) -> float:
        """Average frames a second."""

    @property
    def strays(self) -> frozenset[int]:
        """Times that are wrong."""


class Course:
    """When frames are shown: never backwards, and a step after the last where one does not say.

    Args:
        origin_ms: what the stream calls the film's start.
        film: what they are of.

    Attributes:
        leaps: whether too much was left out between two frames.
    """

    def __init__(self, origin_ms: int, film: Spanned) -> None:
        self._origin_ms, self._end_ms, self._strays = origin_ms, film.duration_ms, film.strays
        self._step_ms = max(1, round(1000 / film.frame_rate))
        self._last_ms, self._ends_ms = -1, 0
        self.leaps = False

    def reached(self, frame: Shown) -> int | None:
        """The next frame's time in ms after the film's start; None where it is damage."""
        told_ms, last_ms = ms_of(frame.pts, frame.time_base), self._last_ms
        guess_ms = 0 if last_ms < 0 else last_ms + self._step_ms
        time_ms = guess_ms if told_ms is None else told_ms - self._origin_ms
        if not last_ms < time_ms < self._end_ms or time_ms in self._strays:
            return None
        self.leaps |= last_ms >= 0 and time_ms - self._ends_ms > _FAR * self._step_ms
        self._last_ms = time_ms
        self._ends_ms = time_ms + max(self._step_ms, ms_of(frame.duration, frame.time_base) or 0)
        return time_ms


def ms_of(pts: int | None, time_base: Fraction | None) -> int | None:
    """A time in ms, None where there is none."""
    return None if pts is None or time_base is None else round(pts * time_base * 1000)
