"""BLEU, ROUGE-L and CIDEr-D against hand counts, sacrebleu and pycocoevalcap 1.2."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model import metrics

HYPOTHESES = [
    "개 한 마리 가 눈 위 를 달리 고 있다",
    "남자 가 자전거 를 탄다",
    "아이 가 아이 가 아이 가 물 에서 논다",
    "여자 가",
    "사람 들 이 거리 를 걷 고 있다",
]
REFERENCES = [
    [
        "갈색 개 가 눈 위 를 달린다",
        "개 한 마리 가 눈 밭 을 달리 고 있다",
        "개 가 눈 위 를 뛰 고 있다",
    ],
    ["남자 가 산 에서 자전거 를 타 고 있다", "자전거 를 탄 남자"],
    [
        "아이 가 물 에서 놀 고 있다",
        "두 아이 가 물 에서 논다",
        "아이 들 이 물놀이 를 한다",
        "물 에서 노는 아이",
    ],
    ["여자 가 사진 을 찍 고 있다", "한 여자 가 카메라 를 들 고 있다", "여자 가 웃는다"],
    ["사람 들 이 거리 를 걷 고 있다", "많은 사람 들 이 길 을 건너 고 있다"],
]
# Cider, Rouge and Bleu ("closest") of pycocoevalcap 1.2 on the sentences above.
GOLDEN_CIDER = [4.181138821, 2.111514289, 1.985653145, 2.297687113, 5.917689837]
GOLDEN_ROUGE = [0.842624568, 0.590799031, 0.691609977, 0.772151899, 1.0]
GOLDEN_BLEU = [85.29411764, 80.43996665, 73.95052480, 67.05766801]

WORDS = st.sampled_from(["개", "가", "물", "에서", "눈 위", "달린다", "있다"])
SENTENCE = st.lists(WORDS, min_size=1, max_size=9)
CORPUS = st.lists(
    st.tuples(SENTENCE, st.lists(SENTENCE, min_size=2, max_size=2)), min_size=1, max_size=6
)


def split(texts):
    return [text.split() for text in texts]


HYP = split(HYPOTHESES)
REF = [split(group) for group in REFERENCES]


def test_bleu_by_hand():
    # 3 of 4 words and 1 of 3 pairs stand in the reference; 4 words against 5.
    scores = metrics.bleu([["가", "나", "다", "라"]], [[["가", "나", "라", "마", "바"]]])
    brevity = math.exp(1 - 5 / 4)
    assert scores[0] == pytest.approx(100 * brevity * 3 / 4)
    assert scores[1] == pytest.approx(100 * brevity * math.sqrt(3 / 4 * 1 / 3))
    assert scores[2:] == (0.0, 0.0)


def test_bleu_clips_repeats_and_takes_the_closest_reference():
    row = metrics.bleu_statistics([["개"] * 3], [[["개", "개"], ["개", "물", "눈", "위"]]])[0]
    assert row.tolist() == [2, 1, 0, 0, 3, 2, 1, 0, 3, 2]


def test_golden_pycocoevalcap():
    np.testing.assert_allclose(metrics.CiderD(REF).scores(HYP), GOLDEN_CIDER, atol=1e-8)
    np.testing.assert_allclose(metrics.rouge_l_scores(HYP, REF), GOLDEN_ROUGE, atol=1e-8)
    np.testing.assert_allclose(metrics.bleu(HYP, REF), GOLDEN_BLEU, atol=1e-6)


@given(st.lists(st.integers(0, 3), min_size=4, max_size=4), st.integers(1, 40), st.integers(1, 40))
def test_smoothed_bleu_equals_sacrebleu(matches, length, closest):
    sacrebleu = pytest.importorskip("sacrebleu")
    guesses = [max(0, length - order) for order in range(4)]
    matches = [min(pair) for pair in zip(matches, guesses, strict=True)]
    if not matches[0]:
        matches = [0] * 4
    oracle = sacrebleu.BLEU.compute_bleu([*matches], [*guesses], length, closest, "exp").score
    found = metrics.bleu_of_sums([*matches, *guesses, length, closest], smooth=True)
    assert found[3] == pytest.approx(oracle, abs=1e-6)


@settings(max_examples=60)
@given(CORPUS)
def test_bleu_equals_sacrebleu(corpus):
    sacrebleu = pytest.importorskip("sacrebleu")
    hypotheses, references = [h for h, _ in corpus], [r for _, r in corpus]
    own = metrics.bleu(hypotheses, references)
    texts, streams = [plain(h) for h in hypotheses], zip(*references, strict=True)
    streams = [[plain(r) for r in stream] for stream in streams]
    for order in range(1, 5):
        oracle = sacrebleu.BLEU(
            tokenize="none", smooth_method="none", force=True, max_ngram_order=order
        )
        assert own[order - 1] == pytest.approx(oracle.corpus_score(texts, streams).score, abs=1e-6)


def plain(tokens):
    """One string for sacrebleu: the spaces inside a token must not split it."""
    return " ".join(token.replace(" ", "␣") for token in tokens)


@settings(max_examples=100)
@given(st.lists(WORDS, max_size=7), st.lists(WORDS, max_size=7))
def test_lcs_equals_trying_every_subsequence(one, other):
    pieces = (set(combinations(one, n)) & set(combinations(other, n)) for n in range(8))
    longest = max(n for n, common in enumerate(pieces) if common)
    assert metrics.lcs_length(one, other) == longest


def test_rouge_l_by_hand():
    score = metrics.rouge_l([["가", "나", "다", "라"]], [[["가", "다", "마"]]])
    precision, recall = 2 / 4, 2 / 3
    assert score == pytest.approx(100 * 2.44 * precision * recall / (recall + 1.44 * precision))


def test_cider_d_by_hand():
    references = [[["개"]], [["물"]], [["눈", "개"]], [["위"]]]
    # One shared word of one: cosine 1 for n = 1, nothing for longer runs; 10 / 4 orders.
    assert metrics.CiderD(references).scores([["물"]], [1]) == pytest.approx([2.5])
    # "눈 개" against "개": idf ln4 and ln2, and one bigram too many.
    cosine = math.log(2) / math.hypot(math.log(2), math.log(4))
    expected = 2.5 * cosine * math.exp(-1 / 72)
    assert metrics.CiderD(references).scores([["눈", "개"]], [0]) == pytest.approx([expected])


def test_cider_d_counts_words_of_no_reference_in_the_norm():
    cider = metrics.CiderD(REF)
    bare, padded = cider.scores([["남자", "자전거"], ["남자", "자전거", "우주선"]], [1, 1])
    assert padded < bare


def test_cider_d_of_unlike_number_is_refused():
    with pytest.raises(ValueError, match="zip"):
        metrics.CiderD(REF).scores(HYP[:2])


def test_cider_d_takes_its_idf_from_elsewhere():
    cider = metrics.CiderD(REF[:2], idf_references=REF)
    np.testing.assert_allclose(cider.scores(HYP[:2]), GOLDEN_CIDER[:2], atol=1e-8)
    assert cider.corpus(HYP[:2]) == pytest.approx(np.mean(GOLDEN_CIDER[:2]))


@settings(max_examples=50)
@given(CORPUS)
def test_scores_stay_in_range_and_their_own_reference_is_best(corpus):
    references = [r for _, r in corpus]
    scores = metrics.score_all([h for h, _ in corpus], references)
    same = metrics.score_all([r[0] for r in references], references)
    assert all(0 <= b <= 100.0001 for b in scores.bleu) and 0 <= scores.cider_d <= 10.0001
    assert same.rouge_l == pytest.approx(100) and same.bleu[0] == pytest.approx(100)
    assert 0 < scores.distinct <= 1 and 1 <= scores.length <= 9


def test_empty_sentences_score_nothing():
    scores = metrics.score_all([[], []], [[["개"]], [["물", "가"]]])
    assert scores == metrics.Scores((0.0, 0.0, 0.0, 0.0), 0.0, 0.0, 0.5, 0.0)


@pytest.mark.parametrize("references", [[], [[]], [[["개"]], [["물"]]]])
def test_unpaired_references_are_refused(references):
    with pytest.raises(ValueError, match="reference sets"):
        metrics.score_all([["개"]], references)


def test_signature_names_everything_a_reader_needs():
    text = metrics.signature("CIDEr-D", "okt", [[["개"]] * 5] * 3, idf="test-references")
    assert text == "CIDEr-D|tokens:okt|refs:5|pictures:3|idf:test-references|version:1"
    assert "|refs:2-4|" in metrics.signature("BLEU", "okt", REF)


def test_bootstrap_is_sure_of_a_clear_lead_only():
    rng = np.random.default_rng(5)
    behind = rng.normal(size=200)
    assert metrics.paired_bootstrap(behind + 0.5, behind) == pytest.approx(1 / 1001)
    assert metrics.paired_bootstrap(behind, behind + 0.5) == 1.0
    assert metrics.paired_bootstrap(behind, behind) == 1.0
    assert 0.1 < metrics.paired_bootstrap(rng.normal(size=200), rng.normal(size=200)) < 0.9


def test_bootstrap_of_a_corpus_score_equals_drawing_by_hand():
    a = metrics.bleu_statistics(HYP, REF)
    b = metrics.bleu_statistics([HYP[0], *HYP[:4]], REF)
    own = metrics.paired_bootstrap(a, b, lambda s: metrics.bleu_of_sums(s)[:, 0], 200, seed=3)
    draws = np.random.default_rng(3).multinomial(5, [0.2] * 5, size=200)
    rows = [np.repeat(np.arange(5), draw) for draw in draws]
    gains = [metrics.bleu_of_sums(x[r].sum(0))[0] for r in rows for x in (a, b)]
    losses = sum(x <= y for x, y in zip(gains[::2], gains[1::2], strict=True))
    assert own == pytest.approx((1 + losses) / 201)


def test_bootstrap_refuses_unlike_pictures():
    with pytest.raises(ValueError, match="paired"):
        metrics.paired_bootstrap([1.0, 2.0], [1.0])
