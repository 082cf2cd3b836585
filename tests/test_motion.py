"""Several frames of a shot: which they are, what they say together, and how they follow."""

from dataclasses import asdict

import keras
import numpy as np
import pytest

from bench import motion as motion_bench
from model.beam import BeamOptions, beam_search
from model.captioner import Captioner
from model.config import CaptionerConfig
from model.decoding import by_keras, decode, looks, merged, moves, places, together
from model.ensemble import decoder_of
from model.export import decoder_graphs, named_weights
from model.gist import PLAIN
from model.lesson import Lesson, inputs
from model.network import start_network, step_network
from model.storage import CaptionerFile, write_captioner
from model.train_options import TrainOptions
from model.training import fit
from preprocess.dataset import Dataset, batches
from preprocess.errors import SettingError
from preprocess.graph import export_graph
from preprocess.korean import Morpheme, forms
from preprocess.pictures import nearer
from preprocess.records import Sample, in_time, stills
from preprocess.vocabulary import Vocabulary

WORDS = [Morpheme(form, "Noun", True) for form in "개고양이소말닭꿩물불흙"]
VOCABULARY = Vocabulary(tuple(WORDS))


def randomly(**more):
    config = CaptionerConfig(len(VOCABULARY), 4, 3, 6, 7, 5, 5, **more)
    network, random = decoder_of(config), np.random.default_rng(4)
    network.set_weights([random.normal(size=w.shape) for w in network.get_weights()])
    return network


def films(counts, seed=0):
    """A data set of samples with so many frames, whose features are noise."""
    random = np.random.default_rng(seed)
    samples, sentences = [], []
    for i, count in enumerate(counts):
        said = tuple(WORDS[j] for j in random.integers(0, len(WORDS), 3))
        pictures = tuple(f"{i}-{n}" for n in range(count))
        samples.append(Sample(f"s/{i}", pictures, ("x",), "train", f"{i}"))
        sentences.append((said,))
    rows = len(stills(samples))
    features = random.normal(size=(rows, 2, 4, 3)).astype(np.float16)
    return Dataset(tuple(samples), tuple(sentences), features, {"tagger": "t"})


