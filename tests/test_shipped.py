"""The captioner that ships: its size, its terms, that it says what Keras says and what is there."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
import skimage

from model.beam import BeamOptions, beam_search
from model.captioner import Captioner
from model.decoding import merged, together
from model.gist import PLAIN
from model.storage import write_captioner
from preprocess.pictures import nearer, read_picture, to_square

ROOT = Path(__file__).parent.parent
SHIPPED = ROOT / "model" / "default.kcap"
PHOTOS = Path(skimage.__file__).parent / "data"
NAMES = ("chelsea.png", "coffee.png", "astronaut.png", "camera.png", "motorcycle_left.png")
CROPS = 200


@pytest.fixture(scope="module")
def captioner():
    return Captioner.load(SHIPPED)


def crops():
    """Crops of real photos, from whole pictures to small corners, all different."""
    random = np.random.default_rng(0)
    photos = [read_picture(PHOTOS / n) for n in NAMES if (PHOTOS / n).is_file()]
    for i in range(CROPS):
        photo = photos[i % len(photos)]
        height, width = photo.shape[:2]
        h, w = (int(side * random.uniform(0.3, 1)) for side in (height, width))
        top, left = int(random.uniform(0, height - h)), int(random.uniform(0, width - w))
        yield photo[top : top + h, left : left + w]


def test_it_is_small_and_carries_its_terms(captioner):
    assert SHIPPED.stat().st_size <= 40e6
    terms = (ROOT / "model" / "LICENSE-CAPTIONER.md").read_text(encoding="utf-8")
    assert captioner.about["terms"] == terms
    with zipfile.ZipFile(SHIPPED) as file:
        assert {Path(name).suffix for name in file.namelist()} == {".json", ".tsv", ".bin", ".onnx"}


def test_it_tells_where_it_comes_from(captioner):
    about = captioner.about
    assert about["encoder"] == "lite2"
    assert about["tagger"] == "okt"
    assert about["data"]["pictures"] > 10_000
    assert len(about["data"]["keys_sha256"]) == 64


@pytest.mark.parametrize(
    ("photo", "word"), [("chelsea.png", "고양이"), ("motorcycle_left.png", "오토바이")]
)
def test_it_says_what_is_there(captioner, photo, word):
    text = captioner.caption(read_picture(PHOTOS / photo)[None]).text
    assert word in text


def test_it_knows_how_far_it_can_be_trusted(captioner):
    told = captioner.about["confidence"]
    assert told["pictures"] >= 500
    assert told["slope"] > 0
    assert told["calibration_error"] <= 0.1


def test_it_says_less_of_what_nobody_can_know(captioner):
    noise = np.random.default_rng(0).integers(0, 256, (3, 120, 160, 3), dtype=np.uint8)
    caption = captioner.caption(noise)
    assert caption.general
    assert len(caption.morphemes) <= 6


def test_its_sentences_are_those_of_keras(tmp_path):
    """Encoder and decoder both in Keras, on 200 pictures, against graphs exported from them.

    The graphs in the file count in eight bits: most of their sentences are the same.
    """
    from model.export import packed, restore, restore_encoder
    from model.grammar import mend
    from model.network import start_network, step_network
    from preprocess.korean import compose

    decoder, contents = restore(SHIPPED)
    encoder = restore_encoder(contents)
    pictures = list(crops())
    views = [view for p in pictures for view in (p, nearer(p))]
    squares = np.stack([to_square(view, contents.about["side"]) for view in views])
    features = encoder.predict(squares.astype(np.float32), batch_size=20, verbose=0)
    start, step = start_network(decoder), step_network(decoder)
    started = merged(list(map(np.array, start.predict_on_batch(features))), 2)
    advance, state = together(
        lambda *inputs: list(map(np.array, step.predict_on_batch(list(inputs)))),
        started,
        np.ones(CROPS, int),
        BeamOptions().beam,
        [],
    )
    found = beam_search(advance, state, BeamOptions())
    by_keras = [compose(mend(contents.vocabulary.decode(h[0].tokens))) for h in found]
    assert len(set(by_keras)) > CROPS / 4  # not one sentence for everything

    path = tmp_path / "exact.kcap"
    write_captioner(path, packed((encoder, decoder), contents.vocabulary, contents.about))
    exact, eight = (Captioner.load(file, hedge=PLAIN) for file in (path, SHIPPED))
    shots = [p[None] for p in pictures]
    assert [c.text for c in exact.caption_many(shots)] == by_keras
    said = [c.text for c in eight.caption_many(shots)]
    assert np.mean([a == b for a, b in zip(said, by_keras, strict=True)]) > 0.75
    near = eight.features(pictures) - exact.features(pictures)
    assert np.abs(near).mean() < 0.15 * np.abs(exact.features(pictures)).mean()
