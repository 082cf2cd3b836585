"""Words as vectors, and text cut without a tagger."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.words import Words, is_content
from preprocess.errors import CaptionerFileError
from preprocess.korean import Morpheme, compose
from preprocess.segmenter import LONGEST, UNKNOWN_TAG, Segmenter, zipf
from preprocess.vocabulary import SPECIAL, Vocabulary

SHIPPED = Path(__file__).resolve().parents[1] / "model" / "default.kcap"
FORMS = [
    ("있다", "Adjective", True), ("가", "Josa", False), ("에", "Josa", False),
    ("개", "Noun", True), ("개", "Noun", False), ("눈", "Noun", True), ("위", "Noun", True),
    ("달리고", "Verb", True), ("강아지", "Noun", True), ("달리는", "Verb", True),
]  # fmt: skip
VOCABULARY = Vocabulary(tuple(Morpheme(*row) for row in FORMS))


def small() -> Words:
    rows = np.random.default_rng(0).normal(size=(len(VOCABULARY), 8)).astype(np.float32)
    rows[SPECIAL + 8] = rows[SPECIAL + 3] + 0.1 * rows[SPECIAL]  # 강아지 near 개
    return Words(VOCABULARY, rows)


@cache
def shipped() -> Words:
    return Words.load(SHIPPED)


def test_a_sentence_is_cut_as_it_was_composed():
    said = (FORMS[3], FORMS[1], FORMS[5], FORMS[2], FORMS[7], FORMS[0])
    sentence = tuple(Morpheme(*row) for row in said)
    assert Segmenter(VOCABULARY).split(compose(sentence)) == sentence


def test_what_is_unknown_keeps_its_particle():
    cut = Segmenter(VOCABULARY).split("스마트폰에 개가")
    assert [(m.form, m.tag) for m in cut] == [
        ("스마트폰", UNKNOWN_TAG), ("에", "Josa"), ("개", "Noun"), ("가", "Josa"),
    ]  # fmt: skip


@given(st.text(alphabet="개가 강아지달리고눈에.!?\nabc１ㄱ", max_size=60))
def test_nothing_but_punctuation_is_lost(text):
    cut = Segmenter(VOCABULARY).split(text)
    said = "".join(c for c in text if c.isalnum())
    words = "".join(c if c.isalnum() else " " for c in text).split()
    if all(len(w) <= LONGEST for w in words):
        assert "".join(m.form for m in cut) == said
        assert sum(m.spaced for m in cut) == len(words)


@given(st.text(max_size=80))
def test_any_text_has_a_vector_of_length_one_or_none(text):
    vector = small().vector(text)
    assert vector.dtype == np.float32 and vector.shape == (8,)
    length = np.linalg.norm(vector)
    assert length == pytest.approx(1, abs=1e-5) or length == 0


def test_zipf_is_a_distribution_that_falls():
    shares = zipf(1000)
    assert sum(shares) == pytest.approx(1)
    assert shares == sorted(shares, reverse=True)


def test_common_words_count_less_and_empty_ones_not_at_all():
    words = small()
    assert words.rarity("강아지") > words.rarity("개") > 0
    assert words.rarity("스마트폰") == 1
    assert words.content("개가 눈 위에 있다") == ("개", "눈")
    assert not is_content(Morpheme("에", "Josa", False))
    np.testing.assert_array_equal(words.vector("개가 있다"), words.vector("개"))


def test_order_of_words_does_not_count_and_the_same_text_is_the_same_vector():
    words = small()
    np.testing.assert_allclose(words.vector("개 눈"), words.vector("눈 개"), atol=1e-6)
    np.testing.assert_array_equal(words.vector("개 눈"), small().vector("개 눈"))
    assert words.vectors(["개", ""]).shape == (2, 8) and words.vectors([]).shape == (0, 8)


def test_an_unknown_word_takes_after_those_spelt_alike():
    words = small()
    assert "달리던" not in words
    assert float(words.word("달리던") @ words.word("달리는")) > 0.3
    assert not words.word("스마트폰").any()


def test_an_embedding_of_another_size_is_refused():
    with pytest.raises(ValueError, match="14 morphemes"):
        Words(VOCABULARY, np.zeros((3, 8), np.float32))


def test_a_file_without_an_embedding_is_told(tmp_path, monkeypatch):
    from model import words as module

    held = module.read_captioner(SHIPPED)
    bare = type(held)(held.about, held.vocabulary, {}, {})
    monkeypatch.setattr(module, "read_captioner", lambda path: bare)
    with pytest.raises(CaptionerFileError, match="no embeddings"):
        Words.load(tmp_path / "x.kcap")


@pytest.mark.parametrize(
    ("word", "near", "far"),
    [("강아지", "개", "책상"), ("바다", "해변", "책상"), ("차", "자동차", "고양이"),
     ("빨간", "주황색", "나무"), ("달리던", "달리는", "앉아")],
)  # fmt: skip
def test_the_shipped_words_lie_by_meaning(word, near, far):
    one, near_one, far_one = (shipped().word(w) for w in (word, near, far))
    assert one @ near_one > one @ far_one + 0.1


def test_sentences_that_mean_the_same_lie_near():
    words = shipped()
    one, same, other = words.vectors(
        ["개가 눈 위를 달리고 있다", "강아지가 눈 속에서 뛰고 있다", "부엌에 냉장고가 놓여 있다"]
    )
    assert one @ same > one @ other + 0.2
