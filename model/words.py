"""Korean words and sentences as vectors: the captioner's own embedding, learned with the captions.

What the decoder reads and names morphemes by (its embedding is tied to its output) puts words that
stand in the same places of captions near each other. No Java: preprocess.segmenter cuts the text.
"""

import hashlib
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from model.storage import CaptionerFile, damaged, read_captioner
from preprocess.korean import Morpheme, content
from preprocess.segmenter import UNKNOWN_TAG, Segmenter, zipf
from preprocess.vocabulary import SPECIAL, Vocabulary

Vectors = npt.NDArray[np.float32]
SMOOTHING = 1e-2  # a of a / (a + p): Arora et al. 2017, "A simple but tough-to-beat baseline"
GRAM = 3  # letters (jamo) of the pieces that unknown words are compared by
ALIKE = 0.5  # share of pieces that an unknown word must have in common with a known one
KIN = 5  # known words that stand for an unknown one


class Words:
    """The words of a captioner file as vectors of width E.

    Attributes:
        width: E.
        fingerprint: tells vocabularies apart: text cut with one fits the words of the same one.
    """

    def __init__(self, vocabulary: Vocabulary, embedding: Vectors) -> None:
        """As `load`; embedding: float32 (len(vocabulary), E), special ids first.

        Raises:
            ValueError: the two do not belong together.
        """
        if embedding.shape[:1] != (len(vocabulary),):
            raise ValueError(f"embedding {embedding.shape} of {len(vocabulary)} morphemes")
        self.width = int(embedding.shape[1])
        self.fingerprint = hashlib.sha256(vocabulary.to_tsv().encode()).hexdigest()
        self._segmenter = Segmenter(vocabulary)
        self._shares: dict[str, float] = defaultdict(float)
        shares = zipf(len(vocabulary.morphemes))
        full = [is_content(m) for m in vocabulary.morphemes]
        weights = np.array(shares, np.float32) * full
        usual = weights @ embedding[SPECIAL:] / max(weights.sum(), 1e-9)  # what all have in common
        sums: dict[str, Vectors] = {}
        rows = zip(vocabulary.morphemes, shares, full, embedding[SPECIAL:] - usual, strict=True)
        for morpheme, share, is_full, row in rows:
            if is_full:  # with a space before it and without, as noun and as verb: one word
                self._shares[morpheme.form] += share
                sums[morpheme.form] = sums.get(morpheme.form, 0) + np.float32(share) * row
        self._vectors = {form: unit(total) for form, total in sums.items()}
        self._kin: dict[str, Vectors] = {}
        self._grams: dict[str, list[str]] = defaultdict(list)
        for form in self._vectors:
            for gram in _grams(form):
                self._grams[gram].append(form)

    @classmethod
    def load(cls, path: Path | str) -> "Words":
        """Reads them from a .kcap file.

        Raises:
            CaptionerFileError: damaged, of a newer format, or not a captioner file.
        """
        contents = read_captioner(Path(path))
        try:
            return cls.of(contents)
        except (ValueError, IndexError) as error:
            raise damaged(Path(path), str(error)) from None

    @classmethod
    def of(cls, contents: CaptionerFile) -> "Words":
        """The words of a captioner file that is read already; several decoders' side by side.

        Raises:
            ValueError: it holds no embedding.
        """
        found = [a for name, a in contents.weights.items() if name.endswith("/embeddings")]
        if not found:
            raise ValueError("no embeddings")
        return cls(contents.vocabulary, np.concatenate(found, axis=1))

    def __contains__(self, form: str) -> bool:
        """Whether it is a full word of the vocabulary, as written."""
        return form in self._vectors

    def split(self, text: str) -> tuple[Morpheme, ...]:
        """The morphemes of a text; what the vocabulary has none for is tagged "Unknown"."""
        return self._segmenter.split(text)

    def content(self, text: str) -> tuple[str, ...]:
        """The full words of a text in order, as written: nouns, verbs, adjectives, unknown ones."""
        return tuple(m.form for m in self.split(text) if is_content(m))

    def rarity(self, form: str) -> float:
        """How much a word tells, 0-1: a / (a + p) with its share p of all morphemes."""
        return SMOOTHING / (SMOOTHING + self._shares.get(form, 0.0))

    def word(self, form: str) -> Vectors:
        """float32 (E,) of length 1; an unknown word's is that of words spelt alike, or zeros."""
        known = self._vectors.get(form)
        if known is not None:
            return known
        if form not in self._kin:
            self._kin[form] = self._spelt_alike(form)
        return self._kin[form]

    def each(self, forms: Sequence[str]) -> Vectors:
        """`word` of each: float32 (n, E)."""
        rows = [self.word(form) for form in forms]
        return np.stack(rows) if rows else np.zeros((0, self.width), np.float32)

    def vector(self, text: str) -> Vectors:
        """A text's meaning: float32 (E,) of length 1, or zeros where nothing in it is known.

        The mean of its full words, common ones counting less (SIF, Arora et al. 2017, eq. 1).
        """
        return self.mean(self.content(text))

    def mean(self, forms: Iterable[str]) -> Vectors:
        """The mean of words as `vector` weighs them, of length 1 or zeros."""
        weighed = [np.float32(self.rarity(form)) * self.word(form) for form in forms]
        return unit(np.sum(weighed, axis=0)) if weighed else np.zeros(self.width, np.float32)

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """`vector` of each text: float32 (n, E)."""
        rows = [self.vector(text) for text in texts]
        return np.stack(rows) if rows else np.zeros((0, self.width), np.float32)

    def _spelt_alike(self, form: str) -> Vectors:
        """From known words of like letters (Dice coefficient): 달리던 from 달리는 and 달리고."""
        grams = _grams(form)
        common: dict[str, int] = defaultdict(int)
        for gram in grams:
            for known in self._grams.get(gram, ()):
                common[known] += 1
        scored = [(2 * n / (len(grams) + len(_grams(w))), w) for w, n in common.items()]
        nearest = sorted(((-dice, w) for dice, w in scored if dice >= ALIKE))[:KIN]
        total = np.zeros(self.width, np.float32)
        for dice, known in nearest:
            total -= np.float32(dice) * self._vectors[known]
        return unit(total)


def is_content(morpheme: Morpheme) -> bool:
    """A noun, verb, adjective or adverb in any of KoNLPy's tag sets, or unknown."""
    return morpheme.tag == UNKNOWN_TAG or bool(content([morpheme]))


def _grams(form: str) -> frozenset[str]:
    """The pieces of GRAM letters (jamo) of a word with its ends marked."""
    letters = f"<{unicodedata.normalize('NFD', form)}>"
    return frozenset(letters[i : i + GRAM] for i in range(max(1, len(letters) - GRAM + 1)))


def unit(vectors: Vectors) -> Vectors:
    """A vector, or each row of many, at length 1; what is next to nothing becomes zeros."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 1e-6, lengths, np.inf), np.float32)
