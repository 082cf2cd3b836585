"""Captions taken from training pictures, against slow readings of the same definitions."""

import numpy as np
import pytest

from model import peers
from model.metrics import CiderD
from model.peers import Choice

CAPTIONS = [
    [["개", "가", "달린다"], ["개", "가", "눈", "위", "를", "달린다"]],
    [["개", "가", "눈", "위", "에", "있다"], ["개", "가", "달린다"]],
    [["고양이", "가", "잔다"], ["고양이", "가", "소파", "에서", "잔다"]],
    [["차", "가", "길", "에", "있다"], ["빨간", "차", "가", "길", "에", "있다"]],
]
FEATURES = np.array([[1, 0, 0], [0.9, 0.1, 0], [0, 1, 0], [0, 0, 1]], dtype=np.float32)


def test_most_frequent_takes_the_earliest_place_of_the_commonest_sentence():
    assert peers.most_frequent(CAPTIONS) == Choice(0, 0)
    assert peers.most_frequent([*CAPTIONS[2:], *CAPTIONS[:2]]) == Choice(2, 0)


def test_nearest_is_by_angle_not_by_distance():
    queries = np.array([[0, 0.01, 0.1], [50, 0.1, 0], [8, 1, 0]], dtype=np.float32)
    assert peers.nearest_neighbour(FEATURES, queries) == [(3, 0), (0, 0), (1, 0)]


def test_neighbours_equal_a_full_sort_over_many_chunks():
    rng = np.random.default_rng(1)
    features = rng.normal(size=(90, 8)).astype(np.float32)
    queries = rng.normal(size=(600, 8)).astype(np.float32)
    cosine = (queries @ features.T) / np.linalg.norm(features, axis=1)
    found = np.stack(list(peers.neighbours(features, queries, 7)))
    np.testing.assert_array_equal(found, np.argsort(-cosine, axis=1)[:, :7])


def test_pool_means_over_regions_and_norms():
    features = np.random.default_rng(2).normal(size=(300, 4, 5)).astype(np.float16)
    mean = features.astype(np.float32).mean(axis=1)
    expected = mean / np.linalg.norm(mean, axis=1, keepdims=True)
    np.testing.assert_allclose(peers.pool(features), expected, rtol=1e-5)
    np.testing.assert_array_equal(peers.pool(features, [7, 3]), peers.pool(features)[[7, 3]])
    assert not peers.pool(np.zeros((1, 2, 3), np.float16)).any()


@pytest.mark.parametrize("m", [None, 1, 2, 125])
def test_consensus_equals_comparing_every_pair_with_cider_d(m):
    # No word repeats within a sentence, so clipping changes nothing and CIDEr-D is the oracle.
    near = list(peers.neighbours(FEATURES, FEATURES, 3))
    got = peers.consensus(FEATURES, CAPTIONS, FEATURES, k=3, m=m)
    assert got == [slowly_agreed([int(p) for p in rows], m) for rows in near]


def slowly_agreed(pictures, m):
    places = [Choice(p, c) for p in pictures for c in range(len(CAPTIONS[p]))]
    means = []
    for place in places:
        fellows = [[CAPTIONS[p][c]] for p, c in places if (p, c) != place]
        cider = CiderD(fellows, idf_references=CAPTIONS)
        own = CAPTIONS[place.picture][place.caption]
        scores = sorted(cider.scores([own] * len(fellows), range(len(fellows))))
        means.append(np.mean(scores[-(m or len(scores)) :]))
    return places[int(np.argmax(np.round(means, 5)))]


def test_an_outlier_does_not_speak():
    captions = [[["개", "가", "달린다"]], [["개", "가", "달린다"]], [["우주선", "이", "난다"]]]
    features = np.array([[1, 0.1], [1, 0.2], [1, 0]], dtype=np.float32)
    query = np.array([[1, 0]], dtype=np.float32)
    assert peers.nearest_neighbour(features, query) == [(2, 0)]
    assert peers.consensus(features, captions, query, k=3)[0].picture in (0, 1)


def test_consensus_of_a_single_caption_is_that_caption():
    assert peers.consensus(FEATURES[:1], [[["개"]]], FEATURES) == [(0, 0)] * 4
