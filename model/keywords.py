"""Keywords: the nouns that tell what a picture shows, whatever their place in a sentence.

A noun is sure if many of the captioner's own readings of the picture name it, if it belongs with
the other nouns (model/related.py), and if the CNN's classifier sees it. How much each counts was
fitted by logistic regression (`python -m bench.tags DATA --fit`).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from model.related import Related, english, nouns
from model.things import Thing
from preprocess.korean import Morpheme

if TYPE_CHECKING:  # its network library would slow the readers of tracks
    from model.captioner import Caption

Reading = tuple[Sequence[Morpheme], float]  # a sentence about the picture, and its weight
SEEN = 0.3  # of the classifier's belief, from which its noun is thought of
SMOOTHED = 0.02  # added to shares before their logarithm
WEIGHTS = (1.17, 1.95, 0.19, 0.03)  # log share of the readings, classifier, fit, constant
SURE = 0.2  # chance of being a keyword from which a noun is one


@dataclass(frozen=True)
class Keyword:
    """A noun and the chance, 0-1, that somebody would tag the picture with it."""

    noun: str
    score: float


def of_caption(
    caption: "Caption", thing: Thing | None, related: Related, most: int = 5
) -> tuple[Keyword, ...]:
    """The keywords of a picture that a doubting captioner read several times.

    A sentence in general words that names what the classifier sees has that for a keyword.
    """
    readings: list[Reading] = [(guess, 1.0) for guess in caption.guesses]
    found = keywords(readings, related, thing, most)
    if not (caption.general and thing and thing.noun in caption.content & set(english())):
        return found
    others = tuple(k for k in found if k.noun != thing.noun)
    return (Keyword(thing.noun, thing.share), *others)[:most]


def keywords(
    readings: Sequence[Reading], related: Related, thing: Thing | None = None, most: int = 5
) -> tuple[Keyword, ...]:
    """The likeliest nouns, likeliest first; one at least if the readings name any.

    Args:
        readings: sentences about one picture with their weights.
        related: which nouns belong together.
        thing: what the CNN's classifier recognised, if it was asked.
        most: how many.
    """
    found = [Keyword(n, chance(f)) for n, f in features(readings, related, thing).items()]
    found.sort(key=lambda k: (-k.score, k.noun))
    return tuple(k for i, k in enumerate(found[:most]) if not i or k.score >= SURE)


def chance(values: Sequence[float]) -> float:
    """The logistic model's chance for the features of a noun."""
    weighed = sum(w * v for w, v in zip(WEIGHTS, values, strict=True))
    return 1 / (1 + math.exp(-weighed))


def features(
    readings: Sequence[Reading], related: Related, thing: Thing | None = None
) -> dict[str, tuple[float, ...]]:
    """What is known of each noun that is named or seen, in the order of WEIGHTS."""
    named = shares(readings)
    seen = thing if thing and thing.share >= SEEN and thing.noun in english() else None
    known = {**named, **({seen.noun: named.get(seen.noun, 0.0)} if seen else {})}
    return {
        noun: (
            math.log(share + SMOOTHED),
            seen.share if seen and seen.noun == noun else 0.0,
            related.fit_of(noun, named),
            1.0,
        )
        for noun, share in known.items()
    }


def shares(readings: Sequence[Reading]) -> Mapping[str, float]:
    """Of each noun the share, by weight, of the readings that name it."""
    total = sum(weight for _, weight in readings) or 1.0
    found: dict[str, float] = {}
    for sentence, weight in readings:
        for noun in dict.fromkeys(nouns(sentence)):
            found[noun] = found.get(noun, 0.0) + weight / total
    return dict(sorted(found.items()))  # so that the order of readings cannot matter
