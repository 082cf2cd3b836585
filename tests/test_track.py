import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocess.errors import DataError
from video.track import CaptionedShot, OtherCaption, Track, from_json, to_json, with_confidence

TRACK = Track("film.mp4", 4000, "colours", (CaptionedShot(0, 2000, "빨간 화면이다", -0.25),))
times = st.integers(0, 10**8)
others = st.builds(OtherCaption, st.text(), st.floats(-100, 0), st.floats(0, 1))
shots = st.builds(
    lambda start, length, *said: CaptionedShot(start, start + length, *said),
    times,
    st.integers(1, 10**6),
    st.text(),
    st.floats(-100, 0),
    st.floats(0, 1),
    st.lists(others, max_size=3).map(tuple),
)
tracks = st.builds(Track, st.text(), times, st.text(), st.lists(shots, max_size=5).map(tuple))


@given(tracks)
def test_json_gives_the_same_track_back(track):
    assert from_json(to_json(track)) == track


def test_json_is_readable():
    assert to_json(TRACK) == (
        '{\n  "format": "korean-video-track",\n  "version": 1,\n  "video": "film.mp4",\n'
        '  "duration_ms": 4000,\n  "captioner": "colours",\n  "shots": [\n    {\n'
        '      "start_ms": 0,\n      "end_ms": 2000,\n      "caption": "빨간 화면이다",\n'
        '      "score": -0.25,\n      "confidence": 1.0,\n      "alternatives": []\n    }\n  ]\n}\n'
    )


def test_only_what_a_captioner_said_has_a_confidence():
    shots = (
        CaptionedShot(0, 1, "개", -1, 0.72),
        CaptionedShot(1, 2, "손", 0),
        CaptionedShot(2, 3, "", -1),
    )
    told = with_confidence(Track("v", 3, "c", shots))
    assert [shot.caption for shot in told.shots] == ["개 (72%)", "손", ""]


def test_a_track_pickles():
    assert pickle.loads(pickle.dumps(TRACK)) == TRACK


def changed(**fields):
    return json.dumps({**json.loads(to_json(TRACK)), **fields})


SHOT = {"start_ms": 0, "end_ms": 5, "caption": "말", "score": -1}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        "[" * 100_000,
        '{"format": NaN}',
        changed(version=2),
        changed(duration_ms="4000"),
        changed(duration_ms=True),
        changed(duration_ms=-1),
        changed(duration_ms=10**400),
        changed(shots=[{**SHOT, "score": 1e9}]),
        changed(video=None),
        changed(shots={}),
        changed(shots=[3]),
        changed(shots=[{**SHOT, "end_ms": 0}]),
        changed(shots=[{**SHOT, "start_ms": -1}]),
        changed(shots=[{**SHOT, "caption": 3}]),
        changed(shots=[{**SHOT, "score": "x"}]),
        changed(shots=[{**SHOT, "alternatives": 3}]),
        changed(shots=[{**SHOT, "alternatives": ["말"]}]),
        changed(shots=[{**SHOT, "alternatives": [{"caption": "말"}]}]),
    ],
)
def test_unreadable_json_is_a_data_error_on_one_line(text):
    with pytest.raises(DataError) as caught:
        from_json(text)
    assert "\n" not in caught.value.text() and len(caught.value.text()) < 300


def test_unknown_keys_are_passed_over():
    assert from_json(changed(more=1)) == TRACK
