import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from video.ahead import ahead


def counted(until, made, pause=0.0):
    """Makes 0, 1, ... and tells each."""

    def make(tell):
        for n in range(until):
            tell(n)
            time.sleep(pause)
            made.append(n)
            yield n

    return make


def threads():
    return [t for t in threading.enumerate() if t.name.startswith("ahead")]


@given(st.integers(0, 30), st.integers(1, 8))
def test_everything_comes_in_order_and_no_more_is_made_ahead_than_allowed(until, most):
    made, got = [], []
    for item in ahead(counted(until, made), most):
        got.append(item)
        assert len(made) - len(got) <= most
    assert got == made == list(range(until))
    assert not threads()


def test_making_goes_on_while_an_item_is_used():
    made = []
    items = ahead(counted(9, made), 4)
    next(items)
    for _ in range(200):
        if len(made) == 5:
            break
        time.sleep(0.01)
    assert made == [0, 1, 2, 3, 4]
    items.close()


def test_none_and_nothing_are_items_too():
    assert list(ahead(lambda tell: iter([None, 0, "", ()]), 2)) == [None, 0, "", ()]


def test_what_making_raises_comes_after_what_was_made():
    def make(tell):
        yield 1
        raise ValueError("broken")

    items = ahead(make, 3)
    assert next(items) == 1
    with pytest.raises(ValueError, match="broken"):
        next(items)
    assert not threads()


def test_progress_comes_in_the_asking_thread_and_ends_with_the_last():
    told = []

    def on_progress(reached):
        assert threading.current_thread() is threading.main_thread()
        told.append(reached)

    assert list(ahead(counted(5, [], pause=0.15), 2, on_progress)) == [0, 1, 2, 3, 4]
    assert told[-1] == 4 and told == sorted(set(told)) and len(told) > 1


def test_an_error_in_progress_ends_it_all():
    made = []

    def on_progress(reached):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(ahead(counted(1000, made, pause=0.01), 2, on_progress))
    assert not threads() and len(made) < 100


def test_who_stops_asking_stops_the_making():
    made = []
    items = ahead(counted(10**9, made, pause=0.001), 2)
    next(items)
    items.close()
    assert not threads()
    so_far = len(made)
    time.sleep(0.05)
    assert len(made) == so_far
