"""How well sentences answer a query, by meaning: as a whole, and word by word.

The score is the mean of two that are about equally good and err in different places: the cosine of
the sentences' vectors (Words.vector), and how near each full word of one comes to some word of the
other, weighed by idf (BERTScore, Zhang et al. 2020, section 3, with the captioner's own words in
place of BERT's). N sentences, W full words in all of them, F different ones, E their width.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from model.words import Words

Scores = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]
SPOKEN_OF = frozenset(("장면", "모습", "사진", "영상", "화면", "동영상"))  # of a film, not in it
AT_ONCE = 5000  # sentences whose vectors are looked at together


def words_of(texts: Iterable[str], words: Words) -> list[str]:
    """The full words of a shot's sentences, the alternatives' too: they widen what finds it."""
    return [form for text in dict.fromkeys(texts) for form in dict.fromkeys(words.content(text))]


class Sentences:
    """N sentences made ready to be asked; takes 8 W + 4 F E bytes, and no vector a sentence."""

    def __init__(self, sentences: Sequence[Sequence[str]], words: Words) -> None:
        """sentences: the full words of each (Words.content), in order."""
        self._words, self._count = words, len(sentences)
        spread = Counter(form for sentence in sentences for form in set(sentence))
        self._rows = {form: row for row, form in enumerate(spread)}
        counts = np.array(list(spread.values()), np.float32)
        self._idf = np.log1p(self._count / counts, dtype=np.float32)
        self._rarity = np.array([words.rarity(form) for form in spread], np.float32)
        self._vectors = words.each(list(spread))
        self._order, self._columns = self._laid_out(sentences)
        self._weights, self._lengths = self._folded(self._idf, np.add), self._norms()

    def _laid_out(self, sentences: Sequence[Sequence[str]]) -> tuple[Rows, list[Rows]]:
        """The sentences that have words, longest first, and their first words, second words, ...

        So each column is as long as there are sentences with so many words, and numpy folds
        columns several times faster than pieces of one long row (reduceat).
        """
        lengths = np.array([len(sentence) for sentence in sentences], np.intp)
        order = np.argsort(-lengths, kind="stable")[: np.count_nonzero(lengths)]
        columns: list[list[int]] = [[] for _ in range(lengths.max(initial=0))]
        for place in order:
            for column, form in zip(columns, sentences[place], strict=False):
                column.append(self._rows[form])
        return order, [np.array(column, np.intp) for column in columns]

    def __len__(self) -> int:
        return self._count

    def scores(self, query: str) -> Scores:
        """How well each sentence answers: float32 (N,), at most 1: the same full words."""
        asked = self._asked(query)
        found = np.zeros(self._count, np.float32)
        if asked and self._columns:
            found[self._order] = (self._as_a_whole(asked) + self._word_by_word(asked)) / 2
        return found

    def _asked(self, query: str) -> list[str]:
        """The query's full words; words for films themselves only where there are no others."""
        said = list(dict.fromkeys(self._words.content(query)))
        return [form for form in said if form not in SPOKEN_OF] or said

    def _as_a_whole(self, asked: Sequence[str]) -> Scores:
        """Cosine of each sentence's vector with the query's, from those of its words."""
        alike = self._vectors @ self._words.mean(asked) * self._rarity
        cosines: Scores = np.divide(self._folded(alike, np.add), self._lengths, dtype=np.float32)
        return cosines

    def _word_by_word(self, asked: Sequence[str]) -> Scores:
        """Mean of recall (is each word answered?) and precision (is each word asked for?)."""
        near = self._near(asked)
        weights = np.array([self._weight(form) for form in asked], np.float32)
        recall = np.zeros(len(self._order), np.float32)
        for row, weight in zip(near, weights / weights.sum(), strict=True):
            recall += weight * self._folded(row, np.maximum)
        precision = self._folded(near.max(axis=0) * self._idf, np.add) / self._weights
        both: Scores = np.divide(recall + precision, 2, dtype=np.float32)
        return both

    def _near(self, asked: Sequence[str]) -> Scores:
        """How near each word of the query is to each form: float32 (words, F), 0-1."""
        near: Scores = np.clip(self._words.each(asked) @ self._vectors.T, 0, 1)
        for number, form in enumerate(asked):
            if form in self._rows:  # an unknown word without kin is like itself all the same
                near[number, self._rows[form]] = 1
        return near

    def _weight(self, form: str) -> float:
        """The idf of a word of the query; one that no sentence has is as rare as can be."""
        row = self._rows.get(form)
        return float(self._idf[row]) if row is not None else float(np.log1p(2 * self._count))

    def _folded(self, values: Scores, how: np.ufunc) -> Scores:
        """A value a form (F,), added up or otherwise folded over each sentence, in their order."""
        if not self._columns:
            return np.zeros(0, np.float32)
        folded = values[self._columns[0]]
        for column in self._columns[1:]:
            part = folded[: len(column)]
            how(part, values[column], out=part)
        return folded

    def _norms(self) -> Scores:
        """The length of each sentence's sum of word vectors, before it is made 1."""
        weighed = self._vectors * self._rarity[:, None]
        norms = np.empty(len(self._order), np.float32)
        for begin in range(0, len(norms), AT_ONCE):
            sums = weighed[self._columns[0][begin : begin + AT_ONCE]]
            for column in self._columns[1:]:
                rows = column[begin : begin + AT_ONCE]
                sums[: len(rows)] += weighed[rows]
            norms[begin : begin + AT_ONCE] = np.linalg.norm(sums, axis=1)
        return np.maximum(norms, 1e-6)
