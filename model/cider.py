"""CIDEr-D (Vedantam, Zitnick and Parikh 2015, arXiv:1411.5726), fast enough for every epoch."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

ORDERS = 4
Tokens = Sequence[str]
References = Sequence[Sequence[Tokens]]
Floats = npt.NDArray[np.float64]


def ngrams(tokens: Tokens) -> Iterator[tuple[str, ...]]:
    """Every run of one to four tokens, repeats included."""
    words = tuple(tokens)
    for order in range(1, ORDERS + 1):
        for start in range(len(words) - order + 1):
            yield words[start : start + order]


@dataclass(frozen=True, eq=False)
class Vector:
    """The TF-IDF vector of one sentence, all four orders together.

    Attributes:
        weights: n-gram id -> (weight, weight / norm of its order); n-grams of no reference left out
            (they count in the norm).
        length: number of bigrams, which is what the COCO code measures lengths in.
    """

    weights: dict[int, tuple[float, float]]
    length: int


class CiderD:
    """CIDEr-D (Vedantam et al. 2015) with its references analysed once.

    A sentence against five references costs about 0.03 ms of CPU, so it can stop a training early
    or reward every sample of a batch.

    Example:
        cider = CiderD([[["개", "가", "달린다"]], [["고양이", "가", "잔다"]]])
        cider.scores([["개", "가", "잔다"]], [0])

    Args:
        references: the reference sentences of each picture.
        idf_references: where document frequencies are counted; by default the same references.
        sigma: width of the length penalty, in tokens.

    Attributes:
        references: the vector of each reference, picture by picture.
    """

    def __init__(
        self, references: References, idf_references: References | None = None, sigma: float = 6.0
    ) -> None:
        source = references if idf_references is None else idf_references
        self._ids: dict[tuple[str, ...], int] = {}
        self._idf = self._inverse_frequencies(source, references)
        self._unseen = math.log(len(source)) if source else 0.0
        self._penalty = -1.0 / (2.0 * sigma**2)
        self.references = [[self.vector(tokens) for tokens in group] for group in references]

    def _inverse_frequencies(self, source: References, references: References) -> list[float]:
        pictures = Counter(g for group in source for g in {g for r in group for g in ngrams(r)})
        everything = (g for group in references for r in group for g in ngrams(r))
        self._ids = {gram: row for row, gram in enumerate(dict.fromkeys((*pictures, *everything)))}
        return [math.log(len(source) / max(1, pictures[gram])) for gram in self._ids]

    def vector(self, tokens: Tokens) -> Vector:
        """The sentence's TF-IDF vector."""
        raw: list[tuple[int, int, float]] = []
        squares = [0.0] * ORDERS
        for gram, count in Counter(ngrams(tokens)).items():
            row = self._ids.get(gram)
            weight = count * (self._unseen if row is None else self._idf[row])
            squares[len(gram) - 1] += weight * weight
            if row is not None and weight > 0:
                raw.append((row, len(gram) - 1, weight))
        norms = [math.sqrt(square) for square in squares]
        weights = {row: (weight, weight / norms[order]) for row, order, weight in raw}
        return Vector(weights, max(0, len(tokens) - 1))

    def scores(self, hypotheses: Sequence[Tokens], pictures: Sequence[int] | None = None) -> Floats:
        """CIDEr-D of each hypothesis.

        Args:
            hypotheses: sentences as tokens.
            pictures: which reference set each is scored on, repeats allowed; by default in order.

        Returns:
            float64 (n,), 0-10.

        Raises:
            ValueError: hypotheses and pictures differ in number.
        """
        rows = range(len(self.references)) if pictures is None else pictures
        pairs = zip(hypotheses, rows, strict=True)
        return np.array([self._score(self.vector(h), self.references[row]) for h, row in pairs])

    def corpus(self, hypotheses: Sequence[Tokens], pictures: Sequence[int] | None = None) -> float:
        """Mean CIDEr-D over the hypotheses."""
        return float(self.scores(hypotheses, pictures).mean())

    def _score(self, hypothesis: Vector, references: list[Vector]) -> float:
        total = 0.0
        for reference in references:
            found = reference.weights
            cosine = 0.0
            for row, (weight, share) in hypothesis.weights.items():
                if row in found:
                    other, other_share = found[row]
                    cosine += share * other_share * min(1.0, other / weight)  # clipped
            gap = hypothesis.length - reference.length
            total += cosine * math.exp(gap * gap * self._penalty)
        return 10.0 * total / (ORDERS * len(references)) if references else 0.0
