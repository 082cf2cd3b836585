"""How unlike each moment is to those before it, and where that stands out. n moments, E wide."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from model.words import unit

RISE = 0.1  # that a peak has on both sides: below, sentences are put in other words at most
REACH = 5  # moments on either side that what is said of one is steadied by
ALIKE = 0.08  # cosine distance of CNN features at which another counts a third (e to the -1)
Vectors = npt.NDArray[np.float32]
Curve = npt.NDArray[np.float64]


def dissimilarity(vectors: Vectors, window: int, metric: str) -> Curve:
    """Each vector's distance to the mean of up to `window` before it: float64 (n,), the first 0.

    Args:
        vectors: float32 (n, E), of length 1 or 0.
        window: how many, at least 1.
        metric: "cosine" (1 - cosine, 0-2; to or from a vector of zeros 1, between two 0) or
            "euclidean" (0-2).
    """
    rows = np.asarray(vectors, np.float64)
    sums = np.cumsum(np.vstack([np.zeros((1, rows.shape[1])), rows]), axis=0)
    ends = np.arange(len(rows))
    begins = np.maximum(0, ends - window)
    means = (sums[ends] - sums[begins]) / np.maximum(1, ends - begins)[:, None]
    curve = _cosine(rows, means) if metric == "cosine" else np.linalg.norm(rows - means, axis=1)
    curve[:1] = 0.0
    return np.where(curve < 1e-9, 0.0, curve)


def steadied(meanings: Vectors, features: Vectors) -> Vectors:
    """What is said of each moment, evened out among moments nearby that look the same.

    A bilateral filter over time (Tomasi & Manduchi 1998): the nearer two moments' features, the
    more they share, so that like frames get like vectors while a cut stays as sharp as it was.

    Args:
        meanings: float32 (n, E).
        features: float32 (n, D), of length 1.

    Returns:
        float32 (n, E), of length 1 or 0.
    """
    sums: Vectors = meanings.astype(np.float32)
    for step in range(1, min(REACH, len(meanings) - 1) + 1):
        apart = 1 - (features[step:] * features[:-step]).sum(axis=1)
        share = np.exp(-((np.maximum(apart, 0) / ALIKE) ** 2))[:, None].astype(np.float32)
        sums[step:] += share * meanings[:-step]
        sums[:-step] += share * meanings[step:]
    return unit(sums)


def _cosine(rows: Curve, means: Curve) -> Curve:
    lengths = np.linalg.norm(rows, axis=1), np.linalg.norm(means, axis=1)
    both = np.minimum(*lengths) > 1e-6
    cosines = (rows * means).sum(axis=1) / np.where(both, lengths[0] * lengths[1], 1.0)
    neither = np.maximum(*lengths) <= 1e-6
    found: Curve = np.where(both, 1 - cosines, np.where(neither, 0.0, 1.0))
    return found


def peaks(curve: Sequence[float] | Curve) -> list[int]:
    """Where the curve stands out, in order: where its topographic prominence is RISE or more.

    Of an even stretch the first moment counts. How much changes in the rest of the film does not
    matter, so that the cuts of a quickly cut film are found too.
    """
    heights = np.asarray(curve, np.float64)
    return [place for place in range(len(heights)) if _prominence(heights, place) >= RISE]


def _prominence(heights: Curve, place: int) -> float:
    """How far one must go down from a place, to either side, before going up above it."""
    height = heights[place]
    before, after = heights[:place][::-1], heights[place + 1 :]
    if len(before) and before[0] == height:  # of an even stretch, the first
        return 0.0
    lowest = (_lowest(side, height) for side in (before, after) if len(side))
    return float(height - max(lowest, default=height))


def _lowest(side: Curve, height: float) -> float:
    """The lowest value up to the first above `height`."""
    above = np.flatnonzero(side > height)
    return float(side[: above[0] if len(above) else None].min(initial=height))
