"""The captioner file and the captioner: what is saved is what speaks, and nothing runs."""

import json
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest

from model import calibrate, revise
from model.beam import BeamOptions, beam_search
from model.captioner import Captioner
from model.config import CaptionerConfig
from model.decoding import merged, together
from model.ensemble import decoder_of
from model.export import decoder_graphs, named_weights, restore, set_weights
from model.gist import PLAIN, HedgeOptions
from model.network import start_network, step_network
from model.storage import CaptionerFile, read_captioner, rounded, write_captioner
from preprocess.dataset import Dataset
from preprocess.errors import CaptionerFileError, SettingError
from preprocess.graph import Graph, export_graph
from preprocess.korean import Morpheme
from preprocess.pictures import nearer, read_picture
from preprocess.records import Sample
from preprocess.vocabulary import Vocabulary

SIDE, CONFIG = 8, {"regions": 4, "features": 3, "embedding": 6, "hidden": 7, "context": 5}
BLACK = np.zeros((1, SIDE, SIDE, 3), np.float32)
WORDS = [Morpheme(form, "Noun", True) for form in "개고양이소말닭꿩물불흙"]


def randomly(**config):
    network = decoder_of(CaptionerConfig(len(WORDS) + 4, attention=5, **CONFIG | config))
    random = np.random.default_rng(4)
    set_weights(
        network,
        {n: rounded(random.normal(size=a.shape)) for n, a in named_weights(network).items()},
    )
    return network


@pytest.fixture(scope="module")
def decoder():
    return randomly()


