"""A film in one cheap pass: where its shots are, and a few frames of each."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from preprocess.errors import SettingError
from preprocess.frames import Frame, MediaInfo, frames
from preprocess.media import no_frame
from preprocess.records import Shot

Thumb = npt.NDArray[np.uint8]
_GRID = 9  # rows of the coarse picture that frames are compared on: small motion vanishes in it
_LOOKAHEAD = 4  # frames seen after a jump before it is believed (a photo flash returns)
_BACKGROUND = 4  # frames before it whose usual change a jump must stand out from
_FLASH_MS = 300  # the longest flash
_SLOW_MS = 1000  # dissolves and fades are met by comparing frames this far apart
_BACKGROUND_MS = 500  # and how far away in time they may be (slide shows have no background)
_WEIGHTS = np.array([1.0, 2.0, 2.0], np.float32)  # colour ranges over half of what luma does
_CANDIDATE_MS = 250  # distance of the frames kept to choose the shot's pictures from


@dataclass(frozen=True)
class ShotOptions:
    """How shots are found; the only place where these defaults are written.

    Attributes:
        frames_per_shot: frames the captioner sees of one shot.
        min_shot_ms: no shot is shorter (but a film may be).
        max_shot_ms: longer shots are split.
        sensitivity: 0..1, higher finds more cuts.
    """

    frames_per_shot: int = 3
    min_shot_ms: int = 1000
    max_shot_ms: int = 8000
    sensitivity: float = 0.5


@dataclass(frozen=True, eq=False)
class ShotFrames:
    """A shot with its representative frames, uint8 (n, H, W, 3) RGB, n >= 1."""

    shot: Shot
    frames: npt.NDArray[np.uint8]


def find_shots(
    media: MediaInfo,
    options: ShotOptions = ShotOptions(),
    on_progress: Callable[[int], None] | None = None,
) -> Iterator[ShotFrames]:
    """Yields the shots in order, tiling [0, media.duration_ms); on_progress gets the time reached.

    Memory does not grow with the film: of an open shot at most 2 x max_shot_ms is kept.

    Raises:
        VideoError: not one frame could be decoded.
        SettingError: an option cannot be used.
    """
    _check(options)
    return _found(media, options, on_progress)


def _found(
    media: MediaInfo, options: ShotOptions, on_progress: Callable[[int], None] | None
) -> Iterator[ShotFrames]:
    finder, cutter = CutFinder(options.sensitivity), _Cutter(options)
    for frame in frames(media):
        cutter.keep(frame)
        for cut_ms in finder.push(frame.time_ms, frame.thumb()):
            yield from cutter.cut(cut_ms, media.duration_ms)
        yield from cutter.overlong(finder.settled_ms)
        if on_progress:
            on_progress(frame.time_ms)
    if not cutter.candidates:
        raise no_frame(media.path)
    for cut_ms in finder.finish():
        yield from cutter.cut(cut_ms, media.duration_ms)
    yield from cutter.rest(media.duration_ms)
    if on_progress:
        on_progress(media.duration_ms)


def dissimilarity(first: Thumb, second: Thumb) -> float:
    """How different two frames look, 0 (the same) to about 255 for luma alone; symmetric.

    The mean of two views of the thumbs, uint8 (36, 64, 3) YUV. Pairwise block difference sees
    a new arrangement, the histogram difference new colours; motion moves mostly the former, a
    change of light mostly the latter, a cut both (Zhang, Kankanhalli, Smoliar 1993, sections
    2.1 and 2.2).
    """
    blocks = np.abs(_coarse(first) - _coarse(second)).mean(axis=(0, 1)) @ _WEIGHTS
    return 0.5 * (float(blocks) + recolouring(first, second))


def recolouring(first: Thumb, second: Thumb) -> float:
    """How different the colours of two thumbs are, wherever they lie; blind to motion.

    The distance between the sorted values is the earth mover's distance between the histograms.
    """
    return float(np.abs(_ordered(first) - _ordered(second)).mean(axis=0) @ _WEIGHTS)


def _coarse(thumb: Thumb) -> npt.NDArray[np.float32]:
    side = thumb.shape[0] // _GRID
    shape = (_GRID, side, thumb.shape[1] // side, side, 3)
    return np.asarray(thumb.reshape(shape).mean(axis=(1, 3), dtype=np.float32))


def _ordered(thumb: Thumb) -> npt.NDArray[np.float32]:
    return np.sort(thumb[::2, ::2].reshape(-1, 3), axis=0).astype(np.float32)


class CutFinder:
    """Takes frames in order and tells, a few frames late, where one shot becomes another.

    A hard cut is a jump between neighbours that stands out from the changes around it and does
    not return within a few frames. A dissolve or fade is met by the colours' difference over a
    second while no single step stands out (twin comparison, Zhang et al. 1993, section 3).
    """

    def __init__(self, sensitivity: float) -> None:
        self._jump = 26.0 - 24.0 * sensitivity  # 14 at 0.5
        self._drift = 2.5 * self._jump
        self._window: deque[tuple[int, Thumb, float]] = deque(maxlen=_LOOKAHEAD + 2)
        self._before: deque[tuple[int, float]] = deque(maxlen=_BACKGROUND)
        self._past: deque[tuple[int, Thumb]] = deque()
        self.settled_ms = 0  # no cut before this time can come any more

    def push(self, time_ms: int, thumb: Thumb) -> list[int]:
        """Takes the next frame; the times of cuts that are sure now, usually none."""
        step = dissimilarity(self._window[-1][1], thumb) if self._window else 0.0
        self._window.append((time_ms, thumb, step))
        return self._judge(1) if len(self._window) == _LOOKAHEAD + 2 else []

    def finish(self) -> list[int]:
        """The cuts among the last frames."""
        undecided = range(2 if len(self._window) == _LOOKAHEAD + 2 else 1, len(self._window))
        return [cut for index in undecided for cut in self._judge(index)]

    def _judge(self, index: int) -> list[int]:
        """Decides about the window's frame at index, whose later neighbours are known."""
        time_ms, thumb, step = self._window[index]
        is_cut = self._stands_out(index) and not self._returns(index)
        self._before.append((time_ms, min(step, self._jump)))
        if is_cut:
            self._past.clear()
        cuts = [time_ms] if is_cut else self._slow_change(time_ms, thumb, step)
        self._past.append((time_ms, thumb))
        self.settled_ms = time_ms - (0 if is_cut else _SLOW_MS)
        return cuts

    def _stands_out(self, index: int) -> bool:
        time_ms, _, step = self._window[index]
        later = [(entry[0], entry[2]) for entry in list(self._window)[index + 1 :]]
        around = [s for t, s in [*self._before, *later] if abs(t - time_ms) <= _BACKGROUND_MS]
        usual = float(np.median(around)) if around else 0.0
        return step > self._jump and step > 3.0 * usual

    def _returns(self, index: int) -> bool:
        """Whether a jump is the start or the end of a flash, or of a few broken frames."""
        entries = list(self._window)
        time_ms, thumb, jump = entries[index]
        before = entries[index - 1][1]
        later = [(before, t) for at, t, _ in entries[index + 1 :] if at - time_ms <= _FLASH_MS]
        recent = list(self._past)[-1 - _LOOKAHEAD : -1]
        earlier = [(t, thumb) for at, t in recent if time_ms - at <= _FLASH_MS]
        return any(dissimilarity(a, b) < 0.4 * jump for a, b in later + earlier)

    def _slow_change(self, time_ms: int, thumb: Thumb, step: float) -> list[int]:
        """The middle of a gradual transition that ends at this frame."""
        while len(self._past) > 1 and time_ms - self._past[1][0] >= _SLOW_MS:
            self._past.popleft()
        if not self._past or time_ms - self._past[0][0] < _SLOW_MS or step > 0.25 * self._jump:
            return []
        first, later = self._past[0][1], self._window[-1][1]
        if recolouring(first, thumb) < self._drift:
            return []
        # Seen with two frames on each side: a flash, past or present, is on one of them only.
        inner = self._past[len(self._past) // 4][1]
        if min(recolouring(inner, thumb), recolouring(first, later)) < 0.5 * self._drift:
            return []
        middle_ms = self._past[len(self._past) // 2][0]
        self._past.clear()
        return [middle_ms]


class _Cutter:
    """Collects candidate frames and cuts the film into shots of allowed lengths."""

    def __init__(self, options: ShotOptions) -> None:
        self._options = options
        self._start_ms = 0
        self.candidates: deque[tuple[int, Thumb]] = deque()

    def keep(self, frame: Frame) -> None:
        """Converts and keeps a frame every now and then."""
        if not self.candidates or frame.time_ms - self.candidates[-1][0] >= _CANDIDATE_MS:
            self.candidates.append((frame.time_ms, frame.picture()))

    def cut(self, cut_ms: int, end_ms: int) -> Iterator[ShotFrames]:
        """Ends the open shot at cut_ms, unless it or the film's rest would be too short."""
        shortest = self._options.min_shot_ms
        if cut_ms - self._start_ms >= shortest and end_ms - cut_ms >= shortest:
            yield from self.rest(cut_ms)

    def overlong(self, settled_ms: int) -> Iterator[ShotFrames]:
        """Ends pieces of a shot that is known to go on past twice the longest length."""
        longest = self._options.max_shot_ms
        while settled_ms - self._start_ms >= 2 * longest:
            yield self._shot(self._start_ms + longest)

    def rest(self, end_ms: int) -> Iterator[ShotFrames]:
        """The open shot up to end_ms, in equal pieces no longer than the longest."""
        start_ms = self._start_ms
        length_ms = end_ms - start_ms
        pieces = max(1, -(-length_ms // self._options.max_shot_ms))
        for number in range(1, pieces + 1):
            yield self._shot(start_ms + length_ms * number // pieces)

    def _shot(self, end_ms: int) -> ShotFrames:
        """The shot from the open start to end_ms, which becomes the next start."""
        shot = Shot(self._start_ms, end_ms)
        inside = [c for c in self.candidates if shot.start_ms <= c[0] < end_ms]
        chosen = _spread(inside or [self._shown(shot.start_ms)], shot, self._options)
        while len(self.candidates) > 1 and self.candidates[1][0] <= end_ms:
            self.candidates.popleft()
        self._start_ms = end_ms
        return ShotFrames(shot, chosen)

    def _shown(self, time_ms: int) -> tuple[int, Thumb]:
        """The candidate on screen at a time; without one, the next."""
        earlier = [c for c in self.candidates if c[0] <= time_ms]
        return earlier[-1] if earlier else self.candidates[0]


def _spread(
    inside: Sequence[tuple[int, Thumb]], shot: Shot, options: ShotOptions
) -> npt.NDArray[np.uint8]:
    """The distinct candidates nearest to equally spread times, 20, 50 and 80 % for three."""
    count = options.frames_per_shot
    places = [0.5] if count == 1 else np.linspace(0.2, 0.8, count)
    times = [shot.start_ms + place * (shot.end_ms - shot.start_ms) for place in places]
    nearest = {min(inside, key=lambda c: abs(c[0] - t))[0] for t in times}
    pictures = [picture for time_ms, picture in inside if time_ms in nearest]
    same = [p for p in pictures if p.shape == pictures[0].shape]  # sizes can change in mid-stream
    return np.stack(same)


def _check(options: ShotOptions) -> None:
    if options.frames_per_shot < 1 or not 1 <= options.min_shot_ms <= options.max_shot_ms:
        raise SettingError(
            f"장면 옵션을 쓸 수 없습니다: {options}. 1 <= 최소 길이 <= 최대 길이여야 합니다.",
            f"unusable shot options: {options}. Keep 1 <= shortest <= longest.",
        )
    if not 0.0 <= options.sensitivity <= 1.0:
        raise SettingError(
            f"장면 민감도는 0~1이어야 합니다: {options.sensitivity}.",
            f"shot sensitivity must be 0..1: {options.sensitivity}.",
        )
