"""Where the CNN's own classifier and the decoder name different things, and the decoder gives way.

The decoder calls what it has no word for by one that it knows: a fox a dog, a mug a plate. Its
guesses then name it by several words.
"""

from collections.abc import Sequence

from model.gist import ANIMALS, LIES, NOUNS, subject
from model.things import Thing
from preprocess.korean import Morpheme

# share of the guesses up to which a noun gives way, and the classifier's belief from which
ANIMAL, THING = (0.6, 0.7), (0.74, 0.5)


def disputable(sentence: Sequence[Morpheme], guesses: Sequence[Sequence[Morpheme]]) -> bool:
    """Whether the classifier could know better: what it is, animal or thing, the guesses part."""
    noun, kind = named(sentence)
    most = (ANIMAL if kind in ANIMALS else THING)[0]
    votes = sum(noun in {m.form for m in guess} for guess in guesses)
    return kind in (*ANIMALS, *LIES) and votes <= most * len(guesses)


def disputed(
    sentence: Sequence[Morpheme], guesses: Sequence[Sequence[Morpheme]], thing: Thing
) -> bool:
    """Whether what a sentence is about is rather the thing that was recognised."""
    noun, kind = named(sentence)
    animal = kind in ANIMALS
    rivals = thing.kind in (ANIMALS if animal else LIES) and noun != thing.noun
    other = (kind != thing.kind or kind == "동물") if animal else noun != kind
    sure = thing.share >= (ANIMAL if animal else THING)[1]
    return rivals and other and sure and disputable(sentence, guesses)


def named(sentence: Sequence[Morpheme]) -> tuple[str, str]:
    """The noun that a sentence is about, and its kind; ("", "") for none, or two with 와."""
    end, kind, _ = subject(sentence)
    words = [m.form for m in sentence[: max(0, end)] if m.form != "들"]
    if len(words) > 2 and words[-1] in NOUNS["counter"]:  # 개 두 마리
        del words[-2:]
    two = words[-2:-1] in (["와"], ["과"])
    return ("", "") if not words or two else (words[-1], kind)
