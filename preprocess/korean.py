"""Korean text from morphemes, and its small repairs. Pure code: no tagger, no Java."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# after a consonant / after a vowel
PARTICLES = {
    "은": "는",
    "이": "가",
    "을": "를",
    "과": "와",
    "으로": "로",
    "이나": "나",
    "이랑": "랑",
}
PAIRS = {
    form: (closed, opened) for closed, opened in PARTICLES.items() for form in (closed, opened)
}
# people's names for what somebody does, which Okt cuts before "가": 등반|가 두 명
DOERS = ("등반", "암벽등반", "등산", "연설", "미식", "마술")
EMPTY = frozenset(("위", "있"))  # a thing on the floor lies on the floor
NIEUN = 4  # index of the final consonant ㄴ, in which a verb ends before its noun
RIEUL = 8  # index of the final consonant ㄹ; 로 follows it: 길로, not 길으로


@dataclass(frozen=True, order=True)
class Morpheme:
    """A piece of a sentence as the tagger cut it.

    Attributes:
        form: the surface, exactly as written.
        tag: part of speech in Okt's names, whichever tagger found it, e.g. "Josa".
        spaced: True if a space stood before it.
    """

    form: str
    tag: str
    spaced: bool


def compose(morphemes: Sequence[Morpheme]) -> str:
    """The sentence that the morphemes were cut from, spaces put back."""
    pieces = [(" " if m.spaced else "") + m.form for m in morphemes]
    return "".join(pieces).strip()


def forms(sentences: Iterable[Sequence[Morpheme]]) -> tuple[tuple[str, ...], ...]:
    """The surfaces of sentences' morphemes: what scores count as tokens."""
    return tuple(tuple(m.form for m in sentence) for sentence in sentences)


def locate(sentence: str, tagged: Sequence[tuple[str, str]]) -> tuple[Morpheme, ...] | None:
    """Tagged surfaces with their spaces remembered; None where they do not spell the sentence."""
    found, position = [], 0
    for form, tag in tagged:
        spaced = position < len(sentence) and sentence[position] == " "
        position += spaced
        if not form or not sentence.startswith(form, position):
            return None
        position += len(form)
        found.append(Morpheme(form, tag, spaced))
    return tuple(found) if position == len(sentence) else None


def content(sentence: Sequence[Morpheme]) -> frozenset[str]:
    """What a sentence is about, without how it is put: nouns, and how other full words begin.

    "바닥에 서 있다" and "바닥 위에 서 있다" have the same content, as have "입은" and "입고 있는".
    The first letter of a tag tells nouns, verbs and adjectives.
    """
    said = (m for m in sentence if m.tag.startswith(("N", "V", "A")))
    words = (m.form if m.tag.startswith("N") else m.form[:1] for m in said)
    return frozenset(words) - EMPTY


def final_consonant(word: str) -> int | None:
    """Index of the last syllable's final consonant, 0 for none; None if it is not Hangul."""
    code = ord(word[-1]) - ord("가") if word else -1
    return code % 28 if 0 <= code < 11172 else None


def agree(particle: str, before: str) -> str:
    """The particle in the shape its noun asks for: ("사람", "가") -> "이"."""
    final = final_consonant(before)
    if particle not in PAIRS or final is None or (particle == "가" and before in DOERS):
        return particle
    closed, opened = PAIRS[particle]
    vowel_like = final == 0 or (opened == "로" and final == RIEUL)
    return opened if vowel_like else closed


def repair(morphemes: Sequence[Morpheme]) -> tuple[Morpheme, ...]:
    """The morphemes with every particle agreeing with what stands before it. Idempotent."""
    fixed: list[Morpheme] = []
    for morpheme in morphemes:
        if fixed and morpheme.tag == "Josa" and not morpheme.spaced:
            form = agree(morpheme.form, fixed[-1].form)
            morpheme = Morpheme(form, morpheme.tag, morpheme.spaced)
        fixed.append(morpheme)
    return tuple(fixed)
