"""What guesses do not share is said less of; what stays is Korean, and never more than before."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.doubt import action, anyone, claims, seen, supported
from model.grammar import faults
from preprocess.korean import compose
from tests.test_details import cut

SAID = cut("빨간 옷|을 입은 소년 두 명|이 풀밭|에서 놀고 있다")
RED = cut("빨간 옷|을 입은 소년|이 풀밭|에서 놀고 있다")
BARE = cut("소년|이 풀밭|에서 놀고 있다")
BLUE = cut("파란 옷|을 입은 소년|이 풀밭|에서 놀고 있다")
MAN = cut("빨간 옷|을 입은 남자|가 풀밭|에서 놀고 있다")
GIRL = cut("빨간 옷|을 입은 소녀|가 풀밭|에서 놀고 있다")


@pytest.mark.parametrize(
    ("guesses", "least", "rest"),
    [
        ([SAID] * 3, 0.9, compose(SAID)),
        (
            [SAID] * 9 + [BARE],
            0.5,
            "빨간 옷을 입은 소년들이 풀밭에서 놀고 있다",
        ),  # numbers need nearly all; that they are several, most
        (
            [SAID] * 3 + [RED] * 7,
            0.3,
            "빨간 옷을 입은 소년이 풀밭에서 놀고 있다",
        ),
        ([SAID, BLUE, BLUE], 0.5, "소년이 풀밭에서 놀고 있다"),
        (
            [SAID] * 5 + [GIRL] * 5,
            0.5,
            "빨간 옷을 입은 아이들이 풀밭에서 놀고 있다",
        ),  # who needs most
        ([SAID] * 8 + [MAN] * 2, 0.5, "빨간 옷을 입은 소년들이 풀밭에서 놀고 있다"),
        ([SAID] * 6 + [MAN] * 4, 0.5, "빨간 옷을 입은 사람들이 풀밭에서 놀고 있다"),  # of several
        ([SAID] * 3 + [MAN] * 7, 0.3, "빨간 옷을 입은 사람이 풀밭에서 놀고 있다"),
        ([cut("소년|이 풀밭|에서 달리고 있다")] * 3, 0.5, "소년이 풀밭에 있다"),
        ([cut("소년|이 물|에서 달리고 있다")] * 3, 0.5, "소년이 보인다"),
        ([cut("소년|이 풀밭|에서 공|을 가지고 놀고 있다")] * 3, 0.5, "소년이 풀밭에서 놀고 있다"),
        ([cut("개|가 풀밭|에서 놀고 있다")] * 3, 0.5, ""),  # another kind of thing
        ([SAID] + [cut("개|가 풀밭|에서 놀고 있다")] * 9, 0.0, ""),
    ],
)
def test_doubtful_claims_give_way(guesses, least, rest):
    assert compose(supported(SAID, guesses, least)) == rest


@pytest.mark.parametrize(
    ("text", "done"),
    [
        ("소년|이 공|을 던지고 있다", "공을던지고있다"),
        ("개|가 풀밭|을 달리고 있다", "달리고있다"),  # along what: a place
        ("개|가 풀밭|에서 뛰고 있다", "달리고있다"),  # the same in other words
        ("개|가 있다", "놓여있다"),
        ("있다", "놓여있다"),
        ("", ""),
    ],
)
def test_what_is_done(text, done):
    assert action(cut(text) if text else ()) == done


def test_what_is_done_with_something_is_done_without_it_if_enough_do():
    said = cut("소년|이 풀밭|에서 공|을 가지고 놀고 있다")
    toys = cut("소년|이 장난감|을 가지고 놀고 있다")
    runs = cut("소년|이 풀밭|에서 달리고 있다")
    assert compose(supported(said, [toys, toys, toys, runs], 0.5)) == "소년이 놀고 있다"
    assert compose(supported(said, [said, toys, runs, runs], 0.5)) == "소년이 풀밭에서 놀고 있다"
    assert compose(supported(said, [runs] * 4, 0.5)) == "소년이 풀밭에 있다"


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("소년|이 그네|를 타고 있다", "소년이 보인다"),
        ("소년|이 방|에서 의자|에 앉아 있다", "소년이 의자에 있다"),
        ("방|에 소년|이 서 있다", "방에 소년이 보인다"),
        ("소년|이 그네|를 타고 나무 옆|에서 놀고 있다", "소년이 나무 옆에 있다"),
        ("개|가 입|에 공|을 물고 달리고 있다", "개가 보인다"),
        ("놀고 있다", "놀고 있다"),
    ],
)
def test_only_who_is_where_stays(text, rest):
    assert compose(seen(cut(text))) == rest


@pytest.mark.parametrize(
    ("text", "doubtful", "rest"),
    [
        ("남자|가 있다", {"남자"}, "사람이 있다"),
        ("남자|가 있다", {"여자"}, "남자가 있다"),
        ("여자 아기|가 있다", {"여자"}, "아기가 있다"),
        ("여자|와 남자|가 있다", {"여자", "남자"}, "사람들이 있다"),
        ("소년|과 남자|가 있다", {"소년", "남자"}, "아이와 사람이 있다"),
        ("어린 소년|이 있다", {"소년"}, "어린아이가 있다"),
        ("어린 아이|가 있다", set(), "어린아이가 있다"),
        ("어린 소년|이 있다", {"소년", "아이"}, "사람이 있다"),
        ("길|에 어린 아이|들|이 있다", {"아이"}, "길에 사람들이 있다"),
        ("남자|와 여자|가 있다", {"여자"}, "사람들이 있다"),  # no man and person
        ("소년|과 아이|들|이 있다", {"소년", "아이"}, "사람들이 있다"),
        ("갈색|과 갈색|이 섞인 개|가 있다", set(), "갈색이 섞인 개가 있다"),
    ],
)
def test_doubtful_people_are_people(text, doubtful, rest):
    assert compose(anyone(cut(text), doubtful)) == rest


@pytest.mark.parametrize(
    ("text", "others", "rest"),
    [
        ("남자|가 미소 짓고 있다", "남자|가 서 있다", "남자가 보인다"),
        ("안경|을 쓴 남자|가 서 있다", "남자|가 서 있다", "남자가 서 있다"),
        ("차|들|이 길|에 서 있다", "차|가 길|에 서 있다", "차가 길에 서 있다"),
        ("사람|들|이 길|에 서 있다", "사람|이 길|에 서 있다", "사람이 길에 서 있다"),
        ("많은 사람|들|이 길|에 서 있다", "사람|이 길|에 서 있다", "많은 사람들이 길에 서 있다"),
    ],
)
def test_what_is_said_too_often_needs_more_guesses(text, others, rest):
    said, other = cut(text), cut(others)
    assert compose(supported(said, [said] + [other] * 9, 0.3)) == rest
    assert supported(said, [said] * 10, 0.3) == said


SAILS = "배|를 탄 남자|가 서 있다"


def test_a_group_of_anybody_is_no_group_of_men():
    said = cut("남자 두 명|이 거리|를 걷고 있다")
    one = cut("남자|가 거리|를 걷고 있다")
    rest = "사람들이 거리를 걷고 있다"
    assert compose(supported(said, [said] * 5 + [one] * 5, 0.3)) == rest
    assert supported(said, [said] * 10, 0.3) == said  # the number holds


def test_clothes_that_few_name_are_clothes():
    said = cut("흰 셔츠|를 입은 남자|가 서 있다")
    coat = cut("흰 코트|를 입은 남자|가 서 있다")
    assert compose(supported(said, [said, coat, coat], 0.3)) == "흰 옷을 입은 남자가 서 있다"
    assert supported(said, [said, said, coat], 0.3) == said


@pytest.mark.parametrize(
    ("text", "others", "rest"),
    [
        # what few name is not ridden
        ("개|가 자전거|를 타고 달리고 있다", "개|가 달리고 있다", "개가 달리고 있다"),
        # what most ride is, whatever else is done
        ("남자|가 배|를 타고 춤추고 있다", "남자|가 배|를 타고 가고 있다", "남자가 배를 타고 있다"),
        (
            "배|를 탄 남자|가 배|를 타고 춤추고 있다",
            "배|를 탄 남자|가 서 있다",
            "배를 탄 남자가 보인다",
        ),
        ("남자|가 공중|에서 춤추고 있다", "남자|가 공중|에 있다", "남자가 공중에 떠 있다"),
        ("개|가 공|을 물고 풀밭|을 달리고 있다", "개|가 풀밭|에 서 있다", "개가 풀밭에 있다"),
    ],
)
def test_riding_and_where_stay_if_they_are_sure(text, others, rest):
    said = cut(text)
    assert compose(supported(said, [said] + [cut(others)] * 3, 0.3)) == rest


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("아기|가 아기|를 안고 있다", "아기가 보인다"),
        ("안경|을 쓴 남자|가 안경|을 쓰고 있다", "안경을 쓴 남자가 보인다"),
        ("음식|이 담긴 접시|가 접시|에 담겨 있다", "음식이 담긴 접시가 보인다"),
        ("개|가 다른 개|와 놀고 있다", "개가 다른 개와 놀고 있다"),
        ("방|에 의자|와 의자|가 있다", "방에 의자들이 있다"),
        ("소년|이 물|에서 물|을 튀기고 있다", "소년이 물에서 물을 튀기고 있다"),
        ("사람|이 해 질 녘|에 서 있다", "사람이 해 질 녘에 서 있다"),
    ],
)
def test_nothing_is_said_twice(text, rest):
    assert compose(supported(cut(text), [cut(text)] * 9, 0.3)) == rest


def test_a_time_is_no_place():
    assert compose(seen(cut("사람|이 해 질 녘|에 서 있다"))) == "사람이 보인다"


SUBJECTS = ("소년 두 명|이", "빨간 옷|을 입은 여자|가", "개|가", "여자|와 남자|가", "개 두 마리|가")
ENDINGS = (
    "풀밭|에서 놀고 있다",
    "물|에 떠 있다",
    "공|을 가지고 놀고 있다",
    "있다",
    "풀밭|을 달리고 있다",
)
SENTENCES = st.tuples(st.sampled_from(SUBJECTS), st.sampled_from(ENDINGS)).map(" ".join).map(cut)


@given(SENTENCES, st.lists(SENTENCES, min_size=1, max_size=9), st.floats(0, 1))
def test_what_is_left_claims_nothing_new_and_is_korean(said, guesses, least):
    rest = supported(said, guesses, least)
    assert not rest or not faults(rest)
    wide = {("who", "아이")}
    new = {c for c in claims(rest) - claims(said) if c[0] not in ("action", "alone")}
    assert new <= wide
    assert len(rest) <= len(said) + 1  # 보인다, or 들


@given(SENTENCES, st.floats(0, 1))
def test_a_sentence_that_all_guesses_say_stays(said, least):
    assert supported(said, [said] * 4, least) == said
