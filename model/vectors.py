"""Vectors of morphemes for a decoder to begin with: word2vec on the training captions.

Skip-gram with negative sampling (Mikolov et al. 2013, arXiv:1310.4546): morphemes that stand among
the same others lie near each other before the first picture is seen.
"""

from collections.abc import Sequence

import numpy as np
from gensim.models import Word2Vec

from model.network import Decoder
from preprocess.korean import Morpheme
from preprocess.vocabulary import SPECIAL, Vocabulary

WINDOW, ROUNDS = 5, 10  # morphemes to each side, and passes over the captions
FEWEST = 1000  # captions; fewer were seen to help nothing


def give_vectors(
    decoder: Decoder, vocabulary: Vocabulary, sentences: Sequence[Sequence[Morpheme]], seed: int
) -> bool:
    """Replaces a new decoder's random vectors, keeping their mean size; always by the same ones.

    Args:
        decoder: changed in place, its output too where that has the same vectors.
        vocabulary: whose morphemes have the decoder's vectors.
        sentences: that may be learned from.
        seed: of word2vec.

    Returns:
        False if there are fewer than FEWEST sentences: the decoder stays as it was.
    """
    if len(sentences) < FEWEST:
        return False
    known = {_key(m): row for row, m in enumerate(vocabulary.morphemes, SPECIAL)}
    said = [[key for key in map(_key, sentence) if key in known] for sentence in sentences]
    table = np.array(decoder.embed.embeddings)
    learned = Word2Vec(
        said, vector_size=table.shape[1], sg=1, window=WINDOW, min_count=1, epochs=ROUNDS,
        seed=seed, workers=1,
    ).wv  # fmt: skip
    keys = [key for key in known if key in learned]
    found = learned[keys] - learned[keys].mean(0)
    spread = table.std() / max(float(found.std()), 1e-9)
    table[[known[key] for key in keys]] = found * spread
    decoder.embed.embeddings.assign(table)
    return True


def _key(m: Morpheme) -> str:
    return f"{m.form}/{m.tag}/{int(m.spaced)}"
