"""Fine-tuning: the encoder's last blocks learn with the decoder, on stills seen as film frames.

The first blocks stay as ImageNet left them and run outside of TensorFlow. B pictures a batch,
R regions, D feature width.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from model.network import Decoder
from model.runs import claim, refuse_below
from model.training import Trainer, TrainOptions, run_epochs
from preprocess.augment import film_frame
from preprocess.dataset import Batch, Dataset
from preprocess.encoder import halves
from preprocess.graph import Session, picture_graph
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
        refuse_below(self, {"tune_epochs": 0, "tune_rate": 1e-9, "encoder_rate": 1e-9})


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
    trainer = TuneTrainer(data, train, held, vocabulary, plain)
    trainer.begin(encoder, decoder, tune)
    return run_epochs(trainer, run)


class TuneTrainer(Trainer):
    """Teaches the decoder and the encoder's last blocks, from the pictures themselves."""

    def begin(self, encoder: keras.Model, decoder: Decoder, tune: TuneOptions) -> None:
        """Starts from a trained encoder and decoder."""
        first, self.upper = halves(encoder, tune.tune_after)
        self.side = int(encoder.input_shape[1])
        self.lower = Session(picture_graph(first))
        self.teach(self.upper.trainable_variables, tune.encoder_rate)
        given = chain(decoder.trainable_variables, self.upper.trainable_variables)
        self.start_from([np.array(v) for v in given])
        squares = (self._square(row) for row in self.held)
        self._held = np.concatenate([self._below(s[None]) for s in squares])

    def epoch(self, number: int) -> dict[str, float]:
        """As Trainer.epoch; how pictures are changed depends on seed and epoch alone."""
        self._random = np.random.default_rng([self.options.seed, number, 2])
        return super().epoch(number)

    def prepared(self, found: Iterator[Batch]) -> Iterator[Batch]:
        """Batches with what the encoder's frozen half makes of their pictures."""
        return ahead(map(self._look, found))

    def see(self, regions: Any) -> Any:
        """The encoder's trained half: its input of B pictures -> (B, R, D)."""
        return self.upper(regions, training=True)

    def held_regions(self) -> npt.NDArray[Any]:
        """The held-out pictures' regions, of the encoder as it is now: float16 (N, R, D)."""
        chunks = range(0, len(self._held), CHUNK)
        held = (self._held[i : i + CHUNK].astype(np.float32) for i in chunks)
        seen = map(self.upper.predict_on_batch, held)
        return np.concatenate([np.asarray(part, np.float16) for part in seen])

    def _look(self, batch: Batch) -> Batch:
        frames = []
        for row, view in zip(batch.rows, batch.views, strict=True):
            frame = film_frame(self._picture(int(row)), self.side, self._random)
            frames.append(frame[:, ::-1] if view % 2 else frame)
        return replace(batch, regions=self._below(np.stack(frames)))

    def _below(self, frames: Picture) -> npt.NDArray[np.float16]:
        """uint8 (B, S, S, 3) through the frozen half."""
        return np.asarray(self.lower(frames.astype(np.float32))[0], np.float16)

    def _square(self, row: int) -> Picture:
        return to_square(self._picture(row), self.side)

    def _picture(self, row: int) -> Picture:
        return read_picture(Path(self.data.samples[row].pictures[0]))


def ahead(found: Iterator[Batch]) -> Iterator[Batch]:
    """The same items in the same order; the next one is made while one is in use."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, found, None)
        while (item := coming.result()) is not None:
            coming = pool.submit(next, found, None)
            yield item
