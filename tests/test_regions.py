"""Boxes with sentences of their own."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bench.collages import PHOTOS, collage
from bench.regions import gridded, matched
from model.caption import Caption
from preprocess.errors import SettingError
from video.scenes import regions as tool
from video.scenes.__main__ import main
from video.scenes.boxes import Candidate, apart, area, candidates, common, iou
from video.scenes.regions import Region, RegionOptions, drawn, regions, to_json
from video.scenes.segments import merged, segments

SIDES = st.tuples(*[st.integers(0, 12)] * 4)
BOXES = SIDES.map(
    lambda s: (min(s[0], s[2]), min(s[1], s[3]), max(s[0], s[2]) + 1, max(s[1], s[3]) + 1)
)


def laid(size, *boxes):
    """Rectangles of four quarters on grey."""
    picture = np.full((*size, 3), 120, np.uint8)
    quarters = ((200, 40, 20), (20, 60, 190), (230, 220, 30), (30, 170, 60))
    for left, top, right, bottom in boxes:
        x, y = (left + right) // 2, (top + bottom) // 2
        rows, columns = (slice(top, y), slice(y, bottom)), (slice(left, x), slice(x, right))
        for number, colour in enumerate(quarters):
            picture[rows[number // 2], columns[number % 2]] = colour
    return picture


def cells(box):
    return {(x, y) for x in range(box[0], box[2]) for y in range(box[1], box[3])}


@given(one=BOXES, other=BOXES)
def test_overlaps_are_those_of_pixels(one, other):
    assert area(one) == len(cells(one))
    assert common(one, other) == len(cells(one) & cells(other))
    assert iou(one, other) == len(cells(one) & cells(other)) / len(cells(one) | cells(other))


@given(boxes=st.lists(BOXES, max_size=12), overlap=st.floats(0.1, 1))
def test_of_overlapping_boxes_the_better_stays(boxes, overlap):
    ranked = [Candidate(1 - i / 20, box) for i, box in enumerate(boxes)]
    kept = apart(ranked, overlap)
    assert all(iou(a.box, b.box) < overlap for i, a in enumerate(kept) for b in kept[:i])
    for gone in (c for c in ranked if c not in kept):
        over = [k for k in kept if iou(k.box, gone.box) >= overlap]
        assert any(k.objectness >= gone.objectness for k in over)


def test_segments_are_areas_of_one_colour():
    lab = np.zeros((40, 60, 3), np.float32)
    lab[:, :20, 0], lab[:20, 20:, 0], lab[20:, 20:, 0] = 20, 50, 90
    labels = segments(lab, 60, 30)
    inner = [labels[:, :17], labels[:17, 23:], labels[23:, 23:]]  # edges are blurred
    assert all(part.min() == part.max() for part in inner)
    assert len({int(part[0, 0]) for part in inner}) == 3


def test_merging_ends_with_the_whole_picture():
    lab = np.random.default_rng(0).uniform(0, 100, (32, 48, 3)).astype(np.float32)
    labels = segments(lab, 10, 8)
    found = list(merged(lab, labels))
    assert np.bincount(labels.ravel()).min() >= 8
    assert len(found) == 2 * (labels.max() + 1) - 1
    assert found[-1].box == (0, 0, 48, 32)


@given(seed=st.integers(0, 30))
def test_what_lies_apart_is_boxed(seed):
    rng = np.random.default_rng(seed)
    left = int(rng.integers(10, 120)), int(rng.integers(10, 160))
    right = int(rng.integers(230, 260)), int(rng.integers(10, 120))
    there = [
        (x, y, x + int(rng.integers(70, 110)), y + int(rng.integers(60, 110)))
        for x, y in (left, right)
    ]
    found = candidates(laid((300, 400), *there), 10, 0.02, 0.6)
    assert all(max(iou(c.box, box) for c in found) > 0.6 for box in there)


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (500, 2), (40, 40)])
def test_an_empty_picture_has_no_boxes(size):
    assert candidates(np.full((*size, 3), 90, np.uint8), 10, 0.02, 0.6) == []


class SaysColour:
    """Says what colour the middle has; surer of larger crops."""

    def caption_many(self, shots):
        return [self.one(shot[0]) for shot in shots]

    def one(self, crop):
        about = "갈색" if crop[..., 0].mean() > 121 else "회색"
        sure, nowhere = min(1.0, crop.size / 4e5), np.zeros((1, 1, 1, 1), np.float32)
        said = frozenset({about})
        return Caption(f"{about} 화면이다", (about,), -1.0, nowhere, sure, content=said)


def test_regions_are_ranked_and_say_nothing_twice_of_one_place():
    picture = laid((300, 400), (20, 30, 120, 130), (230, 40, 360, 200))
    found = regions(picture, SaysColour())
    assert found
    assert [r.confidence for r in found] == sorted((r.confidence for r in found), reverse=True)
    for i, one in enumerate(found):
        for other in found[:i]:
            smaller = min(area(one.box), area(other.box))
            assert one.caption != other.caption or common(one.box, other.box) <= 0.8 * smaller
    assert regions(picture, SaysColour(), RegionOptions(most=1)) == found[:1]


def test_options_that_mean_nothing_are_refused():
    for wrong in ({"most": 0}, {"looked": 0}, {"overlap": 0}, {"min_area": 1}):
        with pytest.raises(SettingError):
            RegionOptions(**wrong)


def test_a_page_is_as_wide_as_its_sentences():
    picture = np.full((640, 60, 3), 120, np.uint8)
    said = "아주 긴 문장으로 말한 것이 좁은 그림 아래에서 잘리지 않고 끝까지 다 보인다"
    page = np.asarray(drawn(picture, [Region((0, 0, 60, 640), said, 0.5)]))
    assert page.shape[1] > 400 and (page[:, -8:] == 255).all()


def test_boxes_are_drawn_where_they_lie():
    picture = np.full((480, 640, 3), 255, np.uint8)
    page = drawn(picture, [Region((100, 50, 300, 250), "개가 있다", 0.5)])
    pixels = np.asarray(page)
    assert page.width == 640
    red = (230, 25, 75)
    assert tuple(pixels[51, 200]) == tuple(pixels[248, 200]) == tuple(pixels[150, 101]) == red
    assert tuple(pixels[150, 200]) == (255, 255, 255)
    assert (pixels[480:] != 255).any()  # the sentence


def test_json_is_readable(tmp_path):
    fields = json.loads(
        to_json(
            tmp_path / "개.png", np.zeros((4, 6, 3), np.uint8), [Region((0, 1, 2, 3), "개", 0.5)]
        )
    )
    assert (fields["width"], fields["height"], fields["picture"]) == (6, 4, "개.png")
    assert fields["regions"] == [{"box": [0, 1, 2, 3], "caption": "개", "confidence": 0.5}]


@pytest.mark.parametrize("suffix", [".png", ".json"])
def test_the_command_writes(tmp_path, suffix, monkeypatch, capsys):
    monkeypatch.setattr("model.captioner.Captioner.load", lambda path: SaysColour())
    Image.fromarray(laid((300, 400), (20, 30, 120, 130))).save(tmp_path / "a.png")
    target = tmp_path / f"boxes{suffix}"
    assert main(["regions", str(tmp_path / "a.png"), "-o", str(target), "--most", "2"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[-1] == str(target)
    assert 1 < len(said) <= 3
    assert target.stat().st_size > 100
    assert main(["regions", str(tmp_path / "a.png"), "-o", "boxes.txt", "--lang", "en"]) == 1
    assert "End it in one of: .png, .json" in capsys.readouterr().err
    assert tool.DEFAULT.most == 10


@pytest.mark.parametrize(("language", "word"), [("ko", "찾지 못했습니다"), ("en", "stands out")])
def test_a_picture_without_parts_is_said_to_be(tmp_path, monkeypatch, capsys, language, word):
    monkeypatch.setattr("model.captioner.Captioner.load", lambda path: SaysColour())
    Image.fromarray(np.full((90, 120, 3), 99, np.uint8)).save(tmp_path / "a.png")
    target = tmp_path / "boxes.json"
    command = ["regions", str(tmp_path / "a.png"), "-o", str(target), "--lang", language]
    assert main(command) == 0
    assert json.loads(target.read_text("utf-8"))["regions"] == []
    said = capsys.readouterr().out.splitlines()
    assert word in said[0] and said[1:] == [str(target)]


@given(seed=st.integers(0, 40))
def test_collages_are_made_anew_and_photos_do_not_meet(seed):
    photos = [np.full((40 + 9 * i, 60, 3), 40 * i, np.uint8) for i in range(PHOTOS)]
    one, other = collage(photos, seed), collage(photos, seed)
    assert (one.picture == other.picture).all()
    height, width = one.picture.shape[:2]
    for i, (left, top, right, bottom) in enumerate(one.boxes):
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height
        assert (one.picture[top:bottom, left:right] == 40 * i).all()
        assert not any(common(one.boxes[i], box) for box in one.boxes[:i])
    if seed % 2 == 0:
        assert sum(map(area, one.boxes)) == width * height


def test_the_grid_covers_the_picture_and_photos_find_their_boxes():
    photos = [np.full((40, 60, 3), 40 * i, np.uint8) for i in range(PHOTOS)]
    made = collage(photos, 2)
    height, width = made.picture.shape[:2]
    grid = gridded(made.picture, SaysColour())
    assert sum(area(said.box) for said in grid) == width * height
    perfect = [type(grid[0])(box, (str(i),)) for i, box in enumerate(made.boxes)]
    assert matched(made, perfect) == [("0",), ("1",), ("2",), ("3",)]
    assert matched(made, []) == [None] * 4
