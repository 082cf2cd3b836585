"""What guesses at the same picture do not share gives way in a sentence.

A decoder names a colour, a number or an action because it is often right; how many of its own
guesses name the same one tells whether it is right here. Korean morphemes, no networks.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from model.details import AND, Detail, connects, details, placed, ridden, without
from model.gist import AGREED, LIVES, NOUNS, gist, subject, widened
from preprocess.korean import Morpheme, repair

# How many a thing is, is seen so badly that nearly all guesses must agree; who it is, most.
LEAST = {"number": 0.95, "who": 0.6, "ride": 0.55}
LEAST_DONE = {  # what is often said and seldom done
    "미소짓고있다": 0.95, "담배를피우고있다": 0.95, "포즈를취하고있다": 0.6,
}  # fmt: skip
LEAST_MANY = {"남자": 1.1, "여자": 0.8, "소녀": 0.8, "소년": 0.8, "아이": 0.8}  # of several
SEVERAL = 0.38  # of the guesses say so, where the likeliest sentence gives a number
CLOTHES = ("셔츠", "재킷", "드레스", "유니폼", "코트", "치마", "조끼")
NAMED = 0.5  # of the guesses name these clothes, or they are 옷
SINGLE = 0.5  # with fewer plurals among the guesses, 들 goes
SINGLE_LIVES = 0.2  # where a noun without it would be one person or animal
TIMES = ("녘", "때", "밤", "저녁", "아침")  # "에" of them says when
TOGETHER = ("무리", "많은", "여러")
CASES = ("이", "가", "은", "는", "을", "를", "에", "에서", "로", "으로", "와", "과", "에게")
SINGLY = tuple(case for case in CASES if case not in AND)
ANYONE = {("who", "사람")}  # which no man or woman contradicts


def supported(
    sentence: Sequence[Morpheme],
    guesses: Sequence[Sequence[Morpheme]],
    least: float,
    wrong: Collection[Detail] = (),
) -> tuple[Morpheme, ...]:
    """The sentence with nothing that fewer than the share `least` of the guesses say.

    Doubtful numbers, colours and places are left out, a doubtful man is a person. What is
    doubtfully done with something is done without it, if enough guesses do so; else only who is
    where stays. The empty sentence, if most guesses are about another kind. What is `wrong` is
    left out whoever says it.
    """
    about, gists = gist(sentence), [gist(guess) for guess in guesses]
    alike = [g for g in gists if g.kind in ("", about.kind) or about.kind in widened(g.kind)]
    if about.kind and len(alike) < AGREED * len(guesses):
        return ()
    named = Counter(word for guess in guesses for word in {m.form for m in guess})
    held = Counter(claim for guess in guesses for claim in claims(guess))
    shares = {c: _votes(c, held, named) / len(guesses) for c in claims(sentence)}
    doubtful = {claim for claim, share in shares.items() if share < max(least, _least(claim))}
    doubtful |= set(wrong)
    many = [g.many for g in alike if g.kind]
    several = sum(many) / max(1, len(many))
    said = without(sentence, doubtful, several >= SEVERAL)
    if several < (SINGLE_LIVES if about.kind in LIVES else SINGLE):
        said = single(said)
    if echoes(said):
        said = seen(said)
    elif any(what == "action" for what, _ in doubtful):
        said = seen(said, _done(sentence, doubtful, _certain_rides(sentence, guesses)))
    said = dressed(said, {noun for noun in CLOTHES if named[noun] < NAMED * len(guesses)})
    who = {name for what, name in doubtful if what == "who"}
    return anyone(said, who | _not_all(said, shares))


def _votes(claim: Detail, held: Mapping[Detail, int], named: Mapping[str, int]) -> int:
    """How many guesses hold it; what is ridden, who names it at all."""
    return named[claim[1]] if claim[0] == "ride" else held[claim]


def _certain_rides(
    sentence: Sequence[Morpheme], guesses: Sequence[Sequence[Morpheme]]
) -> frozenset[str]:
    """What is ridden according to most guesses, if the subject does not say so itself."""
    votes = Counter(noun for guess in guesses for noun in ridden(guess))
    told = ridden(sentence[: subject(sentence)[0] + 1])
    rides = ridden(sentence) - told
    return frozenset(noun for noun in rides if votes[noun] >= LEAST["ride"] * len(guesses))


def _least(claim: Detail) -> float:
    return LEAST_DONE.get(claim[1], 0) if claim[0] == "action" else LEAST.get(claim[0], 0)


def _not_all(said: Sequence[Morpheme], shares: Mapping[Detail, float]) -> set[str]:
    """Who several may not all be: a group of anybody is often called men."""
    end = subject(said)[0]
    if end < 1 or said[end - 1].form != "들":
        return set()
    return {w for w, least in LEAST_MANY.items() if shares.get(("who", w), least) < least}


def _done(
    sentence: Sequence[Morpheme], doubtful: Collection[Detail], rides: Collection[str]
) -> Sequence[Morpheme]:
    """What is done for certain, where all of it is not: it without its object, or the riding."""
    for noun in sorted(rides):
        words = ((noun, "Noun", True), ("을", "Josa", False), ("타고", "Noun", True))
        return [*(Morpheme(*word) for word in words), Morpheme("있다", "Adjective", True)]
    return () if any(what == "alone" for what, _ in doubtful) else alone(sentence)


def dressed(sentence: Sequence[Morpheme], doubtful: Collection[str]) -> tuple[Morpheme, ...]:
    """The sentence with these clothes as 옷: 흰 셔츠를 입은, 흰 옷을 입은."""
    said = [
        Morpheme("옷", m.tag, m.spaced)
        if m.form in doubtful and [a.form for a in sentence[i + 2 : i + 3]] == ["입은"]
        else m
        for i, m in enumerate(sentence)
    ]
    return repair(said)


def single(sentence: Sequence[Morpheme]) -> tuple[Morpheme, ...]:
    """The sentence without its subject's 들, which no word for many asks for."""
    end = subject(sentence)[0]
    said = [m.form for m in sentence[:end]] if end > 1 else [""]
    if said[-1] != "들" or set(said) & set(TOGETHER):
        return tuple(sentence)
    return repair([*sentence[: end - 1], *sentence[end:]])


