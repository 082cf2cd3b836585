"""Nouns that people write about the same pictures: `python -m model.related DATA` learns them.

Continuous bag of words (Mikolov et al. 2013, arXiv:1301.3781) with a picture for a context and the
whole softmax: some of a picture's nouns foretell the others. numpy only, seconds of CPU time.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from preprocess.errors import DataError, exit_status
from preprocess.files import check_result, whole_file
from preprocess.korean import Morpheme

if TYPE_CHECKING:  # training's; it would slow who only asks
    from preprocess.dataset import Dataset

Floats = npt.NDArray[np.float32]
NOUNS = Path(__file__).with_name("nouns.tsv")
FILE = Path(__file__).with_name("related.npz")
BATCH, CLIP = 128, 1e-8
USUAL = 0.5  # how far usual nouns go before fitting ones; 1 foretells best and says 사람 always


@dataclass(frozen=True)
class FitOptions:
    """How the vectors are learned; the only place where these defaults are written.

    Attributes:
        width: of a vector.
        least: pictures in which a noun must have been written.
        epochs: passes over the pictures.
        rate: Adam's first step size, falling to 0.
        seed: of the start, the order and what is left out.
    """

    width: int = 64
    least: int = 10
    epochs: int = 8
    rate: float = 0.01
    seed: int = 0


@lru_cache(maxsize=1)
def english() -> Mapping[str, str]:
    """Korean nouns that show what is in a picture, most frequent first, and their English."""
    lines = NOUNS.read_text(encoding="utf-8").splitlines()[1:]
    return dict(line.split("\t") for line in lines)


def nouns(sentence: Iterable[Morpheme]) -> list[str]:
    """The nouns of a sentence that say what is seen: not 위, 모습 or 마리."""
    return [m.form for m in unglued(sentence) if m.tag.startswith("N") and m.form in english()]


def unglued(sentence: Iterable[Morpheme]) -> list[Morpheme]:
    """The morphemes, nouns apart from their particles where Okt leaves them together.

    물이 is one noun to it, and 차가 보인다 is "cold"; 차가운 is left as it is.
    """
    row = list(sentence)
    ends = [*(m.spaced for m in row[1:]), True]  # of a word; an empty row has one too many
    parted = (_parted(m) if end else (m,) for m, end in zip(row, ends, strict=False))
    return [part for parts in parted for part in parts]


def _parted(morpheme: Morpheme) -> tuple[Morpheme, ...]:
    form, noun = morpheme.form, morpheme.form[:-1]
    glued = (morpheme.tag == "Noun" and form not in english()) or form == "차가"
    if not (glued and form[-1] in "이가" and noun in english()):
        return (morpheme,)
    return Morpheme(noun, "Noun", morpheme.spaced), Morpheme(form[-1], "Josa", False)


@dataclass(frozen=True, eq=False)
class Related:
    """Nouns as vectors.

    Attributes:
        nouns: V of them.
        given: float32 (V, d), of a noun that is known to be in the picture.
        asked: float32 (V, d), of one that is asked for.
        bias: float32 (V,), how usual each is.
    """

    nouns: tuple[str, ...]
    given: Floats
    asked: Floats
    bias: Floats

    @classmethod
    def load(cls, path: Path = FILE) -> "Related":
        """Reads what `save` wrote."""
        with np.load(path, allow_pickle=False) as parts:
            names = bytes(parts["nouns"]).decode().split("\n")
            arrays = (parts[name].astype(np.float32) for name in ("given", "asked", "bias"))
            return cls(tuple(names), *arrays)

    def save(self, path: Path) -> None:
        """Writes a .npz without pickles, in half precision."""
        names = np.frombuffer("\n".join(self.nouns).encode(), np.uint8)
        halves = {n: getattr(self, n).astype(np.float16) for n in ("given", "asked", "bias")}
        with whole_file(path) as part, part.open("wb") as file:
            np.savez_compressed(file, nouns=names, **halves)

    def near(self, weights: Mapping[str, float], most: int) -> list[str]:
        """The nouns that go best with the given ones, best first, without them."""
        rows = self._rows(weights)
        if not rows:
            return []
        scores = self._mean(rows) @ self.asked.T + USUAL * self.bias
        order = np.argsort(-scores, kind="stable")
        return [self.nouns[i] for i in order if self.nouns[i] not in weights][:most]

    def fit_of(self, noun: str, weights: Mapping[str, float]) -> float:
        """How much likelier the others make a noun than it is anyhow (in nats); 0 if unknown."""
        rows = self._rows({other: w for other, w in weights.items() if other != noun})
        row = self._index().get(noun)
        return float(self._mean(rows) @ self.asked[row]) if rows and row is not None else 0.0

    def _rows(self, weights: Mapping[str, float]) -> dict[int, float]:
        index = self._index()
        return {index[noun]: w for noun, w in weights.items() if noun in index and w > 0}

    def _mean(self, rows: Mapping[int, float]) -> Floats:
        shares = np.array(list(rows.values()), np.float32)
        return np.asarray(shares @ self.given[list(rows)] / shares.sum(), np.float32)

    def _index(self) -> dict[str, int]:
        return _numbered(self.nouns)


@lru_cache(maxsize=4)
def _numbered(names: tuple[str, ...]) -> dict[str, int]:
    return {noun: row for row, noun in enumerate(names)}


def learn(pictures: Sequence[Iterable[str]], options: FitOptions = FitOptions()) -> Related:
    """Vectors from the nouns of each picture; the same ones from the same pictures.

    Args:
        pictures: the nouns that were written about each.
        options: how.
    """
    sets = [frozenset(picture) for picture in pictures]
    counts = Counter(noun for picture in sets for noun in picture)
    kept = sorted(
        (n for n, c in counts.items() if c >= options.least), key=lambda n: (-counts[n], n)
    )
    rows = _numbered(tuple(kept))
    bags = [np.array(sorted(rows[n] for n in picture if n in rows)) for picture in sets]
    usual = np.array([counts[noun] for noun in kept], np.float32)
    rng = np.random.default_rng(options.seed)
    given = rng.normal(0, 0.1, (len(kept), options.width)).astype(np.float32)
    start = [given, np.zeros_like(given), np.log(usual / usual.sum())]
    return Related(tuple(kept), *_trained(start, [b for b in bags if len(b) > 1], options, rng))


def _trained(
    values: list[Floats], bags: list[npt.NDArray[np.int64]], options: FitOptions,
    rng: np.random.Generator,
) -> list[Floats]:  # fmt: skip
    """Adam (Kingma and Ba 2015) over batches of pictures."""
    first, second = ([np.zeros_like(v) for v in values] for _ in range(2))
    steps, total = 0, options.epochs * -(-len(bags) // BATCH)
    for _ in range(options.epochs):
        order = rng.permutation(len(bags))
        for begin in range(0, len(bags), BATCH):
            known, hidden = _split(
                [bags[i] for i in order[begin : begin + BATCH]], len(values[2]), rng
            )
            steps += 1
            rate = options.rate * (1 - (steps - 1) / total)
            for v, m, s, g in zip(
                values, first, second, _gradient(values, known, hidden), strict=True
            ):
                m += 0.1 * (g - m)
                s += 0.001 * (g * g - s)
                v -= rate * (m / (1 - 0.9**steps)) / (np.sqrt(s / (1 - 0.999**steps)) + CLIP)
    return values


def _split(
    bags: Sequence[npt.NDArray[np.int64]], count: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Of each picture some nouns and the others, as shares: float32 (n, count) each."""
    known, hidden = np.zeros((2, len(bags), count), np.float32)
    for row, bag in enumerate(bags):
        keep = rng.random(len(bag)) < rng.uniform(0.2, 0.9)
        if keep.all() or not keep.any():
            keep[:] = False
            keep[rng.integers(len(bag))] = True
        known[row, bag[keep]] = 1 / keep.sum()
        hidden[row, bag[~keep]] = 1 / (~keep).sum()
    return known, hidden


