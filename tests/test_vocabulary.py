"""Morphemes as numbers and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocess.errors import CaptionerFileError, DataError
from preprocess.korean import Morpheme
from preprocess.vocabulary import END, PAD, START, UNKNOWN, Vocabulary

WORDS = [Morpheme(form, "Noun", spaced) for form in "개고양이소말" for spaced in (False, True)]
sentences = st.lists(st.sampled_from(WORDS), max_size=10)


@given(sentences)
def test_decoding_inverts_encoding(sentence):
    vocabulary = Vocabulary(tuple(WORDS))
    ids = vocabulary.encode(sentence, 12)
    assert ids[0] == START
    assert list(ids).count(END) == 1
    assert vocabulary.decode(ids[1:]) == tuple(sentence)


@given(st.permutations(WORDS))
def test_the_tsv_brings_the_vocabulary_back(words):
    vocabulary = Vocabulary(tuple(words))
    assert Vocabulary.from_tsv(vocabulary.to_tsv()) == vocabulary


def test_rare_morphemes_are_unknown_and_frequent_ones_come_first():
    a, b, c = WORDS[:3]
    vocabulary = Vocabulary.build([[a, b, b], [b, a, c]], least=2)
    assert vocabulary.morphemes == (b, a)
    assert list(vocabulary.encode([a, c], 5)) == [START, 5, UNKNOWN, END, PAD]


def test_nothing_frequent_enough_is_an_error():
    with pytest.raises(DataError, match="no morpheme occurs 9 times"):
        Vocabulary.build([[WORDS[0]]], least=9)


def test_a_damaged_table_is_an_error():
    with pytest.raises(CaptionerFileError):
        Vocabulary.from_tsv("개\tNoun\n")
