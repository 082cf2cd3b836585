"""Tasks shared among workers that may die: none is lost; one that kills them is given up.

Who hires decides where the work is done: in processes of this machine (preprocess/hands.py) or by
the actors of a Ray cluster (preprocess/cluster.py). A task is done at least once, so what it does
must be the same when it is done twice.
"""

import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar

from preprocess.errors import CaptioningError, SettingError

Task = TypeVar("Task")
Result = TypeVar("Result")
Make = Callable[[], Callable[[Any], Any]]  # makes, on the spot, what does the tasks
TRIES = 3  # workers that a task may cost: most died for another reason
PATIENCE_S = 300.0  # how long nobody may be there to work
_TICK_S = 1.0  # how often it is asked whether there is room for more workers


class Lost(Exception):
    """A worker died before it could answer."""


class Worker(Protocol):
    """One at a time. Its futures end in the task's own error, or in Lost."""

    ready: "Future[Any]"

    def do(self, task: Any) -> "Future[Any]":
        """Begins a task."""

    def end(self) -> None:
        """Ends the worker, whatever it is doing; harmless when it is dead."""


class Crew(Generic[Task, Result]):
    """As many workers as there is room for; the dead are replaced."""

    def __init__(self, hire: Callable[[], Worker], room: Callable[[], int]) -> None:
        """Takes who starts a worker, and how many can work side by side now."""
        self._hire, self.room = hire, room
        self._idle: list[Worker] = []
        self._coming: dict[Future[Any], Worker] = {}
        self._busy: dict[Future[Any], tuple[Worker, int]] = {}
        self._stillborn, self._last_at_work = 0, time.monotonic()

    def __enter__(self) -> "Crew[Task, Result]":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        where: TracebackType | None,
    ) -> None:  # fmt: skip
        self.end()

    def end(self) -> None:
        """Ends everyone, whatever they are doing."""
        everyone = [*self._idle, *self._coming.values(), *(w for w, _ in self._busy.values())]
        self._idle, self._coming, self._busy = [], {}, {}
        if everyone:
            with ThreadPoolExecutor(len(everyone)) as pool:
                list(pool.map(lambda worker: worker.end(), everyone))

    def share(
        self,
        tasks: Sequence[Task],
        ahead: int | None = None,
        load: Callable[[Task], Any] = lambda task: task,
        on_begin: Callable[[int], object] = lambda number: None,
    ) -> "Iterator[tuple[int, Future[Result]]]":
        """Every task's number once, as it is done, with its result or error.

        Args:
            tasks: what is to be done.
            ahead: no task is begun so many places after the first that is not done.
            load: makes of a task what is sent to the worker, when it is sent.
            on_begin: told each task that is begun, a second time if it is begun again.

        Raises:
            CaptioningError: no worker can be made, or none can be had.
        """
        plan = _Plan(len(tasks), ahead)
        self._last_at_work = time.monotonic()
        while not plan.finished:
            self._take_on(plan.waiting)
            while self._idle and (number := plan.next()) is not None:
                on_begin(number)
                worker = self._idle.pop()
                self._busy[worker.do(load(tasks[number]))] = worker, number
            pending = [*self._busy, *self._coming]
            done, _ = wait(pending, _TICK_S, FIRST_COMPLETED)
            if not pending:
                time.sleep(_TICK_S)
            self._refuse_to_wait_for_ever()
            for future in done & self._coming.keys():
                self._greet(future)
            for future in done & self._busy.keys():
                worker, number = self._busy.pop(future)
                if not self._is_lost(future, worker) or plan.given_up(number):
                    plan.done(number)
                    yield number, future

    def _take_on(self, waiting: int) -> None:
        """Hires for the tasks that nobody is there for, as far as there is room."""
        there = len(self._idle) + len(self._coming)
        for _ in range(min(waiting - there, self.room() - there - len(self._busy))):
            worker = self._hire()
            self._coming[worker.ready] = worker

    def _greet(self, future: "Future[Any]") -> None:
        worker, error = self._coming.pop(future), future.exception()
        if error is None:
            self._idle.append(worker)
            self._stillborn = 0
            return
        worker.end()
        self._stillborn += 1
        if not isinstance(error, Lost):
            raise error
        if self._stillborn >= TRIES:
            raise SettingError(
                f"일할 프로세스가 시작하자마자 끝납니다 ({error}). 메모리를 확인하세요.",
                f"workers end as soon as they begin ({error}). Check the memory.",
            )

    def _is_lost(self, future: "Future[Any]", worker: Worker) -> bool:
        if isinstance(future.exception(), Lost):
            worker.end()
            return True
        self._idle.append(worker)
        return False

    def _refuse_to_wait_for_ever(self) -> None:
        now = time.monotonic()
        if self._busy or self._idle:
            self._last_at_work = now
        if now - self._last_at_work > PATIENCE_S:
            raise SettingError(
                f"{PATIENCE_S:.0f}초 동안 일할 곳이 없었습니다. 클러스터에 남은 CPU가 있는지 "
                "확인하고 같은 명령으로 이어서 하세요.",
                f"there was nobody to work for {PATIENCE_S:.0f} s. Check that the cluster has free "
                "CPUs, and go on with the same command.",
            )


class _Plan:
    """Which task is next: new ones first, then those that cost a worker."""

    def __init__(self, count: int, ahead: int | None) -> None:
        self._count, self._ahead = count, ahead or count
        self._new = 0
        self._again: deque[int] = deque()
        self._open: set[int] = set()
        self._tries: dict[int, int] = {}

    @property
    def finished(self) -> bool:
        return self._new == self._count and not self._open

    @property
    def waiting(self) -> int:
        return self._count - self._new + len(self._again)

    def next(self) -> int | None:
        if self._new < self._count and self._new - min(self._open, default=self._new) < self._ahead:
            self._open.add(self._new)
            self._new += 1
            return self._new - 1
        return self._again.popleft() if self._again else None

    def given_up(self, number: int) -> bool:
        """Counts a worker that the task cost; whether it may cost no more."""
        self._tries[number] = self._tries.get(number, 0) + 1
        if self._tries[number] >= TRIES:
            return True
        self._again.append(number)
        return False

    def done(self, number: int) -> None:
        self._open.discard(number)


def in_order(found: "Iterator[tuple[int, Future[Result]]]") -> Iterator[Result]:
    """The results by number; what came before its turn is kept until then.

    Raises:
        Exception: a task's own error, in its turn; Lost where it was given up.
    """
    early: dict[int, Future[Result]] = {}
    turn = 0
    for number, future in found:
        early[number] = future
        while turn in early:
            yield early.pop(turn).result()
            turn += 1


def answered(work: Callable[[Any], Any], task: Any) -> tuple[bool, Any]:
    """(True, the result) or (False, the error), which takes its traceback along if it is a bug."""
    try:
        return True, work(task)
    except CaptioningError as error:
        return False, error
    except Exception as error:
        error.add_note(traceback.format_exc())
        return False, error
