"""The numbers, colours and places of a sentence, and the sentence without some of them."""

from collections.abc import Collection, Sequence
from itertools import pairwise

from model.gist import NOUNS, SHARED, counts, subject
from preprocess.korean import NIEUN, Morpheme, final_consonant, repair

Detail = tuple[str, str]  # what it is about, and which one it is: ("colour", "빨간색")
PUT_ON = ("쓴", "신은", "멘", "낀", "두른", "맨", "걸친", "든")  # for clothes, the colour is enough
WORN = ("입은", *PUT_ON, "섞인", "가진")
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
AND = ("과", "와")
OBJECT = ("을", "를")
RIDING = ("타고", "탄", "타는")
JOINED = (*AND, "의", "이나", "나")  # particles within a noun phrase
THINGS = ("광고", "냉장고", "창고", "금고", "망고", "로고", "레고", "사고")  # which end like verbs


def details(sentence: Sequence[Morpheme]) -> frozenset[Detail]:
    """The numbers, colours, places, worn and ridden things that a sentence names."""
    found = {("number", m.form) for i, m in enumerate(sentence) if counts(sentence, i)}
    found |= {("colour", NOUNS["colour"][m.form]) for m in sentence if m.form in NOUNS["colour"]}
    found |= {("place", _noun(sentence, i)) for i in range(1, len(sentence)) if placed(sentence, i)}
    found |= {("worn", m.form) for i, m in enumerate(sentence) if _worn(sentence, i)}
    found |= {("ride", m.form) for i, m in enumerate(sentence) if _rides(sentence, i)}
    return frozenset(found)


def colours(sentence: Sequence[Morpheme]) -> frozenset[str]:
    """The colours that a sentence names, each by one name."""
    return frozenset(name for what, name in details(sentence) if what == "colour")


def ridden(sentence: Sequence[Morpheme]) -> frozenset[str]:
    """What somebody rides, wherever the sentence says so: 자전거를 타고, 자전거 타는."""
    forms = [m.form for m in sentence if not (_particle(m) and m.form in OBJECT)]
    return frozenset(noun for noun, verb in pairwise(forms) if verb in RIDING)


def without(
    sentence: Sequence[Morpheme], doubtful: Collection[Detail], several: bool = False
) -> tuple[Morpheme, ...]:
    """The sentence without these details, its particles agreeing; never less than its predicate.

    Args:
        sentence: of Okt's morphemes.
        doubtful: what is left out.
        several: whether what loses its number is still more than one: 개 두 마리, 개들.
    """
    said = list(sentence)
    while span := _last(said, doubtful):
        plural = several and counts(said, span[0]) and said[span[0]].form != "한"
        fixed = plural and said[span[0] + 1].form in SHARED
        said = _cut(said, *span)
        said = _plural(said, span[0]) if plural and not fixed else said
    return tuple(repair(said))


def _last(said: Sequence[Morpheme], doubtful: Collection[Detail]) -> tuple[int, int] | None:
    """Start and end of the last words that say a doubtful detail, if any do."""
    for i in reversed(range(len(said))):
        if counts(said, i) and ("number", said[i].form) in doubtful:
            return i, _after_number(said, i)
        if ("colour", NOUNS["colour"].get(said[i].form, "")) in doubtful:
            return _coloured(said, i)
        if _rides(said, i) and ("ride", said[i].form) in doubtful:
            return _phrase(said, i), i + 3
        if _worn(said, i) and ("worn", said[i].form) in doubtful:
            return _phrase(said, i, apart=True), i + 3
        located = _located(said, i) and ("place", _noun(said, i)) in doubtful
        if located and (span := _place(said, i)):
            return span
    return None


def _cut(said: list[Morpheme], start: int, end: int) -> list[Morpheme]:
    """Without said[start:end]; what follows is spaced as what is gone was."""
    rest = said[end:]
    if rest and end > start and said[start].spaced != rest[0].spaced and not _particle(rest[0]):
        rest[0] = Morpheme(rest[0].form, rest[0].tag, said[start].spaced)
    return said[:start] + rest


def _plural(said: list[Morpheme], start: int) -> list[Morpheme]:
    """The noun phrase that stands there, or ends there, with 들."""
    end = next((i for i in range(start, len(said)) if _ends(said, i)), len(said))
    if not 0 < end < len(said) or not _particle(said[end]) or said[end - 1].form == "들":
        return said
    return [*said[:end], Morpheme("들", "Suffix", False), *said[end:]]


def _particle(m: Morpheme) -> bool:
    return m.tag.startswith("J")


def _after_number(said: Sequence[Morpheme], i: int) -> int:
    """Where 두 명, or 두 명의 before its noun, ends."""
    return i + 3 if i + 2 < len(said) and said[i + 2].form == "의" else i + 2


def _worn(said: Sequence[Morpheme], i: int) -> bool:
    """Whether something that is worn begins: 안경을 쓴 남자."""
    after = [m.form for m in said[i + 1 : i + 4]]
    return len(after) == 3 and after[0] in OBJECT and after[1] in PUT_ON


