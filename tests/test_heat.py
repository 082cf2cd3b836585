"""Where was looked, laid over films: the track that keeps it, the drawings, the burned picture."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.captioner import Caption
from preprocess.errors import DataError, SettingError
from preprocess.frames import probe
from preprocess.pictures import read_picture
from video.burn import burn
from video.draw import BurnOptions
from video.heat import LEVELS, drawings
from video.pipeline import PipelineOptions, caption_video
from video.style import Look
from video.subtitles import cues, to_ass
from video.track import CaptionedShot, Track, from_json, to_json

LOOK = Look(160, 80)


def shown(rows, text="개가 있다"):
    looked = tuple(tuple(row) for row in rows)
    return Track("a.png", 3000, "x", (CaptionedShot(0, 3000, text, -1.0, attention=looked),))


def spot(row, column, size=4):
    share = np.zeros((size, size))
    share[row, column] = 1
    return share.tolist()


@given(st.integers(1, 9), st.integers(1, 9), st.randoms())
def test_tracks_keep_it_through_json(rows, columns, random):
    track = shown([[random.random() for _ in range(columns)] for _ in range(rows)])
    assert from_json(to_json(track)) == track
    assert "attention" not in to_json(shown([]))


@pytest.mark.parametrize(
    "wrong",
    ["[1]", "[[]]", "[[0.5], [0.5, 0.5]]", "[[2]]", '[["1"]]', "[[[0.1]]]", "{}",
     str([[0.0]] * 65), str([[0.0] * 65])],
)  # fmt: skip
def test_what_is_no_grid_of_shares_is_refused(wrong):
    text = to_json(shown([[1.0]])).replace("[\n        [\n          1.0\n        ]\n      ]", wrong)
    assert wrong in text
    with pytest.raises(DataError):
        from_json(text)


def test_only_what_is_looked_at_more_than_evenly_is_warm():
    assert drawings(shown([]), LOOK) == []
    assert drawings(shown(np.full((4, 4), 1 / 16).tolist()), LOOK) == []
    (one,) = drawings(shown(spot(1, 2)), LOOK)
    assert (one.start_ms, one.end_ms) == (0, 3000)
    assert one.text.endswith("m 80 20 l 120 20 l 120 40 l 80 40")
    levels = drawings(shown([[0.4, 0.3, 0.2, 0.1, 0.0, 0.0, 0.0, 0.0]]), LOOK)
    assert 1 < len(levels) <= LEVELS


def test_drawings_lie_under_the_sentences():
    track = shown(spot(0, 0))
    text = to_ass(cues(track), LOOK, drawings(track, LOOK))
    lines = [line for line in text.splitlines() if line.startswith("Dialogue")]
    assert {line.split(",")[0][-1]: r"\p1" in line for line in lines} == {"1": False, "0": True}


@pytest.mark.parametrize("place", [(0, 0), (3, 3), (1, 2)])
def test_the_burned_picture_is_warm_there_and_nowhere_else(tmp_path, place):
    source, target = tmp_path / "a.png", tmp_path / "b.png"
    cv2.imwrite(str(source), np.full((320, 320, 3), 90, np.uint8))
    track = shown(spot(*place), text="")
    burn(probe(source), track, target, BurnOptions(show_attention=True))
    red = read_picture(target)[..., 0].astype(int).reshape(4, 80, 4, 80).mean((1, 3))
    assert np.unravel_index(red.argmax(), red.shape) == place
    assert red.max() > 150
    assert abs(np.median(red) - 90) < 3
    plain = tmp_path / "c.png"
    burn(probe(source), track, plain)
    assert abs(read_picture(plain).astype(int) - 90).max() < 3


class Looks:
    """Says the same of every shot, having looked at the upper left."""

    def caption_many(self, shots):
        looked = np.zeros((2, 1, 2, 2), np.float32)
        looked[:, :, 0, 0] = 1
        return [Caption("화면이다", ("화면", "이다"), -0.5, looked) for _ in shots]


def test_the_pipeline_keeps_it_if_asked(film):
    asked = caption_video(film, Looks(), PipelineOptions(attention=True))
    assert {shot.attention for shot in asked.shots} == {((1.0, 0.0), (0.0, 0.0))}
    plain = caption_video(film, Looks())
    assert plain == replace(asked, shots=tuple(replace(s, attention=()) for s in asked.shots))


def test_the_door_draws_it_and_moviepy_does_not(door, film, tmp_path):
    target = tmp_path / "out.ass"
    assert door(film, "-o", target, "--show-attention")[0] == 0
    assert r"\p1" not in target.read_text("utf-8")  # the stand-in looked nowhere
    captions = tmp_path / "said.srt"
    captions.write_text("1\n00:00:00,000 --> 00:00:01,000\n개가 달린다.\n", "utf-8")
    asked = ("--captions", captions, "--show-attention", "--lang", "en")
    status, _, said = door(film, "-o", tmp_path / "c.mp4", *asked)
    assert status == 1 and "does not say where was looked" in said
    with pytest.raises(SettingError, match="--engine ffmpeg"):
        burn(
            probe(film),
            shown([]),
            tmp_path / "b.mp4",
            BurnOptions(engine="moviepy", show_attention=True),
        )
    status, _, said = door(
        film, "-o", tmp_path / "b.mp4", "--engine", "moviepy", "--show-attention"
    )
    assert status == 1 or status == 2
    assert "--show-attention" in said


def test_a_track_that_is_copied_has_nothing_drawn_in_it(door, film, tmp_path):
    status, _, said = door(film, "-o", tmp_path / "b.mkv", "--soft", "--show-attention")
    assert status == 1 and "--soft" in said and said.count("\n") == 1
    assert not (tmp_path / "b.mkv").exists()
