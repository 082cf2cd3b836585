"""The only file that imports kiwipiepy (C++, no Java)."""

from functools import cached_property
from typing import Any

from preprocess.surfaces import Pairs, by_span


class Kiwi:
    """The tagger Kiwi, which tells lemmas: its tokens' places give the surfaces back."""

    @cached_property
    def _kiwi(self) -> Any:
        from kiwipiepy import Kiwi

        return Kiwi(num_workers=1)  # processes share the work

    def __call__(self, sentence: str) -> Pairs:
        """Surfaces and tags."""
        tokens = self._kiwi.tokenize(sentence)
        return by_span(sentence, [(t.start, t.start + t.len, t.tag) for t in tokens], "kiwi")
