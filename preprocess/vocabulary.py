"""Morphemes as numbers and back."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from preprocess.errors import CaptionerFileError, DataError
from preprocess.korean import Morpheme

PAD, START, END, UNKNOWN = range(4)
SPECIAL = 4


@dataclass(frozen=True)
class Vocabulary:
    """Morphemes in the order of their ids; ids 0-3 are PAD, START, END and UNKNOWN."""

    morphemes: tuple[Morpheme, ...]

    @classmethod
    def build(cls, sentences: Iterable[Sequence[Morpheme]], least: int) -> "Vocabulary":
        """Every morpheme seen at least `least` times, the most frequent first.

        Raises:
            DataError: nothing is frequent enough.
        """
        counts = Counter(morpheme for sentence in sentences for morpheme in sentence)
        kept = sorted((-n, m) for m, n in counts.items() if n >= least)
        if not kept:
            raise DataError(
                f"{least}번 이상 나온 형태소가 없습니다. --min-count를 낮추거나 캡션을 더 주세요.",
                f"no morpheme occurs {least} times. Lower --min-count or give more captions.",
            )
        return cls(tuple(m for _, m in kept))

    def with_more(self, counts: Mapping[Morpheme, int], least: int) -> "Vocabulary":
        """These, with their ids, and after them what is counted `least` times, by frequency."""
        known = set(self.morphemes)
        new = sorted((-n, m) for m, n in counts.items() if n >= least and m not in known)
        return Vocabulary((*self.morphemes, *(m for _, m in new)))

    def __len__(self) -> int:
        return len(self.morphemes) + SPECIAL

    @cached_property
    def _ids(self) -> dict[Morpheme, int]:
        return {m: i + SPECIAL for i, m in enumerate(self.morphemes)}

    def encode(self, sentence: Sequence[Morpheme], length: int) -> npt.NDArray[np.int32]:
        """START, the ids, END, then PAD: int32 (length,). Longer sentences are cut."""
        ids = [START, *(self._ids.get(m, UNKNOWN) for m in sentence), END][:length]
        return np.array(ids + [PAD] * (length - len(ids)), dtype=np.int32)

    def decode(self, ids: Iterable[int]) -> tuple[Morpheme, ...]:
        """The morphemes up to END; the other special ids are left out."""
        found = []
        for i in ids:
            if i == END:
                break
            if i >= SPECIAL:
                found.append(self.morphemes[i - SPECIAL])
        return tuple(found)

    def to_tsv(self) -> str:
        """One morpheme a line: form, tag, spaced (1 or 0)."""
        return "".join(f"{m.form}\t{m.tag}\t{int(m.spaced)}\n" for m in self.morphemes)

    @classmethod
    def from_tsv(cls, text: str) -> "Vocabulary":
        """The inverse of to_tsv.

        Raises:
            CaptionerFileError: a line is not three fields.
        """
        rows = [line.split("\t") for line in text.split("\n") if line]
        if any(len(row) != 3 or row[2] not in "01" for row in rows):
            raise CaptionerFileError(
                "캡셔너 파일의 어휘가 손상되었습니다. 파일을 다시 받으세요.",
                "the captioner file's vocabulary is damaged. Fetch the file again.",
            )
        return cls(tuple(Morpheme(form, tag, spaced == "1") for form, tag, spaced in rows))
