"""What needs no trained decoder: captions taken from training pictures; numpy only.

A captioner that is not ahead of these has learned less than a table of its training set.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from model.cider import CiderD, References, Vector

Features = npt.NDArray[np.float32]
SIGMA = 6.0
ROWS_AT_ONCE = 256


class Choice(NamedTuple):
    """A training caption, named by its place: caption `caption` of training picture `picture`."""

    picture: int
    caption: int


def pool(features: npt.NDArray[np.float16], rows: Sequence[int] | None = None) -> Features:
    """Mean over the regions, each row then of length 1.

    Args:
        features: float16 (N, R, D), memory-mapped or not; read a few rows at a time.
        rows: which rows, in the order wanted; all by default.

    Returns:
        float32 (len(rows), D).
    """
    wanted = np.arange(len(features)) if rows is None else np.asarray(rows, dtype=np.intp)
    pooled = np.empty((len(wanted), features.shape[-1]), dtype=np.float32)
    for start in range(0, len(wanted), ROWS_AT_ONCE):
        chunk = features[wanted[start : start + ROWS_AT_ONCE]]
        pooled[start : start + len(chunk)] = np.asarray(chunk, dtype=np.float32).mean(axis=1)
    return _unit(pooled)


def most_frequent(captions: References) -> Choice:
    """The caption written most often; of equally frequent ones the earliest.

    Args:
        captions: of each training picture, as tokens; at least one.
    """
    places: dict[tuple[str, ...], Choice] = {}
    counts: Counter[tuple[str, ...]] = Counter()
    for picture, group in enumerate(captions):
        for caption, tokens in enumerate(group):
            counts[tuple(tokens)] += 1
            places.setdefault(tuple(tokens), Choice(picture, caption))
    return places[counts.most_common(1)[0][0]]


def nearest_neighbour(features: Features, queries: Features) -> list[Choice]:
    """The first caption of the training picture nearest to each query by cosine.

    Args:
        features: float32 (N, D), one row a training picture.
        queries: float32 (M, D).
    """
    return [Choice(int(row[0]), 0) for row in neighbours(features, queries, 1)]


def neighbours(features: Features, queries: Features, k: int) -> Iterator[npt.NDArray[np.intp]]:
    """The rows of the k training pictures nearest to each query by cosine, nearest first."""
    table = _unit(features).T
    k = min(k, len(features))
    for start in range(0, len(queries), ROWS_AT_ONCE):
        alike = _unit(queries[start : start + ROWS_AT_ONCE]) @ table
        for row in alike:
            found = np.argpartition(-row, k - 1)[:k]
            yield found[np.lexsort((found, -row[found]))]


def consensus(
    features: Features,
    captions: References,
    queries: Features,
    k: int = 60,
    m: int | None = 125,
) -> list[Choice]:
    """The caption most like the others around it (Devlin et al. 2015, arXiv:1505.04467).

    Of all captions of the k nearest training pictures, the one with the highest mean CIDEr to its
    m most similar fellows (all of them when m is None): outliers then cannot vote. CIDEr here
    has CIDEr-D's length penalty but no clipping, so that one matrix product compares all pairs;
    idf comes from the training captions.

    Args:
        features: float32 (N, D), one row a training picture.
        captions: of each training picture, as tokens; none may be without.
        queries: float32 (M, D).
        k: pictures that may speak.
        m: fellows each caption is compared with.
    """
    vectors = [[_Row.of(v) for v in group] for group in CiderD(captions).references]
    return [_agreed(vectors, near, m) for near in neighbours(features, queries, k)]


class _Row(NamedTuple):
    """A caption's vector as arrays: n-gram ids, weights normed by order, length."""

    ids: npt.NDArray[np.int32]
    shares: Features
    length: int

    @classmethod
    def of(cls, vector: Vector) -> "_Row":
        shares = [share for _, share in vector.weights.values()]
        ids = np.fromiter(vector.weights, dtype=np.int32, count=len(shares))
        return cls(ids, np.array(shares, dtype=np.float32), vector.length)


def _agreed(vectors: Sequence[Sequence[_Row]], near: npt.NDArray[np.intp], m: int | None) -> Choice:
    places = [Choice(int(p), c) for p in near for c in range(len(vectors[p]))]
    if len(places) < 2:
        return places[0]
    alike = similarities([vectors[p][c] for p, c in places])
    np.fill_diagonal(alike, -1.0)  # a caption is no fellow of itself
    fellows = min(m or len(places), len(places) - 1)
    best = np.partition(alike, len(places) - fellows, axis=1)[:, len(places) - fellows :]
    return places[int(best.mean(axis=1).argmax())]


def similarities(rows: Sequence[_Row]) -> Features:
    """CIDEr of every pair without its factor 10 / 4: float32 (n, n), symmetric, 0-4."""
    ids = np.concatenate([row.ids for row in rows])
    owner = np.repeat(np.arange(len(rows)), [len(row.ids) for row in rows])
    _, column, count = np.unique(ids, return_inverse=True, return_counts=True)
    shared = count[column] > 1  # an n-gram of one caption alone is in no product
    dense = np.zeros((len(rows), len(count)), dtype=np.float32)
    shares = np.concatenate([row.shares for row in rows])
    dense[owner[shared], column[shared]] = shares[shared]
    dense = dense[:, count > 1]
    lengths = np.array([row.length for row in rows], dtype=np.float32)
    gaps = lengths[:, None] - lengths[None, :]
    return np.asarray((dense @ dense.T) * np.exp(-(gaps**2) / (2 * SIGMA**2)), dtype=np.float32)


def _unit(rows: Features) -> Features:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(norms, 1e-12), dtype=np.float32)
