"""Boxes in which something whole lies, without a trained detector.

What segments of one look merge to is put in boxes (video/scenes/segments.py); a box is good if the
segments end where it ends: "superpixels straddling", the best single cue of Alexe, Deselaers and
Ferrari 2012, "Measuring the objectness of image windows".
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from preprocess.pictures import Picture
from video.scenes.segments import Labels, merged, segments

SIDE = 160  # pixels of the longer side at which segments are found
SCALE, LEAST = 60.0, 30  # of the segmentation
LARGEST = 0.95  # of the picture
THINNEST = 1 / 16  # of the longer side
BARE = 0.9  # of a box that is one segment: a wall, the sky

Box = tuple[int, int, int, int]


@dataclass(frozen=True, order=True)
class Candidate:
    """A box, and how likely something whole lies in it.

    Attributes:
        objectness: 0-1.
        box: left, top, right, bottom in pixels; right and bottom lie outside.
    """

    objectness: float
    box: Box


def candidates(picture: Picture, most: int, least_area: float, overlap: float) -> list[Candidate]:
    """The best boxes of a picture uint8 (H, W, 3), best first; always the same ones.

    Args:
        picture: RGB.
        most: how many.
        least_area: share of the picture that a box has at least.
        overlap: intersection over union from which the worse of two goes.
    """
    height, width = picture.shape[:2]
    scale = min(1.0, SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    labels = segments(lab, SCALE, LEAST)
    boxes = sorted({part.box for part in merged(lab, labels)})
    fitting = [b for b in boxes if _fits(b, size, least_area)]
    scores = _whole(labels, fitting)
    found = sorted((Candidate(s, b) for s, b in zip(scores, fitting, strict=True)), reverse=True)
    kept = apart([c for c in found if c.objectness > 0], overlap)[:most]
    back = width / size[0], height / size[1]
    return [Candidate(c.objectness, _grown(c.box, back)) for c in kept]


def apart(found: Sequence[Candidate], overlap: float) -> list[Candidate]:
    """The candidates in their order without those that overlap one before (greedy NMS)."""
    kept: list[Candidate] = []
    for one in found:
        if all(iou(one.box, other.box) < overlap for other in kept):
            kept.append(one)
    return kept


def iou(one: Box, other: Box) -> float:
    """Intersection over union of two boxes, 0-1."""
    shared = common(one, other)
    return shared / (area(one) + area(other) - shared)


def common(one: Box, other: Box) -> int:
    """Pixels that two boxes share."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(0, width) * max(0, height)


def area(box: Box) -> int:
    """Pixels."""
    return (box[2] - box[0]) * (box[3] - box[1])


def _fits(box: Box, size: tuple[int, int], least_area: float) -> bool:
    share = area(box) / (size[0] * size[1])
    thin = min(box[2] - box[0], box[3] - box[1]) < THINNEST * max(size)
    return least_area <= share <= LARGEST and not thin


def _whole(labels: Labels, boxes: Sequence[Box]) -> list[float]:
    """How little of the segments lies across each box's edge, 0-1; larger boxes are ahead.

    0 for what shows a bare surface.
    """
    counts = _counts(labels)
    scores = []
    for left, top, right, bottom in boxes:
        inside = counts[bottom, right] - counts[top, right] - counts[bottom, left]
        inside = inside + counts[top, left]
        across = np.minimum(inside, counts[-1, -1] - inside).sum()
        room = (right - left) * (bottom - top)
        bare = inside.max() > BARE * room
        scores.append(0.0 if bare else float((1 - across / room) * (room / labels.size) ** 0.25))
    return [max(0.0, score) for score in scores]


def _counts(labels: Labels) -> npt.NDArray[np.int32]:
    """Pixels of each segment above and left of each corner: (H + 1, W + 1, segments)."""
    height, width = labels.shape
    counts = np.zeros((height + 1, width + 1, int(labels.max()) + 1), np.int32)
    counts[1:, 1:] = np.eye(counts.shape[2], dtype=np.int8)[labels]
    counts.cumsum(0, out=counts)  # in place: noise has hundreds of segments
    counts.cumsum(1, out=counts)
    return counts


def _grown(box: Box, by: tuple[float, float]) -> Box:
    left, top, right, bottom = box
    return round(left * by[0]), round(top * by[1]), round(right * by[0]), round(bottom * by[1])
