"""Training: teacher forcing, early stopping on decoded CIDEr-D, exact resume, a run log.

A run folder holds log.csv (a line an epoch) and its curves (model/curves.py), last.npz
(everything to go on exactly), best.npz (the averaged weights of the best epoch), options.json.
"""

import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from keras import ops

from model.beam import BeamOptions
from model.cider import CiderD
from model.curves import write_curves
from model.decoding import decode
from model.ensemble import decoder_of
from model.network import CaptionerConfig, Decoder, start_network, step_network
from model.runs import Log, Weights, claim, load, load_log, readable, save, write_log
from preprocess.dataset import Batch, Dataset, batches
from preprocess.errors import SettingError
from preprocess.korean import forms
from preprocess.vocabulary import Vocabulary


@dataclass(frozen=True)
class TrainOptions:
    """How a decoder is trained.

    Attributes:
        epochs: most epochs; the learning rate falls to zero over them (cosine).
        batch: pictures a step.
        sentences: captions of each picture a step, drawn anew every epoch.
        min_count: rarer morphemes become UNKNOWN.
        smoothing: label smoothing (Szegedy et al. 2016).
        average: momentum of the moving average of the weights, the ones that are kept.
        patience: epochs without a better CIDEr-D before training ends.
        check: held-out pictures decoded after each epoch.
        hidden: width of the LSTM and of what it sees.
        embedding: width of a morpheme's vector.
        attend: False trains the comparison without attention (mean feature alone).
        merge: True trains the comparison whose LSTM never sees the picture (model/merge.py).
        everything: True is for training on the held-out pictures too, for as many epochs as folds
            chose: nothing is left to choose an epoch by, so the last one is kept.
    """

    epochs: int = 18
    batch: int = 64
    sentences: int = 3
    learning_rate: float = 1e-3
    min_count: int = 5
    smoothing: float = 0.1
    average: float = 0.995
    patience: int = 5
    check: int = 512
    longest: int = 24
    hidden: int = 512
    embedding: int = 384
    attend: bool = True
    merge: bool = False
    everything: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        free = ("attend", "merge", "everything", "seed", "smoothing")
        low = [f.name for f in fields(self) if f.name not in free and getattr(self, f.name) <= 0]
        if low:
            name, value = low[0], getattr(self, low[0])
            raise SettingError(
                f"학습 설정 {name}은(는) 0보다 커야 합니다: {value}.",
                f"training option {name} must be above 0: {value}.",
            )


def smoothed_loss(targets: Any, logits: Any, weights: Any, smoothing: float) -> Any:
    """Mean cross-entropy a token against the target mixed with the uniform distribution.

    Args:
        targets: int32 (B, k, T).
        logits: float32 (B, k, T, V).
        weights: float32 (B, k, T), 0 where the target is padding.
        smoothing: share of the uniform distribution (Szegedy et al. 2016, section 7).
    """
    log_probabilities = ops.log_softmax(ops.cast(logits, "float32"))
    hit = ops.squeeze(ops.take_along_axis(log_probabilities, ops.expand_dims(targets, -1), -1), -1)
    loss = -(1 - smoothing) * hit - smoothing * ops.mean(log_probabilities, -1)
    return ops.sum(loss * weights) / ops.sum(weights)


def fit(
    data: Dataset, train: Sequence[int], held: Sequence[int], options: TrainOptions, run: Path
) -> tuple[Decoder, Vocabulary, dict[str, Any]]:
    """Trains in the folder `run`, or goes on there exactly where an interrupted run stopped.

    Returns:
        The decoder with its best averaged weights, its vocabulary, and the log's best line.
    """
    claim(run, asdict(options))
    vocabulary = Vocabulary.build((s for r in train for s in data.sentences[r]), options.min_count)
    trainer = Trainer(data, train, held, vocabulary, options)
    return run_epochs(trainer, run)


