"""Screens that hold no scene, told from those that do: plain ones, and ones with letters alone.

Titles, credits, slides and black frames are in every film and in no set of photographs: a captioner
takes them for clocks and clouds. A plain one is told from its pixels, letters by a logistic
regression on what the CNN sees (model/letters.py). N frames of a shot, R regions, D feature width.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from model import logistic
from preprocess.korean import Morpheme, repair
from preprocess.pictures import Picture

Array = npt.NDArray[np.float32]
GRID = (32, 18)  # a thing that is worth a word colours one of these blocks
SPREAD = 16  # most that a plain screen's blocks differ in any channel
SURE = 0.9  # probability from which letters are said to be all there is
DECAY = 10.0  # weight of the squared weights, as many pictures as features are learned from
HUES = ((10, "빨간"), (22, "주황색"), (35, "노란"), (85, "초록색"), (100, "하늘색"),
        (130, "파란"), (150, "보라색"), (170, "분홍색"), (180, "빨간"))  # fmt: skip


def plain_colour(frames: Picture) -> str:
    """The colour of a shot that shows nothing else, uint8 (N, H, W, 3) RGB; "" if it does."""
    small = [cv2.resize(frame, GRID, interpolation=cv2.INTER_AREA) for frame in frames]
    blocks = np.stack(small).reshape(len(frames), -1, 3).astype(np.int16)
    if np.ptp(blocks, axis=1).max() > SPREAD:
        return ""
    names = {_named(np.median(frame, axis=0)) for frame in blocks}
    return names.pop() if len(names) == 1 else ""


def _named(colour: "npt.NDArray[np.floating]") -> str:
    pixel = np.asarray(colour, np.uint8).reshape(1, 1, 3)
    hue, saturation, value = (int(part) for part in cv2.cvtColor(pixel, cv2.COLOR_RGB2HSV)[0, 0])
    if value < 50:
        return "검은"
    if saturation < 40:
        return "흰" if value > 200 else "회색"
    return next(name for below, name in HUES if hue < below)


@dataclass(frozen=True, eq=False)
class Letters:
    """Logistic regression on the mean of what the CNN sees: kernel float32 (D,)."""

    kernel: Array
    bias: float

    @classmethod
    def of(cls, array: Array) -> "Letters":
        """From one array (D + 1,), the bias last."""
        return cls(np.asarray(array[:-1], np.float32), float(array[-1]))

    def array(self) -> Array:
        """The inverse of `of`."""
        return np.append(self.kernel, self.bias).astype(np.float32)

    def probability(self, seen: Array) -> float:
        """That frames hold letters alone, by float32 (N, R, D) of each frame whole."""
        score = float(seen.mean((0, 1)) @ self.kernel) + self.bias
        return float(logistic.probability(score))


def fit_letters(cards: Array, photos: Array) -> Letters:
    """From means (n, D) of what the CNN sees, float32, which are standardized first."""
    both = np.concatenate([cards, photos]).astype(np.float64)
    mean, spread = both.mean(0), both.std(0) + 1e-6
    given = np.column_stack([(both - mean) / spread, np.ones(len(both))])
    weights = logistic.fit(given, np.arange(len(both)) < len(cards), DECAY)
    kernel = weights[:-1] / spread
    return Letters(kernel.astype(np.float32), float(weights[-1] - mean @ kernel))


def screen(frames: Picture, seen: Array, letters: Letters | None) -> tuple[Morpheme, ...]:
    """What is said of a shot that shows no scene; () if it shows one.

    Args:
        frames: uint8 (N, H, W, 3) RGB.
        seen: what the CNN sees of each, whole: (N, R, D).
        letters: None where a captioner file has none.
    """
    if colour := plain_colour(frames):
        return _said(Morpheme(colour, "Adjective", False), Morpheme("화면", "Noun", True))
    if letters and letters.probability(seen) >= SURE:
        place = Morpheme("화면", "Noun", False), Morpheme("에", "Josa", False)
        return _said(*place, Morpheme("글자", "Noun", True))
    return ()


def _said(*subject: Morpheme) -> tuple[Morpheme, ...]:
    return repair([*subject, Morpheme("이", "Josa", False), Morpheme("보인다", "Verb", True)])
