"""Nouns for what the classifier recognises: the table, the sums, and the sentences."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from model.general import agreed
from model.gist import NOUNS as KIND_NOUNS
from model.things import TABLE, Thing, recognised
from preprocess.korean import compose
from tests.test_details import cut


def rows():
    """(noun, kind, its classes) of things.tsv, read once more."""
    for line in TABLE.read_text(encoding="utf-8").splitlines()[1:]:
        noun, kind, ranges = line.split("\t")
        ends = [[int(n) for n in part.split("-")] for part in ranges.split()]
        yield noun, kind, [c for end in ends for c in range(end[0], end[-1] + 1)]


def test_every_class_has_one_noun_at_most():
    classes = [c for _, _, of in rows() for c in of]
    assert len(classes) == len(set(classes)) and set(classes) <= set(range(1000))
    nouns = [noun for noun, _, _ in rows()]
    assert len(nouns) == len(set(nouns))
    assert {kind for _, kind, _ in rows()} <= set(KIND_NOUNS["subject"].values()) - {"사람"}


@pytest.mark.parametrize(
    ("number", "noun"),
    [(0, "물고기"), (89, "앵무새"), (207, "개"), (283, "고양이"), (340, "얼룩말"), (404, "비행기"),
     (440, "병"), (817, "자동차"), (898, "병"), (920, "신호등"), (963, "피자"), (968, "컵")],
)  # fmt: skip
def test_well_known_classes(number, noun):
    assert recognised(np.eye(1000)[[number]]) == Thing(noun, *seen_as(noun), 1.0)


def seen_as(noun):
    return [kind for name, kind, _ in rows() if name == noun]


SHARES = arrays.arrays(np.float64, (3, 1000), elements=st.floats(0, 1, width=16))


@given(SHARES)
def test_the_best_noun_has_the_largest_sum(shares):
    sums = {noun: shares[:, of].sum() / len(shares) for noun, _, of in rows()}
    found = recognised(shares)
    assert found.share == pytest.approx(max(sums.values()), rel=1e-5, abs=1e-9)
    assert sums[found.noun] == pytest.approx(found.share, rel=1e-5, abs=1e-9)


BOXES, BIRDS, PEOPLE = "상자|가 놓여 있다", "새|가 앉아 있다", "여자|가 부엌|에 서 있다"


@pytest.mark.parametrize(
    ("guess", "thing", "said"),
    [
        (BOXES, Thing("병", "물건", 0.31), "병이 놓여 있다"),
        (BOXES, Thing("병", "물건", 0.29), "물건이 놓여 있다"),
        (BOXES, Thing("자동차", "차", 0.5), "자동차가 보인다"),  # no living thing either
        (BOXES, Thing("앵무새", "새", 0.5), "물건이 놓여 있다"),
        (BOXES, Thing("앵무새", "새", 0.95), "앵무새가 보인다"),
        (BIRDS, Thing("앵무새", "새", 0.5), "앵무새가 앉아 있다"),
        (BIRDS, Thing("전갈", "동물", 0.5), "전갈이 앉아 있다"),
        (PEOPLE, Thing("냄비", "물건", 0.8), "부엌에 여자가 서 있다"),
        (PEOPLE, Thing("개", "개", 0.75), "부엌에 사람과 개가 보인다"),
        (PEOPLE, Thing("신호등", "물건", 0.95), "신호등이 보인다"),
        ("없다", Thing("병", "물건", 0.5), "병이 보인다"),
    ],
)
def test_a_thing_gives_its_name_to_a_general_sentence(guess, thing, said):
    assert compose(agreed([cut(guess)] * 3, thing)) == said
