"""k-fold cross-validation: every group of pictures is held out once."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from model.training import TrainOptions, fit
from preprocess.dataset import Dataset, folds


def cross_validate(
    data: Dataset, rows: Sequence[int], k: int, options: TrainOptions, run: Path
) -> dict[str, tuple[float, float]]:
    """Trains k times, each time holding out another fold of whole groups; mean and deviation.

    Each fold has its own folder in `run` and can be interrupted and resumed like any training.
    """
    best = []
    for number, (train, held) in enumerate(folds(data.samples, rows, k), 1):
        print(f"fold {number}/{k}: {len(train):,} + {len(held):,}", flush=True)
        best.append(fit(data, train, held, options, run / f"fold{number}")[2])
    table = {name: [entry[name] for entry in best] for name in ("cider_d", "loss", "epoch")}
    summary = {n: (float(np.mean(v)), float(np.std(v, ddof=1))) for n, v in table.items()}
    for name, (mean, deviation) in summary.items():
        print(f"{name}: {mean:.3f} ± {deviation:.3f}")
    return summary
