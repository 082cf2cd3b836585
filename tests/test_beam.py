"""Beam search against exhaustive search and by its laws."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.beam import BeamOptions, beam_search
from preprocess.errors import SettingError
from preprocess.vocabulary import END, SPECIAL

WORDS = 2
SIZE = SPECIAL + WORDS


def model(seed, items):
    """A random language model: the scores depend on the last token and on the position."""
    table = np.random.default_rng(seed).normal(size=(items, 6, SIZE, SIZE)) * 2
    table -= np.log(np.exp(table).sum(-1, keepdims=True))

    def step(tokens, state):
        (position,) = state
        rows = table[np.arange(items)[:, None], position, tokens]
        return rows.astype(np.float32), (position + 1,)

    return table.astype(np.float32), step


def start(items, beam):
    return (np.zeros((items, beam), int),)


def exhaustive(table, longest, power):
    """The best sentence of at most `longest` tokens, END included, by trying all."""
    best = (-np.inf, ())
    for length in range(longest):
        for words in itertools.product(range(SPECIAL, SIZE), repeat=length):
            path, total = [1, *words, END], 0.0
            for t in range(length + 1):
                total += table[t, path[t], path[t + 1]]
            best = max(best, (total / (length + 1) ** power, words))
    return best


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.7, 1.0]))
def test_full_width_equals_exhaustive_search(seed, power):
    table, step = model(seed, 2)
    options = BeamOptions(beam=64, length_power=power, max_tokens=4, no_repeat=0)
    found = beam_search(step, start(2, 64), options)
    for item in range(2):
        score, words = exhaustive(table[item], 4, power)
        assert found[item][0].tokens == words
        assert found[item][0].score == pytest.approx(score, abs=1e-4)


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_an_item_is_searched_as_if_it_were_alone(seed):
    table, together = model(seed, 3)
    options = BeamOptions(beam=3, max_tokens=6)
    found = beam_search(together, start(3, 3), options)
    for item in range(3):

        def alone(tokens, state, item=item):
            return table[item, state[0], tokens], (state[0] + 1,)

        assert beam_search(alone, start(1, 3), options)[0] == found[item]


def test_ended_beams_stop_scoring():
    """After END the model would give much probability; an ended sentence must not see it."""
    table, step = model(1, 1)
    best = beam_search(step, start(1, 4), BeamOptions(beam=4, max_tokens=5))[0][0]
    path = [1, *best.tokens, END]
    total = sum(float(table[0, t, path[t], path[t + 1]]) for t in range(len(path) - 1))
    assert best.log_probability == pytest.approx(total, abs=1e-4)
    assert len(best.rows) == len(best.tokens) + 1


def test_no_run_of_tokens_occurs_twice():
    def step(tokens, state):
        scores = np.full((*tokens.shape, SIZE), -9.0, np.float32)
        scores[:, :, SPECIAL:] = -0.1  # the model never wants to end
        return scores, state

    options = BeamOptions(beam=2, max_tokens=14, no_repeat=2)
    tokens = beam_search(step, start(1, 2), options)[0][0].tokens
    pairs = list(itertools.pairwise(tokens))
    assert len(pairs) == len(set(pairs))
    assert all(a != b for a, b in pairs)


def test_attention_rows_name_the_beam_that_spoke():
    _, step = model(3, 1)
    asked = []

    def watched(tokens, state):
        asked.append(tokens.copy())
        return step(tokens, state)

    best = beam_search(watched, start(1, 3), BeamOptions(beam=3, max_tokens=6))[0][0]
    said = [int(asked[t][0, row]) for t, row in enumerate(best.rows)]
    assert said == [1, *best.tokens]


@pytest.mark.parametrize("wrong", [{"beam": 0}, {"max_tokens": 0}, {"length_power": -1.0}])
def test_unusable_options_are_refused(wrong):
    with pytest.raises(SettingError):
        BeamOptions(**wrong)
