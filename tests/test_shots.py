from dataclasses import replace

import clips
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from preprocess.errors import SettingError, VideoError
from preprocess.frames import frames, probe
from preprocess.records import Shot
from tests import programs
from video.cuts import CutFinder
from video.shots import ShotOptions, _Cutter, find_shots
from video.thumbs import dissimilarity, look

LOOSE = ShotOptions(min_shot_ms=200)


def spans(path, options=LOOSE):
    return [(s.shot.start_ms, s.shot.end_ms) for s in find_shots(probe(path), options)]


def thumb(colour):
    return np.full((36, 64, 3), colour, np.uint8)


def test_hard_cuts_are_found_at_their_frame(tmp_path):
    shots = ((clips.RED, 1200), (clips.GREEN, 1640), (clips.BLUE, 1000))
    path = clips.colour_clip(tmp_path / "세 색.mp4", shots)
    assert spans(path) == [(0, 1200), (1200, 2840), (2840, 3840)]


def test_times_count_from_the_first_frame_whatever_the_offset(tmp_path):
    path = clips.colour_clip(tmp_path / "late.mkv", offset_ms=700)
    assert spans(path) == [(0, 2000), (2000, 4000), (4000, 6000)]


def test_variable_frame_rate_cuts_by_timestamps(tmp_path):
    times = [*range(0, 1000, 20), *range(1000, 3000, 250), *range(3000, 4000, 33)]
    colours = [clips.RED if t < 1250 else clips.GREEN if t < 3330 else clips.BLUE for t in times]
    frames = [(t, clips.flat(c)) for t, c in zip(times, colours, strict=True)]
    path = clips.write_frames(tmp_path / "vfr.mkv", frames)
    assert [start for start, _ in spans(path)] == [0, 1250, 3330]


@pytest.mark.parametrize("before_ms", [(1920, 1), (100, 1000)])
def test_a_frame_that_stays_is_what_its_shot_shows(tmp_path, before_ms):
    """Screen recordings: one picture for seconds, however soon after the last one it came."""
    stays_ms, step = before_ms
    times = [*range(0, stays_ms, 40 * step), stays_ms, *range(6000, 7000, 40)]
    colour = {stays_ms: clips.GREEN}
    frames = [(t, clips.flat(colour.get(t, clips.RED if t < 6000 else clips.BLUE))) for t in times]
    found = list(find_shots(probe(clips.write_frames(tmp_path / "a.mkv", frames))))
    (shown,) = [s for s in found if s.shot.start_ms <= 4000 < s.shot.end_ms]
    assert shown.frames[-1, 10, 10].argmax() == 1


CODECS = {
    "a.mp4": ["libx264"],
    "deep.mp4": ["libx264", "-x264-params", "scenecut=0:bframes=16:b-adapt=0"],
    "a.mpg": ["mpeg2video", "-bf", "2"],
    "a.avi": ["mpeg4", "-bf", "2"],
    "a.h264": ["libx264"],
}


@pytest.mark.parametrize("name", CODECS)
def test_a_cut_is_found_at_its_frame_whatever_the_encoder_does(tmp_path, name):
    both = "testsrc2=s=96x64:r=25:d=2.2[a];color=blue:s=96x64:r=25:d=1.8[b];[a][b]concat=n=2"
    clips.ffmpeg("-filter_complex", both, "-c:v", *CODECS[name], "-pix_fmt", "yuv420p",
                 tmp_path / name)  # fmt: skip
    assert [start for start, _ in spans(tmp_path / name, ShotOptions())] == [0, 2200]


def test_few_pictures_are_kept_however_long_shots_may_be(tmp_path):
    path = clips.colour_clip(tmp_path / "a.mp4", ((clips.RED, 60_000),), fps=10)
    kept = []
    cutter = _Cutter(ShotOptions(max_shot_ms=60_000))
    for frame in frames(probe(path)):
        cutter.keep(frame, look(frame.thumb()).blocks)
        kept.append(len(cutter.candidates))
    assert max(kept) <= 40


@pytest.mark.parametrize("name", ["slow.webp", "slow.gif", "slow.png"])
def test_slide_shows_of_any_animation(tmp_path, name):
    clip = clips.colour_clip(tmp_path / "a.mp4", fps=2)
    form = {"slow.webp": "webp", "slow.gif": "gif", "slow.png": "apng"}[name]
    codec = {"webp": "libwebp_anim"}.get(form, form)
    clips.ffmpeg("-i", clip, "-r", "2", "-c:v", codec, "-f", form, tmp_path / name)
    assert spans(tmp_path / name) == [(0, 2000), (2000, 4000), (4000, 6000)]


def test_frames_show_their_own_shot(tmp_path):
    path = clips.colour_clip(tmp_path / "a.mp4", size=(96, 64))
    for found, colour in zip(find_shots(probe(path)), (0, 1, 2), strict=True):
        assert found.frames.shape == (3, 64, 96, 3) and found.frames.dtype == np.uint8
        assert (found.frames[:, 10, 10].argmax(axis=1) == colour).all()


def test_flash_is_no_cut(tmp_path):
    flash = {1000, 1040}
    frames = [
        (t, clips.flat(clips.WHITE if t in flash else clips.GREY)) for t in range(0, 2400, 40)
    ]
    assert spans(clips.write_frames(tmp_path / "f.mp4", frames)) == [(0, 2400)]


