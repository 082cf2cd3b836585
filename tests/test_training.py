"""Training: it learns, it resumes exactly, it stops early on decoded sentences."""

import csv
from dataclasses import replace
from pathlib import Path
from statistics import mean as mean_of
from statistics import stdev
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from model import cross_validation, training
from model.beam import BeamOptions
from model.cider import CiderD
from model.cross_validation import cross_validate
from model.decoding import decode
from model.lesson import smoothed_loss
from model.metrics import bleu
from model.network import start_network, step_network
from model.reward import RewardOptions, fit_reward
from model.runs import load
from model.sampling import draw
from model.train_options import TrainOptions
from model.training import fit
from model.tuning import TuneOptions, ahead, fit_tuned
from preprocess.dataset import Dataset
from preprocess.encoder import halves
from preprocess.errors import OutputError, SettingError
from preprocess.korean import Morpheme, forms
from preprocess.pictures import read_picture, to_square
from preprocess.records import Sample

COLOURS = ("빨간", "파란", "초록")
SMALL = {"batch": 6, "min_count": 1, "hidden": 16, "embedding": 12, "check": 6, "average": 0.5}


def colours(count=24):
    """Pictures whose features say which colour the captions name."""
    random = np.random.default_rng(0)
    samples, sentences = [], []
    features = random.normal(0, 0.1, (count, 2, 2, 3)).astype(np.float16)
    for i in range(count):
        features[i, :, :, i % 3] += 2
        words = (COLOURS[i % 3], "화면", "이다")
        sentences.append((tuple(Morpheme(w, "Noun", n < 2) for n, w in enumerate(words)),))
        split = "val" if i >= count - 6 else "train"
        samples.append(Sample(f"s/{i}", ("x",), (" ".join(words),), split, f"{i}"))
    return Dataset(tuple(samples), tuple(sentences), features, {"tagger": "okt"})


def train(data, folder, **options):
    return fit(data, data.rows("train"), data.rows("val"), TrainOptions(**SMALL | options), folder)


def shots(data, split):
    rows = data.rows(split)
    return data.regions(rows, [0] * len(rows))


def state(folder):
    return load(folder / "last.npz", "state")


def test_the_colours_are_learned_and_said(tmp_path):
    data = colours()
    decoder, vocabulary, best = train(
        data, tmp_path / "run", epochs=25, learning_rate=0.03, patience=25
    )
    networks = training.start_network(decoder), training.step_network(decoder)
    said = decode(shots(data, "val"), vocabulary, networks, training.BeamOptions(beam=2))
    assert said == [[COLOURS[row % 3], "화면", "이다"] for row in data.rows("val")]
    assert best["cider_d"] > 5
    lines = (tmp_path / "run" / "log.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("epoch,loss,cider_d,distinct")
    assert len(lines) == 26


@pytest.mark.parametrize("kind", [{"attend": False}, {"merge": True}])
def test_the_comparisons_learn_too(tmp_path, kind):
    best = train(colours(), tmp_path / "run", epochs=40, learning_rate=0.03, patience=40, **kind)[2]
    assert best["cider_d"] > 5


def test_an_interrupted_run_ends_as_if_it_had_not_been(tmp_path, monkeypatch):
    data = colours()
    train(data, tmp_path / "whole", epochs=4)
    calls, epoch = [], training.Trainer.epoch

    def dying(self, number):
        calls.append(number)
        if len(calls) == 3:
            random = np.random.default_rng(9)  # half an epoch is lost with the kill
            rows = data.rows("train")
            self.learn(next(training.batches(data, rows, self.vocabulary, 6, 3, 24, random)))
            raise KeyboardInterrupt
        return epoch(self, number)

    monkeypatch.setattr(training.Trainer, "epoch", dying)
    with pytest.raises(KeyboardInterrupt):
        train(data, tmp_path / "cut", epochs=4)
    monkeypatch.setattr(training.Trainer, "epoch", epoch)
    train(data, tmp_path / "cut", epochs=4)
    for a, b in zip(state(tmp_path / "whole"), state(tmp_path / "cut"), strict=True):
        np.testing.assert_array_equal(a, b)


def test_training_stops_when_the_sentences_no_longer_get_better(tmp_path, monkeypatch):
    scores = iter([0.3, 0.5, 0.4, 0.4, 0.9])
    monkeypatch.setattr(training.Trainer, "check", lambda self: (next(scores), 1.0))
    *_, best = train(colours(), tmp_path / "run", epochs=9, patience=2)
    assert (best["epoch"], best["cider_d"]) == (2, 0.5)
    assert len((tmp_path / "run" / "log.csv").read_text(encoding="utf-8").splitlines()) == 5


def test_the_estimate_changes_nothing(tmp_path, monkeypatch, capsys):
    data = colours()
    train(data, tmp_path / "told", epochs=2)
    assert "어림 (estimate): 약" in capsys.readouterr().out
    monkeypatch.setattr(training, "estimate", lambda *a: "")
    train(data, tmp_path / "untold", epochs=2)
    for a, b in zip(state(tmp_path / "told"), state(tmp_path / "untold"), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_run_that_finds_no_room_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=10))
    with pytest.raises(OutputError, match="are free"):
        train(colours(), tmp_path / "run", epochs=1)


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_learns_as_well(tmp_path, policy):
    options = {"epochs": 25, "learning_rate": 0.03, "patience": 25, "precision": policy}
    decoder, *_, best = train(colours(), tmp_path / "run", **options)
    assert best["cider_d"] > 5  # as in float32
    assert {v.dtype for v in decoder.weights} == {"float32"}
    assert keras.config.dtype_policy().name == "float32"


