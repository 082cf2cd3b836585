"""A data folder as arrays: captions as ids, features by row, batches with weights.

B samples a batch, n frames a sample (1 of a photo), k sentences a sample, T tokens, R regions,
D feature width.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from preprocess.errors import DataError
from preprocess.korean import Morpheme
from preprocess.morphemes import Sentences, read_morphemes
from preprocess.records import Sample, in_time, read_samples, stills
from preprocess.shards import Features, open_features
from preprocess.vocabulary import PAD, Vocabulary

BUCKET = 4  # lengths are rounded up to this, so that few graphs are traced
CHUNK = 24  # batches sorted by length together
NO_FEATURES = np.zeros((0, 2, 0, 0), np.float16)


@dataclass(frozen=True, eq=False)
class Dataset:
    """What `python -m preprocess` wrote: row i is samples[i].

    Attributes:
        samples: the pictures and their captions.
        sentences: their morphemes, in the same order.
        features: float16 (pictures, V, R, D), the views of each picture that `stills` lists, on
            the disk; odd ones are mirrored.
        settings: dataset.json: tagger, encoder, side, what was read and dropped.
    """

    samples: tuple[Sample, ...]
    sentences: tuple[Sentences, ...]
    features: Features | npt.NDArray[np.float16]
    settings: dict[str, Any]

    def rows(self, split: str, within: str = "") -> list[int]:
        """The rows of a split, of the sets whose key begins with `within`."""
        return [
            i for i, s in enumerate(self.samples) if s.split == split and s.key.startswith(within)
        ]

    def shown(self, row: int) -> tuple[int, ...]:
        """Where in `features` the frames of a sample are, in order of time."""
        start, end = self._bounds[row : row + 2]
        return in_time(range(start, end))

    @cached_property
    def _bounds(self) -> list[int]:
        counts = [len(sample.shown) for sample in self.samples]
        return [0, *np.cumsum(counts, dtype=int).tolist()]

    def regions(
        self, rows: Sequence[int], views: Sequence[int]
    ) -> tuple[npt.NDArray[np.float16], npt.NDArray[np.intp]]:
        """The frames of samples: float16 (B, n, R, D), and int (B,) how many of each are real.

        Args:
            rows: the samples.
            views: which view of each.
        """
        shown = [self.shown(row) for row in rows]
        counts = np.array([len(frames) for frames in shown])
        n = int(counts.max())
        padded = [frame for frames in shown for frame in frames + frames[:1] * (n - len(frames))]
        seen = self.features[padded, np.repeat(views, n)]
        return seen.reshape(len(rows), n, *seen.shape[1:]), counts


def load(folder: Path, features: bool = True) -> Dataset:
    """Opens a data folder.

    Args:
        folder: what `python -m preprocess --out` named.
        features: False leaves them closed, for who looks at the pictures themselves.

    Raises:
        DataError: the folder is not one, or preprocessing has not finished.
    """
    try:
        settings = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
        settings["tagger"], settings["side"]  # what nobody can do without
        samples = tuple(read_samples(folder / "samples.jsonl"))
        analysed = tuple(read_morphemes(folder / "tokens.jsonl"))
        keys: list[str] = []
        seen: Features | npt.NDArray[np.float16] = NO_FEATURES
        if features:
            keys, seen = open_features(folder / "features")
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise DataError(
            f"'{folder}'은(는) 완성된 데이터 폴더가 아닙니다 ({error}). "
            "python -m preprocess를 다시 하세요.",
            f"'{folder}' is not a finished data folder ({error}). Run python -m preprocess again.",
        ) from None
    named = [(s.key, len(s.captions)) for s in samples]
    same = named == [(key, len(sentences)) for key, sentences in analysed]
    if not same or (features and keys != [still.key for still in stills(samples)]):
        raise DataError(
            f"'{folder}'의 파일들이 서로 맞지 않습니다. python -m preprocess를 다시 하세요.",
            f"the files of '{folder}' do not belong together. Run python -m preprocess again.",
        )
    return Dataset(samples, tuple(s for _, s in analysed), seen, settings)


def mirrored(sentence: Sequence[Morpheme]) -> tuple[Morpheme, ...]:
    """The sentence for the mirror image: 왼쪽 and 오른쪽 change places."""
    return tuple(Morpheme(_mirror(m.form), m.tag, m.spaced) for m in sentence)


def _mirror(form: str) -> str:
    if form.startswith("왼"):
        return "오른" + form[1:]
    return "왼" + form[2:] if form.startswith("오른") else form


@dataclass(frozen=True, eq=False)
class Batch:
    """One step of teacher forcing.

    Attributes:
        regions: float16 (B, n, R, D), frames in order of time; a sample of fewer repeats its first.
        frames: int (B,), how many of the n are real.
        tokens: int32 (B, k, T), START first.
        targets: int32 (B, k, T), END last.
        weights: float32 (B, k, T), 1 where the target is a token.
        rows: int (B,), the samples' rows.
        views: int (B,), which view of each picture it is; odd ones are mirrored.
    """

    regions: npt.NDArray[np.float16]
    frames: npt.NDArray[np.intp]
    tokens: npt.NDArray[np.int32]
    targets: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float32]
    rows: npt.NDArray[np.intp]
    views: npt.NDArray[np.intp]


def batches(
    data: Dataset,
    rows: Sequence[int],
    vocabulary: Vocabulary,
    size: int,
    sentences: int,
    longest: int,
    random: np.random.Generator,
) -> Iterator[Batch]:
    """One epoch: every row once, `sentences` of its captions, one view of all its frames.

    Pictures with captions of like length meet in a batch, so that little is padding. Batches are
    full: of more rows than a batch, what fills none (fewer than `size` a CHUNK) waits for another
    epoch.
    """
    picks = [_pick(data, row, sentences, random) for row in random.permutation(rows)]
    ordered: list[list[tuple[int, int, list[tuple[Morpheme, ...]]]]] = []
    for start in range(0, len(picks), size * CHUNK):
        chunk = sorted(picks[start : start + size * CHUNK], key=_length)
        ordered += [chunk[i : i + size] for i in range(0, len(chunk) - size + 1, size)] or [chunk]
    for number in random.permutation(len(ordered)):
        yield _batch(data, ordered[number], vocabulary, longest)


def _pick(
    data: Dataset, row: int, count: int, random: np.random.Generator
) -> tuple[int, int, list[tuple[Morpheme, ...]]]:
    """(row, view, sentences): captions of a picture in random order, repeated if too few."""
    captions, view = data.sentences[row], int(random.integers(data.features.shape[1]))
    order = [int(i) for i in random.permutation(len(captions))]
    chosen = [captions[order[i % len(order)]] for i in range(count)]
    return int(row), view, [mirrored(c) if view % 2 else c for c in chosen]


def _length(pick: tuple[int, int, list[tuple[Morpheme, ...]]]) -> int:
    return max(len(sentence) for sentence in pick[2])


def _batch(
    data: Dataset,
    picks: Sequence[tuple[int, int, list[tuple[Morpheme, ...]]]],
    vocabulary: Vocabulary,
    longest: int,
) -> Batch:
    length = min(-(-(max(map(_length, picks)) + 1) // BUCKET) * BUCKET, longest)
    ids = np.stack([[vocabulary.encode(s, length + 1) for s in texts] for _, _, texts in picks])
    targets = ids[:, :, 1:]
    weights = (targets != PAD).astype(np.float32)
    rows, views = (np.array([pick[i] for pick in picks]) for i in (0, 1))
    regions, frames = data.regions(rows.tolist(), views.tolist())
    return Batch(regions, frames, ids[:, :, :-1], targets, weights, rows, views)


def folds(
    samples: Sequence[Sample], rows: Sequence[int], k: int
) -> list[tuple[list[int], list[int]]]:
    """K pairs (train rows, held-out rows); a group is never split. Deterministic by group name."""
    groups = sorted({samples[row].group for row in rows})
    order = np.random.default_rng(0).permutation(len(groups))
    fold_of = {groups[g]: i % k for i, g in enumerate(order)}
    parts: list[list[int]] = [[] for _ in range(k)]
    for row in rows:
        parts[fold_of[samples[row].group]].append(row)
    return [([r for j in range(k) if j != i for r in parts[j]], parts[i]) for i in range(k)]
