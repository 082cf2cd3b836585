"""What is said of one shot, and how surely."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from preprocess.korean import Morpheme, compose, content


@dataclass(frozen=True)
class Alternative:
    """Another sentence for the same shot, as Caption describes them."""

    text: str
    score: float
    confidence: float


@dataclass(frozen=True, eq=False)
class Caption:
    """One sentence for one shot.

    Attributes:
        text: the Korean sentence, spaces put back, without a full stop.
        morphemes: the surface forms the sentence was made of.
        score: mean natural log-probability a token, <= 0; higher is surer.
        attention: float32 (T, n, rows, columns), where the network looked for each morpheme.
        confidence: 0-1, how likely the likeliest sentence is right; exp(score) where the file
            was not calibrated.
        general: True if the likeliest sentence was too doubtful and this one in general words
            stands for it; score and confidence stay those of the former.
        alternatives: what else was found, likeliest first; where the sentence is a general one or
            lacks doubtful details, the likeliest one itself begins them.
        content: what the sentence is about (preprocess.korean.content).
        guesses: other sentences drawn at the same frames, where there was room for doubt.
    """

    text: str
    morphemes: tuple[str, ...]
    score: float
    attention: npt.NDArray[np.float32]
    confidence: float = 1.0
    general: bool = False
    alternatives: tuple[Alternative, ...] = ()
    content: frozenset[str] = frozenset()
    guesses: tuple[tuple[Morpheme, ...], ...] = ()


def reworded(caption: Caption, said: Sequence[Morpheme], general: bool) -> Caption:
    """The caption with another sentence, its own first among the alternatives."""
    looked = caption.attention.sum(0, keepdims=True) / max(1, len(caption.attention))
    own = Alternative(caption.text, caption.score, caption.confidence)
    return replace(
        caption,
        text=compose(said),
        morphemes=tuple(m.form for m in said),
        attention=looked.repeat(len(said), 0),
        general=general,
        alternatives=(own, *caption.alternatives),
        content=content(said),
    )