def test_a_precision_nobody_knows_is_refused():
    with pytest.raises(SettingError, match="mixed_bfloat16"):
        TrainOptions(precision="float8")


def test_a_run_of_other_options_is_not_continued(tmp_path):
    train(colours(), tmp_path / "run", epochs=1)
    with pytest.raises(SettingError, match="begun with other options"):
        train(colours(), tmp_path / "run", epochs=2)


def test_cross_validation_gives_mean_and_deviation(tmp_path):
    data = colours()
    options = TrainOptions(**SMALL | {"epochs": 1})
    summary = cross_validate(data, data.rows("train"), 2, options, tmp_path / "run")
    assert summary["epoch"] == (1.0, 0.0)
    assert {p.name for p in (tmp_path / "run").iterdir()} == {"fold1", "fold2", "folds.csv"}
    with (tmp_path / "run" / "folds.csv").open(encoding="utf-8", newline="") as file:
        folds = list(csv.DictReader(file))
    assert [fold["fold"] for fold in folds] == ["1", "2"]
    for name, (mean, deviation) in summary.items():
        values = [float(fold[name]) for fold in folds]
        assert (mean, deviation) == pytest.approx((mean_of(values), stdev(values)))
    assert {"bleu_1", "bleu_4", "rouge_l", "cider_d", "distinct"} < set(summary)


def test_a_fold_is_scored_on_what_it_holds_out(tmp_path):
    data = colours()
    rows = data.rows("train")
    decoder, vocabulary, _ = train(data, tmp_path / "run")
    scores = cross_validation._scores(data, rows, decoder, vocabulary)
    networks = start_network(decoder), step_network(decoder)
    said = decode(shots(data, "train"), vocabulary, networks, BeamOptions())
    references = [forms(data.sentences[row]) for row in rows]
    assert scores["bleu_4"] == pytest.approx(bleu(said, references)[3])
    assert scores["cider_d"] == pytest.approx(CiderD(references).corpus(said))


def test_smoothing_zero_is_plain_cross_entropy():
    random = np.random.default_rng(0)
    logits = random.normal(size=(2, 2, 3, 5)).astype(np.float32)
    targets = random.integers(0, 5, (2, 2, 3)).astype(np.int32)
    weights = np.array([[[1, 1, 0]] * 2] * 2, np.float32)
    found = float(smoothed_loss(targets, logits, weights / weights.sum(), 0.0))
    exact = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    hits = -np.take_along_axis(exact, targets[..., None], -1)[..., 0]
    assert found == pytest.approx((hits * weights).sum() / weights.sum(), abs=1e-5)


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"batch": -1}, {"learning_rate": 0.0}])
def test_unusable_options_are_refused(wrong):
    with pytest.raises(SettingError, match=r"give .* or more"):
        TrainOptions(**wrong)


