"""`python -m model.letters CAPTIONER.kcap DATA`: a captioner learns to tell letters from scenes.

Drawn cards against the photographs that it was trained on, some of them with letters over them,
and against patterns; what it learned is tried on other cards and on held-out photographs.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from model import revise
from model.captioner import Captioner
from model.screen import SURE, Array, Letters, fit_letters
from model.storage import LETTERS, CaptionerFile, rounded
from preprocess.cards import card, lettered, pattern
from preprocess.dataset import Dataset
from preprocess.errors import DataError
from preprocess.pictures import Picture, read_picture

# to learn from; photos with letters over them are photos, patterns are no letters
CARDS, PHOTOS, OVER, PATTERNS = 1000, 800, 200, 100
FEW = 30  # cards for a handful of photos; else no more cards than there are photos
TRIED, HELD = 100, 400  # cards and held-out photos to try it on
ROWS = 2  # of letters over a photo


@dataclass(frozen=True)
class Learned:
    """What was learned, and how it did on pictures that it was not learned from.

    Attributes:
        letters: the regression.
        missed: share of the cards that were not found.
        mistaken: share of the held-out photographs that were taken for cards.
        photos: how many of these there were.
    """

    letters: Letters
    missed: float
    mistaken: float
    photos: int


def learn(contents: CaptionerFile, data: Dataset) -> Learned:
    """Learns from the training pictures.

    Raises:
        DataError: there are none, or one cannot be read.
    """
    train, held = data.rows("train"), data.rows("val")
    if not train:
        raise DataError(
            "배울 train 사진이 없습니다. --splits로 나눈 데이터를 주세요.",
            "no train pictures to learn from. Give data that was split with --splits.",
        )
    captioner, random = Captioner(contents), np.random.default_rng(0)
    most = max(FEW, len(train))
    cards = _means(captioner, (card(random) for _ in range(min(CARDS, most))))
    fitted = fit_letters(
        cards, _means(captioner, _no_cards(data, train, min(PATTERNS, most), random))
    )
    letters = Letters.of(rounded(fitted.array()))
    found = _found(letters, captioner, (card(random) for _ in range(min(TRIED, most))))
    taken = _found(letters, captioner, _photos(data, revise.some(held, HELD, seed=5)))
    mistaken = float(np.mean(taken)) if taken else 0.0
    return Learned(letters, 1 - float(np.mean(found)), mistaken, len(taken))


def _no_cards(
    data: Dataset, train: Sequence[int], patterns: int, random: np.random.Generator
) -> Iterator[Picture]:
    """Photographs, some more with letters over them, and patterns."""
    yield from _photos(data, revise.some(train, PHOTOS, seed=3))
    for photo in _photos(data, revise.some(train, OVER, seed=4)):
        yield lettered(photo, random, ROWS)
    for _ in range(patterns):
        yield pattern(random)


def _means(captioner: Captioner, pictures: Iterator[Picture]) -> Array:
    means = [captioner.features([picture])[0].mean(0) for picture in pictures]
    return np.array(means, np.float32)


def taught(contents: CaptionerFile, learned: Learned) -> CaptionerFile:
    """The same captioner that knows letters."""
    return replace(contents, weights={**contents.weights, LETTERS: learned.letters.array()})


def _found(letters: Letters, captioner: Captioner, pictures: Iterator[Picture]) -> list[bool]:
    return [letters.probability(captioner.features([p])) >= SURE for p in pictures]


def _photos(data: Dataset, rows: Sequence[int]) -> Iterator[Picture]:
    return (read_picture(Path(data.samples[row].shown[0])) for row in rows)


def report(learned: Learned) -> str:
    """The figures in words."""
    return (
        f"글자만 있는 화면 (letters alone): {learned.missed:.1%} of the cards missed, "
        f"{learned.mistaken:.2%} of {learned.photos} held-out photographs mistaken for one"
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; the exit status."""
    return revise.revise(
        argv, "letters",
        "제목, 자막 화면, 슬라이드처럼 글자만 있는 화면을 알아보게 합니다. "
        "(Teaches a captioner to tell titles, credits and slides from scenes.)",
        change,
    )  # fmt: skip


def change(path: Path, contents: CaptionerFile, data: Dataset) -> tuple[CaptionerFile, str]:
    """What revise makes of it: the captioner that knows letters, and how well."""
    learned = learn(contents, data)
    return taught(contents, learned), report(learned)


if __name__ == "__main__":
    sys.exit(main())
