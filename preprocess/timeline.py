"""The times of a film's packets and frames: joined where they jump, in order, and their span."""

from fractions import Fraction
from typing import Protocol

_JUMP_S = 10  # as ffmpeg counts it (-dts_delta_threshold)
_BACK_S = Fraction(1, 10)
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


class Clock:
    """The time span of a stream, from its packets alone.

    Args:
        time_base: length of a tick in seconds.
        origin_ms: when the first frame is shown.

    Attributes:
        count: packets that are shown.
        hidden: there are others, which somebody cut away.
    """

    def __init__(self, time_base: Fraction | None, origin_ms: int) -> None:
        self._base, self._origin_ms = time_base, origin_ms
        self.count, self.hidden = 0, False
        self._last: tuple[float, float] = (-1.0, 0.0)  # start and length of the latest shown

    def see(self, packet: Stamped) -> None:
        """Takes in one packet, in any order."""
        self.hidden = self.hidden or packet.is_discard
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
        return duration_ms, max(0.001, round(self.count * 1000 / duration_ms, 3))


class Spanned(Protocol):
    """What is needed of a film that was probed."""

    @property
    def duration_ms(self) -> int:
        """Its length."""

    @property
    def frame_rate(self) -> float:
        """Average frames a second."""


class Course:
    """When frames are shown: never backwards, and a step after the last where one does not say.

    Args:
        origin_ms: what the stream calls the film's start.
        film: what they are of.

    Attributes:
        leaps: whether too much was left out between two frames.
    """

    def __init__(self, origin_ms: int, film: Spanned) -> None:
        self._origin_ms, self._end_ms = origin_ms, film.duration_ms
        self._step_ms = max(1, round(1000 / film.frame_rate))
        self._last_ms, self._ends_ms = -1, 0
        self.leaps = False

    def reached(
        self, pts: int | None, time_base: Fraction | None, duration: int | None = None
    ) -> int | None:
        """The next frame's time in ms after the film's start; None where it is damage."""
        told_ms, last_ms = ms_of(pts, time_base), self._last_ms
        guess_ms = 0 if last_ms < 0 else last_ms + self._step_ms
        time_ms = guess_ms if told_ms is None else told_ms - self._origin_ms
        if not last_ms < time_ms < self._end_ms:
            return None
        self.leaps |= last_ms >= 0 and time_ms - self._ends_ms > _FAR * self._step_ms
        self._last_ms = time_ms
        self._ends_ms = time_ms + max(self._step_ms, ms_of(duration, time_base) or 0)
        return time_ms


def ms_of(pts: int | None, time_base: Fraction | None) -> int | None:
    """A time in ms, None where there is none."""
    return None if pts is None or time_base is None else round(pts * time_base * 1000)
