"""Data for web pages: schema.org's shape, and the track still comes back from the same JSON."""

import json

import numpy as np
from hypothesis import given
from PIL import Image

from tests.test_track import tracks
from video.schema import alt_text, schema_org
from video.track import CaptionedShot, Track, from_json, to_json

FILM = Track(
    "film.mp4",
    6500,
    "c",
    (
        CaptionedShot(0, 2000, "빨간 화면이다", -1),
        CaptionedShot(2000, 3500, "파란 화면이다", -1),
        CaptionedShot(3500, 6500, "빨간 화면이다", -1),
    ),
)


def test_a_film_is_a_video_object_of_clips():
    assert schema_org(FILM) == {
        "@context": "https://schema.org",
        "@type": "VideoObject",
        "name": "film.mp4",
        "description": "빨간 화면이다. 파란 화면이다",
        "inLanguage": "ko",
        "duration": "PT6.500S",
        "hasPart": [
            {"@type": "Clip", "name": "빨간 화면이다", "startOffset": 0.0, "endOffset": 2.0},
            {"@type": "Clip", "name": "파란 화면이다", "startOffset": 2.0, "endOffset": 3.5},
            {"@type": "Clip", "name": "빨간 화면이다", "startOffset": 3.5, "endOffset": 6.5},
        ],
    }


def test_a_picture_is_an_image_object():
    picture = Track("개.JPG", 5000, "c", FILM.shots[:1])
    found = schema_org(picture, is_picture=True)
    assert (found["@type"], found["caption"]) == ("ImageObject", "빨간 화면이다")
    assert "duration" not in found and "hasPart" not in found


def test_what_moves_is_a_video_object_whatever_its_name(door, tmp_path):
    red, blue = (np.full((48, 64, 3), colour, np.uint8) for colour in ((200, 0, 0), (0, 0, 200)))
    first, *others = [Image.fromarray(picture) for picture in (*[red] * 10, *[blue] * 10)]
    first.save(tmp_path / "a.webp", save_all=True, append_images=others, duration=200)
    first.save(tmp_path / "b.webp")
    kinds = []
    for name in ("a", "b"):
        target = tmp_path / f"{name}.json"
        assert door(tmp_path / f"{name}.webp", "-o", target)[0] == 0
        about = json.loads(target.read_text("utf-8"))["schema_org"]
        kinds.append((about["@type"], len(about.get("hasPart", ()))))
    assert kinds == [("VideoObject", 2), ("ImageObject", 0)]


def test_what_is_told_ends_with_the_film_and_stands_on_one_line():
    shots = (
        CaptionedShot(0, 4500, "빨간\n화면이다", 0),
        CaptionedShot(4500, 20_000, "파란 화면이다", 0),
        CaptionedShot(20_000, 30_000, "초록 화면이다", 0),
    )
    track = Track("film.mp4", 8000, "c", shots)
    found = schema_org(track)
    assert alt_text(track) == "빨간 화면이다"
    assert found["description"] == "빨간 화면이다. 파란 화면이다"
    assert [(clip["name"], clip["endOffset"]) for clip in found["hasPart"]] == [
        ("빨간 화면이다", 4.5),
        ("파란 화면이다", 8.0),
    ]


@given(tracks)
def test_alt_text_is_one_of_the_sentences_and_json_stays_a_track(track):
    alt = alt_text(track)
    assert alt in {" ".join(shot.caption.split()) for shot in track.shots} or (
        not track.shots and alt == ""
    )
    text = to_json(track, {"alt_text": alt, "schema_org": schema_org(track)})
    assert from_json(text) == track
    assert json.loads(text)["schema_org"]["name"] == track.video
