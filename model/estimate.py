"""How long a stage will take and what it will write, from a few of its own steps."""

import itertools
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from model.runs import Weights
from preprocess.dataset import BUCKET, Batch, Dataset, batches
from preprocess.files import check_room
from preprocess.vocabulary import Vocabulary

STEPS = 3  # that are timed, after one that traces the graph
COPIES = 3  # last.npz, the one that replaces it, and best.npz with its own


class Trainer(Protocol):
    """Of model.training.Trainer, what is needed here."""

    data: Dataset
    train: Sequence[int]
    vocabulary: Vocabulary
    options: Any

    def state(self) -> Weights:
        """Everything the next step depends on."""

    def set_state(self, state: Weights) -> None:
        """The inverse of state."""

    def begin_epoch(self, number: int) -> None:
        """Draws anew."""

    def prepared(self, found: Iterator[Batch]) -> Iterator[Batch]:
        """Batches as `learn` wants them."""

    def learn(self, batch: Batch) -> float:
        """One step."""


def estimate(trainer: Trainer, run: Path, epochs: int) -> str:
    """One line for the terminal; the trainer is afterwards as it was before.

    Args:
        trainer: prepared.
        run: where it will write.
        epochs: most that are still to come.

    Raises:
        OutputError: there is no room for what will be written.
    """
    state = trainer.state()
    size = COPIES * sum(array.nbytes for array in state)
    check_room(run, size)
    first, step = _timed(trainer)
    trainer.set_state(state)
    steps = max(1, len(trainer.train) // trainer.options.batch)
    seconds = epochs * steps * step + _lengths(trainer) * max(0.0, first - step)
    return (
        f"어림 (estimate): {spoken(seconds)} = {epochs} x {steps:,} x {step:.2f} s; "
        f"{run} {size / 1e9:.2f} GB"
    )


def _timed(trainer: Trainer) -> tuple[float, float]:
    """Seconds that the first step takes, which traces its graph, and one after it."""
    o, random = trainer.options, np.random.default_rng(0)
    batch = next(
        batches(
            trainer.data, trainer.train, trainer.vocabulary, o.batch, o.sentences, o.longest, random
        )
    )
    trainer.begin_epoch(0)
    ends = [time.monotonic()]
    for one in trainer.prepared(itertools.repeat(batch, STEPS + 1)):
        trainer.learn(one)
        ends.append(time.monotonic())
    return ends[1] - ends[0], (ends[-1] - ends[1]) / STEPS


def _lengths(trainer: Trainer) -> int:
    """How many lengths batches have: each has its graph."""
    longest = trainer.options.longest
    sentences = (s for row in trainer.train for s in trainer.data.sentences[row])
    return len({min(len(s) // BUCKET, longest // BUCKET) for s in sentences})


def spoken(seconds: float) -> str:
    """About how long that is, in Korean and English."""
    if seconds < 90:
        return f"약 {seconds:.0f}초 ({seconds:.0f} s)"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"약 {minutes}분 ({minutes} min)"
    hours, rest = divmod(minutes, 60)
    return f"약 {hours}시간 {rest}분 ({hours} h {rest} min)"
