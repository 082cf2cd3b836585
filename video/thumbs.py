"""How different two frames look, told from their thumbs."""

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

Thumb = npt.NDArray[np.uint8]
Coarse = npt.NDArray[np.float32]
_GRID = (16, 9)  # columns and rows that frames are compared on: small motion vanishes in it
_WEIGHTS = np.array([1.0, 2.0, 2.0], np.float32)  # colour ranges over half of what luma does


class Look(NamedTuple):
    """What of a thumb is compared: its blocks, and its colours wherever they lie.

    Attributes:
        blocks: means of the blocks, float32 (9, 16, 3) YUV.
        colours: the sorted values of every second pixel, float32 (3, 576).
    """

    blocks: Coarse
    colours: npt.NDArray[np.float32]


def look(thumb: Thumb) -> Look:
    """uint8 (36, 64, 3) YUV -> what is compared of it."""
    pixels = thumb[::2, ::2].reshape(-1, 3).T
    by_radix = np.sort(pixels, axis=1, kind="stable")  # what numpy takes for bytes
    return Look(coarse(thumb), by_radix.astype(np.float32))


def dissimilarity(first: Thumb, second: Thumb) -> float:
    """How different two frames look, 0 (the same) to about 255 for luma alone; symmetric.

    The mean of two views of the thumbs, uint8 (36, 64, 3) YUV. Pairwise block difference sees
    a new arrangement, the histogram difference new colours; motion moves mostly the former, a
    change of light mostly the latter, a cut both (Zhang, Kankanhalli, Smoliar 1993, sections
    2.1 and 2.2).
    """
    return difference(look(first), look(second))


def difference(first: Look, second: Look) -> float:
    """As dissimilarity, of what is compared of two thumbs."""
    return 0.5 * (rearrangement(first.blocks, second.blocks) + recolouring(first, second))


def rearrangement(first: Coarse, second: Coarse) -> float:
    """How different two coarse pictures are, block by block: float32 (9, 16, 3) YUV."""
    return float(np.abs(first - second).mean(axis=(0, 1)) @ _WEIGHTS)


def recolouring(first: Look, second: Look) -> float:
    """How different the colours of two thumbs are, wherever they lie; blind to motion.

    The distance between the sorted values is the earth mover's distance between the histograms.
    """
    return float(np.abs(first.colours - second.colours).mean(axis=1) @ _WEIGHTS)


def coarse(thumb: Thumb) -> Coarse:
    """The means of a thumb's blocks: uint8 (36, 64, 3) -> float32 (9, 16, 3)."""
    blocks = cv2.resize(thumb.astype(np.float32), _GRID, interpolation=cv2.INTER_AREA)
    return np.asarray(blocks, np.float32)
