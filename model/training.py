"""Training: teacher forcing, early stopping on decoded CIDEr-D, exact resume, a run log.

A run folder holds log.csv (a line an epoch) and its curves (model/curves.py), last.npz
(everything to go on exactly), best.npz (the averaged weights of the best epoch), options.json.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from model.beam import BeamOptions
from model.cider import CiderD
from model.config import CaptionerConfig
from model.curves import write_curves
from model.decoding import decode
from model.ensemble import decoder_of
from model.estimate import estimate
from model.growing import grown
from model.lesson import (
    AveragedAdam,
    Lesson,
    copied,
    cosine,
    inputs,
    precision,
    scope_of,
    step_of,
    strategy_of,
)
from model.network import Decoder, start_network, step_network
from model.runs import Log, Weights, claim, load, load_log, readable, save, write_log
from model.train_options import TrainOptions
from preprocess.dataset import Batch, Dataset, batches
from preprocess.korean import forms
from preprocess.vocabulary import Vocabulary


def fit(
    data: Dataset, train: Sequence[int], held: Sequence[int], options: TrainOptions, run: Path,
    begun: tuple[Decoder, Vocabulary] | None = None,
) -> tuple[Decoder, Vocabulary, dict[str, Any]]:  # fmt: skip
    """Trains in the folder `run`, or goes on there exactly where an interrupted run stopped.

    Args:
        data: pictures and captions.
        train: rows to learn.
        held: rows that choose the best epoch.
        options: how.
        run: the run folder.
        begun: a trained decoder to go on from, whose vocabulary grows by the words of `train`.

    Returns:
        The decoder with its best averaged weights, its vocabulary, and the log's best line.
    """
    claim(run, asdict(options))
    sentences = [s for r in train for s in data.sentences[r]]
    if begun is None:
        vocabulary = Vocabulary.build(sentences, options.min_count)
        trainer = Trainer(data, train, held, vocabulary, options)
        if options.vectors and not (run / "last.npz").exists():
            from model.vectors import give_vectors  # and gensim, which takes a second

            give_vectors(trainer.decoder, vocabulary, sentences, options.seed)
    else:
        decoder, vocabulary = grown(*begun, sentences, options.min_count, options.motion)
        trainer = Trainer(data, train, held, vocabulary, options, decoder)
    return run_epochs(trainer, run)


def run_epochs(trainer: "Trainer", run: Path) -> tuple[Decoder, Vocabulary, dict[str, Any]]:
    """Epoch after epoch until the sentences no longer get better; what fit returns."""
    trainer.prepare()
    options, log = trainer.options, _resume(run, trainer)
    if not _finished(log, options):
        print(estimate(trainer, run, options.epochs - len(log)), flush=True)
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
    trainer.show(load(run / "best.npz", "averaged"))
    return trainer.decoder, trainer.vocabulary, log[-1] if options.everything else _best(log)


def _best(log: Log) -> dict[str, float]:
    return max(log, key=lambda entry: entry["cider_d"], default={"cider_d": -1.0})


class Trainer:
    """A decoder, its optimizer and the way through one epoch.

    Attributes:
        decoder: in float32; holds the averaged weights whenever they are looked at.
        lesson: what learns, in the precision and on the devices that were asked for.
    """

    def __init__(
        self, data: Dataset, train: Sequence[int], held: Sequence[int],
        vocabulary: Vocabulary, options: TrainOptions, begun: Decoder | None = None,
    ) -> None:  # fmt: skip
        keras.utils.set_random_seed(options.seed)
        self.data, self.train, self.options = data, train, options
        self.held, self.vocabulary = _some(held, options.check), vocabulary
        regions, width = data.features.shape[2:]
        config = CaptionerConfig(
            len(vocabulary), regions, width, options.embedding, options.hidden, options.hidden,
            options.hidden // 2, attend=options.attend, merge=options.merge, motion=options.motion,
        )  # fmt: skip
        self.decoder = decoder_of(replace(begun.config, regions=regions) if begun else config)
        if begun:
            self.decoder.set_weights(begun.get_weights())
        self.taught: list[keras.Model] = [self.decoder]  # what the averages are of, in float32
        self.rates = [options.learning_rate]
        self.networks = start_network(self.decoder), step_network(self.decoder)
        references = [forms(data.sentences[row]) for row in self.held]
        self.cider = CiderD(references)
        self.smoothing = options.smoothing

    def prepare(self) -> None:
        """Makes what learns: twins of `taught`, in the precision and on the devices asked for."""
        o, strategy = self.options, strategy_of(self.options.devices)
        with scope_of(strategy), precision(o.precision):
            twins = [decoder_of(self.decoder.config), *map(copied, self.taught[1:])]
            twins[0].set_weights(self.decoder.get_weights())
            steps = max(1, len(self.train) // o.batch)
            adam = AveragedAdam(cosine(o.learning_rate, steps, o.epochs), o.average)
            shares = [rate / o.learning_rate for rate in self.rates]
            groups = [twin.trainable_variables for twin in twins]
            adam.learn(list(zip(groups, shares, strict=True)))
            self.twins, self.adam = twins, adam
            self.variables = [v for group in groups for v in group]
            scaled = o.precision == "mixed_float16"
            optimizer = keras.optimizers.LossScaleOptimizer(adam) if scaled else adam
            optimizer.build(self.variables)
        with scope_of(strategy):
            self.lesson = Lesson(twins, self.smoothing)
            self.lesson.compile(optimizer=optimizer)
        self.optimizer, self.step = optimizer, step_of(self.lesson, strategy)

    def epoch(self, number: int) -> dict[str, float]:
        """One pass over the training pictures and one decoding of the held-out ones."""
        o, started = self.options, time.monotonic()
        self.begin_epoch(number)
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

    def begin_epoch(self, number: int) -> None:
        """What is drawn in an epoch depends on seed and epoch alone, so that a run resumes."""

    def prepared(self, found: Iterator[Batch]) -> Iterator[Batch]:
        """The batches as `learn` wants them; here as they are."""
        return found

    def held_regions(self) -> tuple[npt.NDArray[Any], npt.NDArray[np.intp]]:
        """The held-out shots as decode wants them."""
        return self.data.regions(self.held, [0] * len(self.held))

    def learn(self, batch: Batch) -> float:
        """One step on a batch; what the log calls its loss."""
        return self.step(inputs(batch), batch.targets, batch.weights / batch.weights.sum())

    def check(self) -> tuple[float, float]:
        """CIDEr-D of what the averaged weights say of the held-out pictures, and its variety."""
        self.show(self.averaged())
        shots = self.held_regions()
        said = decode(shots, self.vocabulary, self.networks, BeamOptions(beam=3))
        scores = self.cider.scores(said, range(len(said)))
        return float(np.mean(scores)), len(set(map(tuple, said))) / max(1, len(said))

    def averaged(self) -> Weights:
        """The moving averages of the weights, in the order of `variables`."""
        return [ops.convert_to_numpy(mean) for mean in self.adam.averages]

    def show(self, weights: Weights) -> None:
        """Gives the networks outside of the lesson these weights."""
        variables = [v for network in self.taught for v in network.trainable_variables]
        for variable, value in zip(variables, weights, strict=True):
            variable.assign(value)
        for network, twin in zip(self.taught, self.twins, strict=True):  # e.g. of normalizations
            pairs = zip(network.non_trainable_variables, twin.non_trainable_variables, strict=True)
            for variable, value in pairs:
                variable.assign(ops.convert_to_numpy(value))

    def state(self) -> Weights:
        """Everything the next step depends on: weights, dropout seeds, optimizer, averages."""
        return [ops.convert_to_numpy(v) for v in self._everything()]

    def set_state(self, state: Weights) -> None:
        """The inverse of state."""
        for variable, value in zip(self._everything(), state, strict=True):
            variable.assign(value)

    def _everything(self) -> list[Any]:
        return [*self.lesson.variables, *self.optimizer.variables]


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
