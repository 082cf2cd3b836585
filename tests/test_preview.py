"""A preview: one frame of the right moment, with the caption of that moment."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import caption_video
from preprocess.errors import SettingError
from preprocess.frames import Limits, probe
from tests.clips import BLUE, GREEN, RED, colour_clip, turned
from tests.test_door import SRT
from video.preview import moment, preview_target, still_at
from video.track import CaptionedShot, Track, from_json


@pytest.fixture
def film(tmp_path):
    return colour_clip(tmp_path / "film.mp4")


def colour(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))[:20].mean((0, 1))


@pytest.mark.parametrize(("time_ms", "seen"), [(0, RED), (1990, RED), (2000, GREEN), (5990, BLUE)])
def test_the_frame_is_that_of_the_moment(film, tmp_path, time_ms, seen):
    still = still_at(probe(film), time_ms, tmp_path)
    assert still.kind == "picture" and (still.width, still.height) == (160, 90)
    np.testing.assert_allclose(colour(still.path), seen, atol=12)


def test_a_turned_film_is_upright(film, tmp_path):
    folder = tmp_path / "stills"
    folder.mkdir()
    still = still_at(probe(turned(film, tmp_path / "t.mp4", 90)), 0, folder)
    assert (still.width, still.height) == (90, 160)


def test_past_the_end_is_told(film, tmp_path):
    with pytest.raises(SettingError, match=r"00:06.0: 'film.mp4' ends at 00:06.0"):
        still_at(probe(film), 6000, tmp_path)


@pytest.mark.parametrize("output", [".png", "there/.PNG"])
def test_a_suffix_alone_is_a_form(film, tmp_path, output):
    folder = tmp_path / "there" if "/" in output else film.parent
    at = str(tmp_path / output) if "/" in output else output
    assert preview_target(probe(film), at) == folder / f"{film.stem}.preview.png"


def test_a_moment_has_the_caption_on_screen(film):
    shots = (CaptionedShot(0, 2000, "빨간", -1), CaptionedShot(3000, 6000, "파란", -1))
    track, media = Track("film.mp4", 6000, "c", shots), probe(film)
    said = [[s.caption for s in moment(track, t, media).shots] for t in (0, 1999, 2000, 3000)]
    assert said == [["빨간"], ["빨간"], [], ["파란"]]


def test_a_moment_shows_what_the_film_will(film):
    """Also what lingers after its shot, and what two say at once."""
    late = Track("v", 6000, "c", (CaptionedShot(0, 500, "짧은 동안 보이는 긴 말이다", -1),))
    assert len(moment(late, 900, probe(film)).shots) == 1
    shots = (CaptionedShot(0, 3000, "하나", 0), CaptionedShot(1000, 2000, "둘", 0))
    both = moment(Track("v", 6000, "c", shots), 1500, probe(film))
    assert [shot.caption for shot in both.shots] == ["하나\n둘"]


@pytest.mark.parametrize("time", ["3", "3s", "0:03", "0:00:03.0"])
def test_the_door_draws_one_frame(film, captioner, monkeypatch, capsys, time):
    monkeypatch.setattr(caption_video, "load_captioner", lambda *_: captioner)
    assert caption_video.main([str(film), "--preview", time]) == 0
    target = film.with_name("film.preview.png")
    assert capsys.readouterr().out.splitlines()[-1] == f"결과: {target}"
    np.testing.assert_allclose(colour(target), GREEN, atol=12)
    assert captioner.batches == [1]
    edited = film.with_name("a.srt")
    edited.write_text(SRT, "utf-8")
    shown = ["-q", "--captions", str(edited), "--preview", time, "-o", f"{film}.jpg"]
    assert caption_video.main([str(film), *shown]) == 0
    assert (probe(Path(f"{film}.jpg")).width, probe(Path(f"{film}.jpg")).height) == (160, 90)


def test_a_preview_is_told_by_its_films_name(film, door):
    other = film.with_name("other.mp4")
    other.write_bytes(film.read_bytes())
    status, out, _ = door(film, other, "--preview", "3s")
    assert status == 0 and [line for line in out.splitlines() if line[:1] == "/"] == [
        str(film),
        str(other),
    ]
    told = film.with_suffix(".json")
    assert door(film, "-q", "--preview", "3s", "-o", told)[0] == 0
    assert from_json(told.read_text("utf-8")).video == "film.mp4"
    edited = film.with_name("a.srt")
    edited.write_text(SRT, "utf-8")
    more = ("--captions", edited, "--preview", "3s", "--overwrite")
    assert door(film, "-q", "-o", told, *more)[0] == 0
    assert from_json(told.read_text("utf-8")).video == "film.mp4"


def test_a_sentence_is_told_at_the_moment(film, door):
    status, out, _ = door(film, "--preview", "3.5s", "--alert", "초록")
    said, alert, _ = out.splitlines()
    assert (status, said) == (0, "[00:03.5] 초록 화면이다")
    assert (json.loads(alert)["start_ms"], json.loads(alert)["end_ms"]) == (3500, 3500)


@pytest.mark.parametrize(
    "more",
    [("--soft",), ("--soft", "-o", "x.mkv"), ("-o", ".html"), ("-o", "a.HTML", "-o", ".png")],
)
def test_what_no_frame_can_become_is_refused_by_name(film, door, captioner, more):
    for language in ("ko", "en"):
        status, out, err = door(film, "--preview", "2s", *more, "--lang", language)
        assert (status, out, err.count("\n")) == (2, "", 1) and captioner.batches == []
        assert "--preview" in err and ("--soft" in err or "html" in err.lower())
        assert "frame0" not in err
    assert [p.name for p in film.parent.iterdir()] == ["film.mp4"]


def test_a_frame_has_the_limits_of_its_film(film, tmp_path):
    limits = Limits(pixels=10**6)
    assert still_at(probe(film, limits), 0, tmp_path).limits == limits


def test_a_bad_moment_is_refused(film, capsys):
    for wrong in ("1:2:3:4", "x", "-1"):
        assert caption_video.main([str(film), "--preview", wrong, "--lang", "en"]) == 2
    assert caption_video.main([str(film), "--preview", "9", "--lang", "en"]) == 1
    assert "ends at 00:06.0" in capsys.readouterr().err
    assert [p.name for p in film.parent.iterdir()] == ["film.mp4"]