def echoes(sentence: Sequence[Morpheme]) -> bool:
    """Whether it says twice what it is about: 아기가 아기를 안고, 안경을 쓴 남자가 안경을 쓰고."""
    named = [
        (sentence[i - 1].form, "이" if m.form == "가" else m.form)
        for i, m in enumerate(sentence)
        if i and m.tag == "Josa" and m.form in SINGLY and not _another(sentence[: i - 1])
    ]
    about = {noun for noun, case in named if case == "이"}
    others = [noun for noun, case in named if case != "이"]
    return len(set(named)) < len(named) or bool(about & set(others))


def _another(before: Sequence[Morpheme]) -> bool:
    return bool(before) and before[-1].form in ("다른", "또", "두")


def claims(sentence: Sequence[Morpheme]) -> frozenset[Detail]:
    """All that can be doubted: details, who it is and what is done."""
    named = {m.form for m in sentence if m.form in NOUNS["who"]}
    who = {("who", word) for word in named | {NOUNS["who"][word] for word in named}} - ANYONE
    done = {("alone", words) for words in [_words(alone(sentence))] if words}
    return details(sentence) | who | done | {("action", action(sentence))}


def action(sentence: Sequence[Morpheme]) -> str:
    """The predicate, with its object if it has one: 공을던지고있다; words for the same as one."""
    last = _last_case(sentence)
    done = last > 0 and sentence[last].form in ("을", "를") and not placed(sentence, last)
    return _words(sentence[last - 1 if done else last + 1 :])


def alone(sentence: Sequence[Morpheme]) -> tuple[Morpheme, ...]:
    """The end of the sentence, if it says what is done without anything: 놀고 있다."""
    ends = (tuple(sentence[i:]) for i in reversed(range(len(sentence))))
    return next((end for end in ends if "".join(m.form for m in end) in NOUNS["alone"]), ())


def _words(said: Sequence[Morpheme]) -> str:
    """Run together, words for the same as one."""
    words = "".join(m.form for m in said)
    return NOUNS["action"].get(words, words)


