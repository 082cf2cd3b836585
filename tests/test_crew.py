"""Tasks over workers that die: nothing is lost, nothing is told twice, nobody stays behind."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Future
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocess import crew as crews
from preprocess.crew import TRIES, Crew, Lost, in_order
from preprocess.errors import SettingError, VideoError
from preprocess.hands import Hand, apart

ROOT = Path(__file__).resolve().parents[1]


def answer(value=None, error=None):
    future = Future()
    if error:
        future.set_exception(error)
    else:
        future.set_result(value)
    return future


class Frail:
    """A stand-in: squares numbers, and dies at those that `deaths` still says so of."""

    def __init__(self, deaths, log):
        self.deaths, self.log, self.dead = deaths, log, False
        self.ready = answer()
        log.append("hired")

    def do(self, task):
        assert not self.dead
        self.log.append(task)
        if self.deaths.get(task, 0):
            self.deaths[task] -= 1
            self.dead = True
            return answer(error=Lost("killed"))
        return answer(error=VideoError("나쁨", "bad")) if task == 13 else answer(task * task)

    def end(self):
        self.dead = True
        self.log.append("ended")


@given(
    st.integers(0, 30),
    st.integers(1, 4),
    st.dictionaries(st.integers(0, 30), st.integers(0, TRIES - 1)),
    st.one_of(st.none(), st.integers(1, 5)),
)
def test_every_task_is_told_once_however_workers_die(count, room, deaths, ahead):
    log, left = [], dict(deaths)
    with Crew(lambda: Frail(left, log), lambda: room) as crew:
        told = dict(found := list(crew.share(range(count), ahead)))
    assert len(found) == len(told) == count
    for number, future in told.items():
        error = future.exception()
        assert str(error) == "bad" if number == 13 else future.result() == number**2
    for number in range(count):
        assert log.count(number) == 1 + deaths.get(number, 0)
    assert log.count("hired") <= log.count("ended")


def test_what_always_kills_is_given_up_and_the_rest_goes_on():
    log = []
    with Crew(lambda: Frail({3: 99}, log), lambda: 2) as crew:
        told = dict(crew.share(range(6)))
    assert isinstance(told.pop(3).exception(), Lost)
    assert {n: f.result() for n, f in told.items()} == {0: 0, 1: 1, 2: 4, 4: 16, 5: 25}
    assert log.count(3) == TRIES and log.index(5) < len(log) - log[::-1].index(3) - 1


def test_who_comes_later_gets_work_too():
    log, slow = [], [Future() for _ in range(6)]

    class Waiting(Frail):
        def do(self, task):
            self.log.append(task)
            return slow[task]

    rooms = iter([1, 1, 3])
    with Crew(lambda: Waiting({}, log), lambda: next(rooms, 3)) as crew:
        found = crew.share(range(6))
        slow[0].set_result(0)
        assert next(found)[0] == 0
        slow[1].set_result(0)
        assert next(found)[0] == 1
        assert log.count("hired") == 3
        for future in slow[2:]:
            future.set_result(0)
        assert sorted(number for number, _ in found) == [2, 3, 4, 5]


@given(st.permutations(range(9)))
def test_results_come_in_order(order):
    assert list(in_order((n, answer(10 * n)) for n in order)) == [10 * n for n in range(9)]


def test_nothing_is_begun_far_ahead_of_the_first_that_is_not_done():
    slow: Future = Future()
    begun = []

    class Uneven(Frail):
        def do(self, task):
            begun.append(task)
            return slow if task == 0 else answer(task)

    with Crew(lambda: Uneven({}, []), lambda: 2) as crew:
        found = crew.share(range(50), ahead=5)
        assert [next(found)[0] for _ in range(4)] == [1, 2, 3, 4]
        assert begun == [0, 1, 2, 3, 4] or begun == [1, 0, 2, 3, 4]
        slow.set_result(0)
        assert sorted(n for n, _ in found) == [0, *range(5, 50)]


def test_workers_that_cannot_begin_and_nobody_at_all_end_in_one_line(monkeypatch):
    class Stillborn(Frail):
        def __init__(self, error):
            super().__init__({}, [])
            self.ready = answer(error=error)

    for error, said in ((VideoError("x", "no file"), "no file"), (Lost("137"), "as soon as they")):
        with (
            Crew(partial(Stillborn, error), lambda: 1) as crew,
            pytest.raises((SettingError, VideoError), match=said),
        ):
            list(crew.share([1]))
    monkeypatch.setattr(crews, "PATIENCE_S", 0.01)
    monkeypatch.setattr(crews, "_TICK_S", 0.01)
    nobody = Crew(lambda: pytest.fail("hired"), lambda: 0)
    with nobody as crew, pytest.raises(SettingError, match="nobody to work"):
        list(crew.share([1]))


def squares():
    return square


def square(task):
    if task == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if task == "bad":
        raise VideoError("나쁨", "bad")
    if task == "lambda":
        return lambda: 1
    return task * task


def unable():
    raise VideoError("없음", "no captioner")


def test_processes_answer_err_and_die_alone():
    tasks = [1, "bad", "die", None, "lambda", 5]
    with Crew(lambda: Hand(squares), lambda: 2) as crew:
        told = dict(crew.share(tasks))
        assert told[0].result() == 1 and told[5].result() == 25
        assert told[1].exception().args == ("나쁨", "bad")
        assert isinstance(told[2].exception(), Lost) and "-9" in str(told[2].exception())
        assert "unsupported operand" in str(told[3].exception())
        assert "in square" in told[3].exception().__notes__[0]
        assert "pickle" in str(told[4].exception()).lower()
    with Crew(lambda: Hand(unable), lambda: 1) as crew, pytest.raises(VideoError, match="no capt"):
        list(crew.share([1]))


PROGRAM = """
import sys, time
from preprocess.crew import Crew
from preprocess.files import whole_file
from preprocess.hands import Hand
from pathlib import Path

def make():
    return half

def half(path):
    with whole_file(Path(path)) as temporary:
        temporary.write_text("half")
        Path(path).with_name("begun").write_text("")
        time.sleep(60)

if __name__ == "__main__":
    with Crew(lambda: Hand(make), lambda: 1) as crew:
        list(crew.share([sys.argv[1]]))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_nothing_stays_when_who_hired_goes(tmp_path, number):
    script = tmp_path / "driver.py"
    script.write_text(PROGRAM)
    driver = subprocess.Popen(
        [sys.executable, script, tmp_path / "x.txt"], cwd=ROOT, stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not (tmp_path / "begun").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    driver.send_signal(number)  # to the driver alone: the worker is for it to end
    driver.wait(60)
    while group(driver.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not group(driver.pid)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["begun", "driver.py"]


def group(number):
    """Processes of a session, those that have ended but for their parent's notice left out."""
    listed = subprocess.run(
        ["ps", "-o", "stat=", "-s", str(number)], capture_output=True, text=True, check=False
    )
    return [line for line in listed.stdout.split() if not line.startswith("Z")]


def divided(number):
    if not number:
        raise VideoError("0으로는 나눌 수 없습니다.", "cannot divide by 0.")
    return os.getpid(), 1 / number


def test_what_is_done_apart_is_answered_by_another_process():
    done_by, answer = apart(divided, 4)
    assert answer == 0.25 and done_by != os.getpid()
    with pytest.raises(VideoError, match="divide by 0"):
        apart(divided, 0)
