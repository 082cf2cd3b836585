"""BLEU, ROUGE-L and CIDEr-D on token sequences, each with a signature; knows no Korean.

All follow the COCO caption evaluation (Chen et al. 2015, arXiv:1504.00325), so that figures can be
laid beside published ones. A score says nothing without its tokens: the caller names them.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model.cider import ORDERS, CiderD, Floats, References, Tokens, ngrams

__all__ = [
    "CiderD",
    "PictureScores",
    "References",
    "Scores",
    "Tokens",
    "bleu",
    "bleu_of_sums",
    "bleu_statistics",
    "lcs_length",
    "paired_bootstrap",
    "rouge_l",
    "rouge_l_scores",
    "score_all",
    "score_pictures",
    "signature",
    "summarize",
]

VERSION = "1"  # raised whenever a change here would change a figure
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


def bleu_of_sums(sums: npt.ArrayLike, smooth: bool = False) -> Floats:
    """Corpus BLEU-1..4 in percent, (..., 4), from summed statistics (..., 10).

    Args:
        sums: of bleu_statistics.
        smooth: the k-th order without a match counts 1 / 2^k of one, as sacrebleu has it (Chen &
            Cherry 2014, method 3).
    """
    totals = np.asarray(sums, dtype=np.float64)
    matches, guesses = totals[..., :ORDERS], totals[..., ORDERS : 2 * ORDERS]
    if smooth:
        halved = 0.5 ** np.cumsum(matches == 0, axis=-1) * (matches[..., :1] > 0)
        matches = np.where((matches == 0) & (guesses > 0), halved, matches)
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