@pytest.fixture(scope="module")
def contents(decoder):
    import keras

    picture = keras.Input((SIDE, SIDE, 3))  # the stand-in CNN averages the colours of quarters
    quarters = keras.layers.AveragePooling2D(SIDE // 2)(picture)
    regions = keras.layers.Reshape((4, 3))(keras.layers.Rescaling(1 / 255)(quarters))
    encoder = export_graph(keras.Model(picture, regions), [BLACK])
    graphs = decoder_graphs(decoder) | {"encoder": encoder}
    from dataclasses import asdict

    about = {"config": asdict(decoder.config), "side": SIDE, "terms": "시험용"}
    return CaptionerFile(about, Vocabulary(tuple(WORDS)), named_weights(decoder), graphs)


@pytest.fixture
def kcap(tmp_path, contents):
    path = tmp_path / "시험.kcap"
    write_captioner(path, contents)
    return path


def shots(count, seed=0):
    random = np.random.default_rng(seed)
    sizes = random.integers(1, 40, (count, 3))
    return [random.integers(0, 256, (1 + n % 3, h, w, 3), dtype=np.uint8) for n, h, w in sizes]


def test_a_file_comes_back_as_it_was(kcap, contents, decoder):
    found = read_captioner(kcap)
    assert found.about == contents.about
    assert found.vocabulary == contents.vocabulary
    for name, array in contents.weights.items():
        np.testing.assert_array_equal(found.weights[name], array)
    for name, graph in contents.graphs.items():
        assert found.graphs[name].structure == graph.structure
        for key, array in graph.weights.items():
            np.testing.assert_array_equal(found.graphs[name].weights[key], array)


def test_the_same_captioner_gives_the_same_bytes(tmp_path, contents):
    for name in ("a", "b"):
        write_captioner(tmp_path / name, contents)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_an_array_is_stored_once_even_transposed(tmp_path):
    array = np.arange(600, dtype=np.float32).reshape(20, 30)
    graphs = {"step": Graph(b"", {"a": array, "b": array.T})}
    path = tmp_path / "once.kcap"
    write_captioner(path, CaptionerFile({}, Vocabulary(()), {"w": array}, graphs))
    with zipfile.ZipFile(path) as file:
        weights = file.getinfo("weights.bin")
        assert weights.file_size == weights.compress_size == 2 * array.size  # quick to read
    np.testing.assert_array_equal(read_captioner(path).graphs["step"].weights["b"], array.T)


def test_restoring_gives_the_decoder_back(kcap, decoder):
    again, _ = restore(kcap)
    for name, array in named_weights(decoder).items():
        np.testing.assert_array_equal(named_weights(again)[name], array)


def test_a_doubtful_sentence_gives_way_to_a_general_one(kcap):
    plain, careful = (Captioner.load(kcap, hedge=h) for h in (PLAIN, HedgeOptions(1)))
    frames = shots(6)
    for said, less in zip(plain.caption_many(frames), careful.caption_many(frames), strict=True):
        assert not said.general
        assert less.general
        assert (less.score, less.confidence) == (said.score, said.confidence)
        assert less.text.endswith(("보인다", "있다"))
        assert less.attention.shape == (len(less.morphemes), *said.attention.shape[1:])
    together = [c.text for c in careful.caption_many(frames)]
    assert together == [careful.caption(f).text for f in frames]  # no matter who is beside


def test_the_classifier_goes_on_from_what_the_encoder_has_seen(contents):
    picture = keras.Input((SIDE, SIDE, 3))
    dark = 255 - picture
    regions = keras.layers.Reshape((-1, 3))(keras.layers.AveragePooling2D(SIDE // 2)(picture))
    encoder = export_graph(keras.Model(picture, [regions, dark]), [BLACK])
    below = keras.Input((SIDE, SIDE, 3))
    mean = keras.layers.GlobalAveragePooling2D()(below)
    shares = keras.layers.Dense(1000, use_bias=False)
    rest = keras.Model(below, shares(mean))
    kernel = np.zeros((3, 1000))
    kernel[0, 898], kernel[1, 281] = 1 / 255, 0.95 / 255  # what lacks red is a water bottle
    shares.set_weights([kernel])
    graphs = {"encoder": encoder, "things": export_graph(rest, [BLACK])}
    captioner = Captioner(replace(contents, graphs={**contents.graphs, **graphs}))
    black, red = (np.full((2, 9, 9, 3), colour, np.uint8) for colour in ((0, 0, 0), (255, 0, 0)))
    black[:, :5], red[:, :5, :, 1] = 20, 20  # scenes, no plain screens
    assert captioner.recognised(black).noun == "병" and captioner.recognised(red).noun == "고양이"
    hedged = Captioner(
        replace(contents, graphs={**contents.graphs, **graphs}), hedge=HedgeOptions(1)
    )
    assert "병이" in hedged.caption(black).text
    assert "고양이" in hedged.caption_many([black, red, black[:1]])[1].text


def test_a_general_sentence_names_what_the_classifier_knows(tmp_path, contents):
    picture = keras.Input((SIDE, SIDE, 3))
    mean = keras.layers.GlobalAveragePooling2D()(picture)
    certain = keras.layers.Dense(1000, activation="softmax")
    classifier = keras.Model(picture, certain(mean))
    certain.set_weights([np.zeros((3, 1000)), 20.0 * np.eye(1000)[898]])  # a water bottle
    graph = export_graph(classifier, [BLACK])
    path = tmp_path / "things.kcap"
    write_captioner(path, replace(contents, graphs={**contents.graphs, "things": graph}))
    hedge = HedgeOptions(min_confidence=1)
    plain = Captioner(contents, hedge=hedge)
    for shot in shots(4):
        said = Captioner.load(path, hedge=hedge).caption(shot).text
        assert "병이" in said and "병" not in plain.caption(shot).text


def test_doubtful_details_are_left_out(kcap, monkeypatch):
    whole = Captioner.load(kcap, hedge=PLAIN)
    careful = Captioner.load(kcap, hedge=HedgeOptions(0, min_support=0.5))
    said = (Morpheme("두", "Noun", True), Morpheme("말", "Noun", True))
    monkeypatch.setattr("model.captioner.supported", lambda best, guesses, least, wrong: said)
    for shot in shots(3):
        full, less = whole.caption(shot), careful.caption(shot)
        if len(full.morphemes) == len(said):
            continue
        assert (less.text, less.morphemes, less.general) == ("두 말", ("두", "말"), False)
        assert (less.score, less.confidence) == (full.score, full.confidence)
        assert less.alternatives[0].text == full.text
        assert len(less.attention) == 2


def test_alternatives_are_what_else_the_beam_found(kcap):
    for shot in shots(6):
        sure = Captioner.load(kcap, hedge=PLAIN).caption(shot)
        texts = [sure.text, *(other.text for other in sure.alternatives)]
        assert len(set(texts)) == len(texts) <= BeamOptions().beam
        assert all(o.score <= 0 <= o.confidence <= 1 for o in sure.alternatives)
        general = Captioner.load(kcap, hedge=HedgeOptions(1)).caption(shot)
        assert general.alternatives[0].text == sure.text
        assert general.alternatives[1:] == sure.alternatives
    assert not Captioner.load(kcap, BeamOptions(beam=1)).caption(shots(1)[0]).alternatives[1:]


def test_confidence_is_what_the_file_says(tmp_path, contents):
    path = tmp_path / "sure.kcap"
    sure = {**contents.about, "confidence": {"slope": 2.0, "intercept": 3.0}}
    write_captioner(path, replace(contents, about=sure))
    caption = Captioner.load(path).caption(shots(1)[0])
    assert caption.confidence == pytest.approx(1 / (1 + np.exp(-(2 * caption.score + 3))))


@pytest.fixture
def pictures(tmp_path, kcap):
    """A data folder's samples; half of the captions are what the captioner says itself."""
    plain = Captioner.load(kcap, hedge=PLAIN)
    samples, sentences = [], []
    for number, (frame, *_) in enumerate(shots(24, seed=1)):
        path = tmp_path / f"{number}.png"
        cv2.imwrite(str(path), frame)
        said = plain.caption(read_picture(path)[None]).morphemes if number % 2 else ("흙", "불")
        sentences.append((tuple(Morpheme(form, "Noun", True) for form in said),))
        samples.append(Sample(f"s/{number}", (str(path),), ("x",), "val", f"{number}"))
    return Dataset(tuple(samples), tuple(sentences), np.zeros((24, 0)), {"tagger": "okt"})


def test_calibration_ends_up_in_the_file(kcap, pictures, monkeypatch, capsys):
    before = read_captioner(kcap)
    monkeypatch.setattr(revise, "load", lambda folder, features: pictures)
    assert calibrate.main([str(kcap), "data"]) == 0
    assert "24 val pictures" in capsys.readouterr().out
    after = read_captioner(kcap)
    told = after.about["confidence"]
    captioner = Captioner.load(kcap)
    seen = [read_picture(Path(s.pictures[0]))[None] for s in pictures.samples]
    mean = np.mean([c.confidence for c in captioner.caption_many(seen)])
    assert mean == pytest.approx(0.5, abs=0.1)  # half of the sentences are what was written
    assert 0 <= told["calibration_error"] <= 1
    assert {**before.about, "confidence": told} == after.about
    for name, array in before.weights.items():
        np.testing.assert_array_equal(after.weights[name], array)


def test_another_tagger_s_morphemes_calibrate_nothing(kcap, pictures, monkeypatch, capsys):
    contents = read_captioner(kcap)
    write_captioner(kcap, replace(contents, about={**contents.about, "tagger": "kiwi"}))
    before = kcap.read_bytes()
    monkeypatch.setattr(revise, "load", lambda folder, features: pictures)
    assert calibrate.main([str(kcap), "data", "--lang", "en"]) == 1
    told = capsys.readouterr().err
    assert "learned morphemes of kiwi, the data has those of okt" in told and told.count("\n") == 1
    assert kcap.read_bytes() == before


def test_calibration_needs_pictures(kcap, monkeypatch, capsys):
    empty = Dataset((), (), np.zeros((0, 0)), {"tagger": "okt"})
    monkeypatch.setattr(revise, "load", lambda folder, features: empty)
    before = kcap.read_bytes()
    assert calibrate.main([str(kcap), "data", "--lang", "en"]) == 1
    assert capsys.readouterr().err == (
        "calibrate: no val pictures to calibrate on. Give data that was split with --splits.\n"
    )
    assert kcap.read_bytes() == before


def test_the_graphs_say_what_keras_says(kcap, decoder):
    captioner = Captioner.load(kcap)
    vocabulary = Vocabulary(tuple(WORDS))
    start, step = start_network(decoder), step_network(decoder)
    frames = [s[:1] for s in shots(60)]
    regions = captioner.features([view for f in frames for view in (f[0], nearer(f[0]))])
    started = merged([keras.ops.convert_to_numpy(a) for a in start.predict_on_batch(regions)], 2)
    advance, state = together(
        lambda *inputs: [
            keras.ops.convert_to_numpy(a) for a in step.predict_on_batch(list(inputs))
        ],
        started,
        np.ones(60, int),
        BeamOptions().beam,
        [],
    )
    found = beam_search(advance, state, BeamOptions())
    said = [tuple(m.form for m in vocabulary.decode(h[0].tokens)) for h in found]
    assert [c.morphemes for c in captioner.caption_many(frames)] == said


@pytest.mark.parametrize("config", [{}, {"attend": False}, {"merge": True}, {"voices": 3}])
def test_step_by_step_equals_teacher_forcing(config):
    decoder = randomly(**config)
    random = np.random.default_rng(1)
    regions = random.normal(size=(2, 4, 3)).astype(np.float32)
    tokens = random.integers(4, len(WORDS), (2, 3, 5)).astype(np.int32)
    whole = np.asarray(decoder((regions, tokens)))
    values, keys, h, c = (
        keras.ops.convert_to_numpy(a) for a in start_network(decoder).predict_on_batch(regions)
    )
    h, c = h.repeat(3, 1), c.repeat(3, 1)
    for t in range(5):
        inputs = [tokens[:, :, t], h, c, values, keys]
        scores, h, c, weights = (
            keras.ops.convert_to_numpy(a) for a in step_network(decoder).predict_on_batch(inputs)
        )
        expected = whole[:, :, t] - np.log(np.exp(whole[:, :, t]).sum(-1, keepdims=True))
        np.testing.assert_allclose(scores, expected, atol=1e-4)
        np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-5)


@pytest.mark.parametrize("config", [{"attend": False}, {"merge": True}, {"voices": 2}])
def test_a_comparison_is_a_captioner_too(tmp_path, contents, config):
    """From the file: the same decoder again, and sentences by its graphs."""
    network, path = randomly(**config), tmp_path / "other.kcap"
    graphs = decoder_graphs(network) | {"encoder": contents.graphs["encoder"]}
    about = dict(contents.about) | {"config": network.get_config()}
    about.pop("confidence", None)
    write_captioner(path, CaptionerFile(about, contents.vocabulary, named_weights(network), graphs))
    again = restore(path)[0]
    assert type(again) is type(network)
    for name, array in named_weights(again).items():
        np.testing.assert_array_equal(array, named_weights(network)[name])
    caption = Captioner.load(path).caption(shots(1)[0])
    assert caption.attention.shape[2:] == ((2, 2) if "voices" in config else (1, 1))


def test_an_ensemble_speaks_with_the_mean_of_its_voices(decoder):
    """The probability of every next token is the mean of the decoders' (their own Keras graphs)."""
    both, random = randomly(voices=2), np.random.default_rng(6)
    regions = random.normal(size=(3, 4, 3)).astype(np.float32)
    tokens = random.integers(0, 9, (3, 2, 5)).astype(np.int32)
    own = [voice.predict_on_batch((regions, tokens)) for voice in both.voices]
    mean = np.mean([keras.ops.softmax(one) for one in own], axis=0)
    together_said = np.exp(both.predict_on_batch((regions, tokens)))
    np.testing.assert_allclose(together_said, mean, rtol=1e-4, atol=1e-6)
    assert not np.allclose(own[0], own[1])
    for voice in both.voices:  # two voices alike are one
        voice.set_weights(decoder.get_weights())
    alone = keras.ops.softmax(decoder.predict_on_batch((regions, tokens)))
    same = np.exp(both.predict_on_batch((regions, tokens)))
    np.testing.assert_allclose(same, alone, rtol=1e-4, atol=1e-6)


def test_the_merge_decoder_hears_words_without_the_picture():
    """Two pictures, the same words: another sentence may follow, but the LSTM's state is one."""
    decoder = randomly(merge=True)
    regions = np.random.default_rng(3).normal(size=(2, 4, 3)).astype(np.float32)
    started = start_network(decoder).predict_on_batch(regions)
    values, keys, h, c = (keras.ops.convert_to_numpy(a) for a in started)
    token = np.full((2, 1), 5, np.int32)
    found = step_network(decoder).predict_on_batch([token, h, c, values, keys])
    scores, h, c, _ = (keras.ops.convert_to_numpy(a) for a in found)
    np.testing.assert_allclose(h[0], h[1], atol=1e-6)
    np.testing.assert_allclose(c[0], c[1], atol=1e-6)
    assert not np.allclose(scores[0], scores[1], atol=1e-3)


def test_a_batch_says_what_each_shot_says_alone(kcap):
    captioner, many = Captioner.load(kcap), shots(20, seed=2)
    together_said = captioner.caption_many(many)
    for shot, caption in zip(many, together_said, strict=True):
        alone = captioner.caption(shot)
        assert (alone.text, alone.morphemes) == (caption.text, caption.morphemes)
        assert alone.score == pytest.approx(caption.score, abs=1e-4)
        assert caption.attention.shape == (len(caption.morphemes), len(shot), 2, 2)
        np.testing.assert_allclose(caption.attention.sum((2, 3)), 1, atol=1e-4)


def test_a_shot_of_equal_frames_says_what_one_frame_says(kcap):
    captioner = Captioner.load(kcap)
    for shot in shots(8, seed=3):
        one = captioner.caption(shot[:1])
        three = captioner.caption(shot[:1].repeat(3, 0))
        assert one.text == three.text


@pytest.mark.parametrize(
    "frames",
    [
        np.zeros((4, 4, 3), np.uint8),
        np.zeros((0, 4, 4, 3), np.uint8),
        np.zeros((1, 4, 4, 3), np.float32),
        np.zeros((1, 4, 4, 4), np.uint8),
    ],
)
def test_frames_of_another_kind_are_refused(kcap, frames):
    with pytest.raises(SettingError, match="uint8"):
        Captioner.load(kcap).caption(frames)


def rewritten(path, change, member="captioner.json"):
    """The file with one member changed."""
    with zipfile.ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist()}
    members[member] = change(members[member])
    with zipfile.ZipFile(path, "w") as file:
        for name, data in members.items():
            file.writestr(name, data)
    return path


def test_a_newer_format_is_named(kcap):
    def newer(data):
        return json.dumps(json.loads(data) | {"format": 99}).encode()

    with pytest.raises(CaptionerFileError, match="format 99 and this version reads up to 2"):
        read_captioner(rewritten(kcap, newer))


@pytest.mark.parametrize("member", ["weights.bin", "vocabulary.tsv", "step.onnx"])
def test_a_changed_member_is_found_by_its_hash(kcap, member):
    def flip(data):
        return data[:-1] + bytes([data[-1] ^ 1])

    with pytest.raises(CaptionerFileError, match=f"damaged .{member}"):
        read_captioner(rewritten(kcap, flip, member))


@pytest.mark.parametrize(
    "change",
    [
        lambda about: about.pop("arrays"),
        lambda about: about["arrays"].update({"x": ["float16", [10**6], 0]}),
        lambda about: about["arrays"].update({"x": ["object", [1], 0]}),
        lambda about: about.update(sha256=[]),
        lambda about: about["sha256"].update({"missing.onnx": ""}),
        lambda about: about.update(graphs={"step": {"a": 3}}),
    ],
)
def test_a_nonsensical_description_is_damage_not_a_traceback(kcap, change):
    def edit(data):
        about = json.loads(data)
        change(about)
        return json.dumps(about).encode()

    with pytest.raises(CaptionerFileError, match="damaged"):
        read_captioner(rewritten(kcap, edit))


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04" + b"\0" * 64, b"\x89HDF\r\n"])
def test_a_file_that_is_not_ours_is_named(tmp_path, content):
    path = tmp_path / "other.kcap"
    path.write_bytes(content)
    with pytest.raises(CaptionerFileError, match="is not a captioner file"):
        read_captioner(path)


def test_another_zip_is_not_ours(tmp_path):
    path = tmp_path / "other.kcap"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("readme.txt", "hello")
    with pytest.raises(CaptionerFileError, match="is not a captioner file"):
        read_captioner(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CaptionerFileError, match="no captioner file"):
        read_captioner(tmp_path / "none.kcap")


@pytest.mark.parametrize("keep", [0.2, 0.6, 0.95])
def test_a_truncated_file_is_refused(kcap, keep):
    data = kcap.read_bytes()
    kcap.write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(CaptionerFileError):
        read_captioner(kcap)


def test_captioning_imports_no_training_library(kcap):
    code = (
        "import sys, numpy as np; from model.captioner import Captioner;"
        "Captioner.load(sys.argv[1]).caption(np.zeros((1, 9, 9, 3), np.uint8));"
        "print([m for m in ('tensorflow', 'keras', 'konlpy', 'torch', 'onnx') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(kcap)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
