"""What a sentence is about, told by its nouns: Korean, no networks."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from preprocess.errors import SettingError
from preprocess.korean import Morpheme

KINDS = Path(__file__).with_name("kinds.tsv")
WIDER = {
    "개": "동물",
    "고양이": "동물",
    "새": "동물",
    "차": "탈것",
    "음식": "물건",
    "식물": "풍경",
    "건물": "풍경",
}
LIVES = ("사람", "동물", "개", "고양이", "새")
ANIMALS = LIVES[1:]
POSES = {"서": "서 있다", "앉아": "앉아 있다", "누워": "누워 있다", "엎드려": "누워 있다"}
LIES = ("물건", "음식")  # what lies about; other kinds are seen
AGREED = 0.6  # share of the votes from which something is said
SEEN = {"보"}  # 보인다 says nothing of what is done
SHARED = ("쌍", "줄", "팀", "가지", "조각", "잔")  # count groups and parts of anything


@dataclass(frozen=True)
class HedgeOptions:
    """When a doubtful sentence or detail gives way, and how that is found.

    Attributes:
        min_confidence: sentences with less give way to general ones; 0 never, 1 always.
        min_support: what a smaller share of the guesses name (numbers, colours, places, who it is,
            what is done) is left out of the other sentences or said more widely; 0 nothing is.
        guesses: sentences drawn, of which a general one says what most agree on.
        temperature: at which they are drawn; below 1, likelier ones.
    """

    min_confidence: float = 0.3
    min_support: float = 0.3
    guesses: int = 24
    temperature: float = 0.6

    def __post_init__(self) -> None:
        shares = (self.min_confidence, self.min_support)
        if not all(0 <= s <= 1 for s in shares) or self.guesses < 1 or self.temperature <= 0:
            raise SettingError(
                f"쓸 수 없는 설정: {self}. 확신과 지지는 0~1, 나머지는 0보다 커야 합니다.",
                f"unusable: {self}. Confidence and support need 0..1, the rest more than 0.",
            )


HEDGE = HedgeOptions()
PLAIN = HedgeOptions(min_confidence=0, min_support=0)  # every sentence as it was found


@dataclass(frozen=True)
class Gist:
    """What a sentence is about, as far as the nouns of kinds.tsv tell.

    Attributes:
        kind: of the subject, e.g. "동물"; "" if unknown.
        many: True if there are several.
        place: kind of place, e.g. "실내"; "" if none is named.
        pose: e.g. "앉아 있다"; "" if it does something else.
        where: the place's noun, e.g. "도서관"; "" if none is named.
        who: the subject's noun, e.g. "소년"; "" if unknown.
    """

    kind: str
    many: bool
    place: str
    pose: str
    where: str = ""
    who: str = ""


def _nouns() -> dict[str, dict[str, str]]:
    roles: dict[str, dict[str, str]] = {}
    for line in KINDS.read_text(encoding="utf-8").splitlines()[1:]:
        role, kind, words = line.split("\t")
        roles.setdefault(role, {}).update(dict.fromkeys(words.split(), kind))
    return roles


NOUNS = _nouns()


def gist(sentence: Sequence[Morpheme]) -> Gist:
    """The gist of one sentence."""
    end, kind, many = subject(sentence)
    places = (
        _place(sentence[:i]) for i, m in enumerate(sentence)
        if m.tag == "Josa" and m.form in ("에", "에서")
    )  # fmt: skip
    last = max((i for i, m in enumerate(sentence) if m.tag == "Josa"), default=-1)
    pose = next((POSES[m.form] for m in sentence[last + 1 :] if m.form in POSES), "")
    where = next((noun for noun in places if noun), "")
    who = next((m.form for m in reversed(sentence[: max(0, end)]) if m.form != "들"), "")
    return Gist(kind, many, NOUNS["place"].get(where, ""), pose, where, who)


def subject(sentence: Sequence[Morpheme]) -> tuple[int, str, bool]:
    """Where the subject's particle is (-1 nowhere), the subject's kind ("" unknown), several?"""
    ends = [i for i, m in enumerate(sentence) if m.tag == "Josa" and m.form in ("이", "가")]
    ends.sort(key=lambda i: _relative(sentence, i))  # a subject within a clause only if need be
    found = ((i, *_subject(sentence[:i])) for i in ends)
    return next((f for f in found if f[1]), (ends[0] if ends else -1, "", False))


def _relative(sentence: Sequence[Morpheme], i: int) -> bool:
    """Whether the i-th morpheme ends the subject of a relative clause: "무늬가 있는"."""
    after = sentence[i + 1].form if i + 1 < len(sentence) else ""
    face = sentence[i - 1].form == "얼굴"  # 얼굴이 흰 고양이가
    return face or after in NOUNS["clause"] or after.endswith("는")


def _subject(before: Sequence[Morpheme]) -> tuple[str, bool]:
    """(kind, several?) of the noun phrase that ends here; parts stand for what they belong to."""
    many, forms = False, [m.form for m in before]
    while forms:
        form = forms.pop()
        counted = form in NOUNS["counter"] and forms and forms[-1] in NOUNS["number"]
        if counted:  # "의자 세 개": 개 is no dog here
            many |= forms.pop() != "한"
        elif form in NOUNS["subject"]:
            return NOUNS["subject"][form], many or (bool(forms) and _plural(forms[-1]))
        elif form not in NOUNS["part"] and form not in ("들", "의"):
            break
        many |= form == "들"
    return ("사람" if before and before[-1].form in ("손", "얼굴") else ""), many


def counts(sentence: Sequence[Morpheme], i: int) -> bool:
    """Whether a number and its counter begin at i: 두 명."""
    after = sentence[i + 1].form if i + 1 < len(sentence) else ""
    return sentence[i].form in NOUNS["number"] and after in NOUNS["counter"]


def _plural(number: str) -> bool:
    return number in NOUNS["number"] and number != "한"


def _place(before: Sequence[Morpheme]) -> str:
    """The place's noun that ends here, "위", "앞" and the like looked through."""
    for m in reversed(before[-3:]):
        if m.form in NOUNS["place"]:
            return m.form
        if m.form not in NOUNS["relation"]:
            return ""
    return ""


def widened(kind: str) -> tuple[str, ...]:
    """The kind and the wider one it belongs to; () of no kind."""
    return tuple(k for k in (kind, WIDER.get(kind, "")) if k)


def agree(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether of two contents (preprocess.korean.content) one only says more, or more exactly.

    사람이 보인다 says nothing against 여자가 의자에 앉아 있다; 남자가 보인다 does.
    """
    mine, theirs = (
        {word for word in a - b - SEEN if not any(_one_is_wider(word, w) for w in b)}
        for a, b in ((one, other), (other, one))
    )
    return not (mine and theirs)


def _one_is_wider(word: str, other: str) -> bool:
    return word in _wider(other) or other in _wider(word)


def _wider(word: str) -> set[str]:
    """Kinds that a noun belongs to: of 소년 아이, 사람."""
    kinds = widened(NOUNS["subject"].get(word, ""))
    who = NOUNS["who"].get(word, "")
    return {*kinds, *([who, *_wider(who)] if who else [])} - {word}
