"""How captions look: presets, what is changed of them, and where it lands in the picture."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import caption_video
from preprocess.errors import SettingError
from preprocess.frames import probe
from video.burn import burn
from video.draw import BurnOptions
from video.fonts import Font
from video.style import PRESETS, StyleOptions, checked, look_for
from video.track import CaptionedShot, Track

FONT = Font(Path("x.otf"), "Noto Sans KR", 1.448)
SAID = Track("x", 9000, "c", (CaptionedShot(0, 9000, "회색 화면이다", -1),))


def drawn(folder, engine="ffmpeg", **style):
    source, target = folder / "grey.png", folder / "out.png"
    Image.new("RGB", (320, 180), (128, 128, 128)).save(source)
    burn(probe(source), SAID, target, BurnOptions(engine=engine, look=StyleOptions(**style)))
    return np.asarray(Image.open(target).convert("RGB")).astype(int)


def rows_of(changed):
    """The first and the last row in which something was drawn, as shares of the height."""
    found = np.flatnonzero(changed.any(1))
    return found[0] / len(changed), found[-1] / len(changed)


@pytest.mark.parametrize("engine", ["ffmpeg", "moviepy"])
@pytest.mark.parametrize(
    ("position", "low", "high"), [("top", 0.0, 0.3), ("middle", 0.3, 0.7), ("bottom", 0.7, 1.0)]
)
def test_text_stands_where_it_should(tmp_path, engine, position, low, high):
    picture = drawn(tmp_path, engine, position=position)
    first, last = rows_of(np.abs(picture - 128).max(2) > 40)
    assert low <= first < last <= high


@pytest.mark.parametrize("engine", ["ffmpeg", "moviepy"])
def test_a_box_lies_under_the_letters(tmp_path, engine):
    boxed, plain = drawn(tmp_path, engine, box=True), drawn(tmp_path, engine, box=False)
    dark = [(picture.max(2) < 100).mean() for picture in (boxed, plain)]
    assert dark[0] > 3 * dark[1] > 0
    assert (boxed.min(2) > 200).sum() > 50  # the letters are in it


def test_letters_have_their_colour(tmp_path):
    yellow = drawn(tmp_path, colour="#ffd400", size=12)
    hit = (yellow[..., 0] > 230) & (yellow[..., 1] > 190) & (yellow[..., 2] < 60)
    assert hit.sum() > 100


def test_a_share_of_the_height_is_the_size():
    sizes = [look_for(1920, 1080, FONT, StyleOptions(size=s)).em for s in (2, 4, 8)]
    assert sizes == [22, 43, 86]


@given(st.sampled_from(sorted(PRESETS)), st.booleans(), st.sampled_from(["top", "bottom"]))
def test_what_is_asked_for_wins_over_the_preset(style, box, position):
    look = look_for(1280, 720, FONT, StyleOptions(style, box=box, position=position))
    assert (look.box, look.position, look.bold) == (box, position, PRESETS[style].bold)
    plain = look_for(1280, 720, FONT, StyleOptions(style))
    assert (plain.box, plain.position) == (PRESETS[style].box, PRESETS[style].position)


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_letters_stand_out_from_their_edge(colour):
    look = look_for(640, 360, FONT, StyleOptions(colour="#{:02x}{:02x}{:02x}".format(*colour)))
    assert look.colour == colour
    weights = (0.299, 0.587, 0.114)
    luma = [sum(w * c for w, c in zip(weights, rgb, strict=True)) for rgb in (colour, look.edge)]
    assert abs(luma[0] - luma[1]) > 90


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"style": "loud"}, "no style 'loud'"),
        ({"size": 0.0}, "text size 0 %"),
        ({"size": 51.0}, "text size 51 %"),
        ({"colour": "no colour"}, "unknown colour 'no colour'"),
        ({"colour": "rgb(300,0,0)"}, "unknown colour"),
        ({"colour": "hsv(60,100%,200%)"}, "unknown colour"),
    ],
)
def test_what_has_no_meaning_is_named(wrong, said):
    with pytest.raises(SettingError, match=said):
        checked(StyleOptions(**wrong))


def test_the_door_refuses_a_colour_before_any_work(tmp_path, capsys):
    source = tmp_path / "a.png"
    Image.new("RGB", (64, 48)).save(source)
    assert caption_video.main([str(source), "--colour", "{}\\N", "--lang", "en"]) == 2
    assert "unknown colour" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]
