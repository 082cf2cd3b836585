"""Unlike moments: the curves, what steadies them, and what is written."""

import csv
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.signal import find_peaks

from model.caption import Caption
from model.words import Words
from preprocess.errors import SettingError
from preprocess.frames import probe
from preprocess.korean import Morpheme
from preprocess.vocabulary import Vocabulary
from tests.clips import GREY, colour_clip, flat, write_frames
from video.scenes import __main__ as door
from video.scenes.chart import to_chart
from video.scenes.curve import RISE, dissimilarity, peaks, steadied
from video.scenes.moments import meaning, moments
from video.scenes.unlike import FORMATS, Unlike, UnlikeOptions, to_csv, unlike

COLOURS = ("빨간", "초록", "파란")


def few_words() -> Words:
    forms = (*COLOURS, "화면", "어두운")
    vocabulary = Vocabulary(tuple(Morpheme(form, "Noun", True) for form in forms))
    return Words(vocabulary, np.eye(len(vocabulary), 16, dtype=np.float32))


class Seer:
    """Names the main colour; its features are the mean colour, and it counts what it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def features(self, pictures):
        return np.stack([p.reshape(1, -1, 3).mean(axis=1) + 1 for p in pictures]).astype("f4")

    def caption_many(self, shots):
        self.asked += len(shots)
        return [self._caption(frames) for frames in shots]

    def _caption(self, frames):
        colour = COLOURS[int(frames.reshape(-1, 3).mean(axis=0).argmax())]
        return Caption(f"{colour} 화면", (colour, "화면"), -0.5, np.zeros((2, 1, 1, 1), "f4"))


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    return colour_clip(tmp_path_factory.mktemp("clips") / "a.mp4")


unit_rows = arrays.arrays(
    np.float32, st.tuples(st.integers(1, 12), st.just(4)),
    elements=st.floats(-1, 1, width=32),
).map(lambda a: a / np.maximum(np.linalg.norm(a, axis=1, keepdims=True), 1e-3))  # fmt: skip


@given(unit_rows, st.integers(1, 6), st.sampled_from(["cosine", "euclidean"]))
def test_the_curve_is_the_distance_to_the_mean_of_the_window(rows, window, metric):
    curve = dissimilarity(rows, window, metric)
    assert curve[0] == 0 and (curve >= 0).all()
    for i in range(1, len(rows)):
        mean = rows[max(0, i - window) : i].astype(np.float64).mean(axis=0)
        lengths = np.linalg.norm(rows[i]), np.linalg.norm(mean)
        if metric == "euclidean":
            assert curve[i] == pytest.approx(np.linalg.norm(rows[i] - mean), abs=1e-5)
        elif min(lengths) > 1e-3:
            expected = 1 - rows[i] @ mean / (lengths[0] * lengths[1])
            assert curve[i] == pytest.approx(expected, abs=1e-3)


def test_what_stays_the_same_is_no_distance_away():
    rows = np.tile(np.array([[0.6, 0.8]], np.float32), (5, 1))
    assert not dissimilarity(rows, 3, "cosine").any()
    assert not dissimilarity(0 * rows, 3, "cosine").any()
    assert dissimilarity(np.eye(2, dtype=np.float32), 1, "cosine")[1] == pytest.approx(1)


def test_peaks_stand_out():
    curve = [0, 0, 0.9, 0.3, 0, 0, 0.02, 0, 0, 0.7, 0.7, 0]
    assert peaks(curve) == [2, 9]
    assert peaks([0.0] * 5) == [] and peaks([]) == [] and peaks([0.5]) == []
    cut_every_three = [0, 0, 0, 0.9, 0.6, 0.4, 0.7, 0.5, 0.3, 0.8, 0.5]
    assert peaks(cut_every_three) == [3, 6, 9]


@given(st.lists(st.floats(0, 2), min_size=1, max_size=40, unique=True))
def test_peaks_are_those_of_scipy(heights):
    found, _ = find_peaks(heights, prominence=RISE)  # which has none at the ends
    assert [p for p in peaks(heights) if 0 < p < len(heights) - 1] == list(found)


@given(unit_rows)
def test_like_moments_are_steadied_into_the_same_and_unlike_ones_stay(rows):
    same = np.tile(np.eye(1, 3, dtype=np.float32), (len(rows), 1))
    if len(rows) <= 6:
        out = steadied(rows, same)
        np.testing.assert_allclose(out, np.tile(out[:1], (len(out), 1)), atol=1e-5)
    apart = np.eye(len(rows), dtype=np.float32)
    alone = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
    kept = np.linalg.norm(rows, axis=1) > 1e-2
    np.testing.assert_allclose(steadied(rows, apart)[kept], alone[kept], atol=1e-5)


def test_moments_that_show_the_same_are_described_once(clip):
    seer = Seer()
    found = list(moments(probe(clip), seer, few_words(), 250))
    assert seer.asked == 3 and len(found) > 6
    said = [m.caption for m in found]
    assert list(dict.fromkeys(said)) == [f"{c} 화면" for c in COLOURS]
    assert [m.time_ms for m in found] == sorted({m.time_ms for m in found})


def test_the_meaning_leans_to_the_likelier_sentence():
    words = few_words()
    sure = Caption("빨간", ("빨간",), -0.1, np.zeros((1, 1, 1, 1), np.float32))
    general = Caption("화면", ("화면",), -3.0, np.zeros((1, 1, 1, 1), np.float32), general=True)
    np.testing.assert_allclose(meaning(sure, words), words.word("빨간"), atol=1e-6)
    np.testing.assert_allclose(meaning(general, words), words.word("화면"), atol=1e-6)


def test_cuts_are_the_peaks_of_both_curves(clip):
    found = unlike(probe(clip), Seer(), few_words(), UnlikeOptions(every_ms=250, window=3))
    changes = [t for t, a, b in zip(found.times_ms[1:], found.captions, found.captions[1:],
                                    strict=False) if a != b]  # fmt: skip
    for by in ("caption", "features"):
        assert [p.time_ms for p in found.peaks if p.by == by] == changes
    assert found.peaks[0].before == "빨간 화면" and found.peaks[0].caption == "초록 화면"
    between = [h for h, t in zip(found.by_caption, found.times_ms, strict=True) if t < changes[0]]
    assert max(between) == 0


@pytest.mark.parametrize("options", [{"every_ms": 0}, {"window": 0}, {"metric": "manhattan"}])
def test_unusable_options_are_told(clip, options):
    with pytest.raises(SettingError):
        unlike(probe(clip), Seer(), few_words(), UnlikeOptions(**options))


@pytest.fixture
def told(monkeypatch):
    monkeypatch.setattr("model.captioner.Captioner.load", lambda path: Seer())
    monkeypatch.setattr("model.words.Words.load", lambda path: few_words())


@pytest.mark.usefixtures("told")
def test_the_command_writes_all_four_and_never_over_them(clip, tmp_path, capsys):
    line = ["unlike", str(clip), "--every", "0.25s", "--window", "3", "--out", str(tmp_path)]
    assert door.main(line) == 0
    out = capsys.readouterr().out
    assert "초록 화면" in out and "  문장  " in out and "  화면  " in out and "caption" not in out
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(f"a.unlike{f}" for f in FORMATS)
    fields = json.loads((tmp_path / "a.unlike.json").read_text("utf-8"))
    rows = list(csv.DictReader((tmp_path / "a.unlike.csv").read_text("utf-8").splitlines()))
    assert len(rows) == len(fields["times_ms"]) == len(fields["by_caption"])
    assert {row["peak"] for row in rows} == {"", "caption+features"}
    assert (tmp_path / "a.unlike.png").read_bytes().startswith(b"\x89PNG")
    assert door.main(line) == 1 and "--overwrite" in capsys.readouterr().err
    assert door.main([*line, "--overwrite"]) == 0


@pytest.mark.usefixtures("told")
def test_a_film_in_which_nothing_changes_is_said_to_be_even(tmp_path, capsys):
    still = write_frames(tmp_path / "a.mp4", [(40 * i, flat(GREY)) for i in range(25)])
    assert door.main(["unlike", str(still), "--every", "0.25s", "--overwrite"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "두드러지게 달라지는 순간이 없습니다."
    assert door.main(["unlike", str(still), "--overwrite", "--lang", "en"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "No moment stands out."


@pytest.mark.usefixtures("told")
def test_without_matplotlib_there_is_all_but_the_picture(clip, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "preprocess.plots", None)  # as if it could not be imported
    line = ["unlike", str(clip), "--every", "0.25s", "--window", "3", "--out", str(tmp_path)]
    assert door.main(line) == 0
    assert "matplotlib" in capsys.readouterr().out
    left = {path.suffix for path in tmp_path.iterdir()}
    assert left == set(FORMATS) - {".png"}


@pytest.mark.usefixtures("told")
def test_a_target_that_cannot_be_is_told_before_anything_is_looked_at(clip, tmp_path, capsys):
    (tmp_path / f"{clip.stem}.unlike.png").mkdir()
    assert door.main(["unlike", str(clip), "--out", str(tmp_path), "--overwrite"]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert [p.name for p in tmp_path.iterdir()] == [f"{clip.stem}.unlike.png"]


def test_no_folder_is_told(clip, tmp_path, capsys):
    assert door.main(["unlike", str(clip), "--out", str(tmp_path / "none")]) == 1
    assert "none" in capsys.readouterr().err


def small(caption: str) -> Unlike:
    return Unlike("<b>.mp4", UnlikeOptions(), (0, 1000), (caption, "끝"), (0, 0.5), (0, 0.1), ())


def test_a_caption_cannot_become_a_formula_or_a_tag():
    hostile = '=HYPERLINK("x")</script><img src=x onerror=alert(1)>'
    assert to_csv(small(hostile)).splitlines()[1].split(",", 4)[4].startswith("\"'=")
    page = to_chart(small(hostile))
    assert "<img" not in page and page.count("</script>") == 1 and "<b>" not in page


def test_the_chart_loads_nothing_and_has_its_data():
    page = to_chart(small("개가 있다"))
    assert not re.search(r"(src|href)\s*=|https?://(?!www\.w3\.org/2000/svg)", page)
    assert "default-src 'none'" in page and "개가 있다" in page
    data = json.loads(re.search(r"const told = (\{.*\});", page)[1])
    assert data["curves"]["caption"] == [0, 0.5]
