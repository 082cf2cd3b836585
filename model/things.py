"""What the CNN's own classifier recognises, as a Korean noun.

ImageNet taught it things that hardly any caption names (a ladle, a scorpion, a bottle on a plain
ground). things.tsv groups its 1,000 classes to nouns; clothes, persons' roles and rooms have none.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

CLASSES = 1000  # of ImageNet (ILSVRC 2012)
TABLE = Path(__file__).with_name("things.tsv")


@dataclass(frozen=True)
class Thing:
    """A noun, its kind (model/gist.py), and the share 0-1 of the classifier's belief in it."""

    noun: str
    kind: str
    share: float


def _table() -> tuple[list[tuple[str, str]], npt.NDArray[np.float32]]:
    """Nouns with their kinds, and which classes are theirs: (1000, nouns) of 0 and 1."""
    lines = TABLE.read_text(encoding="utf-8").splitlines()[1:]
    rows = [line.split("\t") for line in lines]
    belongs = np.zeros((CLASSES, len(rows)), np.float32)
    for column, (_, _, ranges) in enumerate(rows):
        for part in ranges.split():
            first, _, last = part.partition("-")
            belongs[int(first) : int(last or first) + 1, column] = 1
    return [(noun, kind) for noun, kind, _ in rows], belongs


NOUNS, BELONGS = _table()


def recognised(shares: npt.NDArray[Any]) -> Thing:
    """The noun with the largest mean share over a shot's frames, (n, 1000)."""
    sums = shares.mean(0) @ BELONGS
    best = int(sums.argmax())
    return Thing(*NOUNS[best], float(sums[best]))
