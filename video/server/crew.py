"""Worker processes that can be ended in the middle of their work."""

import multiprocessing
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Protocol

from pebble import ProcessPool

from video.server.options import ServerOptions
from video.server.worker import called, prepare


class Crew(Protocol):
    """Processes, or what stands for them in a test."""

    def begin(
        self, work: Callable[..., Any], *given: Any, within_s: float | None = None
    ) -> "Future[Any]":
        """Does work(held, *given) as soon as a process is free; cancelling ends the process.

        The answer is that of worker.called.

        Raises (from the future):
            ProcessExpired: the process died.
            TimeoutError: it was not done within_s and was ended.
        """

    def stop(self) -> None:
        """Ends everything."""


class Processes:
    """Worker processes, each with a captioner; started when first needed, and anew when they end.

    A pool gives up when a process ends that had nothing to do (out of memory); then another begins.
    """

    def __init__(self, options: ServerOptions, count: int) -> None:
        self._options, self._count = options, count
        self._lock = threading.Lock()
        self._pool = self._new()

    def begin(
        self, work: Callable[..., Any], *given: Any, within_s: float | None = None
    ) -> "Future[Any]":
        """See Crew."""
        with self._lock:
            try:
                return self._pool.schedule(called, args=(work, *given), timeout=within_s)
            except RuntimeError:  # the pool's only word for "not active"
                self._end()
                self._pool = self._new()
                return self._pool.schedule(called, args=(work, *given), timeout=within_s)

    def stop(self) -> None:
        """See Crew."""
        with self._lock:
            self._end()
            self._pool.join()

    def _end(self) -> None:
        self._pool.stop()  # type: ignore[no-untyped-call]

    def _new(self) -> ProcessPool:
        spawn = multiprocessing.get_context("spawn")  # a fork would hold the service's sockets
        return ProcessPool(
            max_workers=self._count,
            initializer=prepare,
            initargs=(self._options.model,),
            context=spawn,
        )
