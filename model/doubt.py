"""What guesses at the same picture do not share gives way in a sentence.

A decoder names a colour, a number or an action because it is often right; how many of its own
guesses name the same one tells whether it is right here. Korean morphemes, no networks.
"""

from collections import Counter
from collections.abc import Collection, Sequence

from model.details import PLACED, Detail, details, placed, without
from model.gist import AGREED, NOUNS, gist, subject, widened
from preprocess.korean import Morpheme, repair

# How many a thing is, is seen so badly that nearly all guesses must agree; who it is, most.
LEAST = {"number": 0.95, "who": 0.6}
CASES = ("이", "가", "은", "는", "을", "를", "에", "에서", "로", "으로", "와", "과", "에게")
AND = ("와", "과")
ANYONE = {("who", "사람")}  # which no man or woman contradicts


def supported(
    sentence: Sequence[Morpheme], guesses: Sequence[Sequence[Morpheme]], least: float
) -> tuple[Morpheme, ...]:
    """The sentence with nothing that fewer than the share `least` of the guesses say.

    Doubtful numbers, colours and places are left out, a doubtful man is a person. What is
    doubtfully done with something is done without it, if enough guesses do so; else only who is
    where stays. The empty sentence, if most guesses are about another kind.
    """
    kind = gist(sentence).kind
    alike = sum(g in ("", kind) or kind in widened(g) for g in (gist(s).kind for s in guesses))
    if kind and alike < AGREED * len(guesses):
        return ()
    held = Counter(claim for guess in guesses for claim in claims(guess))
    shares = {claim: held[claim] / len(guesses) for claim in claims(sentence)}
    doubtful = {c for c, share in shares.items() if share < max(least, LEAST.get(c[0], 0))}
    said = without(sentence, doubtful)
    if any(what == "action" for what, _ in doubtful):
        certain = not any(what == "alone" for what, _ in doubtful)
        said = seen(said, alone(sentence) if certain else ())
    return anyone(said, {who for what, who in doubtful if what == "who"})


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
    if place:
        place.append(Morpheme("에서" if done else "에", "Josa", False))
    rest = done or [
        Morpheme("있다", "Adjective", True) if place else Morpheme("보인다", "Verb", True)
    ]
    return tuple(repair([*sentence[: end + 1], *place, *rest]))


def _place(after: Sequence[Morpheme]) -> list[Morpheme]:
    """The last place that is named, without its particle."""
    place: list[Morpheme] = []
    found: list[Morpheme] = []
    for m in after:
        ends = m.tag == "Josa" and m.form in CASES
        if ends and m.form in PLACED and place and place[-1].form not in NOUNS["body"]:
            found = place
        spoken = m.tag.startswith("V") and m.form not in NOUNS["colour"]
        connects = len(m.form) > 1 and m.form.endswith("고")  # Okt: 타고 is a noun
        place = [] if ends or spoken or connects else [*place, m]
    return found


def anyone(sentence: Sequence[Morpheme], doubtful: Collection[str]) -> tuple[Morpheme, ...]:
    """The sentence with these men, women and children as people, boys and girls as children."""
    said: list[Morpheme] = []
    for m, after in zip(sentence, [*sentence[1:], None], strict=True):
        wide = _wide(m.form, doubtful)
        if wide != m.form and after and after.form in NOUNS["subject"]:
            continue  # 여자 아기, 남자 선수: the second noun tells enough
        if wide != m.form and wide == "사람" and said and said[-1].form == "어린":
            m = said.pop()
        said.append(Morpheme(wide, "Noun", m.spaced) if wide != m.form else m)
    if said and said[0].spaced and not sentence[0].spaced:
        said[0] = Morpheme(said[0].form, said[0].tag, False)
    return tuple(repair(_together(said)))


def _wide(word: str, doubtful: Collection[str]) -> str:
    """The narrowest word for who it is that is not doubtful."""
    while word in doubtful and word in NOUNS["who"]:
        word = NOUNS["who"][word]
    return word


def _together(said: list[Morpheme]) -> list[Morpheme]:
    """사람과 사람 are 사람들."""
    for i in range(len(said) - 2):
        one, joined, two = said[i : i + 3]
        if joined.tag == "Josa" and joined.form in AND and one.form == two.form:
            return [*said[: i + 1], Morpheme("들", "Suffix", False), *_together(said[i + 3 :])]
    return said
