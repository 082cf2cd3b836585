"""Screens without a scene: plain colours, letters alone, and what photographs must not be."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import skimage
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from model import letters
from model.captioner import Captioner
from model.gist import PLAIN, HedgeOptions
from model.screen import HUES, SPREAD, Letters, fit_letters, plain_colour, screen
from model.storage import LETTERS, read_captioner
from preprocess.cards import SIZES, card, lettered, pattern
from preprocess.dataset import Dataset
from preprocess.errors import DataError
from preprocess.korean import compose
from preprocess.pictures import read_picture
from preprocess.records import Sample
from video.fonts import hangul_font
from video.options import DEFAULT_MODEL

PHOTOS = Path(skimage.__file__).parent / "data"
SEEN = np.zeros((1, 4, 8), np.float32)


def plain(colour, count=1, size=(36, 64)):
    return np.full((count, *size, 3), colour, np.uint8)


def written(lines, ground, ink, points):
    """A card in a real font, which none of the drawn ones has."""
    picture = Image.new("RGB", (1280, 720), ground)
    draw, font = ImageDraw.Draw(picture), ImageFont.truetype(str(hangul_font().path), points)
    for number, line in enumerate(lines):
        draw.text((640, 360 + 1.4 * points * (number - len(lines) / 2)), line, ink, font, "mm")
    return np.asarray(picture)


@pytest.fixture(scope="module")
def captioner():
    return Captioner.load(DEFAULT_MODEL)


@pytest.mark.parametrize(
    ("colour", "name"),
    [
        ((0, 0, 0), "검은"), ((40, 30, 20), "검은"), ((255, 255, 255), "흰"),
        ((128, 128, 128), "회색"), ((220, 20, 20), "빨간"), ((255, 140, 0), "주황색"),
        ((240, 230, 40), "노란"), ((20, 160, 40), "초록색"), ((90, 200, 235), "하늘색"),
        ((20, 60, 160), "파란"), ((120, 40, 180), "보라색"), ((240, 80, 170), "분홍색"),
    ],
)  # fmt: skip
def test_a_plain_screen_is_named_by_its_colour(colour, name):
    assert plain_colour(plain(colour, 3)) == name
    said = compose(screen(plain(colour), SEEN, None))
    assert said == f"{name} 화면이 보인다"


@given(st.tuples(*[st.integers(0, 255)] * 3), st.integers(0, 2**32 - 1))
def test_every_plain_screen_has_a_colour_and_grain_does_not_matter(colour, seed):
    grain = np.random.default_rng(seed).normal(0, 3, (1, 180, 320, 3))
    shown = np.clip(plain(colour, 1, (180, 320)) + grain, 0, 255).astype(np.uint8)
    names = {name for _, name in HUES} | {"검은", "흰", "회색"}
    assert plain_colour(plain(colour)) in names and plain_colour(shown) in names


@given(st.integers(0, 32), st.integers(0, 60), st.integers(SPREAD + 1, 255))
def test_whatever_fills_a_block_makes_it_a_scene(row, column, light):
    frames = plain(0, 2)
    frames[1, row : row + 4, column : column + 4] = light  # it fills two by two pixels of one
    frames[1, row // 2 * 2 : row // 2 * 2 + 2, column // 2 * 2 : column // 2 * 2 + 2] = light
    assert plain_colour(frames) == ""


def test_frames_of_several_colours_are_no_plain_screen():
    assert plain_colour(np.concatenate([plain((0, 0, 0)), plain((255, 255, 255))])) == ""


@given(st.integers(0, 2**32 - 1))
def test_patterns_are_pictures_drawn_by_their_seed(seed):
    drawn = pattern(np.random.default_rng(seed))
    assert drawn.dtype == np.uint8 and drawn.shape[:2] in SIZES and drawn.shape[2] == 3
    np.testing.assert_array_equal(drawn, pattern(np.random.default_rng(seed)))


@given(st.integers(0, 2**32 - 1))
def test_cards_are_pictures_with_writing_drawn_by_their_seed(seed):
    drawn = card(np.random.default_rng(seed))
    assert drawn.dtype == np.uint8 and drawn.shape[:2] in SIZES and drawn.shape[2] == 3
    np.testing.assert_array_equal(drawn, card(np.random.default_rng(seed)))
    under = plain((90, 90, 90), 1, (120, 160))[0]
    over = lettered(under, np.random.default_rng(seed), 2)
    assert (under == 90).all() and over.shape == under.shape
    assert (over != under).any() or over.min() == 90  # a row of spaces shows nothing


def test_what_is_learned_parts_what_can_be_parted_and_survives_the_file():
    random = np.random.default_rng(0)
    cards, photos = (random.normal(mean, 1, (200, 6)).astype(np.float32) for mean in (2, -2))
    learned = fit_letters(cards, photos)
    again = Letters.of(learned.array())
    told = [[again.probability(one[None, None]) for one in group] for group in (cards, photos)]
    assert min(told[0]) > 0.5 > max(told[1]) and np.mean(told[0]) > 0.95
    whole = learned.probability(np.stack([cards[:4], photos[:4]]))  # the mean of all is asked
    mean = np.concatenate([cards[:4], photos[:4]]).mean(0)
    assert whole == pytest.approx(learned.probability(mean[None, None]), rel=1e-5)


def test_letters_are_said_where_they_are_sure():
    sure, unsure = (Letters(np.zeros(8, np.float32), bias) for bias in (2.3, 2.1))
    frames = np.random.default_rng(0).integers(0, 255, (1, 36, 64, 3)).astype(np.uint8)
    assert compose(screen(frames, SEEN, sure)) == "화면에 글자가 보인다"
    assert screen(frames, SEEN, unsure) == screen(frames, SEEN, None) == ()
    assert compose(screen(plain((0, 0, 0)), SEEN, sure)) == "검은 화면이 보인다"


@pytest.mark.parametrize(
    ("lines", "ground", "ink", "points"),
    [
        (["한국어 영상 캡션"], "black", "white", 90),
        (["THE END"], "black", "white", 140),
        (["감독  김철수", "각본  이영희", "촬영  박민수", "음악  정다은"], "black", "white", 44),
        (["1. 서론", "2. 방법", "3. 결과와 논의"], "white", "black", 56),
        (["속보", "전국 곳곳에 비"], (180, 0, 0), "white", 120),
        (["def main():", "    return 0"], (30, 30, 30), (180, 220, 180), 44),
    ],
)
def test_the_shipped_captioner_knows_titles_credits_and_slides(
    captioner, lines, ground, ink, points
):
    frames = written(lines, ground, ink, points)[None].repeat(2, 0)
    said = captioner.caption(frames)
    assert (said.text, said.general) == ("화면에 글자가 보인다", True)
    assert said.attention.shape[:2] == (len(said.morphemes), 2)
    assert "글자가 보인다" not in captioner.doubting(PLAIN).caption(frames).text


def test_the_shipped_captioner_takes_no_photograph_for_a_card(captioner):
    for name in ("chelsea.png", "coffee.png", "camera.png", "astronaut.png", "rocket.jpg"):
        text = captioner.caption(read_picture(PHOTOS / name)[None]).text
        assert "화면" not in text and "글자" not in text
    grain = np.random.default_rng(0).integers(0, 256, (1, 90, 160, 3), np.uint8)
    assert "글자" not in captioner.caption(grain).text


def test_a_captioner_without_letters_knows_plain_screens_alone(captioner):
    contents = read_captioner(DEFAULT_MODEL)
    weights = {name: array for name, array in contents.weights.items() if name != LETTERS}
    older = Captioner(replace(contents, weights=weights))
    title = written(["제목"], "black", "white", 90)[None]
    assert "글자" not in older.caption(title).text
    assert older.caption(plain((0, 0, 0))).text == "검은 화면이 보인다"
    details_alone = older.doubting(HedgeOptions(min_confidence=0))
    assert details_alone.caption(plain((0, 0, 0))).text == "검은 화면이 보인다"


def some_data(splits):
    names = ("chelsea.png", "coffee.png", "camera.png", "astronaut.png", "rocket.jpg")
    samples = [
        Sample(f"a/{n}", (str(PHOTOS / name),), ("말",), split, str(n))
        for n, (name, split) in enumerate(zip(names, splits, strict=True))
    ]
    features = np.zeros((len(samples), 1, 1, 1), np.float16)
    return Dataset(tuple(samples), ((),) * len(samples), features, {"tagger": "okt"})


def test_a_captioner_learns_letters_from_cards_and_photographs(monkeypatch, captioner):
    monkeypatch.setattr(letters, "TRIED", 8)
    contents = read_captioner(DEFAULT_MODEL)
    learned = letters.learn(contents, some_data(["train"] * 4 + ["val"]))
    assert (learned.mistaken, learned.photos) == (0, 1) and learned.missed <= 0.25
    assert "held-out photographs mistaken" in letters.report(learned)
    taught = Captioner(letters.taught(contents, learned))
    title = written(["제목"], "black", "white", 90)[None]
    assert taught.caption(title).text == "화면에 글자가 보인다"


def test_without_training_pictures_nothing_is_learned():
    with pytest.raises(DataError, match="no train pictures"):
        letters.learn(read_captioner(DEFAULT_MODEL), some_data(["val"] * 5))
