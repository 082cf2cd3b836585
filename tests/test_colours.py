"""Colours that a picture does not have are not said."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.colours import RANGES, missing
from model.details import colours
from model.doubt import supported
from preprocess.korean import compose
from tests.test_details import cut

PINK, RED, GREY, BROWN = (255, 150, 190), (200, 20, 30), (128, 128, 128), (150, 90, 50)


def picture(ground, spot=GREY, share=0.0):
    made = np.full((100, 100, 3), ground, np.uint8)
    made[: round(100 * share)] = spot
    return made


@pytest.mark.parametrize(
    ("ground", "gone"),
    [
        (GREY, {"분홍색", "빨간색"}),
        (BROWN, {"분홍색", "빨간색"}),  # a wooden floor is neither
        (PINK, {"빨간색"}),
        (RED, set()),  # strawberry and pink meet
    ],
)
def test_what_no_frame_has_is_missing(ground, gone):
    assert missing([picture(ground)], RANGES) == gone
    assert missing([picture(ground)], ["파란색"]) == set()  # of which pixels tell too little


def test_one_frame_is_enough_and_so_is_a_small_part():
    assert missing([picture(GREY), picture(PINK)], ["분홍색"]) == set()
    assert missing([picture(GREY, PINK, 0.03)], ["분홍색"]) == set()
    assert missing([picture(GREY, RED, 0.01)], ["빨간색"]) == set()


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_colours_by_opencv_are_found_again(colour):
    """Of a picture of one colour either none or all pixels have it."""
    hue, saturation, value = map(int, cv2.cvtColor(np.uint8([[colour]]), cv2.COLOR_RGB2HSV)[0, 0])
    pink = 145 <= hue < 180 and saturation > 35 and value > 110
    red = (hue >= 173 or hue < 8) and saturation > 90 and value > 50
    gone = {name for name, there in (("분홍색", pink), ("빨간색", red)) if not there}
    assert missing([picture(colour)], RANGES) == gone


def test_a_colour_that_is_not_there_goes_whoever_says_it():
    said = cut("빨간 옷|을 입은 여자|가 서 있다")
    assert colours(said) == {"빨간색"}
    rest = supported(said, [said] * 9, 0.3, {("colour", "빨간색")})
    assert compose(rest) == "여자가 서 있다"
