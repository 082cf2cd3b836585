"""A captioner goes on with other words: what it knew stays as it was."""

from collections import Counter

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.config import CaptionerConfig
from model.ensemble import decoder_of
from model.growing import grown
from preprocess.korean import Morpheme
from preprocess.vocabulary import SPECIAL, Vocabulary

forms = st.lists(st.sampled_from("가나다라마바사아자차"), max_size=60)


def morphemes(text):
    return tuple(Morpheme(form, "Noun", True) for form in text)


OLD = Vocabulary(morphemes("가나다라마"))
SENTENCES = [morphemes("가나바"), morphemes("가사바"), morphemes("가나다바"), morphemes("아라")]


def decoder(**more):
    keras.utils.set_random_seed(3)
    network = decoder_of(CaptionerConfig(len(OLD), 4, 3, 8, 10, 10, 5, **more))
    random = np.random.default_rng(0)
    network.set_weights([random.normal(0, 0.3, w.shape) for w in network.get_weights()])
    return network


def logits(network):
    random = np.random.default_rng(1)
    regions = random.normal(size=(2, 4, 3)).astype(np.float32)
    tokens = random.integers(0, len(OLD), (2, 3, 6)).astype(np.int32)
    return np.asarray(network((regions, tokens)))


@given(st.lists(st.sampled_from("가나다라마"), unique=True), forms, st.integers(1, 4))
def test_old_ids_stay_and_new_words_follow_by_frequency(known, heard, least):
    old, counts = Vocabulary(morphemes(known)), Counter(morphemes(heard))
    larger = old.with_more(counts, least)
    assert larger.morphemes[: len(known)] == old.morphemes
    added = larger.morphemes[len(known) :]
    assert set(added) == {m for m, n in counts.items() if n >= least} - set(old.morphemes)
    assert [counts[m] for m in added] == sorted((counts[m] for m in added), reverse=True)


@pytest.mark.parametrize("config", [{}, {"voices": 2}, {"attend": False}])
def test_what_was_known_is_said_as_before(config):
    before = decoder(**config)
    after, vocabulary = grown(before, OLD, SENTENCES, 1)
    assert [m.form for m in vocabulary.morphemes] == list("가나다라마바사아")
    # an ensemble's logits are already normed over all words, those of its voices are not
    pairs = [(after, before)]
    if "voices" in config:
        pairs = list(zip(after.voices, before.voices, strict=True))
    for new, old in pairs:
        np.testing.assert_allclose(logits(new)[..., : len(OLD)], logits(old), atol=1e-5)
    same, _ = grown(before, OLD, [morphemes("가나")], 1)  # nothing new: the same network
    np.testing.assert_array_equal(logits(same), logits(before))


def test_a_new_word_is_as_likely_as_an_old_one_that_is_as_frequent():
    before = decoder()
    heard = {m: 2 ** (i + 1) for i, m in enumerate(OLD.morphemes)}
    bias = np.concatenate([np.zeros(SPECIAL), 0.5 * np.log(list(heard.values())) - 1])
    before.prior.bias.assign(bias)
    heard |= {morphemes("바")[0]: 7}
    sentences = [(m,) for m, n in heard.items() for _ in range(n)]
    after, _ = grown(before, OLD, sentences, 5)
    assert float(after.prior.bias[-1]) == pytest.approx(0.5 * np.log(7) - 1, abs=1e-5)
    rows = np.asarray(after.embed.embeddings)
    gap = np.abs(rows[-1] - rows[:-1].mean(0))
    assert (gap < 0.5 * rows[:-1].std(0)).all() and gap.max() > 0


def test_rare_words_stay_unknown():
    _, vocabulary = grown(decoder(), OLD, SENTENCES, 3)
    assert [m.form for m in vocabulary.morphemes] == list("가나다라마바")


def test_a_decoder_that_starts_to_learn_of_motion_says_what_it_said():
    before = decoder()
    after, _ = grown(before, OLD, [morphemes("가")], 1, motion=True)
    assert after.config.motion
    random = np.random.default_rng(1)
    regions = random.normal(size=(2, 4, 3)).astype(np.float32)
    tokens = random.integers(0, len(OLD), (2, 3, 6)).astype(np.int32)
    moved, place = random.normal(size=regions.shape), np.ones((2, 1))
    said = np.asarray(after((regions, moved.astype(np.float32), place.astype(np.float32), tokens)))
    np.testing.assert_allclose(said, logits(before), atol=1e-5)
