"""What the texts of a command line mean."""

import argparse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from video.values import moment, seconds


@given(st.integers(100, 3_600_000))
def test_a_span_is_the_same_in_every_unit(ms):
    assert seconds(f"{ms}ms") == seconds(f"{ms / 1000}s") == seconds(f"{ms / 1000}") == ms


@pytest.mark.parametrize("text", ["99ms", "0", "-1s", "3601", "nan", "s", "ms", "1h", "1e9ms"])
def test_a_span_that_cannot_be_is_quoted(text):
    with pytest.raises(argparse.ArgumentTypeError, match=r"\.\.\."):
        seconds(text)


def test_the_bounds_of_a_span_have_their_units():
    with pytest.raises(argparse.ArgumentTypeError, match=r"^'50ms': 100ms \.\.\. 3600s$"):
        seconds("50ms")


@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59))
def test_a_moment_is_a_clocks(hours, minutes, rest):
    assert moment(f"{hours}:{minutes:02}:{rest:02}") == 1000 * (3600 * hours + 60 * minutes + rest)
