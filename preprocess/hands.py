"""Workers that are processes of this machine, and leave nothing behind however they end."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from preprocess.crew import Lost, Make, answered

_GRACE_S = 10.0  # for a worker to clean up behind itself


def cores() -> int:
    """The cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # where the system knows it
    return len(affinity(0)) if affinity else os.cpu_count() or 1


class Hand:
    """A worker that is a process of this machine."""

    def __init__(self, make: Make) -> None:
        context = multiprocessing.get_context("spawn")  # a fork would share locks and threads
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        with _deaf():  # a terminal's Ctrl-C is for us, also while it is still importing
            self._process.start()
        theirs.close()  # so that its death is the end of the pipe
        self._waiting = ThreadPoolExecutor(1)
        self.ready: Future[Any] = self.do(make)

    def do(self, task: Any) -> "Future[Any]":
        """Begins a task."""
        return self._waiting.submit(self._ask, task)

    def end(self) -> None:
        """Asks the process to end, waits, and then ends it."""
        with suppress(OSError):
            self._process.terminate()
        self._process.join(_GRACE_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._waiting.shutdown()
        self._pipe.close()

    def _ask(self, task: Any) -> Any:
        try:
            self._pipe.send(task)
            well, answer = self._pipe.recv()
        except (EOFError, OSError):
            self._process.join(_GRACE_S)
            raise Lost(f"exit status {self._process.exitcode}") from None
        if well:
            return answer
        raise answer


@contextmanager
def _deaf() -> Iterator[None]:
    """Processes that are started inside ignore Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def apart(work: Callable[[Any], Any], task: Any) -> Any:
    """What work answers, by a process of its own: the memory that it takes goes with it.

    Raises:
        Exception: what work raises.
        Lost: the process was ended from outside.
    """
    hand = Hand(partial(_itself, work))
    try:
        hand.ready.result()
        return hand.do(task).result()
    finally:
        hand.end()


def _itself(work: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return work


def _serve(pipe: Any) -> None:
    """A worker's life: makes what works, then one task after the other, until nobody asks."""
    ended = threading.Event()

    def leave(number: int, _: object) -> None:
        signal.signal(number, signal.SIG_IGN)
        ended.set()
        raise SystemExit(128 + number)

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is for who hired us
    signal.signal(signal.SIGTERM, leave)
    threading.Thread(target=_follow_into_death, daemon=True).start()
    work: Callable[[Any], Any] | None = None
    with suppress(EOFError, BrokenPipeError):
        while not ended.is_set():
            task = pipe.recv()
            if work is None:
                well, answer = answered(lambda make: make(), task)
                work, answer = (answer, None) if well else (None, answer)
            else:
                well, answer = answered(work, task)
            _send(pipe, well, answer)


def _send(pipe: Any, well: bool, answer: Any) -> None:
    try:
        pipe.send((well, answer))
    except (TypeError, AttributeError, ValueError) as error:  # what cannot be pickled
        pipe.send((False, RuntimeError(f"{answer!r}: {error}")))


def _follow_into_death() -> None:
    """Ends this process when the one that hired it is gone, however it went."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_GRACE_S)
        os._exit(1)
