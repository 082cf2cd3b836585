"""What runs in a process of its own: one loaded captioner, one film or photo after the other.

The process ends when it is told to (a cancelled job) and when the service that started it is gone;
either way through Ended, so that ffmpeg and half-written files go with it.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from model.captioner import Captioner
from model.words import Words
from preprocess.errors import CaptioningError
from video.console import Ended, ended_by_signals

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Refusal:
    """Why something could not be done: the two texts of a CaptioningError."""

    korean: str
    english: str


class Held:
    """What a worker holds as long as it lives."""

    def __init__(self, model: Path) -> None:
        self.model = model
        self.captioner = Captioner.load(model)

    @cached_property
    def words(self) -> Words:
        """Vectors of words; read when first needed."""
        return Words.load(self.model)


_model: list[Path] = []


def prepare(model: Path) -> None:
    """Tells a new process its captioner; from now on it ends with the one that started it."""
    _model.append(model)
    threading.Thread(target=_end_with_parent, daemon=True).start()


@cache
def held() -> Held:
    """What this process holds; loaded when first needed.

    Raises:
        CaptionerFileError: there is no captioner in the file.
    """
    return Held(_model[0])


def called(
    work: Callable[Concatenate[Held, Given], Answer], *args: Given.args, **named: Given.kwargs
) -> Answer | Refusal:
    """The answer of work, or why there is none; a signal to end ends the process."""
    try:
        with ended_by_signals():
            return work(held(), *args, **named)
    except CaptioningError as error:
        return Refusal(error.text("ko"), error.text("en"))
    except Ended as ended:
        os._exit(128 + int(ended.args[0]))


def about(holds: Held) -> dict[str, Any]:
    """What the captioner file says of itself, without the bookkeeping of its parts."""
    parts = ("sha256", "arrays", "weights", "graphs")
    kept = {key: value for key, value in holds.captioner.about.items() if key not in parts}
    return {"captioner": holds.model.name, "parameters": holds.captioner.parameters, **kept}


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
