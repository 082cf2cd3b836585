"""Pictures that come as they are filmed: a camera or a pipe; late ones are dropped.

Pictures are squares already, as the captioner sees them: uint8 RGB (SIDE, SIDE, 3).
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from preprocess.errors import VideoError
from preprocess.ffmpeg import piped_pictures
from preprocess.media import ArrayFrame, Frame
from preprocess.pictures import to_square

SIDE = 256
_IDLE_S = 2.0
RATE = 10  # pictures a second that are asked of a pipe
Item = TypeVar("Item")


class Capture(Protocol):
    """What is needed of cv2.VideoCapture."""

    def read(self) -> tuple[bool, npt.NDArray[np.uint8]]:
        """Whether there was a next picture, and the picture: uint8 (H, W, 3) BGR."""

    def release(self) -> None:
        """Gives the camera back."""


class Newest(Generic[Item]):
    """Iterates over what a slow reader can get of a fast source: always the newest item.

    The source is read in a thread of its own and never waits. The last item always arrives; an
    error of the source is raised here, after the items before it.
    """

    def __init__(self, items: Iterable[Item], idle: Callable[[], object] = lambda: None) -> None:
        """Takes the source, and what is done every few seconds in which nothing comes."""
        self._idle = idle
        self._changed = threading.Condition()
        self._waiting: list[Item] = []
        self._error: BaseException | None = None
        self._ended = False
        threading.Thread(target=self._read, args=(items,), daemon=True).start()

    def _read(self, items: Iterable[Item]) -> None:
        try:
            for item in items:
                with self._changed:
                    self._waiting = [item]
                    self._changed.notify()
        except BaseException as error:
            self._error = error
        with self._changed:
            self._ended = True
            self._changed.notify()

    def __iter__(self) -> Iterator[Item]:
        while True:
            with self._changed:
                while not self._changed.wait_for(lambda: self._waiting or self._ended, _IDLE_S):
                    self._idle()
                found, self._waiting = self._waiting, []
            if not found:
                break
            yield found[0]
        if self._error:
            raise self._error


def camera_frames(capture: Capture, clock: Callable[[], float] = time.monotonic) -> Iterator[Frame]:
    """The camera's pictures with the time since the first one, until it stops giving any.

    Raises:
        VideoError: it never gives one.
    """
    start: float | None = None
    try:
        while True:
            there, picture = capture.read()
            if not there:
                break
            now = clock()
            start = now if start is None else start
            rgb = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)
            yield ArrayFrame(round(1000 * (now - start)), to_square(rgb, SIDE))
    finally:
        capture.release()
    if start is None:
        raise VideoError(
            "카메라에서 그림이 오지 않습니다. 번호와 연결을 확인하세요: --camera 1",
            "the camera gives no picture. Check its number and connection: --camera 1",
        )


def open_camera(number: int) -> Capture:
    """The camera of a number, 0 the first.

    Raises:
        VideoError: there is none, or another program has it.
    """
    before = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        capture = cv2.VideoCapture(number)
    finally:
        cv2.utils.logging.setLogLevel(before)
    if not capture.isOpened():
        capture.release()
        raise VideoError(
            f"카메라 {number}번을 열 수 없습니다. 번호를 바꾸거나 다른 프로그램을 닫으세요.",
            f"cannot open camera {number}. Try another number, or close what uses it.",
        )
    return capture


@contextmanager
def piped_frames() -> Iterator[Iterator[Frame]]:
    """The pictures of the film that standard input brings, with their times.

    Raises:
        VideoError: while reading: it is no film, has no picture, or breaks off.
    """
    with piped_pictures(SIDE, RATE) as pictures:
        numbered = enumerate(pictures)
        yield (ArrayFrame(number * 1000 // RATE, picture) for number, picture in numbered)
