"""Collages of four photos at random sizes, made anew from a seed: where each one lies is known."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from preprocess.pictures import Picture

Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels, right and bottom outside
PHOTOS = 4
SIZES = ((640, 480), (640, 360), (480, 640), (560, 560))  # width, height
_LEAST = 0.22  # of the canvas' sides that a photo has at least
_TRIES = 400


@dataclass(frozen=True, eq=False)
class Collage:
    """A picture of four photos.

    Attributes:
        picture: uint8 (H, W, 3) RGB.
        boxes: where each photo lies, in the order they were given.
    """

    picture: Picture
    boxes: tuple[Box, ...]


def collage(photos: Sequence[Picture], seed: int) -> Collage:
    """The photos side by side without gaps (even seeds), or scattered on one colour (odd ones)."""
    rng = np.random.default_rng(seed)
    width, height = SIZES[int(rng.integers(len(SIZES)))]
    if seed % 2:
        return _scattered(photos, width, height, rng)
    boxes = _split((0, 0, width, height), len(photos), rng)
    canvas = np.zeros((height, width, 3), np.uint8)
    for photo, box in zip(photos, boxes, strict=True):
        _lay(canvas, photo, box)
    return Collage(canvas, tuple(boxes))


def _split(box: Box, parts: int, rng: np.random.Generator) -> list[Box]:
    """The box cut in parts by straight cuts, the longer side mostly first."""
    if parts == 1:
        return [box]
    left, top, right, bottom = box
    first = int(rng.integers(1, parts))
    share = rng.uniform(0.3, 0.7) if parts < PHOTOS else rng.uniform(0.35, 0.65)
    wide, high = (right - left) ** 3, (bottom - top) ** 3
    if rng.random() < wide / (wide + high):
        middle = left + round(share * (right - left))
        halves: list[Box] = [(left, top, middle, bottom), (middle, top, right, bottom)]
    else:
        middle = top + round(share * (bottom - top))
        halves = [(left, top, right, middle), (left, middle, right, bottom)]
    return _split(halves[0], first, rng) + _split(halves[1], parts - first, rng)


def _scattered(
    photos: Sequence[Picture], width: int, height: int, rng: np.random.Generator
) -> Collage:
    """Photos of their own aspect where there is room; all smaller where there is none."""
    scale = 1.0
    while True:
        boxes: list[Box] = []
        for photo in photos:
            for _ in range(_TRIES):
                box = _somewhere(photo, width, height, scale, rng)
                if not any(_meet(box, other) for other in boxes):
                    boxes.append(box)
                    break
        if len(boxes) == len(photos):
            break
        scale *= 0.93
    canvas = np.empty((height, width, 3), np.uint8)
    canvas[:] = rng.integers(0, 256, 3)
    for photo, box in zip(photos, boxes, strict=True):
        _lay(canvas, photo, box)
    return Collage(canvas, tuple(boxes))


def _somewhere(
    photo: Picture, width: int, height: int, scale: float, rng: np.random.Generator
) -> Box:
    long = scale * rng.uniform(_LEAST, 0.62) * max(width, height)
    share = long / max(photo.shape[:2])
    w, h = max(8, round(photo.shape[1] * share)), max(8, round(photo.shape[0] * share))
    w, h = min(w, width), min(h, height)
    left, top = int(rng.integers(width - w + 1)), int(rng.integers(height - h + 1))
    return left, top, left + w, top + h


def _meet(one: Box, other: Box) -> bool:
    across = min(one[2], other[2]) > max(one[0], other[0])
    return across and min(one[3], other[3]) > max(one[1], other[1])


def _lay(canvas: Picture, photo: Picture, box: Box) -> None:
    """Fills the box with the middle of the photo, in its own aspect."""
    left, top, right, bottom = box
    w, h = right - left, bottom - top
    share = max(w / photo.shape[1], h / photo.shape[0])
    size = max(w, round(photo.shape[1] * share)), max(h, round(photo.shape[0] * share))
    grown = cv2.resize(photo, size, interpolation=cv2.INTER_AREA if share < 1 else cv2.INTER_LINEAR)
    x, y = (size[0] - w) // 2, (size[1] - h) // 2
    canvas[top:bottom, left:right] = grown[y : y + h, x : x + w]
