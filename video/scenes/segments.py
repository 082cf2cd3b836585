"""A picture in segments of one look, and what they merge to: selective search.

Felzenszwalb and Huttenlocher 2004 (graph-based segmentation), Uijlings et al. 2013 (merging by
colour, size and fill). numpy and OpenCV only; pictures are looked at small.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int32]
BINS = 8  # of a channel's histogram


def segments(lab: Floats, scale: float, least: int) -> Labels:
    """Labels 0..n-1 of the segments, int32 (H, W).

    Args:
        lab: float32 (H, W, 3), CIE L*a*b*.
        scale: larger gives larger segments (k of the paper).
        least: pixels of the smallest segment.
    """
    height, width = lab.shape[:2]
    smooth = cv2.GaussianBlur(lab, (0, 0), 0.8)
    ids = np.arange(height * width).reshape(height, width)
    ends = [(ids[:, :-1], ids[:, 1:]), (ids[:-1], ids[1:])]
    ends += [(ids[:-1, :-1], ids[1:, 1:]), (ids[:-1, 1:], ids[1:, :-1])]
    flat = smooth.reshape(-1, 3)
    one = np.concatenate([a.ravel() for a, _ in ends])
    two = np.concatenate([b.ravel() for _, b in ends])
    cost = np.linalg.norm(flat[one] - flat[two], axis=1)
    order = np.argsort(cost, kind="stable")
    roots = _joined(
        one[order].tolist(), two[order].tolist(), cost[order].tolist(), ids.size, scale, least
    )
    return np.unique(roots, return_inverse=True)[1].reshape(height, width).astype(np.int32)


def _joined(
    one: list[int], two: list[int], cost: list[float], count: int, scale: float, least: int
) -> npt.NDArray[np.int64]:
    """The root of each pixel's segment."""
    parent, size, limit = list(range(count)), [1] * count, [scale] * count

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for small_only in (False, True):
        for a, b, c in zip(one, two, cost, strict=True):
            a, b = root(a), root(b)
            if a == b:
                continue
            if min(size[a], size[b]) < least if small_only else c <= min(limit[a], limit[b]):
                if size[a] < size[b]:
                    a, b = b, a
                parent[b] = a
                size[a] += size[b]
                limit[a] = c + scale / size[a]
    return np.array([root(i) for i in range(count)])


@dataclass(frozen=True, eq=False)
class Part:
    """A segment or what segments merged to: pixels, box (left, top, right, bottom), histogram."""

    size: int
    box: tuple[int, int, int, int]
    colours: Floats


def merged(lab: Floats, labels: Labels) -> Iterator[Part]:
    """The segments, then what they merge to, most alike first, up to the whole picture."""
    parts = dict(enumerate(_parts(lab, labels)))
    yield from parts.values()
    pairs = {p: _alike(parts[p[0]], parts[p[1]], labels.size) for p in _neighbours(labels)}
    following = len(parts)
    while pairs:
        a, b = max(pairs, key=lambda p: (pairs[p], p))
        parts[following] = union = _union(parts[a], parts[b])
        touching = {j for p in pairs if a in p or b in p for j in p} - {a, b}
        pairs = {p: s for p, s in pairs.items() if not {a, b} & set(p)}
        pairs |= {(j, following): _alike(parts[j], union, labels.size) for j in touching}
        following += 1
        yield union


def _parts(lab: Floats, labels: Labels) -> list[Part]:
    count = int(labels.max()) + 1
    flat, size = labels.ravel(), np.bincount(labels.ravel(), minlength=count)
    bins = np.clip((lab - (0, -100, -100)) / (100, 200, 200) * (1, 2, 2) - (0, 0.5, 0.5), 0, 0.999)
    columns = (bins * BINS).astype(np.int64).reshape(-1, 3)
    hists = [np.bincount(flat * BINS + c, minlength=count * BINS) for c in columns.T]
    colours = np.concatenate([h.reshape(count, BINS) for h in hists], axis=1) / (3 * size[:, None])
    ys, xs = np.mgrid[: labels.shape[0], : labels.shape[1]]
    low, high = np.full((2, count), 10**6), np.zeros((2, count), int)
    for axis, places in enumerate((xs, ys)):
        np.minimum.at(low[axis], flat, places.ravel())
        np.maximum.at(high[axis], flat, places.ravel() + 1)
    boxes = np.concatenate([low, high]).T.tolist()
    return [
        Part(int(s), tuple(b), c.astype(np.float32))
        for s, b, c in zip(size, boxes, colours, strict=True)
    ]


def _neighbours(labels: Labels) -> set[tuple[int, int]]:
    pairs = [(labels[:, :-1], labels[:, 1:]), (labels[:-1], labels[1:])]
    both = np.concatenate([np.stack([a.ravel(), b.ravel()], 1) for a, b in pairs])
    both = np.unique(np.sort(both[both[:, 0] != both[:, 1]], axis=1), axis=0)
    return {(int(a), int(b)) for a, b in both}


def _alike(one: Part, two: Part, whole: int) -> float:
    """Colours in common, smallness, and how well both fill their common box; 0-3."""
    left, top, right, bottom = _around(one.box, two.box)
    room = (right - left) * (bottom - top)
    colours = float(np.minimum(one.colours, two.colours).sum())
    return colours + 1 - (one.size + two.size) / whole + 1 - (room - one.size - two.size) / whole


def _union(one: Part, two: Part) -> Part:
    size = one.size + two.size
    colours = (one.size * one.colours + two.size * two.colours) / size
    return Part(size, _around(one.box, two.box), colours.astype(np.float32))


def _around(
    one: tuple[int, int, int, int], two: tuple[int, int, int, int]
) -> tuple[int, int, int, int]:
    return min(one[0], two[0]), min(one[1], two[1]), max(one[2], two[2]), max(one[3], two[3])
