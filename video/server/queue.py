"""The queue: jobs wait in huey's SQLite store, are worked on by processes that can be ended.

A job is in the table of jobs before it is in the queue, and stays open there until it ended: what
a killed service had begun, or had not yet queued, is queued anew when it starts.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as TooLong
from typing import Any, TypeVar

from huey import SqliteHuey
from huey.consumer import Consumer
from pebble import ProcessExpired

from preprocess.errors import OutputError
from video.server.crew import Crew
from video.server.films import work_on
from video.server.jobs import TRIES, Job, Jobs, tables
from video.server.leftovers import end_leftovers
from video.server.options import ServerOptions
from video.server.worker import Refusal

Kept = TypeVar("Kept")
_AGAIN_S = 2.0
_log = logging.getLogger("video.server")
_LOST = Refusal(
    "이 영상을 보던 작업이 두 번 죽었습니다. 다른 형식으로 바꾸어 보내 보세요.",
    "the process that worked on this film died twice. Try it in another format.",
)
_LATE = Refusal(
    "제한 시간 안에 끝나지 않아 멈췄습니다. 더 짧은 영상으로 나누세요.",
    "it did not finish in the time allowed and was stopped. Split the film.",
)
_BROKEN = Refusal(
    "서버의 잘못으로 끝내지 못했습니다. 서버의 기록을 보세요.",
    "the server failed on it. See its log.",
)


class _Consumer(Consumer):  # type: ignore[misc]
    """Huey's, without its handlers of signals: the service has its own."""

    def _set_signal_handlers(self) -> None:
        pass


class JobQueue:
    """Takes jobs in, works on them in their order, ends them when asked."""

    def __init__(self, options: ServerOptions, jobs: Jobs, crew: Crew) -> None:
        self._options, self._jobs, self._crew = options, jobs, crew
        file = str(jobs.data / "queue.db")
        with tables(jobs.data):
            self._huey = SqliteHuey("films", filename=file, results=False, fsync=True)
        self._task = self._huey.task(name="work")(self._work)
        self._running: dict[str, Future[Any]] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._consumer = _Consumer(
            self._huey, workers=options.workers, periodic=False, max_delay=0.3
        )

    def start(self) -> None:
        """Takes up what was left, and begins."""
        end_leftovers(self._jobs.data)
        queued = {task.args[0] for task in self._huey.pending()}
        for job in self._jobs.unfinished():
            self._jobs.back(job.id)
            if job.id not in queued:  # it was being worked on: first again
                self._task(job.id, priority=1)
        self._consumer.start()

    def stop(self) -> None:
        """Ends the workers; what they were at is begun anew at the next start."""
        self._stopping.set()
        self._consumer.stop()
        self._crew.stop()

    def submit(self, job: Job) -> None:
        """Queues a job that is in the table already."""
        with tables(self._jobs.data):
            self._task(job.id)

    def cancel(self, number: str) -> bool:
        """Ends a waiting or running job; False if it had ended."""
        ended = self._jobs.end(number, "cancelled")
        with self._lock:
            future = self._running.get(number)
        if ended and future:
            future.cancel()
        return ended

    def idle(self, number: str, within_s: float) -> bool:
        """Waits until nobody works on the job any more."""
        deadline = time.monotonic() + within_s
        while number in self._running and time.monotonic() < deadline:
            time.sleep(0.05)
        return number not in self._running

    def _work(self, number: str) -> None:
        """One job from the queue to its end; runs in a thread of the consumer."""
        job = self._kept(lambda: self._jobs.begin(number))
        if job is None or self._stopping.is_set():
            return
        refusal = _LOST if job.tries > TRIES else self._tried(job)
        if self._stopping.is_set():
            return
        if isinstance(refusal, Refusal):
            error = (refusal.korean, refusal.english)
            self._kept(lambda: self._jobs.end(number, "failed", error))
        else:
            self._kept(lambda: self._jobs.end(number, "done"))

    def _kept(self, change: Callable[[], Kept]) -> Kept | None:
        """A change of the table, as soon as the disk has room for it; None if we end before."""
        while not self._stopping.is_set():
            try:
                return change()
            except OutputError as error:
                _log.warning("%s", error)
                self._stopping.wait(_AGAIN_S)
        return None

    def _tried(self, job: Job) -> Refusal | None:
        """Twice where a worker dies at it: it may have been another's fault."""
        for _ in range(2):
            try:
                return self._done(job)
            except ProcessExpired as error:
                _log.warning("worker ended with %s on job %s", error.exitcode, job.id)
                end_leftovers(self._jobs.folder(job.id))
            except TooLong:
                return _LATE
            except CancelledError:
                return None
            except Exception:
                if not self._stopping.is_set():
                    _log.exception("job %s", job.id)
                return _BROKEN
        return _LOST

    def _done(self, job: Job) -> Refusal | None:
        given = (work_on, self._jobs.data, job, self._options.limits)
        future = self._crew.begin(*given, within_s=3600 * self._options.job_hours)
        with self._lock:
            self._running[job.id] = future
        try:
            now = self._jobs.get(job.id)
            if now is None or now.state != "working":  # cancelled while it was begun
                future.cancel()
            answer: Refusal | None = future.result()
            return answer
        finally:
            with self._lock:
                self._running.pop(job.id, None)
