import threading
import time
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from model.caption import Alternative
from preprocess.errors import CaptionerFileError, VideoError
from preprocess.frames import probe
from preprocess.records import Shot
from tests.clips import BLUE, GREEN, RED, colour_clip, ffmpeg
from video.pipeline import (
    Later,
    PipelineOptions,
    Said,
    caption_media,
    caption_video,
    load_captioner,
    merged,
)
from video.shots import ShotFrames, ShotOptions
from video.track import CaptionedShot


def said(track):
    return [(shot.start_ms, shot.end_ms, shot.caption) for shot in track.shots]


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return colour_clip(tmp_path_factory.mktemp("clips") / "세 가지 색.mp4")


def test_one_sentence_a_shot(clip, captioner):
    seen, reached = [], []
    track = caption_video(clip, captioner, on_shot=seen.append, on_progress=reached.append)
    assert said(track) == [
        (0, 2000, "빨간 화면이다"),
        (2000, 4000, "초록 화면이다"),
        (4000, 6000, "파란 화면이다"),
    ]
    assert tuple(seen) == track.shots
    assert (track.video, track.duration_ms, track.captioner) == ("세 가지 색.mp4", 6000, "colours")
    assert reached == sorted(reached) and reached[-1] <= 6000


def test_as_many_alternatives_as_asked_for(clip, captioner, monkeypatch):
    others = tuple(Alternative(f"{n}번째", -n, 0.5) for n in range(1, 4))
    plain = captioner.caption_many
    monkeypatch.setattr(
        captioner, "caption_many",
        lambda shots: [replace(c, alternatives=others) for c in plain(shots)],
    )  # fmt: skip
    for count in (0, 2, 9):
        track = caption_video(clip, captioner, PipelineOptions(alternatives=count))
        for shot in track.shots:
            assert [o.caption for o in shot.alternatives] == [o.text for o in others][:count]


def test_neighbours_that_say_the_same_are_one_shot(tmp_path, captioner):
    clip = colour_clip(tmp_path / "a.mp4", ((RED, 5000), (BLUE, 1000)))
    options = PipelineOptions(ShotOptions(max_shot_ms=1000))
    track = caption_video(clip, captioner, options)
    assert said(track) == [(0, 5000, "빨간 화면이다"), (5000, 6000, "파란 화면이다")]
    assert captioner.batches == [1, 1]  # what stands still is looked at once


spans = st.lists(st.tuples(st.sampled_from("가나다"), st.integers(1, 1000)), max_size=12)


@given(spans)
def test_merging_keeps_every_moment_and_its_sentence(spans):
    shots, start = [], 0
    for caption, length in spans:
        shots.append(CaptionedShot(start, start + length, caption, -float(length % 7)))
        start += length
    found = list(merged(Said(shot, frozenset()) for shot in shots))
    assert [c for s in shots for c in [s.caption] * (s.end_ms - s.start_ms)] == [
        c for s in found for c in [s.caption] * (s.end_ms - s.start_ms)
    ]
    assert all(a.caption != b.caption for a, b in pairwise(found))
    weights = [sum(s.score * (s.end_ms - s.start_ms) for s in some) for some in (shots, found)]
    assert weights[0] == pytest.approx(weights[1])


def test_neighbours_that_mean_the_same_are_held_as_the_surer_one():
    floor = CaptionedShot(0, 3000, "여자가 바닥에 서 있다", -0.7, 0.4)
    upon = CaptionedShot(3000, 4000, "여자가 바닥 위에 서 있다", -0.3, 0.8)
    man = CaptionedShot(4000, 5000, "남자가 바닥에 서 있다", -0.1, 0.9)
    woman, other = frozenset(("여자", "바닥", "서")), frozenset(("남자", "바닥", "서"))
    found = list(merged([Said(floor, woman), Said(upon, woman), Said(man, other)], alike=0.8))
    assert [(s.start_ms, s.end_ms, s.caption) for s in found] == [
        (0, 4000, upon.caption),
        (4000, 5000, man.caption),
    ]
    assert found[0].score == pytest.approx(-0.6) and found[0].confidence == pytest.approx(0.5)
    assert len(list(merged([Said(floor, woman), Said(upon, woman)]))) == 2


