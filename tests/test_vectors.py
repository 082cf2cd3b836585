"""Vectors to begin with: alike where morphemes stand among the same others, and always the same."""

import os
import subprocess
import sys

import numpy as np
import pytest

from model import vectors
from model.config import CaptionerConfig
from model.network import Decoder
from model.train_options import TrainOptions
from model.training import fit
from model.vectors import FEWEST, give_vectors
from preprocess.korean import Morpheme
from preprocess.vocabulary import SPECIAL, Vocabulary
from tests.test_training import SMALL, colours, train

ANIMALS, BOATS = ("개", "고양이", "말", "소", "양"), ("배", "요트", "뗏목", "보트", "카누")
RUN, FLOAT = ("뛴다", "잔다", "먹는다", "걷는다"), ("뜬다", "가라앉는다", "흔들린다", "떠난다")


def said(*words):
    return [Morpheme(word, "Noun", n > 0) for n, word in enumerate(words)]


def captions(count=FEWEST):
    """Animals do the same things, boats others."""
    random = np.random.default_rng(0)
    found = []
    for _ in range(count):
        who, does = ((ANIMALS, RUN), (BOATS, FLOAT))[random.integers(2)]
        found.append(said("큰", who[random.integers(5)], does[random.integers(4)]))
    return found


def decoder(vocabulary):
    made = Decoder(CaptionerConfig(len(vocabulary), 4, 8, 16, 8, 8, 4))
    made.build()
    return made


def rows(one, vocabulary):
    table = np.array(one.embed.embeddings)
    return {m.form: table[row] for row, m in enumerate(vocabulary.morphemes, SPECIAL)}


def test_what_is_used_alike_begins_alike():
    sentences = captions(8 * FEWEST)
    vocabulary = Vocabulary.build(sentences, 1)
    made = decoder(vocabulary)
    before = np.array(made.embed.embeddings)
    assert give_vectors(made, vocabulary, sentences, seed=0)
    after = np.array(made.embed.embeddings)
    np.testing.assert_array_equal(before[:SPECIAL], after[:SPECIAL])
    assert after[SPECIAL:].std() == pytest.approx(before.std(), rel=0.05)
    found = rows(made, vocabulary)

    def nearest(noun):
        others = [o for o in ANIMALS + BOATS if o != noun]
        return max(others, key=lambda o: found[noun] @ found[o] / np.linalg.norm(found[o]))

    assert {nearest(noun) for noun in ANIMALS} <= set(ANIMALS)
    assert {nearest(noun) for noun in BOATS} <= set(BOATS)


def test_a_morpheme_that_is_nowhere_keeps_what_it_had():
    sentences = captions()
    vocabulary = Vocabulary.build([*sentences, said("없다")], 1)
    made = decoder(vocabulary)
    before = rows(made, vocabulary)
    give_vectors(made, vocabulary, sentences, seed=0)
    after = rows(made, vocabulary)
    np.testing.assert_array_equal(before["없다"], after["없다"])
    assert not np.array_equal(before["개"], after["개"])


def test_few_captions_teach_no_vectors():
    sentences = captions(FEWEST - 1)
    vocabulary = Vocabulary.build(sentences, 1)
    made = decoder(vocabulary)
    before = np.array(made.embed.embeddings)
    assert not give_vectors(made, vocabulary, sentences, seed=0)
    np.testing.assert_array_equal(before, np.array(made.embed.embeddings))


PRINTED = """
import hashlib
import numpy as np
from model.vectors import give_vectors
from preprocess.vocabulary import Vocabulary
from tests.test_vectors import captions, decoder
sentences = captions()
vocabulary = Vocabulary.build(sentences, 1)
made = decoder(vocabulary)
made.set_weights([np.full(w.shape, 0.5) + np.arange(w.shape[-1]) for w in made.get_weights()])
give_vectors(made, vocabulary, sentences, seed=3)
print(hashlib.sha256(np.array(made.embed.embeddings).tobytes()).hexdigest())
"""


def test_the_same_captions_give_the_same_vectors_in_every_process():
    told = {
        subprocess.run(
            [sys.executable, "-c", PRINTED], capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(told) == 1 and len(told.pop()) == 65


def test_a_new_run_alone_begins_with_them(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(vectors, "give_vectors", lambda *given: asked.append(given[-1]))
    data = colours()
    begun = train(data, tmp_path / "a", epochs=1, seed=5)
    assert asked == [5]
    train(data, tmp_path / "a", epochs=1, seed=5)  # goes on
    train(data, tmp_path / "b", epochs=1, vectors=False)
    goes_on = TrainOptions(**SMALL | {"epochs": 1})
    fit(data, data.rows("train"), data.rows("val"), goes_on, tmp_path / "c", begun[:2])
    assert asked == [5]
