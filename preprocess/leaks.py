"""`python -m preprocess.leaks DATA`: pictures of one split that are nearly those of another.

A test picture that was trained on flatters every score. Pictures are compared by a difference
hash: whether brightness grows from each cell of a coarse grid to the next, to the right and down,
128 bits in all. Resizing, compression and light changes leave nearly all bits; other pictures of
the same thing differ in dozens.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from preprocess.dataset import load
from preprocess.errors import exit_status
from preprocess.pictures import Picture, read_picture
from preprocess.records import Sample

NEAR = 10  # bits that may differ
GRID = 8
BLOCK = 256  # rows compared at a time
EXAMPLES = 5
Bits = npt.NDArray[np.bool_]


def difference_hash(picture: Picture) -> Bits:
    """The picture's 128 bits; uint8 RGB (H, W, 3) of any size."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    wide, tall = (
        cv2.resize(grey, size, interpolation=cv2.INTER_AREA).astype(int)
        for size in ((GRID + 1, GRID), (GRID, GRID + 1))
    )
    right, down = wide[:, 1:] > wide[:, :-1], tall[1:] > tall[:-1]
    return np.concatenate([right.ravel(), down.ravel()])


def near(one: npt.NDArray[np.bool_], other: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """Index pairs (m, 2) of hashes (n, 128) of two groups that differ in at most NEAR bits."""
    signs = one.astype(np.float32) * 2 - 1, other.astype(np.float32).T * 2 - 1
    found = [np.zeros((0, 2), np.intp)]
    for start in range(0, len(one), BLOCK):
        alike = signs[0][start : start + BLOCK] @ signs[1]  # 128 - 2 * differing bits
        found.append(np.argwhere(alike >= one.shape[1] - 2 * NEAR) + np.array([start, 0]))
    return np.concatenate(found)


@dataclass(frozen=True, eq=False)
class Twins:
    """Samples that look nearly like one of another film, clip or picture.

    Attributes:
        anywhere: bool (N,), whether sample i has such a twin.
        leaking: bool (N,), whether it has one in another split.
        examples: a few pairs of keys in different splits.
    """

    anywhere: Bits
    leaking: Bits
    examples: tuple[tuple[str, str], ...]


def twins(samples: Sequence[Sample], hashes: Bits) -> Twins:
    """The twins among all samples; hashes bool (N, 128) in their order."""
    groups = np.unique([s.group for s in samples], return_inverse=True)[1]
    splits = np.unique([s.split for s in samples], return_inverse=True)[1]
    anywhere, leaking = (np.zeros(len(samples), np.bool_) for _ in range(2))
    examples: list[tuple[str, str]] = []
    for start in range(0, len(samples), BLOCK):
        pairs = near(hashes[start : start + BLOCK], hashes) + np.array([start, 0])
        apart = pairs[groups[pairs[:, 0]] != groups[pairs[:, 1]]]
        across = apart[splits[apart[:, 0]] != splits[apart[:, 1]]]
        anywhere[apart[:, 0]] = leaking[across[:, 0]] = True
        ordered = across[across[:, 0] < across[:, 1]][: EXAMPLES - len(examples)]
        examples += [(samples[a].key, samples[b].key) for a, b in ordered]
    return Twins(anywhere, leaking, tuple(examples))


def leaks(samples: Sequence[Sample]) -> Iterator[tuple[str, str]]:
    """Pairs of keys in different splits whose first pictures are nearly the same.

    Raises:
        DataError: a picture cannot be read.
    """
    hashes = np.stack([difference_hash(read_picture(Path(s.pictures[0]))) for s in samples])
    rows = {split: [i for i, s in enumerate(samples) if s.split == split]
            for split in sorted({s.split for s in samples})}  # fmt: skip
    for first, second in combinations(rows, 2):
        for a, b in near(hashes[rows[first]], hashes[rows[second]]):
            yield samples[rows[first][a]].key, samples[rows[second][b]].key


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the pairs; the exit status is 1 if there are any."""
    p = argparse.ArgumentParser(
        prog="python -m preprocess.leaks",
        description="train, val, test 사이에 거의 같은 사진이 있는지 봅니다. "
        "(Looks for nearly equal pictures in different splits.)",
    )
    p.add_argument("data", type=Path, metavar="DATA", help="python -m preprocess가 만든 폴더")
    p.add_argument("--lang", choices=("ko", "en"), default="ko", help="메시지의 언어")
    arguments = p.parse_args(argv)
    return exit_status(lambda: _run(arguments.data), "leaks", arguments.lang)


def _run(folder: Path) -> int:
    data = load(folder, features=False)
    found = list(leaks(data.samples))
    for first, second in found:
        print(f"{first}\t{second}")
    print(f"{len(data.samples)} pictures, {len(found)} pairs within {NEAR} of 128 bits")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
