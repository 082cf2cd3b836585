"""Batched beam search in numpy; knows no Keras and no Korean.

B items are searched at once with k beams each; V vocabulary, t tokens so far.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from preprocess.errors import SettingError
from preprocess.vocabulary import END, PAD, START, UNKNOWN

State = tuple[npt.NDArray[Any], ...]  # arrays of shape (B, k, ...): one row a beam
Step = Callable[[npt.NDArray[np.int32], State], tuple[npt.NDArray[np.float32], State]]


@dataclass(frozen=True)
class BeamOptions:
    """How sentences are searched.

    Attributes:
        beam: beams an item.
        length_power: a sentence's log-probability is divided by its length to this power.
        max_tokens: longest sentence, END included.
        no_repeat: no run of this many tokens occurs twice (Paulus et al. 2018), and none twice in
            a row; 0: off.
    """

    beam: int = 6
    length_power: float = 1.1
    max_tokens: int = 26
    no_repeat: int = 2

    def __post_init__(self) -> None:
        if self.beam < 1 or self.max_tokens < 1 or self.no_repeat < 0 or self.length_power < 0:
            raise SettingError(
                f"쓸 수 없는 설정: {self}. 빔과 길이는 1 이상, 나머지는 0 이상이어야 합니다.",
                f"unusable: {self}. Beam and length need 1 or more, the rest 0 or more.",
            )


@dataclass(frozen=True)
class Hypothesis:
    """A finished sentence.

    Attributes:
        tokens: its ids without START and END.
        score: log-probability over length ** length_power.
        log_probability: summed, END included.
        rows: the beam row that produced each token and END (for looking up attention).
    """

    tokens: tuple[int, ...]
    score: float
    log_probability: float
    rows: tuple[int, ...]


def beam_search(step: Step, state: State, options: BeamOptions) -> list[list[Hypothesis]]:
    """Each item's best sentences, best first, at least one and at most `beam` of them.

    Args:
        step: (tokens int32 (B, k), state) -> (log-probabilities (B, k, V), new state).
        state: the state before the first token, all k rows of an item alike.
        options: width, length and normalization.
    """
    search = _Search(len(state[0]), options)
    for _ in range(options.max_tokens):
        log_probabilities, state = step(search.last, state)
        parents = search.advance(log_probabilities)
        if search.done:
            break
        state = tuple(np.stack([a[b][p] for b, p in enumerate(parents)]) for a in state)
    return search.results()


class _Search:
    """The beams of all items: scores (B, k), tokens and rows so far (B, k, t)."""

    def __init__(self, items: int, options: BeamOptions) -> None:
        self.options, k = options, options.beam
        self.scores = np.full((items, k), -np.inf)
        self.scores[:, 0] = 0.0  # the rows start alike: only one may branch
        self.tokens = np.full((items, k, 1), START, np.int32)
        self.rows = np.zeros((items, k, 0), np.int32)
        self.finished: list[list[Hypothesis]] = [[] for _ in range(items)]

    @property
    def last(self) -> npt.NDArray[np.int32]:
        return self.tokens[:, :, -1]

    @property
    def done(self) -> bool:
        return all(self._closed(b) for b in range(len(self.finished)))

    def _closed(self, item: int) -> bool:
        full = len(self.finished[item]) >= self.options.beam
        return full or not np.isfinite(self.scores[item]).any()

    def advance(self, log_probabilities: npt.NDArray[np.float32]) -> npt.NDArray[np.intp]:
        """Extends every item's beams by one token; the parent row of each new row, (B, k)."""
        items, k, size = log_probabilities.shape
        totals = self.scores[:, :, None] + log_probabilities.astype(np.float64)
        totals[:, :, [PAD, START, UNKNOWN]] = -np.inf
        self._forbid_repeats(totals)
        flat = totals.reshape(items, -1)
        best = _largest(flat, 2 * k)  # k could all be endings: then k others go on
        old = (self.tokens, self.rows)
        self.scores = np.full((items, k), -np.inf)
        chosen = np.zeros((items, k), np.intp)
        for b in range(items):
            chosen[b] = self._choose(b, best[b], flat[b], size, old)
        parents = chosen // size
        gather = parents[:, :, None]
        self.tokens = np.concatenate(
            [np.take_along_axis(old[0], gather, 1), (chosen % size)[:, :, None].astype(np.int32)], 2
        )
        grown = [np.take_along_axis(old[1], gather, 1), gather.astype(np.int32)]
        self.rows = np.concatenate(grown, 2)
        rows: npt.NDArray[np.intp] = parents
        return rows

    def _choose(
        self,
        b: int,
        candidates: npt.NDArray[np.intp],
        totals: npt.NDArray[np.float64],
        size: int,
        old: tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]],
    ) -> npt.NDArray[np.intp]:
        """Item b's next k rows as flat indices; endings among its best go to `finished`."""
        k, kept = self.options.beam, np.zeros(self.options.beam, np.intp)
        if self._closed_before(b):
            return kept
        filled = 0
        for rank, index in enumerate(candidates):
            total = float(totals[index])
            if not np.isfinite(total) or filled == k:
                break
            if index % size == END:
                if rank < k and len(self.finished[b]) < k:
                    row = index // size
                    self._finish(b, old[0][b, row], [*old[1][b, row], row], total)
            else:
                kept[filled], self.scores[b, filled] = index, total
                filled += 1
        return kept

    def _closed_before(self, b: int) -> bool:
        return len(self.finished[b]) >= self.options.beam

    def _finish(self, b: int, tokens: Any, rows: list[Any], total: float) -> None:
        ids = tuple(int(t) for t in tokens[1:])
        score = total / (len(ids) + 1) ** self.options.length_power
        self.finished[b].append(Hypothesis(ids, score, total, tuple(int(r) for r in rows)))

    def _forbid_repeats(self, totals: npt.NDArray[np.float64]) -> None:
        n = self.options.no_repeat
        if not n:
            return
        for b, k in np.argwhere(np.isfinite(self.scores)):
            words = self.tokens[b, k, 1:].tolist()
            tail = words[max(0, len(words) - n + 1) :]
            runs = range(len(words) - n + 1)
            again = [words[i + n - 1] for i in runs if words[i : i + n - 1] == tail]
            totals[b, k, again + words[-1:]] = -np.inf

    def results(self) -> list[list[Hypothesis]]:
        """Finished sentences, best first; an item without one gives its best unfinished beam."""
        for b, found in enumerate(self.finished):
            if not found:
                row = int(np.argmax(self.scores[b]))
                total = max(float(self.scores[b, row]), -1e9)
                self._finish(b, self.tokens[b, row], list(self.rows[b, row]), total)
            found.sort(key=lambda hypothesis: -hypothesis.score)
        return self.finished


def _largest(values: npt.NDArray[np.float64], count: int) -> npt.NDArray[np.intp]:
    """Indices of the `count` largest of each row, largest first; ties by lower index."""
    if count >= values.shape[1]:
        return np.argsort(-values, axis=1, kind="stable")
    part = np.sort(np.argpartition(-values, count, axis=1)[:, :count], axis=1)
    order = np.argsort(-np.take_along_axis(values, part, 1), axis=1, kind="stable")
    return np.take_along_axis(part, order, 1)
