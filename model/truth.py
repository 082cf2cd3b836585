"""Whether people wrote of everything that a sentence names: a measure of truth, not of wording."""

from collections.abc import Sequence

from model.doubt import claims
from model.gist import gist, widened
from preprocess.korean import Morpheme

NOTHING = {("action", "보인다"), ("action", "놓여있다")}  # that it is there


def written(said: Sequence[Morpheme], references: Sequence[Sequence[Morpheme]]) -> bool:
    """Whether every claim of a sentence is in one of the references.

    Claims are the subject's kind, who it is, numbers, colours, places, what is worn and what is
    done (model/doubt.py); words for the same are one, and a wider kind is true where a narrower
    one was written. A sentence that names nothing is true.
    """
    kinds = {kind for reference in references for kind in widened(gist(reference).kind)}
    found = {claim for reference in references for claim in claims(reference)}
    named = {claim for claim in claims(said) if claim[0] != "alone"} - NOTHING
    return gist(said).kind in {"", *kinds} and named <= found
