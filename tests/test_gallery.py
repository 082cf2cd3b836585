"""Contact sheets of captioned films."""

import cv2
import numpy as np
import pytest
from PIL import Image

from preprocess.dataset import Dataset
from preprocess.records import Sample
from tests.test_shipped import SHIPPED
from video import gallery
from video.gallery import CELL, LINE, LINES, Cell, sheet

HEIGHT = CELL[1] + LINES * LINE


def photos(tmp_path, words):
    samples = []
    for number, word in enumerate(words):
        path = tmp_path / f"{number}.png"
        cv2.imwrite(str(path), np.full((90, 160, 3), 40 * number + 20, np.uint8))
        samples.append(Sample(f"s/{number}", (str(path),), (word,), "test", f"{number}"))
    return Dataset(tuple(samples), ((),) * len(words), np.zeros((len(words), 0)), {})


@pytest.mark.parametrize(("count", "size"), [(1, (1, 1)), (4, (4, 1)), (5, (4, 2))])
def test_a_sheet_has_a_cell_a_shot(count, size):
    cells = [Cell(np.full((180, 320, 3), 200, np.uint8), "고양이가 앉아 있다")] * count
    page = sheet(cells)
    assert page.size == (CELL[0] * size[0], HEIGHT * size[1])
    pixels = np.asarray(page)
    for number in range(count):
        left, top = number % 4 * CELL[0], number // 4 * HEIGHT
        assert (pixels[top : top + CELL[1], left : left + CELL[0]] == 200).all()
        below = pixels[top + CELL[1] : top + HEIGHT, left : left + CELL[0]]
        assert below.min() < 100  # ink


def test_films_are_composed_of_photos_of_a_topic_and_shown_with_sentences(
    tmp_path, monkeypatch, capsys
):
    data = photos(tmp_path, ["밤에 길이 있다", "알밤이 있다", "고양이가 있다", "밤하늘이 있다"])
    monkeypatch.setattr(gallery, "load", lambda folder, features: data)
    missing = tmp_path / "none.mp4"
    out = tmp_path / "out"
    common = ["--model", str(SHIPPED), "--data", "data", "--out", str(out)]
    assert gallery.main([str(missing), *common, "--topics", "밤"]) == 1  # the others are written
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert "none.mp4" in said.err
    assert sorted(p.name for p in out.iterdir()) == ["photos-밤.gallery.png", "photos-밤.mp4"]
    with Image.open(out / "photos-밤.gallery.png") as page:
        assert page.size == (2 * CELL[0], HEIGHT)  # two photos
    before = (out / "photos-밤.mp4").read_bytes()
    assert gallery.main([*common, "--topics", "밤", "--lang", "en"]) == 1
    assert "exists already. Add --overwrite" in capsys.readouterr().err
    assert (out / "photos-밤.mp4").read_bytes() == before


def test_a_topic_nobody_wrote_of_is_named(tmp_path, monkeypatch, capsys):
    data = photos(tmp_path, ["고양이가 있다"])
    monkeypatch.setattr(gallery, "load", lambda folder, features: data)
    arguments = ["--data", "data", "--out", str(tmp_path / "o"), "--topics", "로켓", "--lang", "en"]
    assert gallery.main(arguments) == 1
    assert capsys.readouterr().err == (
        "gallery: no test photo is described with '로켓'. Give other --topics.\n"
    )
