"""Stills seen as film frames: what may change, and what may not."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from preprocess.augment import FilmOptions, film_frame

NEVER = FilmOptions(crop=0, letterbox=0, afar=0, tilt=0, colour=0, soft=0)
sizes = st.integers(1, 60)


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@given(sizes, sizes, st.integers(0, 99))
def test_any_picture_becomes_a_square_and_stays_itself(height, width, seed):
    picture = noise(height, width)
    before = picture.copy()
    frames = [film_frame(picture, 32, np.random.default_rng(seed)) for _ in range(2)]
    assert frames[0].shape == (32, 32, 3)
    assert frames[0].dtype == np.uint8
    np.testing.assert_array_equal(*frames)  # the same draw, the same frame
    np.testing.assert_array_equal(picture, before)


def test_without_changes_it_is_the_square():
    picture = noise(32, 32)
    np.testing.assert_array_equal(film_frame(picture, 32, np.random.default_rng(0), NEVER), picture)


def test_left_stays_left_and_red_stays_red():
    picture = np.zeros((60, 80, 3), np.uint8)
    picture[:, :40] = (220, 30, 30)
    picture[:, 40:] = (30, 30, 220)
    for seed in range(50):
        frame = film_frame(picture, 32, np.random.default_rng(seed)).astype(int)
        inside = frame[frame.sum(-1).max(1) > 60][:, frame.sum(-1).max(0) > 60]  # without bars
        left, right = inside[:, 0].mean(0), inside[:, -1].mean(0)
        assert left[0] - left[2] >= right[0] - right[2]
        assert frame[..., 0].max() > frame[..., 1].max()


def test_a_crop_keeps_at_least_what_it_must():
    ramp = np.linspace(0, 255, 64).astype(np.uint8)
    picture = np.stack([np.tile(ramp, (64, 1)), np.tile(ramp[:, None], (1, 64))] * 2, -1)[..., :3]
    always = replace(NEVER, crop=1)
    for seed in range(200):
        frame = film_frame(picture, 64, np.random.default_rng(seed), always).astype(float)
        wide, tall = (np.ptp(frame[..., channel]) / 255 for channel in (0, 1))
        assert wide * tall >= always.least * 0.93


def test_set_back_the_whole_is_there_only_smaller():
    picture = np.full((32, 32, 3), 90, np.uint8)
    picture[12:20, 12:20] = 250
    for seed in range(50):
        frame = film_frame(picture, 32, np.random.default_rng(seed), replace(NEVER, afar=1))
        seen = (frame[..., 0] > 200).sum()
        assert 0.35**2 * 64 <= seen <= 64  # one white square and no second one
        assert abs(float(frame[0, 0, 0]) - 90) < 40


def test_a_tilt_turns_about_the_middle_and_shows_nothing_new():
    picture = np.zeros((41, 41, 3), np.uint8)
    picture[:, 18:23] = 200
    always = replace(NEVER, tilt=1, degrees=10)
    leans = []
    for seed in range(30):
        frame = film_frame(picture, 41, np.random.default_rng(seed), always)
        assert (frame[19:22, 19:22] > 150).all()
        top, bottom = (np.average(np.arange(41), weights=frame[y, :, 0] + 1e-9) for y in (4, 36))
        leans.append(np.degrees(np.arctan2(bottom - top, 32)))
    assert max(map(abs, leans)) <= 10.5
    assert min(leans) < -3
    assert max(leans) > 3
