"""Where one shot becomes another, told from small thumbs of the frames as they come."""

from collections import deque

import numpy as np

from video.thumbs import Look, difference, recolouring

SLOW_MS = 1000  # dissolves and fades are met by comparing frames this far apart
_LOOKAHEAD = 4  # frames seen after a jump before it is believed (a photo flash returns)
_BACKGROUND = 4  # frames before it whose usual change a jump must stand out from
_FLASH_MS = 300  # the longest flash
_BACKGROUND_MS = 500  # and how far away in time they may be (slide shows have no background)


class CutFinder:
    """Takes frames in order and tells, a few frames late, where one shot becomes another.

    A hard cut is a jump between neighbours that stands out from the changes around it and does
    not return within a few frames. A dissolve or fade is met by the colours' difference over a
    second while no single step stands out (twin comparison, Zhang et al. 1993, section 3).
    """

    def __init__(self, sensitivity: float) -> None:
        self._jump = 26.0 - 24.0 * sensitivity  # 14 at 0.5
        self._drift = 2.5 * self._jump
        self._window: deque[tuple[int, Look, float]] = deque(maxlen=_LOOKAHEAD + 2)
        self._before: deque[tuple[int, float]] = deque(maxlen=_BACKGROUND)
        self._past: deque[tuple[int, Look]] = deque()
        self._slow_ms: int | None = None  # a gradual transition, unless a hard cut follows soon
        self.settled_ms = 0  # no cut before this time can come any more

    def push(self, time_ms: int, seen: Look) -> list[int]:
        """Takes the next frame; the times of cuts that are sure now, usually none."""
        step = difference(self._window[-1][1], seen) if self._window else 0.0
        self._window.append((time_ms, seen, step))
        return self._judge(1) if len(self._window) == _LOOKAHEAD + 2 else []

    def finish(self) -> list[int]:
        """The cuts among the last frames."""
        undecided = range(2 if len(self._window) == _LOOKAHEAD + 2 else 1, len(self._window))
        cuts = [cut for index in undecided for cut in self._judge(index)]
        return cuts if self._slow_ms is None else [*cuts, self._slow_ms]

    def _judge(self, index: int) -> list[int]:
        """Decides about the window's frame at index, whose later neighbours are known."""
        time_ms, seen, step = self._window[index]
        is_cut = self._stands_out(index) and not self._returns(index)
        self._before.append((time_ms, min(step, self._jump)))
        cuts = self._slow_cut(time_ms, is_cut)
        if is_cut:
            self._past.clear()
            cuts.append(time_ms)
        elif self._slow_ms is None:
            self._slow_ms = self._slow_change(time_ms, seen, step)
        self._past.append((time_ms, seen))
        settled_ms = time_ms - (0 if is_cut else SLOW_MS)
        self.settled_ms = settled_ms if self._slow_ms is None else min(settled_ms, self._slow_ms)
        return cuts

    def _slow_cut(self, time_ms: int, is_cut: bool) -> list[int]:
        """The gradual transition that is waiting, if it is sure now.

        Motion can look like one; where a hard cut follows, that is where the shot ends.
        """
        slow_ms, late = self._slow_ms, time_ms - (self._slow_ms or 0) >= SLOW_MS
        if is_cut or late:
            self._slow_ms = None
        return [slow_ms] if slow_ms is not None and late else []

    def _stands_out(self, index: int) -> bool:
        time_ms, _, step = self._window[index]
        if step <= self._jump:
            return False
        later = [(entry[0], entry[2]) for entry in list(self._window)[index + 1 :]]
        around = [s for t, s in [*self._before, *later] if abs(t - time_ms) <= _BACKGROUND_MS]
        usual = float(np.median(around)) if around else 0.0
        return step > 3.0 * usual

    def _returns(self, index: int) -> bool:
        """Whether a jump is the start or the end of a flash, or of a few broken frames."""
        entries = list(self._window)
        time_ms, seen, jump = entries[index]
        before = entries[index - 1][1]
        later = [(before, t) for at, t, _ in entries[index + 1 :] if at - time_ms <= _FLASH_MS]
        recent = list(self._past)[-1 - _LOOKAHEAD : -1]
        earlier = [(t, seen) for at, t in recent if time_ms - at <= _FLASH_MS]
        return any(difference(a, b) < 0.4 * jump for a, b in later + earlier)

    def _slow_change(self, time_ms: int, seen: Look, step: float) -> int | None:
        """The middle of a gradual transition that ends at this frame."""
        while len(self._past) > 1 and time_ms - self._past[1][0] >= SLOW_MS:
            self._past.popleft()
        if not self._past or time_ms - self._past[0][0] < SLOW_MS or step > 0.25 * self._jump:
            return None
        first, later = self._past[0][1], self._window[-1][1]
        if recolouring(first, seen) < self._drift:
            return None
        # Seen with two frames on each side: a flash, past or present, is on one of them only.
        inner = self._past[len(self._past) // 4][1]
        if min(recolouring(inner, seen), recolouring(first, later)) < 0.5 * self._drift:
            return None
        middle_ms = self._past[len(self._past) // 2][0]
        self._past.clear()
        return middle_ms
