"""A trained decoder learns new words: its vocabulary grows, what it knew stays as it was."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from keras import ops

from model.ensemble import decoder_of
from model.network import Decoder
from preprocess.korean import Morpheme
from preprocess.vocabulary import SPECIAL, Vocabulary

Array = npt.NDArray[Any]
NOISE = 0.1  # of a new vector, as a share of the old ones' spread


def grown(
    decoder: Decoder, vocabulary: Vocabulary, sentences: Iterable[Sequence[Morpheme]], least: int,
    motion: bool = False,
) -> tuple[Decoder, Vocabulary]:  # fmt: skip
    """The same decoder with the morphemes that sentences have at least `least` times.

    Old morphemes keep their ids, vectors and biases, so before any training their logits are what
    they were. A new one begins near the mean vector, and as likely as an old one that is as
    frequent: its bias lies on a line through the old biases over their log frequencies.

    Args:
        decoder: trained.
        vocabulary: its morphemes.
        sentences: what is to be learned.
        least: rarer morphemes stay unknown.
        motion: True makes it learn of motion too, if it does not yet.
    """
    counts = Counter(morpheme for sentence in sentences for morpheme in sentence)
    larger = vocabulary.with_more(counts, least)
    config = replace(decoder.config, vocabulary=len(larger), motion=motion or decoder.config.motion)
    new, old = decoder_of(config), {v.path: ops.convert_to_numpy(v) for v in decoder.weights}
    for variable in new.weights:
        if variable.path in old:  # what tells of motion may be new
            variable.assign(_longer(variable.path, old[variable.path], larger, counts))
    return new, larger


def _longer(
    path: str, array: Array, vocabulary: Vocabulary, counts: Mapping[Morpheme, int]
) -> Array:
    """The array with rows for the new morphemes, if it is one with a row a morpheme."""
    layer = path.split("/")[-2]
    if layer.startswith("embed"):
        more = len(vocabulary) - len(array)
        noise = np.random.default_rng(0).normal(0, NOISE * array.std(0), (more, array.shape[1]))
        return np.concatenate([array, (array.mean(0) + noise).astype(array.dtype)])
    if layer.startswith("prior"):
        return np.concatenate([array, _biases(array, vocabulary, counts)])
    return array


def _biases(old: Array, vocabulary: Vocabulary, counts: Mapping[Morpheme, int]) -> Array:
    """Of the new morphemes, from how the old ones' depend on their frequency."""
    heard = np.array([counts[m] for m in vocabulary.morphemes], np.float64)
    known, new = heard[: len(old) - SPECIAL], heard[len(old) - SPECIAL :]
    told = known > 0
    if len(set(known[told])) < 2:  # no line goes through one point
        return np.full(len(new), old[SPECIAL:].mean(), old.dtype)
    slope, rest = np.polyfit(np.log(known[told]), old[SPECIAL:][told], 1)
    return np.asarray(slope * np.log(new) + rest, old.dtype)
