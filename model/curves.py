"""Curves of a run: curves.png and TensorBoard events, from the lines of its log.

`tensorboard --logdir RUN` shows the events; the picture needs nothing.
"""

from pathlib import Path

import tensorflow as tf

from model.runs import Log
from preprocess.plots import panels

PANELS = {"loss": "loss", "cider_d": "CIDEr-D, held out", "distinct": "distinct / pictures"}


def write_curves(run: Path, log: Log) -> None:
    """Draws the whole log as RUN/curves.png and adds its last line to RUN/tensorboard.

    Args:
        run: the run folder.
        log: its lines so far, at least one; "epoch" counts from 1.
    """
    _draw(run / "curves.png", log)
    _note(run / "tensorboard", log[-1])


def _draw(path: Path, log: Log) -> None:
    figure, drawn = panels(len(PANELS), (4, 3))
    epochs = [line["epoch"] for line in log]
    for axes, (name, title) in zip(drawn, PANELS.items(), strict=True):
        axes.plot(epochs, [line[name] for line in log], marker=".")
        axes.set(title=title, xlabel="epoch", xlim=(0.5, max(2, epochs[-1]) + 0.5))
        axes.locator_params(axis="x", integer=True)
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=100)


def _note(folder: Path, line: dict[str, float]) -> None:
    writer = tf.summary.create_file_writer(str(folder))
    with writer.as_default(step=int(line["epoch"])):
        for name in (*PANELS, "train_s"):
            tf.summary.scalar(name, line[name])
    writer.close()
