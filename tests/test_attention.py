"""Where the captioner looked, drawn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from model.captioner import Captioner
from preprocess.pictures import read_picture
from tests.test_shipped import SHIPPED
from video.scenes.__main__ import main
from video.scenes.attention import (
    ACROSS,
    EVEN,
    LINE,
    SIDE,
    Look,
    Looks,
    looks,
    sheet,
    steps,
    warmed,
)
from video.scenes.stills import still

GREY = np.full((60, 80, 3), 128, np.uint8)


def heat(row, column, share=1.0):
    spread = np.full((8, 8), (1 - share) / 64, np.float32)
    spread[row, column] += share
    return spread


def said(*words):
    found = tuple(Look(word, heat(i, i)) for i, word in enumerate(words))
    return Looks("개가 물가에 있다", 0.5, found)


FOUND = said("개", "가", "물가", "에", "있다")


@given(row=st.integers(0, 7), column=st.integers(0, 7))
def test_the_hottest_place_is_where_was_looked(row, column):
    drawn = warmed(GREY, heat(row, column)).astype(int)
    red = drawn[..., 0] - drawn[..., 2]  # hot is yellow
    y, x = np.unravel_index(red.argmax(), red.shape)
    assert abs(y / 60 - (row + 0.5) / 8) < 0.1
    assert abs(x / 80 - (column + 0.5) / 8) < 0.1


def test_what_is_looked_at_evenly_stays_dark():
    even = warmed(GREY, np.full((8, 8), 1 / 64, np.float32))
    hot = warmed(GREY, heat(3, 3))
    assert even.max() < 128 < hot.max()
    assert EVEN > 1


def test_a_sheet_has_a_picture_for_each_morpheme_and_one_without():
    page = sheet(GREY, FOUND)
    assert page.size == (ACROSS * SIDE, 2 * LINE + 2 * (240 + 2 * LINE))
    pixels = np.asarray(page)
    assert (pixels[2 * LINE : 2 * LINE + 240, :SIDE] == 128).all()
    assert pixels[2 * LINE + 240 + 2 * LINE :, 2 * SIDE :].min() == 255  # two cells are empty


def test_a_gif_steps_through_the_words(tmp_path):
    pages = steps(GREY, FOUND)
    assert len(pages) == 5
    assert len({page.tobytes() for page in pages}) == 5
    assert len({page.size for page in pages}) == 1


def test_the_shipped_captioner_looks_for_each_of_its_morphemes():
    picture = np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    captioner = Captioner.load(SHIPPED)
    found = looks(picture, captioner)
    assert captioner.hedge.min_confidence > 0  # as it was
    assert "".join(look.word for look in found.looks) == found.text.replace(" ", "")
    sums = [float(look.heat.sum()) for look in found.looks]
    assert sums == pytest.approx([1.0] * len(sums), abs=1e-3)
    assert all(look.heat.shape == (8, 8) for look in found.looks)


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "사진.png"
    Image.fromarray(GREY).save(path)
    return path


@pytest.mark.parametrize("name", ["seen.png", "seen.GIF"])
def test_the_command_writes_and_does_not_overwrite(photo, name, capsys):
    target = photo.with_name(name)
    command = ["attention", str(photo), "-o", str(target)]
    assert main(command) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(target)
    with Image.open(target) as page:
        assert page.format == name.split(".")[1].upper()
    before = target.read_bytes()
    assert main([*command, "--lang", "en"]) == 1
    assert "exists already" in capsys.readouterr().err
    assert target.read_bytes() == before
    assert main([*command, "--overwrite"]) == 0


def test_what_cannot_be_written_or_read_is_said_in_a_line(photo, capsys):
    assert main(["attention", str(photo), "-o", str(photo.with_name("a.mp4"))]) == 1
    assert main(["attention", str(photo.with_name("none.png")), "-o", str(photo) + ".png"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 2
    assert [path.name for path in photo.parent.iterdir()] == [photo.name]


def test_the_input_is_never_overwritten(photo, capsys):
    before = photo.read_bytes()
    for command in ("attention", "regions"):
        same = [command, str(photo), "-o", str(photo), "--overwrite", "--lang", "en"]
        assert main(same) == 1
        assert "is an input" in capsys.readouterr().err
    assert photo.read_bytes() == before


def test_a_still_is_the_picture_or_a_moment_of_the_film(photo, film):
    assert (still(photo) == read_picture(photo)).all()
    first, last = (still(film, ms).reshape(-1, 3).mean(0) for ms in (0, 2500))
    assert abs(first - last).max() > 50  # another colour
