"""The scene tools over REST: hashtags, regions, attention, groups, of photos and of jobs."""

import io
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from PIL import Image

from model.words import Words
from tests.clips import BLUE, GREEN, RED
from tests.service import StandIn
from tests.test_regions import laid
from tests.test_server import Running, start  # noqa: F401 - a fixture
from video.scenes.boxes import iou
from video.scenes.tags import Hashtags, TagOptions, groups
from video.server import finding
from video.server.finding import Shelf
from video.server.options import MODEL
from video.track import CaptionedShot, Track, to_json

PHOTO_ROUTES = ("/get_hashtags", "/get_regions", "/get_attention", "/get_groups")


@pytest.fixture(scope="module")
def words() -> Words:
    return Words.load(MODEL)


@pytest.fixture
def run(start, words) -> Running:  # noqa: F811
    running: Running = start()
    running.photos.held.words = words
    return running


def png(colour, side=96) -> bytes:
    return encoded(np.full((side, side, 3), colour, np.uint8))


def encoded(picture: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()


def sent(run: Running, path: str, *photos: bytes, **fields):
    files = [("image", (f"{number}.png", photo)) for number, photo in enumerate(photos)]
    return run.client.post(path, files=files, data=fields)


def test_hashtags_of_photos_with_wishes(run, monkeypatch):
    def of_photos(pictures, captioner, options):
        assert [picture.shape for picture in pictures] == [(96, 96, 3)] * 2
        assert options == TagOptions(most=7, impressions=("일상", "pet"), blocked=("돈", "광고"))
        return Hashtags((("빨간 화면이다",),) * 2, ("화면",), ("텔레비전",), ("#화면", "#screen"))

    monkeypatch.setattr("video.server.seeing.of_photos", of_photos)
    wishes = {"impressions": ["일상", "pet"], "blocked": "돈, 광고", "most": "7"}
    told = sent(run, "/get_hashtags", png(RED), png(RED), **wishes).json()
    assert (told["keywords"], told["line"]) == (["화면"], "#화면 #screen")
    assert sent(run, "/get_hashtags", *[png(RED)] * 11).status_code == 413
    unknown = sent(run, "/get_hashtags", png(RED), impressions="우주")
    assert unknown.status_code == 422 and "impressions" in unknown.json()["detail_en"]


def test_the_schema_knows_every_impression(run):
    schemas = run.client.get("/openapi.json").json()["components"]["schemas"]
    assert schemas["Impression"]["enum"] == list(groups())


def test_regions_of_a_photo(run):
    photo = encoded(laid((200, 300), (20, 20, 120, 120), (180, 60, 280, 180)))
    told = sent(run, "/get_regions", photo, most="3").json()
    assert (told["name"], told["width"], told["height"]) == ("0.png", 300, 200)
    assert 2 <= len(told["regions"]) <= 3
    boxes = [one["box"] for one in told["regions"]]
    for placed in ((20, 20, 120, 120), (180, 60, 280, 180)):
        assert max(iou(placed, tuple(box)) for box in boxes) > 0.8
    assert all(one["caption"].endswith("화면이다") for one in told["regions"])
    drawn = sent(run, "/get_regions", photo, form="png")
    assert drawn.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(drawn.content)).width == 640
    assert sent(run, "/get_regions", png(RED), most="0").status_code == 422


def test_where_was_looked(run):
    told = sent(run, "/get_attention", png(GREEN)).json()
    assert (told["name"], told["text"]) == ("0.png", "초록 화면이다")
    assert [look["word"] for look in told["looks"]] == ["초록", "화면이다"]
    assert told["looks"][0]["heat"] == [[0.0]]
    for form, pages in (("png", 1), ("gif", 2)):
        drawn = sent(run, "/get_attention", png(GREEN), form=form)
        assert drawn.headers["content-type"] == f"image/{form}"
        picture = Image.open(io.BytesIO(drawn.content))
        assert (picture.format, getattr(picture, "n_frames", 1)) == (form.upper(), pages)
    assert sent(run, "/get_attention", png(GREEN), form="svg").status_code == 422


