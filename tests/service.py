"""A service for the tests: threads instead of processes, and a captioner that names colours."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from preprocess.errors import CaptioningError
from tests.conftest import ColourCaptioner
from video.server.worker import Refusal


class SeesFeatures(ColourCaptioner):
    """Its CNN sees the mean colour of each picture."""

    parameters = 0

    def caption(self, frames: np.ndarray) -> Any:
        return self.caption_many([frames])[0]

    def doubting(self, hedge: Any) -> "SeesFeatures":
        return self

    def features(self, pictures: Any) -> np.ndarray:
        means = [p.reshape(-1, 3).mean(0) for p in pictures]
        return np.array(means, np.float32)[:, None]


class SpelledWords:
    """A word's vector is its first letter and its length."""

    def word(self, form: str) -> np.ndarray:
        return np.array([ord(form[0]) / 50_000, len(form)], np.float32)

    def vector(self, text: str) -> np.ndarray:
        return np.mean([self.word(word) for word in text.split()], 0)

    def vectors(self, texts: Any) -> np.ndarray:
        return np.stack([self.vector(text) for text in texts])


class StandIn:
    """What a worker holds."""

    def __init__(self) -> None:
        self.model = Path("colours.kcap")
        self.captioner, self.words = SeesFeatures(), SpelledWords()


class Threads:
    """A crew of one thread; `before` runs before each work, and may fail."""

    def __init__(self) -> None:
        self.held: Any = StandIn()
        self.before: Callable[[], None] = lambda: None
        self._pool = ThreadPoolExecutor(1)

    def begin(
        self, work: Callable[..., Any], *given: Any, within_s: float | None = None
    ) -> "Future[Any]":
        return self._pool.submit(self._called, work, given)

    def _called(self, work: Callable[..., Any], given: tuple[Any, ...]) -> Any:
        self.before()
        try:
            return work(self.held, *given)
        except CaptioningError as error:
            return Refusal(error.text("ko"), error.text("en"))

    def stop(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
