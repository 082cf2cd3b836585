"""The numbers, colours and places of a sentence, and the sentence without some of them."""

from collections.abc import Collection, Sequence

from model.gist import NOUNS, counts
from preprocess.korean import Morpheme, repair

Detail = tuple[str, str]  # what it is about, and which one it is: ("colour", "빨간색")
WORN = ("입은", "쓴", "신은", "멘", "낀", "두른", "맨", "걸친", "든", "섞인", "가진")
PLACED = ("에", "에서")
MOVES = (
    "달리",
    "뛰어가",
    "뛰어다니",
    "뛰고",
    "걷",
    "걸어",
    "날고",
    "날아",
    "기어",
)  # 풀밭을 달리고
HAIR = ("머리", "털", "머리카락")  # 검은 머리 여자
LOOKS = (*HAIR, "눈", "수염", "피부", "무늬", "옷", "옷차림", "복장", "유니폼", "셔츠")  # 파란 눈의
JOINED = ("과", "와", "의", "이나", "나")  # particles within a noun phrase


def details(sentence: Sequence[Morpheme]) -> frozenset[Detail]:
    """The numbers, colours and places that a sentence names."""
    found = {("number", m.form) for i, m in enumerate(sentence) if counts(sentence, i)}
    found |= {("colour", NOUNS["colour"][m.form]) for m in sentence if m.form in NOUNS["colour"]}
    found |= {("place", _noun(sentence, i)) for i in range(1, len(sentence)) if placed(sentence, i)}
    return frozenset(found)


def without(sentence: Sequence[Morpheme], doubtful: Collection[Detail]) -> tuple[Morpheme, ...]:
    """The sentence without these details, its particles agreeing; never less than its predicate."""
    said = list(sentence)
    while span := _last(said, doubtful):
        said = _cut(said, *span)
    return tuple(repair(said))


def _last(said: Sequence[Morpheme], doubtful: Collection[Detail]) -> tuple[int, int] | None:
    """Start and end of the last words that say a doubtful detail, if any do."""
    for i in reversed(range(len(said))):
        if counts(said, i) and ("number", said[i].form) in doubtful:
            return i, _after_number(said, i)
        if ("colour", NOUNS["colour"].get(said[i].form, "")) in doubtful:
            return _coloured(said, i)
        if _located(said, i) and ("place", _noun(said, i)) in doubtful:
            return _phrase(said, i), i + 1
    return None


def _cut(said: list[Morpheme], start: int, end: int) -> list[Morpheme]:
    """Without said[start:end]; what follows is spaced as what is gone was."""
    rest = said[end:]
    if rest and end > start and said[start].spaced != rest[0].spaced and not _particle(rest[0]):
        rest[0] = Morpheme(rest[0].form, rest[0].tag, said[start].spaced)
    return said[:start] + rest


def _particle(m: Morpheme) -> bool:
    return m.tag.startswith("J")


def _after_number(said: Sequence[Morpheme], i: int) -> int:
    """Where 두 명, or 두 명의 before its noun, ends."""
    return i + 3 if i + 2 < len(said) and said[i + 2].form == "의" else i + 2


def _coloured(said: Sequence[Morpheme], i: int) -> tuple[int, int]:
    """What goes with a colour: 빨간 셔츠를 입은, 검은색과 흰색이 섞인, or the colour alone."""
    for end in range(i + 1, min(i + 9, len(said) - 1)):
        if said[end].form in WORN:
            return _phrase(said, i), end + 1
        if said[end].form in ("가", "이") and said[end + 1].form != "섞인" and _particle(said[end]):
            break
    noun, after = ([m.form for m in said[i + 1 : i + 3]] + ["", ""])[:2]
    if noun in LOOKS and after == "의":  # 머리의 남자 is nobody
        return i, i + 3
    hair = noun in HAIR and after and said[i + 2].tag.startswith("N")
    return i, i + 2 if hair else i + 1


def _phrase(said: Sequence[Morpheme], i: int) -> int:
    """Where the noun phrase begins that the i-th morpheme belongs to."""
    while i and not _ends(said[i - 1]):
        i -= 1
    return i


def _ends(m: Morpheme) -> bool:
    """Whether a noun phrase cannot go back beyond this."""
    closed = _particle(m) and m.form not in JOINED
    spoken = m.tag.startswith("V") and m.form not in {**NOUNS["colour"], **NOUNS["attribute"]}
    return closed or spoken or (len(m.form) > 1 and m.form.endswith("고"))  # Okt: 타고 is a noun


def placed(sentence: Sequence[Morpheme], i: int) -> bool:
    """Whether the i-th morpheme ends a place: 에, 에서, or 을, 를 of what is moved along."""
    form = sentence[i].form if i and _particle(sentence[i]) else ""
    if sentence[i - 1].form in NOUNS["body"]:  # 입에 물고
        return False
    after = sentence[i + 1].form if i + 1 < len(sentence) else ""
    return form in PLACED or (form in ("을", "를") and after.startswith(MOVES))


def _located(said: Sequence[Morpheme], i: int) -> bool:
    """Whether a place that can be left out ends here: its predicate follows."""
    return 0 < i < len(said) - 1 and placed(said, i)


def _noun(said: Sequence[Morpheme], i: int) -> str:
    """The noun before a particle, "위", "앞" and the like looked through."""
    before = [m.form for m in said[max(0, i - 3) : i]]
    return next((form for form in reversed(before) if form not in NOUNS["relation"]), "")
