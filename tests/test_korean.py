"""Korean from morphemes: round trips and particles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocess.korean import Morpheme, agree, compose, content, locate, repair

syllables = st.text(
    st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3), min_size=1, max_size=4
)
morphemes = st.lists(
    st.builds(Morpheme, syllables, st.sampled_from(["Noun", "Josa", "Verb"]), st.booleans()),
    min_size=1,
    max_size=12,
)


@given(morphemes)
def test_a_composed_sentence_is_located_again(sentence):
    text = compose(sentence)
    found = locate(text, [(m.form, m.tag) for m in sentence])
    assert found is not None
    assert compose(found) == text
    assert [m.spaced for m in found[1:]] == [m.spaced for m in sentence[1:]]


@given(morphemes)
def test_repairing_twice_changes_nothing(sentence):
    once = repair(sentence)
    assert repair(once) == once
    assert [m.form for m in once if m.tag != "Josa"] == [
        m.form for m in sentence if m.tag != "Josa"
    ]


@pytest.mark.parametrize(
    ("before", "particle", "right"),
    [
        ("사람", "가", "이"),
        ("개", "이", "가"),
        ("물", "를", "을"),
        ("공", "와", "과"),
        ("길", "으로", "로"),
        ("집", "로", "으로"),
        ("바다", "으로", "로"),
        ("TV", "를", "를"),
        ("개", "에서", "에서"),
    ],
)
def test_particles_follow_their_noun(before, particle, right):
    assert agree(particle, before) == right


def test_spaces_are_remembered():
    tagged = [("개", "Noun"), ("두", "Noun"), ("마리", "Noun"), ("가", "Josa"), ("뛴다", "Verb")]
    found = locate("개 두 마리가 뛴다", tagged)
    assert found is not None
    assert [m.spaced for m in found] == [False, True, True, False, True]


def test_surfaces_that_do_not_spell_the_sentence_are_refused():
    assert locate("개가 뛴다", [("개", "Noun"), ("뛰다", "Verb")]) is None
    assert locate("개가 뛴다", [("개", "Noun")]) is None


def test_content_is_what_and_not_how():
    def cut(*pairs):
        return [Morpheme(form, tag, True) for form, tag in pairs]

    floor = cut(("바닥", "Noun"), ("에", "Josa"), ("서", "Verb"), ("있다", "Adjective"))
    upon = cut(("바닥", "NNG"), ("위", "NNG"), ("에", "JKB"), ("서서", "VV"), ("있는", "VX"))
    assert content(floor) == content(upon) == {"바닥", "서"}
    assert content(cut(("흰", "Adjective"), ("옷", "Noun"))) == {"흰", "옷"}
    assert content([Morpheme("", "", False)]) == content([]) == frozenset()
