"""Films that have no end: sentences while they are filmed, and alerts when one has a word."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from preprocess.errors import VideoError
from preprocess.media import Frame
from preprocess.pictures import Picture
from video.cuts import CutFinder
from video.pipeline import SeesShots
from video.shots import ShotOptions
from video.thumbs import look
from video.track import CaptionedShot

_MOST = 64  # pictures kept of an open shot, however long it is
_LAST_MS = 100  # what the last frame is taken to last


def caption_live(
    frames: Iterable[Frame], captioner: SeesShots, options: ShotOptions
) -> Iterator[CaptionedShot]:
    """A sentence at every cut, and at least every options.max_shot_ms, as soon as it is known.

    Args:
        frames: in the order of their times, all of one size; any may be missing.
        captioner: a loaded Captioner.
        options: how shots are found.

    Raises:
        VideoError: there was no frame at all, or the frames break off: after their last sentence.
    """
    finder, shot, now_ms = CutFinder(options.sensitivity), _Open(options), 0
    broken: list[VideoError] = []
    for frame in _until(frames, broken):
        now_ms = frame.time_ms
        cuts = finder.push(now_ms, look(frame.thumb()))
        shot.keep(frame)
        for end_ms in shot.ends(cuts, now_ms):
            yield shot.close(end_ms, captioner)
    if shot.kept:
        yield shot.close(now_ms + _LAST_MS, captioner)
    elif not broken:
        raise VideoError(
            "그림이 하나도 오지 않았습니다. 영상을 보내는 쪽을 확인하세요.",
            "not one picture came. Check what sends the film.",
        )
    for error in broken:
        raise error


def _until(frames: Iterable[Frame], broken: list[VideoError]) -> Iterator[Frame]:
    """The frames that come; the error that ends them is kept, for what was seen is told first."""
    try:
        yield from frames
    except VideoError as error:
        broken.append(error)


class _Open:
    """The shot that goes on: when it began, and some of its pictures."""

    def __init__(self, options: ShotOptions) -> None:
        self.options, self.start_ms = options, -1
        self.kept: list[tuple[int, Picture]] = []
        self._apart_ms = 0  # grows with the shot, so that the pictures stay few

    def keep(self, frame: Frame) -> None:
        """Takes the newest picture, if enough time has gone by."""
        time_ms = frame.time_ms
        if self.start_ms < 0:
            self.start_ms = time_ms
        if not self.kept or time_ms - self.kept[-1][0] >= self._apart_ms:
            self.kept.append((time_ms, frame.picture()))
        if len(self.kept) > _MOST:
            self.kept = self.kept[::2]
            self._apart_ms = self.kept[1][0] - self.kept[0][0]

    def ends(self, cuts: Sequence[int], now_ms: int) -> Iterator[int]:
        """When the shot has ended, if it has, and those after it; each is closed in between."""
        for cut in cuts:
            if cut - self.start_ms >= self.options.min_shot_ms:
                yield cut
        if now_ms - self.start_ms >= self.options.max_shot_ms:
            yield now_ms

    def close(self, end_ms: int, captioner: SeesShots) -> CaptionedShot:
        """The shot up to end_ms with its sentence; a new one begins there."""
        inside = [picture for time_ms, picture in self.kept if time_ms < end_ms]
        inside = inside or [self.kept[0][1]]
        places = np.linspace(0, len(inside) - 1, min(len(inside), self.options.frames_per_shot))
        (said,) = captioner.caption_many([np.stack([inside[round(p)] for p in places])])
        found = CaptionedShot(
            self.start_ms, end_ms, said.text, float(said.score), float(said.confidence)
        )
        self.kept = [one for one in self.kept if one[0] >= end_ms] or self.kept[-1:]
        self.start_ms, self._apart_ms = end_ms, 0
        return found


def _says(said: Sequence[str], words: Sequence[str]) -> bool:
    """Whether the words stand one after the other; the last may go on."""
    *whole, last = words or [""]
    return bool(last) and any(
        list(said[i : i + len(whole)]) == whole and said[i + len(whole)].startswith(last)
        for i in range(len(said) - len(whole))
    )


def alert(shot: CaptionedShot, words: Sequence[str]) -> dict[str, Any] | None:
    """An event for a sentence with one of the words, which may have particles: 차 in 차가.

    Several words with spaces between them are looked for one after the other.

    Returns:
        What happened, as plain values, or None.
    """
    said = shot.caption.split()
    hits = [word for word in words if _says(said, word.split())]
    if not hits:
        return None
    return {
        "event": "alert",
        "words": hits,
        "start_ms": shot.start_ms,
        "end_ms": shot.end_ms,
        "caption": shot.caption,
        "confidence": round(shot.confidence, 3),
    }