def _gradient(
    values: Sequence[Floats], known: Floats, hidden: Floats
) -> tuple[Floats, Floats, Floats]:
    """Of the mean cross-entropy, by given, asked and bias."""
    given, asked, bias = values
    mean = known @ given
    scores = mean @ asked.T + bias
    likely = np.exp(scores - scores.max(1, keepdims=True))
    error = (likely / likely.sum(1, keepdims=True) - hidden) / len(known)
    return known.T @ (error @ asked), error.T @ mean, error.sum(0)


def written(data: "Dataset", split: str) -> list[list[str]]:
    """The nouns that people wrote of each picture of a split."""
    return [
        [noun for sentence in data.sentences[row] for noun in nouns(sentence)]
        for row in data.rows(split)
    ]


def main(argv: Sequence[str] | None = None) -> int:
    """Learns the vectors from the captions of the training split; the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m model.related",
        description="사람들이 같은 사진에 함께 쓴 명사를 배웁니다. "
        "(Learns which nouns people write of the same pictures.)",
    )
    parser.add_argument("data", type=Path, metavar="DATA", help="python -m preprocess가 만든 폴더")
    parser.add_argument("-o", "--output", type=Path, default=FILE, help="기본: model/related.npz")
    parser.add_argument("--overwrite", action="store_true", help="있는 파일을 덮어씁니다")
    parser.add_argument("--lang", choices=("ko", "en"), default="ko", help="메시지의 언어")
    arguments = parser.parse_args(argv)
    return exit_status(lambda: _run(arguments), "related", arguments.lang)


def _run(arguments: argparse.Namespace) -> None:
    from preprocess.dataset import load

    check_result(arguments.output, arguments.data.glob("*"), arguments.overwrite, "-o")
    pictures = written(load(arguments.data, features=False), "train")
    found = learn(pictures)
    if not found.nouns:
        least = FitOptions().least
        raise DataError(
            f"'{arguments.data}'의 학습 사진 {len(pictures)}장에는 {least}장 이상에 적힌 명사가 "
            "없습니다. 더 많은 자료를 주세요.",
            f"no noun is written of {least} of the {len(pictures)} training pictures in "
            f"'{arguments.data}'. Give more data.",
        )
    found.save(arguments.output)
    print(f"{arguments.output}: {len(found.nouns)} x {found.given.shape[1]}")


if __name__ == "__main__":
    sys.exit(main())