def run_epochs(trainer: "Trainer", run: Path) -> tuple[Decoder, Vocabulary, dict[str, Any]]:
    """Epoch after epoch until the sentences no longer get better; what fit returns."""
    options, log = trainer.options, _resume(run, trainer)
    while not _finished(log, options):
        line = trainer.epoch(len(log))
        better = options.everything or line["cider_d"] > _best(log)["cider_d"]
        if better:
            save(run / "best.npz", {"averaged": trainer.averaged()})
        log.append(line)
        save(run / "last.npz", {"state": trainer.state()}, log)
        write_log(run / "log.csv", log)
        write_curves(run, log)
        print(readable(line, better), flush=True)
    trainer.set_averaged(load(run / "best.npz", "averaged"))
    return trainer.decoder, trainer.vocabulary, log[-1] if options.everything else _best(log)


def _best(log: Log) -> dict[str, float]:
    return max(log, key=lambda entry: entry["cider_d"], default={"cider_d": -1.0})


class Trainer:
    """A decoder, its optimizer and the way through one epoch."""

    def __init__(
        self, data: Dataset, train: Sequence[int], held: Sequence[int],
        vocabulary: Vocabulary, options: TrainOptions,
    ) -> None:  # fmt: skip
        keras.utils.set_random_seed(options.seed)
        self.data, self.train, self.options = data, train, options
        self.held, self.vocabulary = _some(held, options.check), vocabulary
        regions, width = data.features.shape[2:]
        config = CaptionerConfig(
            len(vocabulary), regions, width, options.embedding, options.hidden, options.hidden,
            options.hidden // 2, attend=options.attend,
            merge=options.merge,
        )  # fmt: skip
        self.decoder = decoder_of(config)
        self.parts: list[tuple[list[Any], keras.optimizers.Optimizer]] = []
        self.average: list[tf.Variable] = []
        self.teach(self.decoder.trainable_variables, options.learning_rate)
        # one graph a sentence length: the recurrence is unrolled
        self.graph = tf.function(self._step)
        self.networks = start_network(self.decoder), step_network(self.decoder)
        references = [forms(data.sentences[row]) for row in self.held]
        self.cider = CiderD(references)

    def teach(self, variables: Sequence[Any], rate: float) -> None:
        """From now on every step changes these too, at their own learning rate."""
        optimizer = _optimizer(rate, self.options, len(self.train))
        optimizer.build(variables)
        self.parts.append((list(variables), optimizer))
        self.average += [tf.Variable(v) for v in variables]

    @property
    def variables(self) -> list[Any]:
        """Everything that is trained, the decoder's first."""
        return [v for variables, _ in self.parts for v in variables]

    def epoch(self, number: int) -> dict[str, float]:
        """One pass over the training pictures and one decoding of the held-out ones."""
        o, started = self.options, time.monotonic()
        random = np.random.default_rng([o.seed, number])
        losses = []
        found = batches(
            self.data, self.train, self.vocabulary, o.batch, o.sentences, o.longest, random
        )
        for batch in self.prepared(found):
            losses.append(self.learn(batch))
        trained = time.monotonic()
        cider, distinct = self.check()
        return {
            "epoch": number + 1,
            "loss": float(np.mean(losses)),
            "cider_d": cider,
            "distinct": distinct,
            "train_s": round(trained - started, 1),
            "check_s": round(time.monotonic() - trained, 1),
        }

    def prepared(self, found: Iterator[Batch]) -> Iterator[Batch]:
        """The batches as `see` wants them; here as they are."""
        return found

    def see(self, regions: Any) -> Any:
        """What the decoder looks at, of what a batch holds; here the same."""
        return regions

    def held_regions(self) -> npt.NDArray[Any]:
        """The held-out pictures' regions: float (N, R, D)."""
        return np.stack([self.data.features[row, 0] for row in self.held])

    def learn(self, batch: Batch) -> Any:
        """One step on a batch; what the log calls its loss."""
        return self.graph(*tensors(batch))

    def loss(self, targets: Any, logits: Any, weights: Any) -> Any:
        """What a step makes smaller."""
        return smoothed_loss(targets, logits, weights, self.options.smoothing)

    def _step(self, regions: Any, tokens: Any, targets: Any, weights: Any) -> Any:
        """One step of gradient descent and of the moving average; the loss."""
        with tf.GradientTape() as tape:
            logits = self.decoder((self.see(regions), tokens), training=True)
            loss = self.loss(targets, logits, weights)
        gradients = iter(tape.gradient(loss, [v.value for v in self.variables]))
        for variables, optimizer in self.parts:
            optimizer.apply(list(itertools.islice(gradients, len(variables))), variables)
        for mean, variable in zip(self.average, self.variables, strict=True):
            mean.assign_add((1 - self.options.average) * (variable.value - mean))
        return loss

    def check(self) -> tuple[float, float]:
        """CIDEr-D of what the averaged weights say of the held-out pictures, and its variety."""
        current = [ops.convert_to_numpy(v) for v in self.variables]
        self.set_averaged(self.averaged())
        regions = self.held_regions()
        said = decode(regions, self.vocabulary, self.networks, BeamOptions(beam=3))
        self.set_averaged(current)
        scores = self.cider.scores(said, range(len(said)))
        return float(np.mean(scores)), len(set(map(tuple, said))) / max(1, len(said))

    def averaged(self) -> Weights:
        """The moving averages of the weights, in the order of `variables`."""
        return [mean.numpy() for mean in self.average]

    def set_averaged(self, weights: Weights) -> None:
        """Trains on from these weights; the optimizers do not notice."""
        for variable, value in zip(self.variables, weights, strict=True):
            variable.assign(value)

    def start_from(self, weights: Weights) -> None:
        """As set_averaged, and the averages begin there too."""
        self.set_averaged(weights)
        for mean, value in zip(self.average, weights, strict=True):
            mean.assign(value)

    def state(self) -> Weights:
        """Everything the next step depends on: weights, dropout seeds, optimizer, average."""
        return [ops.convert_to_numpy(v) for v in self._everything()]

    def set_state(self, state: Weights) -> None:
        """The inverse of state."""
        for variable, value in zip(self._everything(), state, strict=True):
            variable.assign(value)

    def _everything(self) -> list[Any]:
        beside = [v for variables, _ in self.parts[1:] for v in variables]
        moments = [v for _, optimizer in self.parts for v in optimizer.variables]
        return [*self.decoder.variables, *beside, *moments, *self.average]


