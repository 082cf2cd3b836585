"""The only file that imports python-mecab-ko (C++ with its dictionary, no Java)."""

from functools import cached_property
from typing import Any

from preprocess.surfaces import Pairs, by_span


class Mecab:
    """The tagger MeCab-ko."""

    @cached_property
    def _mecab(self) -> Any:
        from mecab import MeCab

        return MeCab()

    def __call__(self, sentence: str) -> Pairs:
        """Surfaces and tags."""
        found = self._mecab.parse(sentence)
        spans = [(m.span.start, m.span.end, m.feature.pos) for m in found]
        return by_span(sentence, spans, "mecab")
