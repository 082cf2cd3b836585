"""Sentences on lines: as few as fit, broken where a reader would pause."""

import unicodedata
from collections.abc import Sequence
from functools import cache

_PAUSES = tuple("이가을를에서로와과고며면게,.;:!?")  # particles and endings that close a phrase
_TIED = ("있", "않", "없")  # begin what belongs to the word before: 서 있다
_WITHIN = 0.2  # what a break within a phrase costs: as much as lines of 7 and 19 syllables do
_TORN = 0.6  # what it costs to tear off what is tied
_WEIGHED = 4  # of more lines, only their length is weighed
Split = tuple[float, tuple[int, ...]]  # what it costs, and where each line ends


def wrap(text: str, width: int = 20) -> str:
    """The text on as few lines as fit, of like length, broken at spaces and rather after particles.

    A sentence that needs many lines gets them: cutting it would lose its verb.

    Args:
        text: one line.
        width: syllables a line has at most; a space or a Latin letter counts half.
    """
    words = [part for word in text.split() for part in _pieces(word, width)]
    lines = _fill(words, width)
    if len(lines) < 2:
        return text
    weigh = _weighed if len(lines) <= _WEIGHED else _even
    return "\n".join(weigh(words, width, len(lines)))


def _weighed(words: Sequence[str], width: int, count: int) -> list[str]:
    """So many lines, the ones that cost least: squares of their lengths, and their breaks."""

    @cache
    def best(start: int, left: int) -> Split:
        if left == 1:
            return _length(words[start:], width), (len(words),)
        found = []
        for end in range(start + 1, len(words) - left + 2):
            here = _length(words[start:end], width)
            if here > 1:
                break
            cost, ends = best(end, left - 1)
            found.append((here + cost + _break(words[end - 1], words[end]), (end, *ends)))
        return min(found, default=(float("inf"), ()))

    ends = best(0, count)[1]
    return [" ".join(words[a:b]) for a, b in zip((0, *ends), ends, strict=False)]


def _length(words: Sequence[str], width: int) -> float:
    """The square of a line's share of the width; no number for one that does not fit."""
    share = _width(" ".join(words)) / (2 * width)
    return share * share if share <= 1 else float("inf")


def _break(before: str, after: str) -> float:
    if after.startswith(_TIED):
        return _TORN
    return 0.0 if before.endswith(_PAUSES) else _WITHIN


def _even(words: Sequence[str], width: int, count: int) -> list[str]:
    """The narrowest column with so many lines is the evenest."""
    for narrow in range(max(map(_width, words)), width * 2):
        even = _fill(words, narrow / 2)
        if len(even) == count:
            return even
    return _fill(words, width)


def _width(text: str) -> int:
    """Width in halves of a syllable."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _fill(words: Sequence[str], width: float) -> list[str]:
    """Words on lines of at most width syllables, each line filled before the next."""
    lines: list[str] = []
    for word in words:
        if lines and _width(lines[-1]) + 1 + _width(word) <= 2 * width:
            lines[-1] += " " + word
        else:
            lines.append(word)
    return lines


def _pieces(word: str, width: int) -> list[str]:
    """The word, cut where it alone is wider than a line."""
    pieces = [""]
    for character in word:
        if pieces[-1] and _width(pieces[-1] + character) > 2 * width:
            pieces.append("")
        pieces[-1] += character
    return pieces