def test_where_the_picture_stays_what_only_says_more_is_held():
    said = [("사람이 보인다", -0.9), ("여자가 바닥에 서 있다", -0.3), ("여자가 서 있다", -0.8)]
    abouts = [
        frozenset(words) for words in (("사람", "보"), ("여자", "바닥", "서"), ("여자", "서"))
    ]
    shots = [CaptionedShot(n, n + 1, text, score) for n, (text, score) in enumerate(said)]
    man = Said(CaptionedShot(3, 4, "남자가 서 있다", -0.1), frozenset(("남자", "서")), goes_on=True)
    rest = [Said(shot, about, goes_on=True) for shot, about in zip(shots, abouts, strict=True)]
    found = list(merged([*rest, man], alike=0.8))
    assert [(s.start_ms, s.end_ms, s.caption) for s in found] == [
        (0, 3, "여자가 바닥에 서 있다"),
        (3, 4, "남자가 서 있다"),
    ]
    new = [one._replace(goes_on=False) for one in rest]
    assert len(list(merged(new, alike=0.8))) == len(list(merged(rest))) == 3


def test_a_gap_is_not_merged_over():
    shots = [CaptionedShot(0, 10, "가", -1), CaptionedShot(20, 30, "가", -1)]
    assert list(merged(Said(shot, frozenset()) for shot in shots)) == shots


def test_memory_is_bounded_and_the_first_sentence_comes_early(clip, captioner, monkeypatch):
    alive = captioned = 0
    most = 0

    def many(media, options, on_progress):
        nonlocal alive, most
        for n in range(100):
            alive += 1
            most = max(most, alive - captioned)
            colour = np.full((1, 4, 4, 3), (255, 0, 0) if n % 2 else (0, 0, 255), np.uint8)
            yield ShotFrames(Shot(n * 10, n * 10 + 10), colour)

    ask = captioner.caption_many

    def caption_many(shots):
        nonlocal captioned
        captioned += len(shots)
        time.sleep(0.002)  # so that some are there already
        return ask(shots)

    captioner.caption_many = caption_many
    monkeypatch.setattr("video.pipeline.find_shots", many)
    track = caption_media(probe(clip), captioner)
    assert len(track.shots) == 100 and most <= 16
    assert captioner.batches[0] <= 4 and max(captioner.batches) == 4


def test_a_captioner_is_loaded_once_when_there_is_a_shot(clip, captioner):
    loaded = []

    def load():
        loaded.append(1)
        return captioner

    later = Later(load)
    assert loaded == []
    track = caption_video(clip, later, PipelineOptions(batch=1))
    assert said(track) == said(caption_video(clip, captioner)) and loaded == [1]


def test_what_loading_raises_ends_the_work(clip):
    with pytest.raises(CaptionerFileError, match="gone"):
        caption_video(clip, Later(lambda: load_captioner(clip.with_name("gone"), None, None)))
    assert not [t for t in threading.enumerate() if t.name.startswith("ahead")]


def test_whatever_ends_captioning_ends_the_finding_too(clip, captioner):
    def fails(shot):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as kept:
        caption_video(clip, captioner, PipelineOptions(batch=1), on_shot=fails)
    running = [thread.name for thread in threading.enumerate()]
    assert kept.value.__traceback__ and not [n for n in running if n.startswith("ahead")]


def test_times_are_the_players(tmp_path, captioner):
    clip = colour_clip(tmp_path / "a.mkv", ((RED, 2000), (BLUE, 2000)))
    late = tmp_path / "late.mkv"
    ffmpeg(*("-itsoffset", "0.5", "-i", clip, "-f", "lavfi", "-t", "4", "-i", "sine=440"),
           *("-c:v", "copy", "-c:a", "aac", late))  # fmt: skip
    track = caption_video(late, captioner)
    assert track.shots[0].start_ms == pytest.approx(500, abs=30)
    assert track.shots[1].start_ms == pytest.approx(2500, abs=30)
    assert track.duration_ms == pytest.approx(4500, abs=60)


def test_pictures_and_animations_are_captioned(tmp_path, captioner):
    Image.new("RGB", (64, 64), GREEN).save(tmp_path / "a.jpg")
    assert [s.caption for s in caption_video(tmp_path / "a.jpg", captioner).shots] == [
        "초록 화면이다"
    ]
    frames = [Image.new("RGB", (64, 64), colour) for colour in (RED, BLUE)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=1500)
    track = caption_video(tmp_path / "a.gif", captioner)
    assert said(track) == [(0, 1500, "빨간 화면이다"), (1500, 3000, "파란 화면이다")]


def test_no_video_is_a_video_error(tmp_path, captioner):
    with pytest.raises(VideoError):
        caption_video(tmp_path / "none.mp4", captioner)
    assert captioner.batches == []


def test_captioning_is_many_times_faster_than_real_time(clip, captioner):
    start = time.process_time()
    caption_video(clip, captioner)
    assert time.process_time() - start < 6.0 / 2