def test_words_are_drawn_as_often_as_they_are_likely():
    scores = np.log(np.array([0.0, 0.1, 0.2, 0.7], np.float32) + 1e-30)
    scores[0] = -np.inf
    drawn = draw(np.tile(scores, (100, 200, 1)), np.random.default_rng(0))
    shares = np.bincount(drawn.ravel(), minlength=4) / drawn.size
    np.testing.assert_allclose(shares, [0, 0.1, 0.2, 0.7], atol=0.01)
    assert shares[0] == 0


def rewarded(data, start, folder, epochs=12):
    options = TrainOptions(**SMALL | {"epochs": 1, "patience": 9})
    reward = RewardOptions(reward_epochs=epochs, reward_rate=0.01, blend=1.0)
    return fit_reward(data, data.rows("train"), data.rows("val"), start, (options, reward), folder)


def test_reward_makes_the_sentences_better_and_resumes_exactly(tmp_path, monkeypatch):
    data = colours()
    decoder, vocabulary, before = train(data, tmp_path / "run", epochs=5, learning_rate=0.02)
    weights = [np.array(v) for v in decoder.trainable_variables]
    *_, after = rewarded(data, (decoder, vocabulary), tmp_path / "whole")
    assert after["cider_d"] > before["cider_d"]
    epoch = training.Trainer.epoch

    def dying(self, number):
        if number == 3:
            raise KeyboardInterrupt
        return epoch(self, number)

    for method in (dying, epoch):
        monkeypatch.setattr(training.Trainer, "epoch", method)
        for variable, value in zip(decoder.trainable_variables, weights, strict=True):
            variable.assign(value)
        if method is dying:
            with pytest.raises(KeyboardInterrupt):
                rewarded(data, (decoder, vocabulary), tmp_path / "cut")
        else:
            rewarded(data, (decoder, vocabulary), tmp_path / "cut")
    for a, b in zip(state(tmp_path / "whole"), state(tmp_path / "cut"), strict=True):
        np.testing.assert_array_equal(a, b)


def test_reward_goes_through_all_views(tmp_path):
    data = colours()
    data = replace(data, features=np.tile(data.features, (1, 2, 1, 1)))
    decoder, vocabulary, _ = train(data, tmp_path / "run", epochs=1)
    *_, best = rewarded(data, (decoder, vocabulary), tmp_path / "reward", epochs=1)
    assert best["epoch"] == 1


def test_what_is_kept_of_the_reward_lies_between_its_beginning_and_its_end(tmp_path):
    data = colours()
    decoder, vocabulary, _ = train(data, tmp_path / "run", epochs=2, learning_rate=0.02)
    begun = [np.array(v) for v in decoder.trainable_variables]
    options = TrainOptions(**SMALL | {"epochs": 1})
    kept = {}
    for blend in (0.25, 1.0):
        reward = RewardOptions(reward_epochs=1, reward_rate=0.01, blend=blend)
        found, *_ = fit_reward(
            data, data.rows("train"), data.rows("val"), (decoder, vocabulary), (options, reward),
            tmp_path / str(blend),
        )  # fmt: skip
        kept[blend] = [np.array(v) for v in found.trainable_variables]
        for variable, value in zip(decoder.trainable_variables, begun, strict=True):
            variable.assign(value)
    for start, quarter, whole in zip(begun, kept[0.25], kept[1.0], strict=True):
        np.testing.assert_allclose(quarter, 0.75 * start + 0.25 * whole, atol=1e-6)
    assert any(not np.allclose(start, whole) for start, whole in zip(begun, kept[1.0], strict=True))


