"""Sentences drawn word by word, in numpy; knows no Keras and no Korean.

B items, k sentences an item, T tokens, V vocabulary.
"""

import numpy as np
import numpy.typing as npt

from model.beam import State, Step
from preprocess.vocabulary import END, PAD, START, UNKNOWN


def sample(
    step: Step, state: State, longest: int, temperature: float, random: np.random.Generator
) -> npt.NDArray[np.int32]:
    """One sentence a row of the state: int32 (B, k, T), END and then PAD; END can be missing.

    Args:
        step: as beam_search's.
        state: the state before the first token.
        longest: most tokens.
        temperature: below 1 words are drawn that are likelier.
        random: what is drawn depends on it alone.
    """
    last = np.full(state[0].shape[:2], START, np.int32)
    ended, words = np.zeros_like(last, bool), []
    for _ in range(longest):
        scores, state = step(last, state)
        scores[:, :, [PAD, START, UNKNOWN]] = -np.inf
        last = draw(scores / temperature, random)
        words.append(np.where(ended, PAD, last))
        ended |= last == END
        if ended.all():
            break
    return np.stack(words, 2).astype(np.int32)


def draw(scores: npt.NDArray[np.float32], random: np.random.Generator) -> npt.NDArray[np.int32]:
    """One id from each softmax of the last axis: float (..., V) -> int32 (...)."""
    heights = np.cumsum(np.exp(scores - scores.max(-1, keepdims=True)), -1)
    point = random.random(scores.shape[:-1]) * heights[..., -1]
    drawn: npt.NDArray[np.int32] = np.argmax(heights > point[..., None], -1).astype(np.int32)
    return drawn
