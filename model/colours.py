"""Colours that a picture hardly has: a decoder that says them has not looked.

Women's clothes are often called pink and men's hats red; guesses at one picture share that habit,
pixels do not.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

SIDE = 96  # pixels that frames are made to before they are counted


@dataclass(frozen=True)
class Range:
    """Where a colour lies in OpenCV's HSV (hues 0-179), and the share a picture has at least."""

    hues: tuple[int, int]  # from, and up to: over 179 they go on at 0
    saturation: int
    value: int
    least: float


RANGES = {
    "분홍색": Range((145, 180), 35, 110, 0.01),
    "빨간색": Range((173, 188), 90, 50, 0.003),
}


def missing(frames: Iterable[npt.NDArray[np.uint8]], colours: Collection[str]) -> set[str]:
    """Those of the colours that no frame, uint8 (H, W, 3) RGB, has enough of."""
    asked = [colour for colour in colours if colour in RANGES]
    small = [_hsv(frame) for frame in frames] if asked else []
    return {c for c in asked if all(_share(hsv, RANGES[c]) < RANGES[c].least for hsv in small)}


def _hsv(frame: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    small = cv2.resize(frame, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2HSV), np.int64)


def _share(hsv: npt.NDArray[np.int64], wanted: Range) -> float:
    hue, saturation, value = np.moveaxis(hsv, -1, 0)
    first, end = wanted.hues
    near = (hue - first) % 180 < end - first
    return float((near & (saturation > wanted.saturation) & (value > wanted.value)).mean())