@pytest.mark.parametrize(
    "wrong", [{"samples": 1}, {"temperature": 0.0}, {"reward_epochs": -1}, {"blend": 1.5}]
)
def test_unusable_reward_options_are_refused(wrong):
    with pytest.raises(SettingError, match="or more"):
        RewardOptions(**wrong)


def painted(folder, count=24):
    """colours() with pictures on disk, whose captions need an encoder that sees colours."""
    import cv2

    data = colours(count)
    hues = ((200, 40, 40), (40, 40, 200), (40, 200, 40))
    folder.mkdir()
    samples = []
    for i, sample in enumerate(data.samples):
        path = folder / f"{i}.png"
        cv2.imwrite(str(path), np.full((20, 30, 3), hues[i % 3][::-1], np.uint8))
        samples.append(replace(sample, pictures=(str(path),)))
    return replace(data, samples=tuple(samples))


def small_encoder():
    """A stand-in CNN: frozen halves of the picture, then a layer that can learn."""
    picture = keras.Input((8, 8, 3), name="picture")
    colours = keras.layers.AveragePooling2D((8, 4), name="pool")(picture)
    scaled = keras.layers.Rescaling(1 / 32, name="scaled")(colours)
    seen = keras.layers.Conv2D(3, 1, name="last")(scaled)
    return keras.Model(picture, keras.layers.Reshape((2, 3))(seen))


def tuned(data, folder, epochs=25):
    keras.utils.set_random_seed(5)
    encoder = small_encoder()
    vocabulary = training.Vocabulary.build((s for found in data.sentences for s in found), 1)
    network = training.Decoder(training.CaptionerConfig(len(vocabulary), 2, 3, 12, 16, 16, 8))
    network.build()
    options = TrainOptions(**SMALL | {"epochs": 1, "patience": 30})
    tune = TuneOptions(epochs, tune_rate=0.03, encoder_rate=0.02, tune_after="scaled")
    rows = data.rows("train"), data.rows("val")
    found = fit_tuned(data, *rows, (encoder, network, vocabulary), (options, tune), folder)
    return encoder, *found


def test_tuning_teaches_the_encoder_too_and_resumes_exactly(tmp_path, monkeypatch):
    data = painted(tmp_path / "pictures")
    untaught = small_encoder().get_layer("last")
    encoder, decoder, vocabulary, best = tuned(data, tmp_path / "whole")
    assert best["cider_d"] > 5
    assert not np.allclose(encoder.get_layer("last").kernel, untaught.kernel)
    squares = np.stack([to_square(read_picture(Path(s.pictures[0])), 8) for s in data.samples])
    networks = training.start_network(decoder), training.step_network(decoder)
    regions = np.asarray(encoder(squares.astype(np.float32)))[:, None]
    lone = np.ones(len(regions), int)
    said = decode((regions, lone), vocabulary, networks, training.BeamOptions(beam=2))
    assert said == [[COLOURS[i % 3], "화면", "이다"] for i in range(len(said))]
    epoch = training.Trainer.epoch

    def dying(self, number):
        if number == 3:
            raise KeyboardInterrupt
        return epoch(self, number)

    monkeypatch.setattr(training.Trainer, "epoch", dying)
    with pytest.raises(KeyboardInterrupt):
        tuned(data, tmp_path / "cut")
    monkeypatch.setattr(training.Trainer, "epoch", epoch)
    tuned(data, tmp_path / "cut")
    for a, b in zip(state(tmp_path / "whole"), state(tmp_path / "cut"), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_layer_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SettingError, match="no layer 'block99'"):
        halves(small_encoder(), "block99")


@pytest.mark.parametrize("wrong", [{"tune_epochs": -1}, {"encoder_rate": 0.0}])
def test_unusable_tuning_options_are_refused(wrong):
    with pytest.raises(SettingError, match="or more"):
        TuneOptions(**wrong)


def test_one_ahead_keeps_order_and_errors():
    assert list(ahead(iter("abc"))) == ["a", "b", "c"]
    with pytest.raises(ZeroDivisionError):
        list(ahead(1 / n for n in (1, 0)))
