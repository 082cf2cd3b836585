"""Fine-tuning: the encoder's last blocks learn with the decoder, on stills seen as film frames.

The first blocks stay as ImageNet left them and run outside of TensorFlow. B pictures at a time,
R regions, D feature width.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from model.bounds import RATE, SOME, check_bounds
from model.network import Decoder
from model.runs import claim
from model.train_options import TrainOptions
from model.training import Trainer, run_epochs
from preprocess.augment import film_frame
from preprocess.dataset import Batch, Dataset
from preprocess.encoder import halves
from preprocess.graph import seeing
from preprocess.pictures import Picture, read_picture, to_square
from preprocess.vocabulary import Vocabulary

CHUNK = 32  # held-out pictures through the encoder at a time


@dataclass(frozen=True)
class TuneOptions:
    """How encoder and decoder are trained on together.

    Attributes:
        tune_epochs: most epochs; 0 leaves this stage out.
        tune_rate: the decoder's highest learning rate.
        encoder_rate: the encoder's.
        tune_after: the encoder's layers up to this one stay as they are.
    """

    tune_epochs: int = 0
    tune_rate: float = 4e-4
    encoder_rate: float = 1e-4
    tune_after: str = "block14_add"

    def __post_init__(self) -> None:
        check_bounds(self, {"tune_epochs": SOME, "tune_rate": RATE, "encoder_rate": RATE})


def fit_tuned(
    data: Dataset, train: Sequence[int], held: Sequence[int],
    start: tuple[keras.Model, Decoder, Vocabulary],
    options: tuple[TrainOptions, TuneOptions], run: Path,
) -> tuple[Decoder, Vocabulary, dict[str, Any]]:  # fmt: skip
    """As training.fit, from a trained decoder; the given encoder is changed in place.

    Raises:
        SettingError: an option has a value that cannot be used.
    """
    encoder, decoder, vocabulary = start
    plain, tune = options
    plain = replace(plain, epochs=tune.tune_epochs, learning_rate=tune.tune_rate)
    claim(run, {**asdict(plain), **asdict(tune)})
    trainer = TuneTrainer(data, train, held, vocabulary, plain, decoder)
    trainer.begin(encoder, tune)
    return run_epochs(trainer, run)


class TuneTrainer(Trainer):
    """Teaches the decoder and the encoder's last blocks, from the pictures themselves."""

    def begin(self, encoder: keras.Model, tune: TuneOptions) -> None:
        """Starts from a trained encoder."""
        first, self.upper = halves(encoder, tune.tune_after)
        self.side = int(encoder.input_shape[1])
        self.lower = seeing(first)
        self.taught.append(self.upper)
        self.rates.append(tune.encoder_rate)
        frames = (self._square(self._picture(path)) for path in self._held_pictures())
        self._held = np.concatenate([self._below(frame[None]) for frame in frames])

    def begin_epoch(self, number: int) -> None:
        """Draws anew: how pictures are changed."""
        self._random = np.random.default_rng([self.options.seed, number, 2])

    def prepared(self, found: Iterator[Batch]) -> Iterator[Batch]:
        """Batches with what the encoder's frozen half makes of their pictures."""
        return ahead(map(self._look, found))

    def held_regions(self) -> tuple[npt.NDArray[Any], npt.NDArray[np.intp]]:
        """The held-out shots, of the encoder as it is now."""
        chunks = range(0, len(self._held), CHUNK)
        held = (self._held[i : i + CHUNK].astype(np.float32) for i in chunks)
        seen = map(self.upper.predict_on_batch, held)
        regions = np.concatenate([np.asarray(part, np.float16) for part in seen])
        counts = [len(self._shown(row)) for row in self.held]
        starts = np.cumsum([0, *counts[:-1]])
        n = max(counts)
        at = [
            [s + t if t < c else s for t in range(n)] for s, c in zip(starts, counts, strict=True)
        ]
        return regions[np.array(at)], np.array(counts)

    def _held_pictures(self) -> Iterator[str]:
        return (path for row in self.held for path in self._shown(row))

    def _shown(self, row: int) -> tuple[str, ...]:
        """A sample's frames in order of time."""
        return self.data.samples[row].shown

    def _look(self, batch: Batch) -> Batch:
        n = int(batch.frames.max())
        seen = []
        for row, view in zip(batch.rows, batch.views, strict=True):
            paths = self._shown(int(row))
            looks = [film_frame(self._picture(p), self.side, self._random) for p in paths]
            looks = [look[:, ::-1] if view % 2 else look for look in looks]
            seen += looks + looks[:1] * (n - len(looks))
        below = self._below(np.stack(seen))
        return replace(batch, regions=below.reshape(-1, n, *below.shape[1:]))

    def _below(self, frames: Picture) -> npt.NDArray[np.float16]:
        """uint8 (B, S, S, 3) through the frozen half."""
        return np.asarray(self.lower(frames.astype(np.float32)), np.float16)

    def _square(self, picture: Picture) -> Picture:
        return to_square(picture, self.side)

    def _picture(self, path: str) -> Picture:
        return read_picture(Path(path))


def ahead(found: Iterator[Batch]) -> Iterator[Batch]:
    """The same items in the same order; the next one is made while one is in use."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, found, None)
        while (item := coming.result()) is not None:
            coming = pool.submit(next, found, None)
            yield item