def test_photos_in_groups(run):
    photos = [png(RED), png(BLUE), png(RED), png(BLUE), png(RED)]
    told = sent(run, "/get_groups", *photos, count="2").json()["groups"]
    assert [{m["index"] for m in group["members"]} for group in told] == [{0, 2, 4}, {1, 3}]
    assert told[1]["members"][0]["caption"] == "파란 화면이다"
    assert all(group["name"] for group in told)
    found = sent(run, "/get_groups", *photos, count="").json()["groups"]  # a form left empty
    assert sum(len(group["members"]) for group in found) == 5
    too_many = sent(run, "/get_groups", *photos, count="6")
    assert too_many.status_code == 422 and "5장" in too_many.json()["detail"]
    assert sent(run, "/get_groups", *[png(RED, side=8)] * 101).status_code == 413


@pytest.mark.parametrize("path", PHOTO_ROUTES)
def test_what_is_no_photo_is_named_without_its_path(run, path):
    answer = sent(run, path, b"no photo")
    assert answer.status_code == 415 and "0.png" in answer.json()["detail"]
    assert str(run.options.data) not in answer.text
    assert not list((run.options.data / "incoming").iterdir())


def test_jobs_have_hashtags_and_groups(run, film):
    job = run.ended(run.send(film, formats=["txt"]).json()["id"])
    asked = {"impressions": "일상", "blocked": "화면", "most": 8}
    told = run.client.get(f"/jobs/{job['id']}/hashtags", params=asked).json()
    assert told["captions"] == [["빨간 화면이다", "초록 화면이다", "파란 화면이다"]]
    assert "#일상" in told["tags"] and len(told["tags"]) <= 8 and "#화면" not in told["line"]
    for query in ({"job": job["id"], "count": 3}, {"count": 3}):
        found = run.client.get("/groups", params=query).json()["groups"]
        shots = [member for group in found for member in group["members"]]
        assert sorted(shot["start_ms"] for shot in shots) == [0, 2000, 4000]
        assert {(shot["job"], shot["name"]) for shot in shots} == {(job["id"], "film.mp4")}
    answer = run.client.get("/groups", params={"count": 4})
    assert answer.status_code == 422 and "4묶음" in answer.json()["detail"]


def test_jobs_without_captions(run, film):
    assert run.client.get("/groups").json() == {"groups": []}
    unknown = str(uuid4())
    assert run.client.get(f"/jobs/{unknown}/hashtags").status_code == 404
    assert run.client.get("/groups", params={"job": unknown}).status_code == 404
    broken = film.with_name("broken.mp4")
    broken.write_bytes(b"no film")
    job = run.ended(run.send(broken).json()["id"])
    assert run.client.get(f"/jobs/{job['id']}/hashtags").status_code == 404


def track_file(folder, name: str, *captions: str) -> Path:
    shots = tuple(CaptionedShot(9 * i, 9 * i + 9, c, -1) for i, c in enumerate(captions))
    path = folder / f"{name}.json"
    path.write_text(to_json(Track(f"{name}.mp4", 9 * len(captions), "x", shots)), "utf-8")
    return path


def test_a_film_is_read_once_to_be_searched(tmp_path, words, monkeypatch):
    held, shelf, read = StandIn(), Shelf(), []
    held.words = words
    real = finding.from_json
    monkeypatch.setattr(finding, "from_json", lambda text: read.append(text) or real(text))
    tracks = [
        ("1", track_file(tmp_path, "a", "개가 풀밭을 달린다", "산이 보인다")),
        ("2", track_file(tmp_path, "b", "고양이가 소파에 누워 있다")),
    ]
    for _ in range(2):
        assert finding.find(held, tracks, "고양이", shelf)[0]["name"] == "b.mp4"
    assert len(read) == 2
    track_file(tmp_path, "b", "자동차가 길에 서 있다", "고양이가 문 앞에 앉아 있다")  # edited
    best = finding.find(held, tracks, "고양이", shelf)[0]
    assert (best["job"], best["start_ms"], len(read)) == ("2", 9, 3)
    tracks[1][1].unlink()  # removed
    assert {hit["job"] for hit in finding.find(held, tracks, "고양이 개", shelf)} == {"1"}
    assert finding.find(held, [], "고양이", shelf) == []
