"""Making things in a thread of its own while the first of them are used."""

from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Event
from typing import TypeVar

Item = TypeVar("Item")
Progress = Callable[[int], None]
_LOOK_S = 0.1  # how often is looked how far the making is


def ahead(
    make: Callable[[Progress], Iterator[Item]],
    most: int,
    together: int = 1,
    on_progress: Progress | None = None,
) -> Generator[list[Item], None, None]:
    """Yields the items of make(tell) in order, those that are there, as many as may be together.

    Up to `most` are made before they are asked for. What is told while an item is waited for
    reaches on_progress in the caller's thread: the newest of it, every tenth of a second, and the
    last. Where the caller closes this, making ends with the next tell. What make raises is
    raised here.
    """
    line = _Line(on_progress)
    made, pool = make(line.tell), ThreadPoolExecutor(1, "ahead")
    try:
        waiting = deque(pool.submit(_next, made) for _ in range(most))
        while item := line.during(waiting.popleft()):
            group = [item[0]]
            while len(group) < together and waiting and (more := _there(waiting[0])):
                waiting.popleft()
                group.append(more[0])
            waiting.extend(pool.submit(_next, made) for _ in group)
            yield group
    finally:
        line.ended.set()
        pool.shutdown(cancel_futures=True)


def _there(future: "Future[tuple[Item] | None]") -> tuple[Item] | None:
    """What is made already, and well."""
    return future.result() if future.done() and not future.exception() else None


def _next(made: Iterator[Item]) -> tuple[Item] | None:
    """The next item in a tuple of one, or None after the last."""
    for item in made:
        return (item,)
    return None


class _Line:
    """Carries what is told from the thread that makes to the one that asks."""

    def __init__(self, on_progress: Progress | None) -> None:
        self.ended = Event()
        self._on_progress = on_progress
        self._told: int | None = None
        self._heard: int | None = None

    def tell(self, reached: int) -> None:
        """In the making thread.

        Raises:
            _Ended: nobody asks any more.
        """
        if self.ended.is_set():
            raise _Ended
        self._told = reached

    def during(self, future: "Future[tuple[Item] | None]") -> tuple[Item] | None:
        """In the asking thread: the future's result, with progress until it is there."""
        while not wait([future], _LOOK_S).done:
            self._pass_on()
        self._pass_on()
        return future.result()

    def _pass_on(self) -> None:
        told = self._told
        if self._on_progress and told is not None and told != self._heard:
            self._heard = told
            self._on_progress(told)


class _Ended(Exception):
    """Whoever asked has gone."""
