"""Taggers that tell lemmas and endings give their sentence back: surfaces, under Okt's names."""

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

Pairs = list[tuple[str, str]]  # surface or lemma, tag
Span = tuple[int, int, str]  # start and end in a sentence, tag

TAGS = Path(__file__).with_name("tags.tsv")


def by_span(sentence: str, spans: Iterable[Span], tagger: str) -> Pairs:
    """The surfaces that tokens cover, under Okt's names.

    Tokens that share a letter are one: 어둡 (3-6) and ㄴ (5-6) are "어두운", tagged as the first.
    """
    pieces: list[Span] = []
    for start, end, tag in spans:
        if pieces and (start < pieces[-1][1] or start >= end):
            first, before, kept = pieces[-1]
            pieces[-1] = (first, max(before, end), kept)
        else:
            pieces.append((start, end, tag))
    return [(sentence[start:end], okt_name(tagger, tag)) for start, end, tag in pieces]


def by_word(words: Iterable[tuple[str, Sequence[tuple[str, str]]]], tagger: str) -> Pairs:
    """The surfaces of words whose morphemes are told without a place, under Okt's names.

    Args:
        words: surface of each word, and its morphemes (lemma or ending, tag).
        tagger: whose tags they are.
    """
    pairs = (pair for word, cut in words for pair in _spelled(word, list(cut)))
    return [(form, okt_name(tagger, tag)) for form, tag in pairs]


def _spelled(word: str, cut: Pairs) -> Pairs:
    """Morphemes that spell the word from its ends; those between, that do not, are one."""
    before: Pairs = []
    after: Pairs = []
    while cut and word.startswith(cut[0][0]):
        before.append(cut.pop(0))
        word = word.removeprefix(before[-1][0])
    while cut and word.endswith(cut[-1][0]):
        after.insert(0, cut.pop())
        word = word.removesuffix(after[0][0])
    between = [(word, cut[0][1])] if word and cut else []
    return [*before, *between, *after]


def okt_name(tagger: str, tag: str) -> str:
    """Okt's name of a part of speech: of the longest beginning that tags.tsv knows, else as it is.

    Example:
        okt_name("mecab", "VA+ETM") == "Adjective"
    """
    names = _names().get(tagger, {})
    ends = range(len(tag), 0, -1)
    return next((names[tag[:end]] for end in ends if tag[:end] in names), tag)


@cache
def _names() -> dict[str, dict[str, str]]:
    names: dict[str, dict[str, str]] = {}
    for line in TAGS.read_text(encoding="utf-8").splitlines()[1:]:
        taggers, name, tags = line.split("\t")
        for tagger in taggers.split():
            names.setdefault(tagger, {}).update(dict.fromkeys(tags.split(), name))
    return names
