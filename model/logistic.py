"""Logistic regression: probabilities of logits, and the likeliest weights by Newton's method."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
ROUNDS, STILL = 50, 1e-9  # steps at most, and one that ends it


def probability(logit: npt.ArrayLike) -> Floats:
    """1 / (1 + exp(-logit)), for logits of any size."""
    return np.asarray(0.5 * (1 + np.tanh(np.asarray(logit, np.float64) / 2)))


def fit(given: Floats, right: npt.ArrayLike, decay: float) -> Floats:
    """The likeliest weights (d,) of features (n, d) for answers (n,).

    Half of the decay times their square is taken off: it keeps them finite where the features
    tell right from wrong without a mistake.
    """
    target, weights = np.asarray(right, np.float64), np.zeros(given.shape[1])

    def gain(weights: Floats) -> float:
        logits = given @ weights
        likely = target @ logits - np.logaddexp(0, logits).sum()
        return float(likely - decay / 2 * weights @ weights)

    for _ in range(ROUNDS):
        told = probability(given @ weights)
        slope = given.T @ (target - told) - decay * weights
        curve = (given * (told * (1 - told))[:, None]).T @ given + decay * np.eye(len(weights))
        step = np.linalg.solve(curve, slope)
        while gain(weights + step) < gain(weights) and np.abs(step).max() >= STILL:
            step /= 2  # far from the best weights Newton's step can lead away from them
        weights += step
        if np.abs(step).max() < STILL:
            break
    return weights