def tensors(batch: Batch) -> tuple[Any, ...]:
    """A batch as TensorFlow wants it: regions, tokens, targets, weights."""
    regions = tf.constant(batch.regions.astype(np.float32))
    return regions, *map(tf.constant, (batch.tokens, batch.targets, batch.weights))


def _optimizer(rate: float, options: TrainOptions, pictures: int) -> keras.optimizers.Optimizer:
    steps = max(1, pictures // options.batch)
    schedule = keras.optimizers.schedules.CosineDecay(
        rate / 20,
        decay_steps=steps * options.epochs,
        alpha=0.01,
        warmup_target=rate,
        warmup_steps=steps // 2,
    )
    return keras.optimizers.Adam(schedule, clipnorm=5.0)


def _some(rows: Sequence[int], count: int) -> list[int]:
    """The same `count` rows every time, drawn from all over, so that every set is checked."""
    return [rows[i] for i in np.random.default_rng(0).permutation(len(rows))[:count]]


def _finished(log: Sequence[dict[str, float]], options: TrainOptions) -> bool:
    scores = [entry["cider_d"] for entry in log]
    stale = len(scores) - 1 - int(np.argmax(scores)) if scores else 0
    return len(log) >= options.epochs or (stale >= options.patience and not options.everything)


def _resume(run: Path, trainer: Trainer) -> Log:
    if not (run / "last.npz").exists():
        return []
    trainer.set_state(load(run / "last.npz", "state"))
    return load_log(run / "last.npz")