def _last_case(sentence: Sequence[Morpheme]) -> int:
    """Where the last particle is that Okt did not cut off a verb (헤엄|치|고); -1 nowhere."""
    cases = (i for i, m in enumerate(sentence) if m.tag == "Josa" and m.form in CASES)
    return max(cases, default=-1)


def seen(sentence: Sequence[Morpheme], done: Sequence[Morpheme] = ()) -> tuple[Morpheme, ...]:
    """The subject, where it is if that is said, and what is done: nothing else, or 있다, 보인다.

    One without a subject stays as it is.
    """
    end = subject(sentence)[0]
    if end < 0:
        return tuple(sentence)
    place = _place(sentence[end + 1 :])
    if place and place[-1].form == sentence[end - 1].form:  # 산에 산이
        place = []
    if place:
        place.append(Morpheme("에서" if done else "에", "Josa", False))
    words = ["있다"] if place else ["보인다"]
    if place and place[0].form == "공중":  # nobody is simply there
        words = ["떠", "있다"]
    rest = done or [Morpheme(word, "Verb", True) for word in words]
    return tuple(repair([*sentence[: end + 1], *place, *rest]))


def _place(after: Sequence[Morpheme]) -> list[Morpheme]:
    """The last place that is named, without its particle."""
    place: list[Morpheme] = []
    found: list[Morpheme] = []
    for i, m in enumerate(after):
        ends = m.tag == "Josa" and m.form in CASES
        if ends and placed(after, i) and place and place[-1].form not in TIMES:
            found = place
        spoken = m.tag.startswith("V") and m.form not in NOUNS["colour"]
        joined = m.tag == "Josa" and m.form != "의"
        place = [] if joined or spoken or connects(after, i) else [*place, m]
    return found


def anyone(sentence: Sequence[Morpheme], doubtful: Collection[str]) -> tuple[Morpheme, ...]:
    """The sentence with these men, women and children as people, boys and girls as children."""
    said: list[Morpheme] = []
    doubtful = {*doubtful, *_beside(sentence, doubtful)}
    for m, after in zip(sentence, [*sentence[1:], None], strict=True):
        wide = _wide(m.form, doubtful)
        if wide != m.form and after and after.form in NOUNS["subject"]:
            continue  # 여자 아기, 남자 선수: the second noun tells enough
        if wide != m.form and wide == "사람" and said and said[-1].form == "어린":
            m = said.pop()
        young = wide == "아이" and bool(said) and said[-1].form == "어린"  # one word: 어린아이
        said.append(
            Morpheme(wide, "Noun", m.spaced and not young) if wide != m.form or young else m
        )
    if said and said[0].spaced and not sentence[0].spaced:
        said[0] = Morpheme(said[0].form, said[0].tag, False)
    return tuple(repair(_together(said)))


def _beside(sentence: Sequence[Morpheme], doubtful: Collection[str]) -> set[str]:
    """Who is named with them by 와: a man and a person would be odd."""
    forms = [m.form for m in sentence]
    pairs = [(forms[i - 1], forms[i + 1]) for i in range(1, len(forms) - 1) if forms[i] in AND]
    return {word for pair in pairs if set(pair) & set(doubtful) for word in pair}


def _wide(word: str, doubtful: Collection[str]) -> str:
    """The narrowest word for who it is that is not doubtful."""
    while word in doubtful and word in NOUNS["who"]:
        word = NOUNS["who"][word]
    return word


def _together(said: list[Morpheme]) -> list[Morpheme]:
    """사람과 사람 are 사람들; 갈색과 갈색 is 갈색."""
    for i in range(len(said) - 2):
        one, joined, two = said[i : i + 3]
        if joined.tag == "Josa" and joined.form in AND and one.form == two.form:
            rest = (
                said[i + 4 :] if [m.form for m in said[i + 3 : i + 4]] == ["들"] else said[i + 3 :]
            )
            many = [] if one.form in NOUNS["colour"] else [Morpheme("들", "Suffix", False)]
            return [*said[: i + 1], *many, *_together(rest)]
    return said