def test_pictures_that_were_written_middle_first_come_in_order_of_time():
    for count in range(1, 8):
        others = [n for n in range(count) if n != count // 2]
        assert in_time([count // 2, *others]) == tuple(range(count))


def test_every_frame_has_its_row_and_the_first_keeps_its_name():
    data = films([1, 3, 5, 2])
    listed = stills(data.samples)
    assert [s.key for s in listed] == [
        "s/0", "s/1", "s/1#1", "s/1#2", "s/2", "s/2#1", "s/2#2", "s/3", "s/3#1",
    ]  # fmt: skip
    for row, sample in enumerate(data.samples):
        pictures = [listed[at].pictures[0] for at in data.shown(row)]
        assert pictures == list(in_time(sample.pictures[:3]))


def test_samples_of_fewer_frames_are_padded_and_counted():
    data = films([1, 3, 2])
    regions, counts = data.regions([1, 0, 2], [0, 1, 1])
    assert regions.shape == (3, 3, 4, 3) and counts.tolist() == [3, 1, 2]
    np.testing.assert_array_equal(regions[0], data.features[[2, 1, 3], 0])  # middle first on disk
    np.testing.assert_array_equal(regions[1, 0], data.features[0, 1])
    np.testing.assert_array_equal(regions[2, :2], data.features[[5, 4], 1])


def test_changes_are_to_the_neighbours_and_a_lone_frame_has_none():
    counts = np.array([1, 2, 3])
    frames = np.random.default_rng(0).normal(size=(3, 3, 4, 2))
    told = np.einsum("bij,bjrd->bird", moves(counts, 3), frames)
    np.testing.assert_allclose(told[0, 0], 0)
    for frame in (0, 1):
        np.testing.assert_allclose(told[1, frame], frames[1, 1] - frames[1, 0])
    np.testing.assert_allclose(told[2, 0], frames[2, 1] - frames[2, 0])
    np.testing.assert_allclose(told[2, 1], frames[2, 2] - frames[2, 0])
    np.testing.assert_allclose(told[2, 2], frames[2, 2] - frames[2, 1])
    at = places(counts, 3)
    assert at[0, 0] == 0 and at[1, :2].tolist() == [-1, 1] and at[2].tolist() == [-1, 0, 1]


@pytest.mark.parametrize("config", [{}, {"motion": True}, {"motion": True, "voices": 2}])
def test_training_says_of_a_shot_what_decoding_says(config):
    """Teacher forcing of whole shots against the beam search's step, frame by frame."""
    data, decoder = films([3, 1, 2, 3]), randomly(**config)
    batch = next(batches(data, range(4), VOCABULARY, 4, 2, 8, np.random.default_rng(0)))
    said = keras.ops.log_softmax(Lesson([decoder], 0.0)(tuple(inputs(batch))))
    networks = start_network(decoder), step_network(decoder)
    step, state = by_keras(networks, batch.regions.astype(np.float32), batch.frames, 2)
    for t in range(batch.tokens.shape[2]):
        scores, state = step(batch.tokens[:, :, t], state)
        scores -= np.log(np.exp(scores).sum(-1, keepdims=True))  # the mean of logs is not normed
        np.testing.assert_allclose(said[:, :, t], scores, atol=2e-4)


@pytest.mark.parametrize("motion", [False, True])
def test_the_graphs_of_a_file_say_what_keras_says_of_frames_in_order(tmp_path, motion):
    decoder = randomly(motion=motion)
    picture = keras.Input((8, 8, 3))
    quarters = keras.layers.AveragePooling2D(4)(picture)
    regions = keras.layers.Reshape((4, 3))(keras.layers.Rescaling(1 / 64)(quarters))
    black = [np.zeros((1, 8, 8, 3), np.float32)]
    graphs = {"encoder": export_graph(keras.Model(picture, regions), black)}
    about = {"config": asdict(decoder.config), "side": 8, "terms": ""}
    path, weights = tmp_path / "x.kcap", named_weights(decoder)
    contents = CaptionerFile(about, VOCABULARY, weights, graphs | decoder_graphs(decoder))
    write_captioner(path, contents)
    captioner, random = Captioner.load(path, hedge=PLAIN), np.random.default_rng(2)
    shots = [random.integers(0, 256, (1 + i % 3, 8, 8, 3), dtype=np.uint8) for i in range(9)]
    counts = np.array([len(shot) for shot in shots])
    seen = [captioner.features([v for f in shot for v in (f, nearer(f))]) for shot in shots]
    padded = [np.concatenate([f, f[:1].repeat(6 - len(f), 0)]) for f in seen]
    grouped = np.stack(padded).reshape(9, 3, 2, 4, 3)
    start, network = start_network(decoder), step_network(decoder)
    given = looks(grouped, counts, motion)
    started = start.predict_on_batch(given if motion else given[0])
    advance, state = together(
        lambda *x: list(map(np.array, network.predict_on_batch(list(x)))),
        merged(list(map(np.array, started)), 2), counts, BeamOptions().beam, [],
    )  # fmt: skip
    found = beam_search(advance, state, BeamOptions())
    expected = [h[0].log_probability / (len(h[0].tokens) + 1) for h in found]
    said = captioner.caption_many(shots)
    np.testing.assert_allclose([c.score for c in said], expected, atol=5e-3)
    backwards = captioner.caption_many([shot[::-1] for shot in shots])
    same = [
        a.score == pytest.approx(b.score, abs=1e-5) for a, b in zip(said, backwards, strict=True)
    ]
    assert all(same) == (not motion)
    assert [s for s, c in zip(same, counts, strict=True) if c == 1] == [True] * 3


def shifting(count=48):
    """Shots of two frames: what is in the left or the right half first; the words say which."""
    samples, sentences = [], []
    features = np.zeros((2 * count, 2, 4, 3), np.float16)
    for i in range(count):
        right = i % 2
        first, last = ((0, 2), (1, 3)) if right else ((1, 3), (0, 2))  # columns of a 2 x 2 grid
        kind = i // 2 % 3  # as often with either word
        # written middle first: the later one of two
        features[2 * i, 0, last, kind] = features[2 * i, 1, first, kind] = 2
        features[2 * i + 1, 0, first, kind] = features[2 * i + 1, 1, last, kind] = 2
        words = ("오른쪽" if right else "왼쪽", "으로", "간다")
        sentences.append((tuple(Morpheme(w, "Noun", True) for w in words),))
        split = "val" if i >= count - 12 else "train"
        samples.append(Sample(f"s/{i}", ("a", "b"), (" ".join(words),), split, f"{i}"))
    return Dataset(tuple(samples), tuple(sentences), features, {"tagger": "t"})


def test_direction_is_learned_with_motion_and_cannot_be_without(tmp_path):
    data, right = shifting(), {}
    options = {"batch": 12, "min_count": 1, "hidden": 16, "embedding": 12, "average": 0.5}
    options |= {"epochs": 20, "learning_rate": 0.04, "patience": 20, "sentences": 1}
    rows = data.rows("train"), data.rows("val")
    for motion in (False, True):
        chosen = TrainOptions(**options, motion=motion)
        decoder, vocabulary, _ = fit(data, *rows, chosen, tmp_path / str(motion))
        networks = start_network(decoder), step_network(decoder)
        shots = data.regions(rows[1], [0] * len(rows[1]))
        said = decode(shots, vocabulary, networks, BeamOptions(beam=2))
        told = [list(forms(data.sentences[row])[0]) for row in rows[1]]
        right[motion] = np.mean([a == b for a, b in zip(said, told, strict=True)])
    assert right[True] > 0.9
    assert right[False] <= 0.5  # one sentence for both


def test_the_merge_architecture_cannot_learn_of_motion():
    with pytest.raises(SettingError, match="--motion"):
        TrainOptions(merge=True, motion=True)


@pytest.mark.slow
@pytest.mark.jvm
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_films_whose_frames_are_the_same_are_told_apart():
    assert motion_bench.main([]) == 0
