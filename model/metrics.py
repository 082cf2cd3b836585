"""BLEU, ROUGE-L and CIDEr-D on token sequences, each with a signature; knows no Korean.

All follow the COCO caption evaluation (Chen et al. 2015, arXiv:1504.00325), so that figures can be
laid beside published ones. A score says nothing without its tokens: the caller names them.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

VERSION = "1"  # raised whenever a change here would change a figure
ORDERS = 4
Tokens = Sequence[str]
References = Sequence[Sequence[Tokens]]
Floats = npt.NDArray[np.float64]
Statistic = Callable[[Floats], Floats]


@dataclass(frozen=True)
class Scores:
    """The figures of one system over one set of pictures.

    Attributes:
        bleu: corpus BLEU-1..4 in percent.
        rouge_l: mean ROUGE-L in percent.
        cider_d: mean CIDEr-D on its own scale; one person against others gets about 0.9.
        distinct: distinct sentences / pictures; near 0 means one caption for everything.
        length: mean tokens a sentence.
    """

    bleu: tuple[float, float, float, float]
    rouge_l: float
    cider_d: float
    distinct: float
    length: float


@dataclass(frozen=True, eq=False)
class PictureScores:
    """What each picture adds to the figures: the material of a paired bootstrap.

    Attributes:
        bleu: int64 (n, 10) of `bleu_statistics`.
        rouge_l: float64 (n,), 0-1.
        cider_d: float64 (n,).
    """

    bleu: npt.NDArray[np.int64]
    rouge_l: Floats
    cider_d: Floats


def ngrams(tokens: Tokens) -> Iterator[tuple[str, ...]]:
    """Every run of one to four tokens, repeats included."""
    words = tuple(tokens)
    for order in range(1, ORDERS + 1):
        for start in range(len(words) - order + 1):
            yield words[start : start + order]


def bleu_statistics(hypotheses: Sequence[Tokens], references: References) -> npt.NDArray[np.int64]:
    """What BLEU sums over a corpus.

    Returns:
        int64 (n, 10): clipped matches of order 1-4, n-grams of order 1-4, the hypothesis' length,
        the length of the closest reference (the shorter of two equally close).

    Raises:
        ValueError: not one non-empty set of references for each hypothesis.
    """
    _check(hypotheses, references)
    rows = [_bleu_row(h, r) for h, r in zip(hypotheses, references, strict=True)]
    return np.array(rows, dtype=np.int64).reshape(len(rows), 2 * ORDERS + 2)


def _bleu_row(hypothesis: Tokens, references: Sequence[Tokens]) -> list[int]:
    allowed: Counter[tuple[str, ...]] = Counter()
    for reference in references:
        allowed |= Counter(ngrams(reference))
    matches = [0] * ORDERS
    for gram, count in Counter(ngrams(hypothesis)).items():
        matches[len(gram) - 1] += min(count, allowed[gram])
    length = len(hypothesis)
    guesses = [max(0, length - order) for order in range(ORDERS)]
    closest = min((abs(len(r) - length), len(r)) for r in references)[1]
    return [*matches, *guesses, length, closest]


def bleu_of_sums(sums: npt.ArrayLike) -> Floats:
    """Corpus BLEU-1..4 in percent, (..., 4), from summed statistics (..., 10); no smoothing."""
    totals = np.asarray(sums, dtype=np.float64)
    matches, guesses = totals[..., :ORDERS], totals[..., ORDERS : 2 * ORDERS]
    length, closest = totals[..., 8:9], totals[..., 9:10]
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(matches / np.where(guesses > 0, guesses, 1.0))
        brevity = np.minimum(0.0, 1.0 - closest / np.where(length > 0, length, 1.0))
        mean_logs = np.cumsum(logs, axis=-1) / np.arange(1, ORDERS + 1)
        return np.asarray(100.0 * np.exp(mean_logs + brevity), dtype=np.float64)


def bleu(hypotheses: Sequence[Tokens], references: References) -> tuple[float, float, float, float]:
    """Corpus BLEU-1..4 in percent (Papineni et al. 2002), clipped, closest reference length."""
    return _four(bleu_of_sums(bleu_statistics(hypotheses, references).sum(axis=0)))


def _four(values: Floats) -> tuple[float, float, float, float]:
    one, two, three, four = (float(value) for value in values)
    return one, two, three, four


def lcs_length(one: Tokens, other: Tokens) -> int:
    """Length of the longest common subsequence, bit-parallel (Hyyrö 2004)."""
    masks: dict[str, int] = {}
    for position, token in enumerate(one):
        masks[token] = masks.get(token, 0) | 1 << position
    full = (1 << len(one)) - 1
    row = full
    for token in other:
        matched = row & masks.get(token, 0)
        row = ((row + matched) | (row - matched)) & full
    return len(one) - row.bit_count()


def rouge_l_scores(
    hypotheses: Sequence[Tokens], references: References, beta: float = 1.2
) -> Floats:
    """ROUGE-L of each picture, float64 (n,), 0-1 (Lin 2004).

    As in the COCO evaluation the best precision and the best recall may come from two references.

    Raises:
        ValueError: not one non-empty set of references for each hypothesis.
    """
    _check(hypotheses, references)
    scores = np.zeros(len(hypotheses))
    for row, (hypothesis, group) in enumerate(zip(hypotheses, references, strict=True)):
        common = [lcs_length(reference, hypothesis) for reference in group]
        if any(common):
            precision = max(common) / len(hypothesis)
            recall = max(c / len(r) for c, r in zip(common, group, strict=True) if c)
            scores[row] = (1 + beta**2) * precision * recall / (recall + beta**2 * precision)
    return scores


def rouge_l(hypotheses: Sequence[Tokens], references: References) -> float:
    """Mean ROUGE-L in percent."""
    return float(100.0 * rouge_l_scores(hypotheses, references).mean())


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

    1,300 sentences against five references each take about 0.1 s, so it can stop a training early
    or reward every sample of a batch.

    Example:
        cider = CiderD([[["개", "가", "달린다"]], [["고양이", "가", "잔다"]]])
        cider.scores([["개", "가", "잔다"]], [0])

    Args:
        references: the reference sentences of each picture.
        idf_references: where document frequencies are counted; by default the same references.
        sigma: width of the length penalty, in tokens.
    """

    def __init__(
        self, references: References, idf_references: References | None = None, sigma: float = 6.0
    ) -> None:
        source = references if idf_references is None else idf_references
        self._ids: dict[tuple[str, ...], int] = {}
        self._idf = self._inverse_frequencies(source, references)
        self._unseen = math.log(len(source)) if source else 0.0
        self._penalty = -1.0 / (2.0 * sigma**2)
        self._references = [[self.vector(tokens) for tokens in group] for group in references]

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
        rows = range(len(self._references)) if pictures is None else pictures
        pairs = zip(hypotheses, rows, strict=True)
        return np.array([self._score(self.vector(h), self._references[row]) for h, row in pairs])

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