def _rides(said: Sequence[Morpheme], i: int) -> bool:
    """Whether what is ridden while something else is done begins: 자전거를 타고 달리고 있다."""
    after = [m.form for m in said[i + 1 : i + 4]]
    rides = len(after) == 3 and after[0] in OBJECT and after[1] == "타고"
    return rides and not after[2].startswith("있")


def _coloured(said: Sequence[Morpheme], i: int) -> tuple[int, int]:
    """What goes with a colour: 빨간 셔츠를 입은, 검은색과 흰색이 섞인, or the colour alone."""
    for end in range(i + 1, min(i + 9, len(said) - 1)):
        if said[end].form in WORN:
            return _phrase(said, i, apart=True), end + 1
        if said[end].form in ("가", "이") and said[end + 1].form != "섞인" and _particle(said[end]):
            break
    noun, after = ([m.form for m in said[i + 1 : i + 3]] + ["", ""])[:2]
    if noun in LOOKS and after == "의":  # 머리의 남자 is nobody
        return i, i + 3
    if noun == "하늘" and after == "아래":  # 파란 하늘 아래
        return i, i + 3 + (i + 3 < len(said) and _particle(said[i + 3]))
    part = i > 1 and said[i - 2].form in (*NOUNS["part"], *LOOKS)
    if part and said[i - 1].form in ("이", "가") and _particle(said[i - 1]):  # 얼굴이 흰
        return _phrase(said, i - 1), i + 1
    if i > 1 and said[i - 1].form in AND and said[i - 2].form in NOUNS["colour"]:
        return i - 1, i + 1
    hair = noun in HAIR and after and said[i + 2].tag.startswith("N")
    return i, i + 2 if hair or noun in (*AND, "의") else i + 1


def _phrase(said: Sequence[Morpheme], i: int, apart: bool = False) -> int:
    """Where the noun phrase begins that the i-th morpheme belongs to; apart: not beyond 와."""
    while i and not _ends(said, i - 1) and not (apart and _parts(said, i - 1)):
        i -= 1
    return i


def _ends(said: Sequence[Morpheme], i: int) -> bool:
    """Whether a noun phrase cannot go back beyond the i-th morpheme."""
    m = said[i]
    closed = _particle(m) and m.form not in JOINED
    spoken = m.tag.startswith("V") and m.form not in {**NOUNS["colour"], **NOUNS["attribute"]}
    return closed or spoken or connects(said, i)


def _parts(said: Sequence[Morpheme], i: int) -> bool:
    """Whether 와 parts two of whom one has a clause: 소녀와 흰 옷을 입은 소년."""
    noun = said[i - 1].form if i else ""
    same = noun in NOUNS["colour"] or NOUNS["subject"].get(noun) == "물건"
    return _particle(said[i]) and said[i].form in AND and not same


def connects(said: Sequence[Morpheme], i: int) -> bool:
    """Whether the i-th morpheme is a verb before another, 타고 있다: Okt calls many nouns."""
    form, kicks = said[i].form, i > 0 and said[i - 1].form in OBJECT
    joined = i + 1 < len(said) and not said[i + 1].spaced  # 광고|판
    noun = form in THINGS or joined or (form == "차고" and not kicks)
    return len(form) > 1 and form.endswith("고") and not noun


def _place(said: Sequence[Morpheme], i: int) -> tuple[int, int] | None:
    """Where a place begins and ends, with the clauses that go with it; None if more would go."""
    after = i + 1 < len(said) and said[i + 1].form in NOUNS["clause"]  # 접시에 담긴
    start = _phrase(said, i, apart=after)
    if start and _adnominal(said[start - 1]):  # 햇빛이 비치는 들판에, 눈 덮인 산에
        verb, start = start - 1, _phrase(said, start - 1)
        if start == verb and _particle(said[start - 1]):
            start = _phrase(said, start - 1)
        if start <= subject(said)[0] < i:
            return None
    return start, i + 1 + after


def _adnominal(m: Morpheme) -> bool:
    """Whether a verb modifies the noun after it: it ends in ㄴ."""
    return m.tag.startswith("V") and final_consonant(m.form) == NIEUN


def placed(sentence: Sequence[Morpheme], i: int) -> bool:
    """Whether the i-th morpheme ends a place: 에, 에서, or 을, 를 of what is moved along."""
    form = sentence[i].form if i and _particle(sentence[i]) else ""
    if sentence[i - 1].form in NOUNS["body"]:  # 입에 물고
        return False
    after = sentence[i + 1].form if i + 1 < len(sentence) else ""
    return form in PLACED or (form in OBJECT and after.startswith(MOVES))


def _located(said: Sequence[Morpheme], i: int) -> bool:
    """Whether a place that can be left out ends here: its predicate follows."""
    return 0 < i < len(said) - 1 and placed(said, i)


def _noun(said: Sequence[Morpheme], i: int) -> str:
    """The noun before a particle, "위", "앞" and the like looked through."""
    before = [m.form for m in said[max(0, i - 3) : i]]
    return next((form for form in reversed(before) if form not in NOUNS["relation"]), "")
