"""Data for web pages: schema.org's shape, and the track still comes back from the same JSON."""

import json

from hypothesis import given

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
    found = schema_org(picture)
    assert (found["@type"], found["caption"]) == ("ImageObject", "빨간 화면이다")
    assert "duration" not in found and "hasPart" not in found


@given(tracks)
def test_alt_text_is_one_of_the_sentences_and_json_stays_a_track(track):
    alt = alt_text(track)
    assert alt in {shot.caption for shot in track.shots} or (not track.shots and alt == "")
    text = to_json(track, {"alt_text": alt, "schema_org": schema_org(track)})
    assert from_json(text) == track
    assert json.loads(text)["schema_org"]["name"] == track.video
