"""Where the CNN's own classifier and the decoder name different things, and the decoder gives way.

The decoder calls what it has no word for by one that it knows: a fox a dog, a mug a plate. Its
guesses then name it by several words.
"""

from collections.abc import Sequence

from model.gist import LIES, LIVES, NOUNS, subject
from model.things import Thing
from preprocess.korean import Morpheme

ANIMALS = LIVES[1:]
# share of the guesses up to which a noun gives way, and the classifier's belief from which
ANIMAL, THING = (0.6, 0.7), (0.74, 0.5)


def disputable(sentence: Sequence[Morpheme]) -> bool:
    """Whether the classifier, which knows neither people nor places, could know better."""
    return named(sentence)[1] in (*ANIMALS, *LIES)


def disputed(
    sentence: Sequence[Morpheme], guesses: Sequence[Sequence[Morpheme]], thing: Thing
) -> bool:
    """Whether what a sentence is about is rather the thing that was recognised."""
    noun, kind = named(sentence)
    if kind in ANIMALS:
        (most, least), other = ANIMAL, kind != thing.kind or kind == "동물"
    else:
        (most, least), other = THING, noun != kind
    rivals = thing.kind in (*ANIMALS, *LIES) and (kind in ANIMALS) == (thing.kind in ANIMALS)
    known = disputable(sentence) and rivals and other and noun != thing.noun
    if not known or thing.share < least:
        return False
    return sum(noun in {m.form for m in guess} for guess in guesses) <= most * len(guesses)


def named(sentence: Sequence[Morpheme]) -> tuple[str, str]:
    """The noun that a sentence is about, and its kind; ("", "") for none, or two with 와."""
    end, kind, _ = subject(sentence)
    words = [m.form for m in sentence[: max(0, end)] if m.form != "들"]
    if len(words) > 2 and words[-1] in NOUNS["counter"]:  # 개 두 마리
        del words[-2:]
    two = words[-2:-1] in (["와"], ["과"])
    return ("", "") if not words or two else (words[-1], kind)