def test_dissolve_is_one_cut_near_its_middle(tmp_path):
    red, blue = clips.flat(clips.RED).astype(float), clips.flat(clips.BLUE).astype(float)
    mix = [(t, min(1.0, max(0.0, (t - 2000) / 800))) for t in range(0, 5000, 40)]
    frames = [(t, ((1 - k) * red + k * blue).astype(np.uint8)) for t, k in mix]
    found = spans(clips.write_frames(tmp_path / "d.mp4", frames), ShotOptions())
    assert len(found) == 2
    assert 1900 <= found[1][0] <= 2900


def test_a_hard_cut_is_kept_where_motion_before_it_looked_like_a_dissolve(tmp_path):
    red, blue = clips.flat(clips.RED).astype(float), clips.flat(clips.BLUE).astype(float)
    mix = [(t, min(1.0, max(0.0, (t - 2000) / 800))) for t in range(0, 3400, 40)]
    frames = [(t, ((1 - k) * red + k * blue).astype(np.uint8)) for t, k in mix]
    frames += [(t, clips.flat(clips.GREEN)) for t in range(3400, 6000, 40)]
    found = spans(clips.write_frames(tmp_path / "d.mp4", frames), ShotOptions())
    assert 3400 in [start for start, _ in found]


def test_long_shots_are_split_and_short_ones_joined(tmp_path):
    path = clips.colour_clip(tmp_path / "a.mp4", ((clips.RED, 9000), (clips.GREEN, 400)), fps=5)
    lengths = [b - a for a, b in spans(path, ShotOptions(min_shot_ms=1000, max_shot_ms=2000))]
    assert sum(lengths) == 9400 and all(1000 <= n <= 2000 for n in lengths)


def room(visits, end_ms=20000, step=100):
    """A fixed camera's frames; during `visits` somebody in dark clothes stands in the middle."""
    for time in range(0, end_ms, step):
        picture = clips.flat(clips.GREY).copy()
        if any(start <= time < end for start, end in visits):
            height, width = picture.shape[:2]
            picture[height // 4 :, width * 2 // 5 : width * 3 // 5] = 20
        yield time, picture


def test_a_long_shot_is_split_where_somebody_comes_and_goes(tmp_path):
    path = clips.write_frames(tmp_path / "room.mp4", room([(5000, 11000)]))
    found = spans(path)
    starts = [start for start, _ in found]
    for change in (5000, 11000):
        assert min(abs(start - change) for start in starts) <= 250
    assert all(b - a <= 8000 for a, b in found)


def test_a_long_shot_in_which_nothing_happens_is_split_evenly(tmp_path):
    path = clips.write_frames(tmp_path / "still.mp4", room([], 14000))
    first, second = (b - a for a, b in spans(path))
    assert abs(first - second) <= 1


def test_still_picture_is_one_shot(tmp_path):
    clips.ffmpeg("-f", "lavfi", "-i", "testsrc=s=300x200", "-frames:v", "1", tmp_path / "p.png")
    (only,) = find_shots(probe(tmp_path / "p.png"))
    assert only.shot == Shot(0, 3000) and only.frames.shape == (1, 200, 300, 3)


def test_progress_reaches_the_end(tmp_path):
    media = probe(clips.colour_clip(tmp_path / "a.mp4"))
    seen = []
    list(find_shots(media, on_progress=seen.append))
    assert seen == sorted(seen) and seen[-1] == media.duration_ms


def test_bad_options_and_vanished_file_raise_ours(tmp_path):
    media = probe(clips.colour_clip(tmp_path / "a.mp4"))
    for bad in ({"frames_per_shot": 0}, {"min_shot_ms": 9000}, {"sensitivity": 2.0}):
        with pytest.raises(SettingError):
            find_shots(media, ShotOptions(**bad))
    with pytest.raises(VideoError):
        list(find_shots(replace(media, path=tmp_path / "gone.mp4")))


def test_memory_does_not_grow_with_the_film(tmp_path):
    """Peak resident memory of ten minutes stays near that of ten seconds."""
    picture = clips.flat(clips.GREY, (640, 360))
    peaks = []
    for seconds in (10, 600):
        path = tmp_path / f"{seconds}.mp4"
        clips.write_frames(path, ((t, picture) for t in range(0, seconds * 1000, 500)))
        code = (
            "import sys;from pathlib import Path;from preprocess.frames import probe;"
            "from video.shots import find_shots;"
            "n=sum(1 for _ in find_shots(probe(Path(sys.argv[1]))))"
        )
        peaks.append(programs.peak_mb(code, path))
    assert peaks[1] < peaks[0] + 60 and peaks[1] < 400


colours = st.tuples(*[st.integers(0, 255)] * 3)


@given(colours, colours)
def test_dissimilarity_is_zero_for_the_same_and_symmetric(one, other):
    a, b = thumb(one), thumb(other)
    assert dissimilarity(a, a) == 0
    assert dissimilarity(a, b) == pytest.approx(dissimilarity(b, a))


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(10, 400), colours), min_size=1, max_size=40))
def test_cuts_come_in_order_and_at_frames_seen(steps):
    finder, time_ms, times, cuts = CutFinder(0.5), 0, [], []
    for gap, colour in steps:
        times.append(time_ms)
        cuts += finder.push(time_ms, look(thumb(colour)))
        time_ms += gap
    cuts += finder.finish()
    assert cuts == sorted(set(cuts)) and set(cuts) <= set(times)
