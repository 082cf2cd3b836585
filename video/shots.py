"""A film in one cheap pass: where its shots are, and a few frames of each."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from preprocess.errors import SettingError
from preprocess.frames import Frame, MediaInfo, frames
from preprocess.media import no_frame
from preprocess.pictures import Picture
from preprocess.records import Shot
from video.cuts import SLOW_MS, CutFinder
from video.thumbs import Coarse, look, rearrangement

_CANDIDATE_MS = 250  # distance of the frames kept to choose the shot's pictures from, at least
_CANDIDATES = 32  # kept of the longest shot, about
_OTHER = 14.0  # blocks as different as after a cut: what may stay on screen until the next frame


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
    """A shot with its representative frames.

    Attributes:
        shot: when.
        frames: uint8 (n, H, W, 3) RGB, n >= 1.
        goes_on: True if the picture is hardly another than in the shot before.
    """

    shot: Shot
    frames: npt.NDArray[np.uint8]
    goes_on: bool = False


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
        seen = look(frame.thumb())
        cutter.keep(frame, seen.blocks)
        for cut_ms in finder.push(frame.time_ms, seen):
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


class _Candidate(NamedTuple):
    """A frame that may stand for its shot: its picture, and the coarse one it is compared on."""

    time_ms: int
    picture: Callable[[], Picture]
    coarse: Coarse


class _Cutter:
    """Collects candidate frames and cuts the film into shots of allowed lengths."""

    def __init__(self, options: ShotOptions) -> None:
        self._options = options
        self._start_ms = 0
        self._change = 6.0 - 4.0 * options.sensitivity  # 4 at 0.5
        self._apart_ms = max(_CANDIDATE_MS, options.max_shot_ms // _CANDIDATES)
        self._mean: Coarse | None = None  # of the shot before
        self._due_ms = 0  # when a frame was kept as one is every now and then
        self._tried = self._passing = False  # one since then that may stay; whether it is the last
        self.candidates: deque[_Candidate] = deque()

    def keep(self, frame: Frame, blocks: Coarse) -> None:
        """Converts and keeps a frame every now and then, and one in between that stays."""
        if self._passing and frame.time_ms - self.candidates[-1].time_ms < self._apart_ms:
            self.candidates.pop()  # it did not stay
        self._passing = False
        if not self.candidates or frame.time_ms - self._due_ms >= self._apart_ms:
            self._due_ms, self._tried = frame.time_ms, False
        elif self._tried or rearrangement(self.candidates[-1].coarse, blocks) <= _OTHER:
            return
        else:
            self._passing = self._tried = True
        self.candidates.append(_Candidate(frame.time_ms, frame.kept(), blocks))

    def cut(self, cut_ms: int, end_ms: int) -> Iterator[ShotFrames]:
        """Ends the open shot at cut_ms, unless it or the film's rest would be too short."""
        shortest = self._options.min_shot_ms
        if cut_ms - self._start_ms >= shortest and end_ms - cut_ms >= shortest:
            yield from self.rest(cut_ms)

    def overlong(self, settled_ms: int) -> Iterator[ShotFrames]:
        """Ends pieces of a shot that is known to go on past twice the longest length."""
        longest = self._options.max_shot_ms
        while settled_ms - self._start_ms >= 2 * longest:
            new_ms = self._new_content(settled_ms)
            yield self._shot(self._piece(new_ms) if new_ms else self._start_ms + longest)

    def rest(self, end_ms: int) -> Iterator[ShotFrames]:
        """The open shot up to end_ms; too long, in pieces where it changes, or equal ones."""
        while end_ms - self._start_ms > self._options.max_shot_ms:
            yield self._shot(self._piece(self._new_content(end_ms) or end_ms))
        yield self._shot(end_ms)

    def _piece(self, end_ms: int) -> int:
        """The end of the first of the equal, not too long pieces up to end_ms."""
        length_ms = end_ms - self._start_ms
        return self._start_ms + length_ms // -(-length_ms // self._options.max_shot_ms)

    def _new_content(self, end_ms: int) -> int | None:
        """When something first comes or goes in a long shot, if it does.

        It must stand out: a pan changes all the time, and its pieces are equal.
        """
        o = self._options
        while_ms = max(o.min_shot_ms, o.max_shot_ms // 4)  # what a coming or going may take
        changes = [(c.time_ms, self._changed(c.time_ms)) for c in self.candidates]
        usual = float(np.median([change for _, change in changes] or [0.0]))
        for time_ms, change in changes:
            inside = self._start_ms + while_ms <= time_ms <= end_ms - while_ms
            if inside and change > max(self._change, 2 * usual):
                nearby = (c for t, c in changes if abs(t - time_ms) < while_ms)
                if change == max(nearby):
                    return time_ms
        return None

    def _changed(self, time_ms: int) -> float:
        """How different the second after a time looks from the second before, as blocks."""
        near = [c for c in self.candidates if -SLOW_MS <= c.time_ms - time_ms < SLOW_MS]
        sides = [[c.coarse for c in near if (c.time_ms < time_ms) == before] for before in (1, 0)]
        if not all(sides):
            return 0.0
        before, after = (np.mean(side, axis=0) for side in sides)
        return rearrangement(before, after)

    def _shot(self, end_ms: int) -> ShotFrames:
        """The shot from the open start to end_ms, which becomes the next start."""
        shot = Shot(self._start_ms, end_ms)
        inside = [c for c in self.candidates if shot.start_ms <= c.time_ms < end_ms]
        inside = inside or [self._shown(shot.start_ms)]
        chosen = _spread(inside, shot, self._options)
        before, self._mean = self._mean, np.mean([c.coarse for c in inside], axis=0)
        while len(self.candidates) > 1 and self.candidates[1].time_ms <= end_ms:
            self.candidates.popleft()
        self._start_ms = end_ms
        goes_on = before is not None and rearrangement(before, self._mean) <= self._change
        return ShotFrames(shot, chosen, goes_on)

    def _shown(self, time_ms: int) -> _Candidate:
        """The candidate on screen at a time; without one, the next."""
        earlier = [c for c in self.candidates if c.time_ms <= time_ms]
        return earlier[-1] if earlier else self.candidates[0]


def _spread(
    inside: Sequence[_Candidate], shot: Shot, options: ShotOptions
) -> npt.NDArray[np.uint8]:
    """The distinct candidates nearest to equally spread times, 20, 50 and 80 % for three."""
    count = options.frames_per_shot
    places = [0.5] if count == 1 else np.linspace(0.2, 0.8, count)
    times = [shot.start_ms + place * (shot.end_ms - shot.start_ms) for place in places]
    nearest = {min(inside, key=lambda c: abs(c.time_ms - t)).time_ms for t in times}
    pictures = [c.picture() for c in inside if c.time_ms in nearest]
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
