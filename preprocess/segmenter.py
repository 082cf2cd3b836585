"""Korean text into a vocabulary's morphemes without a tagger: the likeliest way to cut each word.

A captioner's vocabulary is in the order of frequency, so a morpheme's place tells about how likely
it is (Zipf-Mandelbrot, Mandelbrot 1953); the cut with the highest product is found by dynamic
programming (Viterbi 1967), word by word.
"""

import math
import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from preprocess.korean import Morpheme
from preprocess.vocabulary import Vocabulary

UNKNOWN_TAG = "Unknown"
BOUND = ("Josa", "Suffix", "Eomi", "J", "E", "X")  # tags that begin no word
SHIFT = 2.7  # of Zipf-Mandelbrot's law
FOREIGN, SYLLABLE = 6.0, 5.0  # what an unknown stretch costs, and each of its syllables, in nats
MISPLACED = 5.0  # nats more for a form that is known only from the other place in a word
LONGEST = 40  # characters of a word that are cut; what is longer is no word
_WORD = re.compile(r"[^\W_]+")


class _Piece(NamedTuple):
    """A form of the vocabulary: its likeliest tag, and the nats it costs."""

    tag: str
    cost: float


class Segmenter:
    """Cuts text as the tagger behind a vocabulary would have cut it, most of the time."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        shares = zipf(len(vocabulary.morphemes))
        first: dict[str, _Piece] = {}
        inner: dict[str, _Piece] = {}
        for morpheme, share in zip(vocabulary.morphemes, shares, strict=True):
            piece = _Piece(morpheme.tag, -math.log(share))
            misplaced = _Piece(morpheme.tag, piece.cost + MISPLACED)
            begins = not morpheme.tag.startswith(BOUND)
            # at the beginning of a sentence nothing is spaced: that says little of the place
            _keep(inner, morpheme.form, misplaced if morpheme.spaced else piece)
            if begins:
                _keep(first, morpheme.form, piece)
        self._first, self._inner = first, inner
        self._longest = max(map(len, (*first, *inner)), default=1)

    def split(self, text: str) -> tuple[Morpheme, ...]:
        """The morphemes of a text; what the vocabulary has none for is tagged "Unknown".

        Punctuation and what is longer than LONGEST characters in one piece are left out.
        """
        found: list[Morpheme] = []
        for match in _WORD.finditer(unicodedata.normalize("NFC", text)):
            if len(match[0]) <= LONGEST:
                found += self._cut(match[0])
        return tuple(found)

    def _cut(self, word: str) -> list[Morpheme]:
        """The likeliest morphemes of one word; costs[i] is that of its first i characters."""
        costs, last = [0.0], [(0, "")]
        for end in range(1, len(word) + 1):
            ways = [(costs[b] + cost, b, tag) for b, tag, cost in self._pieces(word, end)]
            cost, begin, tag = min(ways)
            costs.append(cost)
            last.append((begin, tag))
        found, end = [], len(word)
        while end:
            begin, tag = last[end]
            found.append(Morpheme(word[begin:end], tag, begin == 0))
            end = begin
        return found[::-1]

    def _pieces(self, word: str, end: int) -> Iterator[tuple[int, str, float]]:
        """Where a piece that ends here may begin, its tag and cost."""
        for begin in range(end):
            yield begin, UNKNOWN_TAG, FOREIGN + SYLLABLE * (end - begin)
        for begin in range(max(0, end - self._longest), end):
            known = (self._inner if begin else self._first).get(word[begin:end])
            if known:
                yield begin, *known


def zipf(count: int) -> list[float]:
    """About how often each of `count` morphemes occurs, the most frequent first; the sum is 1."""
    shares = [1 / (rank + SHIFT) for rank in range(1, count + 1)]
    total = sum(shares)
    return [share / total for share in shares]


def _keep(pieces: dict[str, _Piece], form: str, piece: _Piece) -> None:
    known = pieces.get(form)
    if known is None or piece.cost < known.cost:
        pieces[form] = piece
