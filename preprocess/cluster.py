"""Workers that are actors of a Ray cluster; the one file that imports Ray.

An actor has one CPU and one thread, and holds what it works with. It is not restarted by Ray: the
crew does that, where there is room, so that a task that kills its actors is given up some time.
"""

import os
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import Any

from preprocess.crew import Crew, Lost, Make, answered
from preprocess.errors import MissingExtra, SettingError

_REACH_S = 5.0  # Ray itself tries for minutes


@contextmanager
def cluster_crew(address: str, make: Make) -> Iterator[Crew[Any, Any]]:
    """A crew of as many actors as the cluster has CPUs, also when machines come or go.

    Args:
        address: HOST:PORT of the cluster's head, or 'auto' for the one of this machine.
        make: sent to each actor once; makes there what does the tasks.

    Raises:
        MissingExtra: Ray is not installed.
        SettingError: there is no such cluster.
    """
    ray = _connected(address)
    try:
        holder = ray.remote(num_cpus=1, max_restarts=0)(_Holder)
        kept = ray.put(make)
        with Crew[Any, Any](lambda: _Actor(ray, holder.remote(kept)), lambda: _cpus(ray)) as crew:
            yield crew
    finally:
        ray.shutdown()


class _Holder:
    """What an actor holds; errors are answers, so that they come back as they were."""

    def __init__(self, make: Make) -> None:
        self._well, self._work = answered(lambda make: make(), make)

    def begin(self) -> tuple[bool, Any]:
        """Whether it can work."""
        return self._well, None if self._well else self._work

    def do(self, task: Any) -> tuple[bool, Any]:
        """A task's result or error."""
        return answered(self._work, task)


class _Actor:
    """A worker of the crew."""

    def __init__(self, ray: Any, handle: Any) -> None:
        self._ray, self._handle = ray, handle
        self.ready: Future[Any] = self._answer(handle.begin.remote())

    def do(self, task: Any) -> "Future[Any]":
        """Begins a task."""
        return self._answer(self._handle.do.remote(task))

    def end(self) -> None:
        """Ends the actor and what it started."""
        with suppress(Exception):  # gone already, with its machine or the whole cluster
            self._ray.kill(self._handle)

    def _answer(self, reference: Any) -> "Future[Any]":
        """What comes of a call, its error as it was; Lost if actor or machine died."""
        answer: Future[Any] = Future()

        def take(found: "Future[Any]") -> None:
            error = found.exception()
            if isinstance(error, self._ray.exceptions.RayError):
                answer.set_exception(Lost(" ".join(str(error).split())[:200]))
            elif error is not None:
                answer.set_exception(error)
            else:
                well, value = found.result()
                if well:
                    answer.set_result(value)
                else:
                    answer.set_exception(value)

        reference.future().add_done_callback(take)
        return answer


def check_cluster(address: str) -> None:
    """Refuses before any work a cluster that cannot be had.

    Raises:
        MissingExtra: Ray is not installed.
        SettingError: there is no such cluster.
    """
    _ray()
    host, _, port = address.rpartition(":")
    if address == "auto":
        return
    try:
        if not (host and port.isdecimal()):
            raise ValueError("HOST:PORT?")
        socket.create_connection((host, int(port)), _REACH_S).close()
    except (OSError, ValueError, OverflowError) as error:
        raise _unreachable(address, error) from None


def _connected(address: str) -> Any:
    """Ray, connected; it reports nothing over the network."""
    check_cluster(address)
    ray = _ray()
    try:
        with _own_signals():
            ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (OSError, ValueError, RuntimeError) as error:
        raise _unreachable(address, error) from None
    return ray


def _ray() -> Any:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
    except ImportError:
        raise MissingExtra(
            "--cluster에는 Ray가 필요합니다. 설치하세요: pip install -r requirements-cluster.txt",
            "--cluster needs Ray. Install it: pip install -r requirements-cluster.txt",
        ) from None
    return ray


def _unreachable(address: str, error: Exception) -> SettingError:
    return SettingError(
        f"Ray 클러스터 '{address}'에 닿을 수 없습니다 ({error}). ray start --head가 알려 준 "
        "HOST:PORT를 주세요.",
        f"the Ray cluster '{address}' cannot be reached ({error}). Give the HOST:PORT that "
        "ray start --head told.",
    )


@contextmanager
def _own_signals() -> Iterator[None]:
    """What signals do afterwards is what they did before: Ray takes some for itself."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def _cpus(ray: Any) -> int:
    """Of all machines that are there now."""
    alive = (node["Resources"] for node in ray.nodes() if node["Alive"])
    return int(sum(resources.get("CPU", 0) for resources in alive))
