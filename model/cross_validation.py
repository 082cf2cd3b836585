"""k-fold cross-validation: every group of pictures is held out once."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from model.beam import BeamOptions
from model.decoding import decode
from model.metrics import score_all, signature
from model.network import Decoder, start_network, step_network
from model.runs import write_log
from model.train_options import TrainOptions
from model.training import fit
from preprocess.dataset import Dataset, folds
from preprocess.korean import forms
from preprocess.vocabulary import Vocabulary

SIZE = 64  # pictures decoded at a time


def cross_validate(
    data: Dataset, rows: Sequence[int], k: int, options: TrainOptions, run: Path,
    begun: tuple[Decoder, Vocabulary] | None = None,
) -> dict[str, tuple[float, float]]:  # fmt: skip
    """Trains k times, each time holding out another fold of whole groups; mean and deviation.

    Each fold has its own folder in `run` and can be interrupted and resumed like any training;
    folds.csv has a line a fold. All pictures of a fold are decoded and scored against each other's
    references, so figures of folds of another size are no figures to compare with.
    """
    lines: list[dict[str, float]] = []
    for number, (train, held) in enumerate(folds(data.samples, rows, k), 1):
        print(f"fold {number}/{k}: {len(train):,} + {len(held):,}", flush=True)
        decoder, vocabulary, best = fit(data, train, held, options, run / f"fold{number}", begun)
        scores = _scores(data, held, decoder, vocabulary)
        lines.append({"fold": number, "epoch": best["epoch"], "loss": best["loss"], **scores})
        write_log(run / "folds.csv", lines)
    names = [name for name in lines[0] if name != "fold"]
    summary = {name: _spread([line[name] for line in lines]) for name in names}
    for name, (mean, deviation) in summary.items():
        print(f"{name}: {mean:.3f} ± {deviation:.3f}")
    references = [forms(data.sentences[row]) for row in rows]
    print(signature("CIDEr-D", data.settings["tagger"], references, f"{k}-fold-references"))
    return summary


def _scores(
    data: Dataset, held: Sequence[int], decoder: Decoder, vocabulary: Vocabulary
) -> dict[str, float]:
    """Every figure of the held-out pictures, decoded by the beam search that ships."""
    networks = start_network(decoder), step_network(decoder)
    said: list[list[str]] = []
    for start in range(0, len(held), SIZE):  # never all features in memory
        some = held[start : start + SIZE]
        shots = data.regions(some, [0] * len(some))
        said += decode(shots, vocabulary, networks, BeamOptions())
    found = score_all(said, [forms(data.sentences[row]) for row in held])
    bleu = {f"bleu_{order}": value for order, value in enumerate(found.bleu, 1)}
    own = {name: getattr(found, name) for name in ("rouge_l", "cider_d", "distinct", "length")}
    return bleu | own


def _spread(values: Sequence[float]) -> tuple[float, float]:
    return float(np.mean(values)), float(np.std(values, ddof=1))
