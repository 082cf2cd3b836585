"""Pictures and shots grouped by meaning, each group with a Korean name."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log1p

import numpy as np
import numpy.typing as npt

from model.related import unglued
from model.words import Words, is_content, unit
from preprocess.errors import SettingError
from preprocess.korean import Morpheme
from video.scenes.clusters import best_count, k_means

SAID = 0.7  # weight of what is said against what the CNN sees
SHARE = 0.3  # of a group's sentences that must have a word for it to name the group
POSITIONS = frozenset(("앞", "옆", "뒤", "안", "밖", "아래", "위", "속", "가운데", "모습"))
GENERAL = frozenset(("사람", "물건", "풍경", "실내", "야외"))  # a name only where there is no other
NUMBERS = frozenset(("한", "두", "세", "네", "다섯", "여섯", "여러", "몇"))
ASIDE = ("위", "안", "속", "앞", "옆", "아래")  # 눈 위에, 상자 안에
Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Item:
    """What is grouped: a picture, or a shot of a film.

    Attributes:
        name: the picture's path, or film and time.
        caption: its sentence.
        meaning: float32 (E,), what its sentences mean.
        features: float32 (D,), the mean of the CNN's regions; None where only text is at hand.
    """

    name: str
    caption: str
    meaning: Vectors
    features: Vectors | None = None


@dataclass(frozen=True)
class Group:
    """Some of the items.

    Attributes:
        name: a Korean phrase for what they have in common; names differ.
        members: their places among the items, the most typical first.
    """

    name: str
    members: tuple[int, ...]


def group(
    items: Sequence[Item], words: Words, count: int | None = None, seed: int = 0
) -> tuple[Group, ...]:
    """The items in groups, the largest first.

    Args:
        items: at least one; features are used where all have them.
        words: of the captioner that made the meanings.
        count: how many groups; the best fit (silhouette) by default.
        seed: of the k-means.

    Raises:
        SettingError: nothing to group, or count is not 1 to len(items).
    """
    if not items:
        raise SettingError(
            "묶을 것이 없습니다. 사진이나 사진이 든 폴더, 자막 기록을 주세요.",
            "there is nothing to group. Give pictures, folders with pictures, or tracks.",
        )
    if count is not None and not 1 <= count <= len(items):
        raise SettingError(
            f"{len(items)}개를 {count}묶음으로 나눌 수 없습니다. 1부터 {len(items)}까지 주세요.",
            f"{len(items)} items cannot be {count} groups. Give 1 to {len(items)}.",
        )
    vectors = together(items)
    labels = k_means(vectors, count or best_count(vectors, seed), seed)
    members = [np.flatnonzero(labels == label) for label in range(labels.max() + 1)]
    typical = []
    for rows in members:
        centre = vectors[rows].sum(axis=0)
        typical.append(tuple(int(row) for row in rows[np.argsort(-(vectors[rows] @ centre))]))
    names = named([[items[row].caption for row in rows] for rows in typical], words)
    return tuple(Group(name, rows) for name, rows in zip(names, typical, strict=True))


def together(items: Sequence[Item]) -> Vectors:
    """What is seen and what is said side by side, each less what all share: (n, D + E)."""
    parts = [SAID * _centred(np.stack([item.meaning for item in items]))]
    features = [item.features for item in items if item.features is not None]
    if len(features) == len(items):
        parts.insert(0, _centred(np.stack(features)))
    return unit(np.hstack(parts))


def _centred(rows: Vectors) -> Vectors:
    return unit(rows - rows.mean(axis=0)) if len(rows) > 2 else unit(rows)


def named(groups: Sequence[Sequence[str]], words: Words) -> list[str]:
    """A phrase for each group of sentences: its most telling noun, and what is told of it.

    A word tells a group from the others by how much more often it stands there (the log of the
    ratio, weighed by its share in the group). What is told of it is the adjective before it, or the
    place, if many of its sentences have the same: "거대한 폭포", "눈 위의 개".
    """
    cut = [[unglued(words.split(sentence)) for sentence in sentences] for sentences in groups]
    everywhere = Counter(form for sentences in cut for s in sentences for form in _nouns(s))
    total = sum(map(len, cut))
    taken: list[str] = []
    for sentences in cut:
        phrases = _phrases(sentences, everywhere, total) or ["그 밖"]
        free = [phrase for phrase in phrases if phrase not in taken]
        taken.append(free[0] if free else _numbered(phrases[0], taken))
    return taken


def _phrases(
    sentences: Sequence[Sequence[Morpheme]], everywhere: Counter[str], total: int
) -> list[str]:
    """Names for one group, the best first; what does something there counts twice."""
    here = Counter(form for sentence in sentences for form in _nouns(sentence))
    doing = Counter(form for sentence in sentences for form in _subjects(sentence))
    size, found = len(sentences), []
    rest = max(1, total - size)
    scores = {
        form: (n + doing[form]) / size * log1p((n / size) / ((everywhere[form] - n + 0.5) / rest))
        for form, n in here.items()
        if n >= SHARE * size and form not in GENERAL
    }
    ranked = sorted(scores, key=lambda form: (-scores[form], form)) or [
        form for form, _ in here.most_common(3)
    ]
    for noun in ranked:
        told = _described(noun, sentences)
        found += [f"{told} {noun}", noun] if told else [noun]
    pairs = [f"{one}, {other}" for one in ranked for other in ranked if one != other]
    return [*found, *pairs]


def _described(noun: str, sentences: Sequence[Sequence[Morpheme]]) -> str:
    """What is told of a noun in at least SHARE of the sentences that have it."""
    having = [s for s in sentences if noun in _nouns(s)]
    adjectives = Counter(form for s in having for form in _adjectives(noun, s))
    places = Counter(place for s in having for place in _places(s) if noun not in place)
    for told in (adjectives, places):
        most = told.most_common(1)
        if most and most[0][1] >= max(2, SHARE * len(having)):
            return most[0][0]
    return ""


def _adjectives(noun: str, sentence: Sequence[Morpheme]) -> set[str]:
    """Adjectives right before a noun that describe it: 흰, 거대한. What is 있는 says nothing."""
    return {
        one.form
        for one, other in pairwise(sentence)
        if other.form == noun
        and one.tag == "Adjective"
        and one.form[-1] not in "고다게이며"
        and not one.form.startswith(("있", "없", "같", "똑같", "다른"))
    }


def _places(sentence: Sequence[Morpheme]) -> set[str]:
    """Where it is: "풀밭의" of 풀밭에서, "눈 위의" of 눈 위에."""
    found = set()
    for place, one in enumerate(sentence[1:], 1):
        if one.tag == "Josa" and one.form in ("에", "에서"):
            before = sentence[place - 1]
            if before.form in ASIDE and place > 1 and _is_noun(sentence[place - 2]):
                found.add(f"{sentence[place - 2].form} {before.form}의")
            elif _is_noun(before) and before.form not in POSITIONS:
                found.add(f"{before.form}의")
    return found


def _is_noun(morpheme: Morpheme) -> bool:
    return morpheme.tag.startswith("N") and is_content(morpheme)


def _nouns(sentence: Sequence[Morpheme]) -> set[str]:
    """The nouns with a particle that can name something; the tagger takes 타고 for one, too."""
    return {
        one.form
        for place, (one, other) in enumerate(pairwise(sentence))
        if _is_noun(one)
        and other.tag in ("Josa", "Suffix")
        and not other.spaced
        and one.form not in POSITIONS
        and not one.form.endswith("색")
        and not (place and sentence[place - 1].form in NUMBERS)
    }


def _subjects(sentence: Sequence[Morpheme]) -> set[str]:
    """The nouns of it that do or are something: with 이 or 가, maybe after 들."""
    plain = [m for m in sentence if (m.form, m.tag) != ("들", "Suffix")]
    said = {a.form for a, b in pairwise(plain) if b.tag == "Josa" and b.form in ("이", "가")}
    return said & _nouns(sentence)


def _numbered(name: str, taken: Sequence[str]) -> str:
    number = 2
    while f"{name} {number}" in taken:
        number += 1
    return f"{name} {number}"
