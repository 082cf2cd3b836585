"""What is wrong with a caption as Korean, and what of it can be mended: rules, no parser.

The rules are those that a decoder of morphemes breaks. People's own sentences break them too, at
the rate that `python -m model.proofread` prints beside the captioner's.
"""

import itertools
from collections.abc import Iterator, Sequence

from model.gist import LIVES, NOUNS, SHARED, counts
from preprocess.korean import Morpheme, agree, repair

USUAL = {"사람": "명", "차": "대", "탈것": "대"}  # the counter that is never wrong
FITTING = {"사람": ("명",), "차": ("대",), "탈것": ("대", "척", "개")}
STANDS = ("서", "앉아", "누워", "놓여", "떠", "있다", "보인다")
PHRASE = 3  # a run of so many morphemes is a phrase; nobody says one twice in a short sentence


def faults(sentence: Sequence[Morpheme]) -> tuple[str, ...]:
    """Names of the rules that a sentence breaks, e.g. ("ending", "counter")."""
    found = (
        ("ending", not sentence or not sentence[-1].form.endswith("다")),
        ("particle", any(_disagrees(*pair) for pair in _pairs(sentence))),
        ("place", any(_stands_wrongly(*pair) for pair in _pairs(sentence))),
        ("modifier", any(_modifies_nothing(*pair) for pair in _pairs(sentence))),
        ("counter", any(right != sentence[i].form for i, right in _counters(sentence))),
        ("repeat", _repeats([m.form for m in sentence])),
    )
    return tuple(name for name, broken in found if broken)


def mend(sentence: Sequence[Morpheme]) -> tuple[Morpheme, ...]:
    """The sentence with fitting counters and agreeing particles, as many morphemes. Idempotent."""
    mended = list(sentence)
    for i, right in _counters(sentence):
        mended[i] = Morpheme(right, mended[i].tag, mended[i].spaced)
    return repair(mended)


def _pairs(sentence: Sequence[Morpheme]) -> Iterator[tuple[Morpheme, Morpheme]]:
    return itertools.pairwise(sentence)


def _disagrees(before: Morpheme, particle: Morpheme) -> bool:
    """사람를: a particle in a shape that does not follow its word."""
    joined = particle.tag == "Josa" and not particle.spaced
    return joined and agree(particle.form, before.form) != particle.form


def _stands_wrongly(before: Morpheme, after: Morpheme) -> bool:
    """잔디밭에서 있다: heard like 잔디밭에 서 있다, written wrongly."""
    return before.form == "에서" and after.form == "있다" and after.spaced


def _modifies_nothing(before: Morpheme, after: Morpheme) -> bool:
    """큰 서 있다: an adjective that has lost its noun."""
    alone = before.form in NOUNS["attribute"]
    return alone and (after.tag == "Josa" or after.form in STANDS)


def _counters(sentence: Sequence[Morpheme]) -> Iterator[tuple[int, str]]:
    """Place of each counter whose noun is known, and the counter that fits the noun."""
    for i in range(1, len(sentence)):
        if counts(sentence, i - 1) and (kind := _counted(sentence, i)):
            yield i, _fitting(kind, sentence[i].form)


def _counted(sentence: Sequence[Morpheme], i: int) -> str:
    """Kind of what the counter at i counts: 소년 두 명, 두 명의 소년; "" if that is not known."""
    subjects, nouns = NOUNS["subject"], [sentence[i - 2]] if i > 1 else []
    if [m.form for m in sentence[i + 1 : i + 2]] == ["의"]:
        nouns += sentence[i + 2 : i + 3]
    words = [m.form for m in nouns if m.spaced or m is sentence[0]]  # no half of a compound
    return next((subjects[word] for word in words if word in subjects), "")


def _fitting(kind: str, counter: str) -> str:
    """The same counter where it can stay, else the usual one of the kind."""
    if counter in SHARED:
        return counter
    if kind in LIVES and kind != "사람":
        return "마리"
    if kind in FITTING:
        return counter if counter in FITTING[kind] else USUAL[kind]
    return "개" if counter in ("명", "마리") else counter


def _repeats(forms: Sequence[str]) -> bool:
    """Whether a phrase occurs twice, or anything twice in a row."""
    runs = [tuple(forms[i : i + PHRASE]) for i in range(len(forms) - PHRASE + 1)]
    twice = any(
        forms[i : i + n] == forms[i + n : i + 2 * n]
        for n in range(1, PHRASE)
        for i in range(len(forms) - 2 * n + 1)
    )
    return twice or len(set(runs)) < len(runs)
