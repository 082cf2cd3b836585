"""A data folder as batches and folds."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocess.dataset import Dataset, batches, folds, load, mirrored
from preprocess.errors import DataError
from preprocess.features import EncoderOptions, cache_features
from preprocess.korean import Morpheme
from preprocess.morphemes import analyse_all, read_morphemes
from preprocess.pictures import nearer, read_picture, to_square
from preprocess.records import Sample, write_samples
from preprocess.tagger import Tagger
from preprocess.vocabulary import END, PAD, START, Vocabulary


def morpheme(form):
    return Morpheme(form, "Noun", True)


def dataset(count, groups=None):
    samples, sentences = [], []
    for i in range(count):
        texts = tuple(tuple(map(morpheme, "개소말"[: 1 + (i + j) % 3])) for j in range(1 + i % 4))
        group = f"g{i if groups is None else groups[i]}"
        samples.append(Sample(f"s/{i}", ("x",), tuple("개" for _ in texts), "train", group))
        sentences.append(texts)
    features = np.arange(count * 2 * 2 * 3, dtype=np.float16).reshape(count, 2, 2, 3)
    return Dataset(tuple(samples), tuple(sentences), features, {})


VOCABULARY = Vocabulary(tuple(map(morpheme, "개소말")))


@given(st.integers(1, 40), st.integers(1, 6), st.integers(1, 4), st.integers(0, 99))
def test_an_epoch_teaches_every_target_once_and_no_padding(count, size, sentences, seed):
    data = dataset(count)
    rows = list(range(count))
    made = list(batches(data, rows, VOCABULARY, size, sentences, 24, np.random.default_rng(seed)))
    assert sum(len(b.regions) for b in made) >= min(count, count - count % size or count)
    for batch in made:
        assert batch.tokens.shape == batch.targets.shape == batch.weights.shape
        assert (batch.tokens[:, :, 0] == START).all()
        assert ((batch.weights == 0) == (batch.targets == PAD)).all()
        assert ((batch.targets == END).sum(-1) == 1).all()
        np.testing.assert_array_equal(batch.tokens[:, :, 1:], np.where(
            batch.targets[:, :, :-1] == END, END, batch.targets[:, :, :-1]))  # fmt: skip


def test_an_epoch_is_the_same_for_the_same_seed():
    data = dataset(20)
    first, second = (
        list(batches(data, range(20), VOCABULARY, 4, 2, 24, np.random.default_rng(3)))
        for _ in range(2)
    )
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a.tokens, b.tokens)
        np.testing.assert_array_equal(a.regions, b.regions)


@given(st.lists(st.integers(0, 8), min_size=4, max_size=60), st.integers(2, 4))
def test_folds_hold_every_row_out_once_and_split_no_group(groups, k):
    data = dataset(len(groups), groups)
    rows = list(range(len(groups)))
    parts = folds(data.samples, rows, k)
    assert sorted(row for _, held in parts for row in held) == rows
    for train, held in parts:
        assert sorted(train + held) == rows
        assert not {groups[r] for r in train} & {groups[r] for r in held}


def test_left_and_right_change_places_in_the_mirror():
    sentence = [morpheme(form) for form in ("왼쪽", "오른손", "개", "왼")]
    assert [m.form for m in mirrored(sentence)] == ["오른쪽", "왼손", "개", "오른"]
    assert mirrored(mirrored(sentence)) == tuple(sentence)


class Eye:
    """A stand-in CNN: mean colour of the picture, and a count of the pictures it saw."""

    def __init__(self, fail_after=10**9):
        self.seen, self.fail_after = 0, fail_after

    def __call__(self, pictures):
        self.seen += len(pictures)
        if self.seen > self.fail_after:
            raise KeyboardInterrupt
        return pictures.mean((1, 2))[:, None, :]


@pytest.fixture
def pictures(tmp_path):
    import cv2

    samples = []
    for i in range(40):
        picture = np.full((8, 8, 3), i * 3, np.uint8)
        picture[:, :4] += 60
        cv2.imwrite(str(tmp_path / f"{i}.png"), picture)
        samples.append(Sample(f"s/{i}", (str(tmp_path / f"{i}.png"),), ("개",), "train", f"{i}"))
    return samples


def test_every_picture_is_seen_once_whatever_interrupts(tmp_path, pictures, monkeypatch):
    monkeypatch.setattr("preprocess.shards.SHARD_BYTES", 16 * 2 * 3 * 2)  # 16 rows
    options, whole = EncoderOptions("eye", 8), Eye()
    expected = cache_features(tmp_path / "whole", pictures, options, whole)
    with pytest.raises(KeyboardInterrupt):
        cache_features(tmp_path / "cut", pictures, options, Eye(fail_after=1 + 2 * 17))
    rest = Eye()
    found = cache_features(tmp_path / "cut", pictures, options, rest)
    np.testing.assert_array_equal(found, expected)
    assert rest.seen == 1 + 2 * (40 - 16)  # one probe, then what was missing
    again = Eye()
    cache_features(tmp_path / "cut", pictures, options, again)
    assert again.seen == 1


def test_pictures_are_seen_from_nearer_too_if_asked_for(tmp_path, pictures):
    def eye(seen):
        return seen.reshape(len(seen), -1, 3)

    found = cache_features(tmp_path / "f", pictures, EncoderOptions("eye", 8, nearer=True), eye)
    plain = cache_features(tmp_path / "p", pictures, EncoderOptions("eye", 8), eye)
    assert found.shape == (40, 4, 64, 3)
    np.testing.assert_array_equal(found[:, :2], plain)
    square = to_square(nearer(read_picture(Path(pictures[7].pictures[0]))), 8)
    np.testing.assert_array_equal(found[7, 2], square.reshape(-1, 3))
    np.testing.assert_array_equal(found[7, 3], square[:, ::-1].reshape(-1, 3))


def test_odd_views_come_with_mirrored_sentences():
    sentence = (Morpheme("왼쪽", "Noun", True), Morpheme("개", "Noun", True))
    sample = Sample("s/0", ("x",), ("왼쪽 개",), "train", "0")
    features = np.arange(4, dtype=np.float16).reshape(1, 4, 1, 1)
    data = Dataset((sample,), ((sentence,),), features, {})
    vocabulary, random = (
        Vocabulary.build([sentence, mirrored(sentence)], 1),
        np.random.default_rng(0),
    )
    seen = set()
    for _ in range(40):
        (batch,) = batches(data, [0], vocabulary, 1, 1, 8, random)
        (view,), ids = batch.views, batch.targets[0, 0].tolist()
        assert batch.regions[0, 0, 0] == view
        first = vocabulary.decode(ids[:1])[0].form
        assert first == ("오른쪽" if view % 2 else "왼쪽")
        seen.add(int(view))
    assert seen == {0, 1, 2, 3}


def test_another_set_of_pictures_begins_anew(tmp_path, pictures):
    options = EncoderOptions("eye", 8)
    cache_features(tmp_path / "f", pictures, options, Eye())
    found = cache_features(tmp_path / "f", pictures[::-1], options, Eye())
    assert found.shape == (40, 2, 1, 3)
    assert found[0, 0, 0, 0] > found[-1, 0, 0, 0]


def splitter(sentence):
    return [(word, "Noun") for word in sentence.split(" ") if word != "잃음"]


def test_captions_that_do_not_come_back_are_reported_and_left_out(tmp_path):
    samples = [
        Sample("s/1", ("x",), ("개 하나", "개 잃음"), "train", "1"),
        Sample("s/2", ("x",), ("잃음",), "train", "2"),
    ]
    kept, losses = analyse_all(tmp_path, samples, Tagger("t", "1", splitter))
    assert [s.captions for s in kept] == [("개 하나",)]
    assert losses == ["개 잃음", "잃음"]
    ((key, sentences),) = read_morphemes(tmp_path / "tokens.jsonl")
    assert key == "s/1"
    assert [m.form for m in sentences[0]] == ["개", "하나"]


def test_a_second_run_asks_the_tagger_nothing(tmp_path):
    samples = [Sample(f"s/{i}", ("x",), (f"개 {i}",), "train", f"{i}") for i in range(5)]
    analyse_all(tmp_path, samples[:3], Tagger("t", "1", splitter))
    asked = []

    def watched(sentence):
        asked.append(sentence)
        return splitter(sentence)

    analyse_all(tmp_path, samples, Tagger("t", "1", watched))
    assert asked == ["개 3", "개 4"]


def test_an_unfinished_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match="not a finished data folder"):
        load(tmp_path)
    (tmp_path / "dataset.json").write_text("{}", encoding="utf-8")
    with pytest.raises(DataError, match="not a finished data folder"):
        load(tmp_path)


def test_files_that_do_not_belong_together_are_refused(tmp_path, pictures):
    cache_features(tmp_path / "features", pictures, EncoderOptions("eye", 8), Eye())
    analyse_all(tmp_path, pictures, Tagger("t", "1", splitter))
    write_samples(tmp_path / "samples.jsonl", pictures)
    (tmp_path / "dataset.json").write_text(json.dumps({"tagger": "t", "side": 8}), encoding="utf-8")
    assert len(load(tmp_path).samples) == 40
    write_samples(tmp_path / "samples.jsonl", pictures[1:])
    with pytest.raises(DataError, match="do not belong together"):
        load(tmp_path)
