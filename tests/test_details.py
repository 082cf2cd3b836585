"""Details are left out; what stays is the sentence, and Korean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.details import details, without
from model.grammar import faults
from preprocess.korean import Morpheme, compose

TAGS = {
    **dict.fromkeys(("가", "이", "를", "을", "에", "에서", "과", "와", "의", "로"), "Josa"),
    **dict.fromkeys(("입은", "서", "놀고", "달리고", "앉아", "섞인", "떠", "달린", "가진"), "Verb"),
    **dict.fromkeys(("비치는", "덮인", "달리는", "담긴", "쓴"), "Verb"),
    **dict.fromkeys(("흰", "검은", "빨간", "파란", "있다", "어린", "있고", "큰"), "Adjective"),
}


def cut(text):
    """'개|가 풀밭|에서' cut at spaces and bars, as a tagger would."""
    found = []
    for word in text.split():
        parts = word.split("|")
        found += [Morpheme(p, TAGS.get(p, "Noun"), n == 0) for n, p in enumerate(parts)]
    return (Morpheme(found[0].form, found[0].tag, False), *found[1:])


NUMBER = {("number", "두")}
RED = {("colour", "빨간색")}
PLATE = {("place", "접시")}


@pytest.mark.parametrize(
    ("text", "doubtful", "rest"),
    [
        ("남자 두 명|이 축구|를 하고 있다", NUMBER, "남자가 축구를 하고 있다"),
        ("두 명|의 남자|가 서 있다", NUMBER, "남자가 서 있다"),
        ("소녀|가 공 두 개|를 들고 있다", NUMBER, "소녀가 공을 들고 있다"),
        ("빨간 셔츠|를 입은 남자|가 서 있다", RED, "남자가 서 있다"),
        ("검은 모자|와 빨간 옷|을 입은 여자|가 서 있다", RED, "여자가 서 있다"),
        ("빨간색|과 흰색|이 섞인 개|가 서 있다", RED, "개가 서 있다"),
        ("빨간 자동차|가 서 있다", RED, "자동차가 서 있다"),
        ("여자|가 빨간 옷|을 입고 있다", RED, "여자가 옷을 입고 있다"),
        ("개|가 나무 바닥 위|에 앉아 있다", {("place", "나무")}, "개가 앉아 있다"),
        ("풀밭|에 개|가 앉아 있다", {("place", "풀밭")}, "개가 앉아 있다"),
        ("소년|이 배|를 타고 물|에서 놀고 있다", {("place", "물")}, "소년이 배를 타고 놀고 있다"),
        ("개|가 집 앞|의 풀밭|에서 놀고 있다", {("place", "풀밭")}, "개가 놀고 있다"),
        ("개|가 놀고 있다", RED | NUMBER, "개가 놀고 있다"),
        ("개|가 풀밭|을 달리고 있다", {("place", "풀밭")}, "개가 달리고 있다"),
        ("빨간 머리 여자|가 서 있다", RED, "여자가 서 있다"),
        ("빨간 머리|의 남자|가 서 있다", RED, "남자가 서 있다"),
        ("빨간 눈|의 고양이|가 있다", RED, "고양이가 있다"),
        ("빨간 털|을 가진 개|가 서 있다", RED, "개가 서 있다"),
        ("빨간 자동차|의 문|이 있다", RED, "자동차의 문이 있다"),
        ("사람|들|이 큰 분수 옆|에 서 있다", {("place", "분수")}, "사람들이 서 있다"),
        ("개|가 공|을 입|에 물고 있다", {("place", "입")}, "개가 공을 입에 물고 있다"),
        ("남자|가 광고|판 앞|에 서 있다", {("place", "판")}, "남자가 서 있다"),
        ("사람|이 냉장고 안|에 서 있다", {("place", "냉장고")}, "사람이 서 있다"),
        ("차|가 차고 앞|에 서 있다", {("place", "차고")}, "차가 서 있다"),
        ("소년|이 공|을 차고 물|에서 놀고 있다", {("place", "물")}, "소년이 공을 차고 놀고 있다"),
        ("햇빛|이 비치는 들판|에 차|가 있다", {("place", "들판")}, "차가 있다"),
        ("남자|가 눈 덮인 산|에서 놀고 있다", {("place", "산")}, "남자가 놀고 있다"),
        ("개|가 달리는 들판|에서 놀고 있다", {("place", "들판")}, "개가 달리는 들판에서 놀고 있다"),
        ("접시|에 담긴 빵|이 있다", {("place", "접시")}, "빵이 있다"),
        ("컵|에 담긴 물|과 접시|에 담긴 빵|이 있다", PLATE, "컵에 담긴 물과 빵이 있다"),
        ("얼굴|이 빨간 고양이|가 있다", RED, "고양이가 있다"),
        ("사람|이 빨간 배|를 타고 있다", RED, "사람이 배를 타고 있다"),
        ("흰색|과 빨간색|의 개|가 있다", RED, "흰색의 개가 있다"),
        ("빨간색|과 흰색|의 개|가 있다", RED, "흰색의 개가 있다"),
        (
            "흰 옷|을 입은 소녀|와 빨간 옷|을 입은 소년|이 있다",
            RED,
            "흰 옷을 입은 소녀와 소년이 있다",
        ),
        ("남자|가 개|와 소 옆|에 서 있다", {("place", "소")}, "남자가 서 있다"),
        ("빨간 하늘 아래 풍차|가 서 있다", RED, "풍차가 서 있다"),
        ("안경|을 쓴 남자|가 서 있다", {("worn", "안경")}, "남자가 서 있다"),
    ],
)
def test_a_doubtful_detail_goes_with_its_words(text, doubtful, rest):
    assert doubtful <= details(cut(text)) or rest == compose(cut(text))
    assert compose(without(cut(text), doubtful)) == rest


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("개 두 마리|가 놀고 있다", "개들이 놀고 있다"),
        ("두 명|의 어린 소녀|가 서 있다", "어린 소녀들이 서 있다"),
        ("아이|들 두 명|이 서 있다", "아이들이 서 있다"),
        ("빵 두 조각|이 있다", "빵이 있다"),
        ("소녀|가 공 두 개|를 들고 있다", "소녀가 공들을 들고 있다"),
    ],
)
def test_what_loses_its_number_may_still_be_several(text, rest):
    assert compose(without(cut(text), NUMBER, several=True)) == rest


def test_one_is_never_several():
    said = cut("개 한 마리|가 놀고 있다")
    assert compose(without(said, {("number", "한")}, several=True)) == "개가 놀고 있다"


WORDS = st.sampled_from([*TAGS, "개", "소년", "두", "명", "마리", "바닥", "위", "셔츠", "풀밭"])


@given(st.lists(st.tuples(WORDS, st.booleans()), min_size=1, max_size=14), st.data())
def test_only_words_go_and_no_doubtful_detail_stays(words, data):
    sentence = tuple(
        Morpheme(w, TAGS.get(w, "Noun"), i > 0 and spaced) for i, (w, spaced) in enumerate(words)
    )
    found = sorted(details(sentence))
    doubtful = data.draw(st.sets(st.sampled_from(found))) if found else set()
    rest = without(sentence, doubtful)
    places = iter(m.tag for m in sentence)
    assert all(m.tag in places for m in rest)  # the same words in order, particles apart
    assert not any(d[0] != "place" and d in doubtful for d in details(rest))
    assert without(rest, doubtful) == rest


def test_a_whole_sentence_stays_korean():
    said = cut("빨간 옷|을 입은 소년 두 명|이 집 앞|의 풀밭|에서 놀고 있다")
    for detail in details(said):
        assert not faults(without(said, {detail}))
