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


@given(st.integers(0, 30), st.integers(1, 8), st.integers(1, 5))
def test_everything_comes_in_order_and_no_more_is_made_ahead_than_allowed(until, most, together):
    made, got = [], []
    for group in ahead(counted(until, made), most, together):
        assert 1 <= len(group) <= together
        got += group
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


def test_what_is_there_comes_together():
    made = []
    groups = ahead(counted(9, made), 4, together=3)
    got = next(groups)
    for _ in range(2):
        until = time.monotonic() + 2
        while len(made) < min(9, len(got) + 4) and time.monotonic() < until:
            time.sleep(0.01)
        group = next(groups)
        got += group
    assert len(group) == 3 and got == list(range(len(got)))
    groups.close()


def test_none_and_nothing_are_items_too():
    items = list(ahead(lambda tell: iter([None, 0, "", ()]), 2))
    assert items == [[None], [0], [""], [()]]


def test_what_making_raises_comes_after_what_was_made():
    def make(tell):
        yield 1
        raise ValueError("broken")

    items = ahead(make, 3, together=2)
    assert next(items) == [1]
    with pytest.raises(ValueError, match="broken"):
        next(items)
    assert not threads()


def test_progress_comes_in_the_asking_thread_and_ends_with_the_last():
    told = []

    def on_progress(reached):
        assert threading.current_thread() is threading.main_thread()
        told.append(reached)

    items = ahead(counted(5, [], pause=0.15), 2, on_progress=on_progress)
    assert list(items) == [[0], [1], [2], [3], [4]]
    assert told[-1] == 4 and told == sorted(set(told)) and len(told) > 1


def test_an_error_in_progress_ends_it_all():
    made = []

    def on_progress(reached):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(ahead(counted(1000, made, pause=0.01), 2, on_progress=on_progress))
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
