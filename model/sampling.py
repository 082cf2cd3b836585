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
    words = np.full((*state[0].shape[:2], longest), PAD, np.int32)
    going = np.arange(words.shape[1])  # columns with a sentence that has not ended
    last = np.full(words.shape[:2], START, np.int32)
    for t in range(longest):
        scores, state = step(last, state)
        scores[:, :, [PAD, START, UNKNOWN]] = -np.inf
        ended = last == END
        last = np.where(ended, END, draw(scores / temperature, random))
        words[:, going, t] = np.where(ended, PAD, last)
        left = (last != END).any(0)
        going, last, state = going[left], last[:, left], tuple(s[:, left] for s in state)
        if not left.any():
            break
    return words[:, :, : t + 1]


def draw(scores: npt.NDArray[np.float32], random: np.random.Generator) -> npt.NDArray[np.int32]:
    """One id from each softmax of the last axis: float (..., V) -> int32 (...)."""
    heights = np.cumsum(np.exp(scores - scores.max(-1, keepdims=True)), -1)
    point = random.random(scores.shape[:-1]) * heights[..., -1]
    drawn: npt.NDArray[np.int32] = np.argmax(heights > point[..., None], -1).astype(np.int32)
    return drawn
