"""Saying less when in doubt: what guesses agree on, and how doubt is measured."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from model.confidence import Confidence, calibration_error, fit_confidence
from model.general import agreed
from model.gist import NOUNS, WIDER, HedgeOptions, agree, gist, widened
from preprocess.errors import SettingError
from preprocess.korean import Morpheme, compose

JOSA = ["이", "가", "을", "를", "에", "에서", "의", "와", "과", "은", "는", "으로", "로"]


def cut(sentence):
    """Morphemes of a sentence written with | between those of a word."""
    found = []
    for number, word in enumerate(sentence.split()):
        for place, form in enumerate(word.split("|")):
            verb = form.endswith(("다", "고", "는", "린", "인", "은", "어", "서", "여"))
            tag = "Josa" if place and form in JOSA else "Verb" if verb else "Noun"
            found.append(Morpheme(form, tag, bool(number) and place == 0))
    return tuple(found)


@pytest.mark.parametrize(
    ("sentence", "kind", "many", "place", "pose"),
    [
        ("검은 개|가 풀밭|에서 공|을 물고 있다", "개", False, "풀밭", ""),
        ("소년 두 명|이 농구|를 하고 있다", "사람", True, "", ""),
        ("무늬|가 있는 흰 접시|가 탁자 위|에 놓여 있다", "물건", False, "", ""),
        ("고양이|의 얼굴|이 가까이 보인다", "고양이", False, "", ""),
        ("부엌|에 여자|가 서 있다", "사람", False, "실내", "서 있다"),
        ("자동차|들|이 도로 위|에 서 있다", "차", True, "길", "서 있다"),
        ("손|이 보인다", "사람", False, "", ""),
        ("의자 세 개|가 방|에 놓여 있다", "물건", True, "실내", ""),
        ("두 남자|가 서 있다", "사람", True, "", "서 있다"),
        ("차 한 대|가 서 있다", "차", False, "", "서 있다"),
        ("얼굴|이 흰 고양이|가 흰 천 위|에 앉아 있다", "고양이", False, "", "앉아 있다"),
        ("얼굴|이 보인다", "사람", False, "", ""),
        ("손|이 음식|이 담긴 접시|를 들고 있다", "사람", False, "", ""),
        ("없다", "", False, "", ""),
    ],
)
def test_the_gist_of_a_sentence(sentence, kind, many, place, pose):
    found = gist(cut(sentence))
    assert (found.kind, found.many, found.place, found.pose) == (kind, many, place, pose)


@pytest.mark.parametrize(
    ("guesses", "said"),
    [
        (["주전자|가 있다", "의자|가 있다", "상자|가 놓여 있다"], "물건이 놓여 있다"),
        (["개|가 앉아 있다", "고양이|가 앉아 있다", "곰|이 앉아 있다"], "동물이 앉아 있다"),
        (["개|가 서 있다", "강아지|가 놀고 있다", "개|가 뛰고 있다"], "개가 보인다"),
        (["여자|가 부엌|에 서 있다", "남자|가 방|에 서 있다"], "실내에 사람이 서 있다"),
        (["남자|들|이 도로|에 있다", "소녀|들|이 공원|에 있다"], "야외에 사람들이 보인다"),
        (["버스|가 있다", "기차|가 있다"], "탈것이 보인다"),
        (["버스|가 있다", "자동차|가 있다"], "차가 보인다"),
        (["없다", "보인다"], "무언가가 보인다"),
        # people who are not there are what a decoder thinks of first
        (["남자|가 있다"] * 7 + ["의자|가 있다"] * 3, "무언가가 보인다"),
        (["남자|가 있다"] * 9 + ["의자|가 있다"], "남자가 보인다"),
        (["남자|가 있다"] * 5 + ["여자|가 있다"] * 5, "사람이 보인다"),
        (["남자|가 있다"] * 7 + ["개|가 있다"] * 3, "사람이 보인다"),
        (["의자|가 도서관|에 있다", "책상|이 도서관|에 있다"], "도서관이 보인다"),
        (["남자|가 도서관|에 있다", "여자|가 도서관|에 있다"], "도서관에 사람이 보인다"),
        (["개|가 바위 위|에 있다", "개|가 바위|에 있다"], "바위 위에 개가 보인다"),
        (["의자|가 방|에 있다", "책상|이 방|에 있다"], "실내에 물건이 놓여 있다"),
        (["산|이 있다", "길|이 야외|에 있다"], "야외 풍경이 보인다"),
    ],
)
def test_what_guesses_agree_on(guesses, said):
    assert compose(agreed(map(cut, guesses))) == said


nouns = st.sampled_from(sorted(NOUNS["subject"]))
guesses = st.lists(nouns.map(lambda n: cut(f"{n}|이 있다")), min_size=1, max_size=12)


@given(guesses, st.randoms())
def test_the_order_of_kinds_with_a_majority_does_not_matter(drawn, random):
    kinds = [gist(g).kind for g in drawn]
    if max(map(kinds.count, kinds)) < 0.6 * len(kinds):
        return
    turned = sorted(drawn, key=lambda _: random.random())
    assert agreed(drawn) == agreed(turned)


@given(nouns, st.integers(1, 20))
def test_one_voice_names_its_own_kind(noun, count):
    said = agreed([cut(f"{noun}|이 있다")] * count)
    kind = NOUNS["subject"][noun]
    assert kind in [m.form for m in said] or (kind == "사람" and said[0].form == noun)


def test_the_kinds_are_a_taxonomy():
    kinds = set(NOUNS["subject"].values())
    assert set(WIDER) <= kinds
    assert set(WIDER.values()) <= kinds
    assert all(len(widened(k)) == 1 + (k in WIDER) for k in kinds)
    assert widened("") == ()


@given(st.floats(-8, 8), st.floats(-4, 4), st.integers(0, 99))
def test_confidence_is_the_likeliest_fit(slope, intercept, seed):
    random = np.random.default_rng(seed)
    scores = random.uniform(-2, 0, 200)
    right = random.random(200) < 1 / (1 + np.exp(-(slope * scores + intercept)))

    def loss(w):
        logit = w[0] * scores + w[1]
        return np.logaddexp(0, np.where(right, -logit, logit)).sum() + 5e-4 * (w @ w)

    found = fit_confidence(list(scores), list(right))
    best = minimize(loss, np.zeros(2)).fun
    assert loss(np.array([found.slope, found.intercept])) <= best + 1e-3


def test_a_fair_coin_is_calibrated_and_a_braggart_is_not():
    right = [True, False] * 50
    assert calibration_error([0.5] * 100, right) == pytest.approx(0)
    assert calibration_error([1.0] * 100, right) == pytest.approx(0.5)
    assert Confidence(2.0, 0.0).of(0.0) == 0.5
    assert Confidence(2.0, 0.0).of(-800.0) == pytest.approx(0)


@pytest.mark.parametrize(
    "wrong", [{"min_confidence": 1.1}, {"min_confidence": -0.1}, {"guesses": 0}, {"temperature": 0}]
)
def test_unusable_hedges_are_refused(wrong):
    with pytest.raises(SettingError):
        replace(HedgeOptions(), **wrong)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("사람 보", "여자 의자 앉", True),
        ("남자 보", "여자 의자 앉", False),
        ("소년 서", "아이 서", True),
        ("소년 서", "사람 나무 서", True),
        ("소년 서", "소녀 서", False),
        ("여자 서", "여자 앉", False),
        ("여자 바닥 서", "여자 길 서", False),
        ("물건 놓", "컵 탁자 놓", True),
        ("강아지 달", "동물 보", True),
        ("개 달", "고양이 달", False),
    ],
)
def test_contents_of_which_one_only_says_more_agree(one, other, same):
    first, second = frozenset(one.split()), frozenset(other.split())
    assert agree(first, second) == agree(second, first) == same
    assert agree(first, first)
