"""How likely a sentence is right, from its score: Platt scaling (Platt 1999)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model import logistic

RIGHT = 0.5  # CIDEr-D from which a sentence counts as right when confidence is fitted
PRIOR = 1e-3  # keeps the slope finite where scores tell right from wrong without a mistake


@dataclass(frozen=True)
class Confidence:
    """Probability of being right = 1 / (1 + exp(-(slope * score + intercept)))."""

    slope: float
    intercept: float

    def of(self, score: float) -> float:
        """The probability, 0-1, that a sentence with this score is right."""
        return float(logistic.probability(self.slope * score + self.intercept))


def fit_confidence(scores: Sequence[float], right: Sequence[bool]) -> Confidence:
    """The likeliest slope and intercept.

    Args:
        scores: of sentences, mean log-probability a token.
        right: whether each is.
    """
    given = np.stack([np.asarray(scores, np.float64), np.ones(len(scores))], 1)
    slope, intercept = logistic.fit(given, right, PRIOR)
    return Confidence(float(slope), float(intercept))


def calibration_error(confidence: Sequence[float], right: Sequence[bool], bins: int = 10) -> float:
    """Expected calibration error (Naeini et al. 2015): 0 is perfect; bins of equal width."""
    p, y = np.asarray(confidence, np.float64), np.asarray(right, np.float64)
    places = np.minimum((p * bins).astype(int), bins - 1)
    gaps = (abs(float((p - y)[places == b].sum())) for b in range(bins))
    return sum(gaps) / max(1, len(p))