def score_pictures(
    hypotheses: Sequence[Tokens], references: References, cider: CiderD | None = None
) -> PictureScores:
    """What each picture adds to each score; `cider` may be given when it is already built."""
    return PictureScores(
        bleu_statistics(hypotheses, references),
        rouge_l_scores(hypotheses, references),
        (cider or CiderD(references)).scores(hypotheses),
    )


def summarize(parts: PictureScores, hypotheses: Sequence[Tokens]) -> Scores:
    """The corpus figures of pictures already scored."""
    return Scores(
        bleu=_four(bleu_of_sums(parts.bleu.sum(axis=0))),
        rouge_l=float(100.0 * parts.rouge_l.mean()),
        cider_d=float(parts.cider_d.mean()),
        distinct=len({tuple(h) for h in hypotheses}) / len(hypotheses),
        length=sum(len(h) for h in hypotheses) / len(hypotheses),
    )


def score_all(
    hypotheses: Sequence[Tokens], references: References, cider: CiderD | None = None
) -> Scores:
    """All figures of one system.

    Args:
        hypotheses: one sentence a picture, as tokens, without start and end.
        references: the sentences people wrote for each picture.
        cider: `CiderD(references)` built before, to save its time in a loop.

    Raises:
        ValueError: nothing to score, or not one set of references for each hypothesis.
    """
    return summarize(score_pictures(hypotheses, references, cider), hypotheses)


def signature(score: str, tokens: str, references: References, idf: str | None = None) -> str:
    """How a figure was made: `CIDEr-D|tokens:okt|refs:5|pictures:785|idf:...|version:1`."""
    counts = sorted({len(group) for group in references})
    refs = f"{counts[0]}-{counts[-1]}" if len(counts) > 1 else "".join(map(str, counts))
    parts = [score, f"tokens:{tokens}", f"refs:{refs}", f"pictures:{len(references)}"]
    return "|".join([*parts, *([f"idf:{idf}"] if idf else []), f"version:{VERSION}"])


def paired_bootstrap(
    ahead: npt.ArrayLike,
    behind: npt.ArrayLike,
    statistic: Statistic | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> float:
    """One-sided p-value of 'ahead scores higher than behind' over the same pictures (Koehn 2004).

    Args:
        ahead: per-picture scores (n,), or statistics (n, k) that a corpus score sums.
        behind: the same of the other system, picture for picture.
        statistic: turns sums (resamples, k) into scores (resamples,), such as
            `lambda sums: bleu_of_sums(sums)[:, 3]`; by default the mean of one column.
        resamples: how often the pictures are drawn anew, with replacement.
        seed: of the draws.

    Returns:
        (1 + resamples in which ahead is not ahead) / (1 + resamples); small means surely ahead.
    """
    one, other = (np.asarray(x, dtype=np.float64) for x in (ahead, behind))
    if one.shape != other.shape or not len(one):
        raise ValueError(f"per-picture scores must be paired: {one.shape} and {other.shape}")
    size = len(one)
    drawn = np.random.default_rng(seed).multinomial(size, np.full(size, 1 / size), size=resamples)
    score = statistic or (lambda sums: sums[:, 0] / size)
    gain = score(drawn @ one.reshape(size, -1)) - score(drawn @ other.reshape(size, -1))
    return float((1 + np.count_nonzero(gain <= 1e-12)) / (1 + resamples))


def _check(hypotheses: Sequence[Tokens], references: References) -> None:
    if not hypotheses or len(hypotheses) != len(references) or not all(references):
        raise ValueError(f"{len(hypotheses)} hypotheses but {len(references)} reference sets")
