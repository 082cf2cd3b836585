"""Logistic regression finds the likeliest weights, also where they lie far from the first ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import logistic
from model.confidence import fit_confidence


def penalised(weights, given, right, decay):
    logits = given @ weights
    return right @ logits - np.logaddexp(0, logits).sum() - decay / 2 * weights @ weights


@given(
    st.integers(0, 2**32 - 1), st.sampled_from([0.01, 0.05, 0.3, 2.0]), st.integers(2, 200),
    st.sampled_from([1e-3, 0.1, 1.0]),
)  # fmt: skip
def test_no_other_weights_are_likelier(seed, spread, count, decay):
    random = np.random.default_rng(seed)
    given = np.stack([random.normal(-4, spread, count), np.ones(count)], 1)
    right = (random.random(count) < random.random()).astype(float)
    found = logistic.fit(given, right, decay)
    best = penalised(found, given, right, decay)
    for _ in range(20):
        other = found + random.normal(0, 10 ** random.uniform(-4, 1), 2)
        assert penalised(other, given, right, decay) <= best + 1e-9


def test_it_finds_the_weights_that_drew_the_answers():
    random = np.random.default_rng(0)
    given = np.stack([random.normal(0, 1, 20_000), np.ones(20_000)], 1)
    right = random.random(20_000) < logistic.probability(given @ [1.5, -0.5])
    np.testing.assert_allclose(logistic.fit(given, right, 1e-6), [1.5, -0.5], atol=0.06)


def test_scores_that_lie_close_together_are_trusted_as_often_as_they_are_right():
    scores = np.linspace(-4.05, -3.95, 24)
    right = np.arange(24) % 6 == 0
    told = [fit_confidence(list(scores), list(right)).of(score) for score in scores]
    assert np.mean(told) == pytest.approx(1 / 6, abs=0.03)
