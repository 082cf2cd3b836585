"""What several guesses at one picture agree on, said in general words: Korean, no networks.

A decoder that is unsure still draws mostly sentences about the right kind of thing: teapots and
boxes for a bottle, cats and dogs for a parrot. Their common hypernym is true more often than any
one of them (back-off along a taxonomy, as Deng et al. 2012, "Hedging your bets", do for classes).
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from model.gist import AGREED, ANIMALS, LIES, LIVES, NOUNS, WIDER, Gist, gist, widened
from model.things import Thing
from preprocess.korean import Morpheme, repair

MOVING = (*LIVES, "차", "탈것")  # where these are, people are too
SURE = 0.9  # of those guesses that name a place; a wrong place is worse than none
BESIDE = 0.7  # from which a dog is with the people that the guesses agree on
NAMED = 0.3  # share of the classifier's belief from which a thing's name is said
PLACED = 0.58  # share of the guesses from which a place is called by its noun
WHO = 0.875  # from which a person is called a man, a woman or a child
SCENES = ("", "물건", "풍경", "식물")  # what says less than the place where it is
ON = ("바위",)  # places that one is on, not in
OUTDOORS = "야외"


def agreed(
    sentences: Iterable[Sequence[Morpheme]], thing: Thing | None = None
) -> tuple[Morpheme, ...]:
    """The sentence in general words that most of the given ones agree with.

    A thing that was recognised gives its name, if it is of a kind with what they agree on.
    """
    gists = [gist(sentence) for sentence in sentences]
    kind = _about(Counter(g.kind for g in gists if g.kind))
    where = _named(gists, "where", PLACED)
    where = where if len(where) > 1 else ""  # 방, 눈, 물: their kind says more
    place = where or _located(Counter(g.place for g in gists if g.place), len(gists))
    same = [g for g in gists if kind and kind in widened(g.kind)]
    many = bool(same) and sum(g.many for g in same) >= AGREED * len(same)
    if thing and kind == "사람" and thing.kind == "개" and thing.share >= BESIDE:
        return _beside(_sentence(place, kind, "보인다", many), thing.kind)
    if thing and thing.share >= NAMED and _alike(thing.kind, kind):
        noun, kind = thing.noun, thing.kind if kind else ""
    elif thing and thing.share >= SURE:
        return _sentence("", thing.noun, "보인다", plural=False)
    elif where and kind in SCENES:
        return _sentence("", where, "보인다", plural=False)
    else:
        noun = _who(gists, many) if kind == "사람" else kind or "무언가"
    plural = many and kind in (*LIVES, "물건")
    return _sentence(place, noun, _predicate(kind, same), plural)


def _about(votes: Counter[str]) -> str:
    """The kind; people only if hardly anybody names what has no life."""
    kind = _kind(votes)
    lifeless = votes.total() - sum(votes[k] for k in MOVING)
    doubtful = kind == "사람" and votes[kind] < SURE * (votes[kind] + lifeless)
    return "" if doubtful else kind


def _named(gists: Sequence[Gist], what: str, least: float) -> str:
    """The noun that so large a share of the guesses have; "" if there is none."""
    votes = Counter(getattr(g, what) for g in gists if getattr(g, what))
    noun, count = max(votes.items(), key=lambda vote: vote[1], default=("", 0))
    return noun if count >= least * len(gists) else ""


def _who(gists: Sequence[Gist], many: bool) -> str:
    """사람, or who of one person nearly all guesses say."""
    who = "" if many else _named(gists, "who", WHO)
    return who if who in NOUNS["who"] else "사람"


def _beside(said: Sequence[Morpheme], other: str) -> tuple[Morpheme, ...]:
    """사람과 개가 보인다."""
    words = [Morpheme("과", "Josa", False), Morpheme(other, "Noun", True)]
    return repair([*said[:-2], *words, *said[-2:]])


def _alike(one: str, two: str) -> bool:
    """Whether both kinds are animals, or neither; nobody is like a thing."""
    return two != "사람" and (one in ANIMALS) == (two in ANIMALS)


def _predicate(kind: str, same: Sequence[Gist]) -> str:
    """What most of them do, if it is a pose; else that it lies there, or is seen."""
    poses = Counter(g.pose for g in same).most_common(1)
    if kind in LIVES and poses and poses[0][0] and poses[0][1] >= AGREED * len(same):
        return poses[0][0]
    return "놓여 있다" if kind in LIES else "보인다"


def _kind(votes: Counter[str]) -> str:
    """The narrowest kind with enough votes, its own or those of kinds within it."""
    total = votes.total()
    for _ in range(2):
        if votes and (top := votes.most_common(1)[0])[1] >= AGREED * total:
            return top[0]
        wider: Counter[str] = Counter()
        for kind, count in votes.items():
            wider[WIDER.get(kind, kind)] += count
        votes = wider
    if votes and (top := votes.most_common(1)[0])[1] >= AGREED / 2 * total:
        return top[0]  # nothing better to say
    return ""


def _located(votes: Counter[str], guesses: int) -> str:
    """Where, if nearly all of the guesses that say where agree and they are not few."""
    total = votes.total()
    if not total or total < AGREED / 2 * guesses:
        return ""
    place, count = votes.most_common(1)[0]
    if count >= SURE * total:
        return place
    return OUTDOORS if total - votes["실내"] >= SURE * total else ""


def _sentence(place: str, noun: str, predicate: str, plural: bool) -> tuple[Morpheme, ...]:
    scene = noun != "풍경" and NOUNS["subject"].get(noun) == "풍경"
    if place == noun or (scene and place == OUTDOORS):
        place = ""  # 산에 산이, 야외에 바다가
    said = [Morpheme(place, "Noun", False)] if place else []
    if place and noun != "풍경":  # 야외 풍경이
        said += [Morpheme("위", "Noun", True)] if place in ON else []
        said.append(Morpheme("에", "Josa", False))
    said.append(Morpheme(noun, "Noun", bool(said)))
    said += [Morpheme("들", "Suffix", False)] if plural else []
    said.append(Morpheme("이", "Josa", False))
    said += [Morpheme(word, "Verb", True) for word in predicate.split()]
    return tuple(repair(said))
