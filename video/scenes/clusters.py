"""Groups of vectors: spherical k-means, how well it fits, and how two groupings agree.

n vectors of width E, k groups.
"""

from collections.abc import Sequence
from math import comb

import numpy as np
import numpy.typing as npt

from model.words import unit

RESTARTS, ROUNDS = 10, 100
MOST_GROUPS = 30  # tried when the number is not given
SAMPLE, NARROW = 2000, 64  # vectors that the number is chosen on, and to what width they shrink
Vectors = npt.NDArray[np.float32]
Labels = npt.NDArray[np.intp]


def k_means(vectors: Vectors, k: int, seed: int = 0, restarts: int = RESTARTS) -> Labels:
    """Spherical k-means (Dhillon & Modha 2001), begun by k-means++ (Arthur & Vassilvitskii 2007).

    Args:
        vectors: float32 (n, E), of length 1 or 0.
        k: groups, 1 to n; fewer where fewer differ.
        seed: of the beginnings.
        restarts: how many; the tightest grouping counts.

    Returns:
        intp (n,): the group of each, the largest group first; the same for the same seed.
    """
    random = np.random.default_rng(seed)
    fits = [_settled(vectors, _begun(vectors, k, random)) for _ in range(restarts)]
    return _by_size(max(fits, key=lambda fit: fit[1])[0])


def _begun(vectors: Vectors, k: int, random: np.random.Generator) -> Vectors:
    """Centres: k of the vectors, each the best of a few drawn, likelier the farther away."""
    chosen = [int(random.integers(len(vectors)))]
    far = np.maximum(0, 1 - vectors @ vectors[chosen[0]]).astype(np.float64)
    draws = 2 + int(np.log(k))
    while len(chosen) < k:
        total = far.sum()
        share = far / total if total > 1e-9 else np.full(len(far), 1 / len(far))
        drawn = random.choice(len(vectors), size=draws, p=share)
        left = np.minimum(far[:, None], np.maximum(0, 1 - vectors @ vectors[drawn].T))
        best = int(left.sum(axis=0).argmin())
        chosen.append(int(drawn[best]))
        far = left[:, best]
    return vectors[chosen]


def _settled(vectors: Vectors, centres: Vectors) -> tuple[Labels, float]:
    """Labels and the sum of cosines after moving centres to their groups' means, in turn."""
    labels = np.full(len(vectors), -1)
    for _ in range(ROUNDS):
        alike = vectors @ centres.T
        new = alike.argmax(axis=1)
        if (new == labels).all():
            break
        labels = new
        sums = np.eye(len(centres), dtype=np.float32)[labels].T @ vectors
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        centres = np.where(lengths > 1e-6, sums / np.maximum(lengths, 1e-6), centres)
    return labels, float((vectors @ centres.T).max(axis=1).sum())


def _by_size(labels: Labels) -> Labels:
    """The groups renumbered, the largest 0; of equal ones the one that comes first."""
    names, first, counts = np.unique(labels, return_index=True, return_counts=True)
    order = np.lexsort((first, -counts))
    place = np.empty(len(names), np.intp)
    place[order] = np.arange(len(names))
    return place[np.searchsorted(names, labels)]


def best_count(vectors: Vectors, seed: int = 0) -> int:
    """How many groups fit best: the highest mean silhouette (Rousseeuw 1987), by cosine.

    Tried are 2 to 30 groups, but no more than the root of the number of vectors: else every few
    that are nearly the same become a group. At most 2,000 are looked at.
    """
    if len(vectors) < 4:
        return 1
    few = np.random.default_rng(seed).permutation(len(vectors))[:SAMPLE]
    chosen = _narrowed(vectors[np.sort(few)])
    counts = range(2, min(MOST_GROUPS, round(len(chosen) ** 0.5)) + 1)
    return max(counts, key=lambda k: silhouette(chosen, k_means(chosen, k, seed, restarts=2)))


def _narrowed(vectors: Vectors) -> Vectors:
    """The vectors along their NARROW main directions, of length 1 again: most of what they tell."""
    _, _, axes = np.linalg.svd(vectors, full_matrices=False)
    return unit(vectors @ axes[:NARROW].T)


def silhouette(vectors: Vectors, labels: Labels) -> float:
    """Mean silhouette with 1 - cosine as distance, -1 to 1; 0 for a single group."""
    counts = np.bincount(labels)
    if len(counts) < 2:
        return 0.0
    members = np.eye(len(counts), dtype=np.float32)[labels]
    sums = (1 - vectors @ vectors.T) @ members  # of each to every group, itself at distance ~0
    rows = np.arange(len(labels))
    own = sums[rows, labels] / np.maximum(1, counts[labels] - 1)
    others = sums / counts
    others[rows, labels] = np.inf
    other = others.min(axis=1)
    widths = (other - own) / np.maximum(np.maximum(other, own), 1e-9)
    return float(np.where(counts[labels] > 1, widths, 0).mean())


def adjusted_rand(one: Sequence[object], other: Sequence[object]) -> float:
    """How two groupings agree, 1 for the same, about 0 by chance (Hubert & Arabie 1985)."""
    pairs = [_ids(one), _ids(other)]
    table = np.zeros((max(pairs[0]) + 1, max(pairs[1]) + 1), np.int64)
    np.add.at(table, (pairs[0], pairs[1]), 1)
    cells, rows, columns = (
        sum(comb(int(n), 2) for n in counts.ravel())
        for counts in (table, table.sum(axis=1), table.sum(axis=0))
    )
    expected = rows * columns / max(1, comb(len(one), 2))
    most = (rows + columns) / 2
    return 1.0 if most == expected else float((cells - expected) / (most - expected))


def _ids(names: Sequence[object]) -> list[int]:
    numbers: dict[object, int] = {}
    return [numbers.setdefault(name, len(numbers)) for name in names]
