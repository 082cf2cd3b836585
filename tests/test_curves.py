"""The curves of a run: what TensorBoard reads back is the log, and the picture is one."""

import numpy as np
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util.tensor_util import make_ndarray

from model.curves import PANELS, write_curves


def line(epoch):
    return {"epoch": epoch, "loss": 3 / epoch, "cider_d": epoch / 7, "distinct": 0.5, "train_s": 1}


def test_tensorboard_reads_the_log_back(tmp_path):
    log = [line(epoch) for epoch in (1, 2, 3)]
    for end in (1, 2, 3):
        write_curves(tmp_path, log[:end])
    events = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    for name in PANELS:
        found = sorted((e.step, float(make_ndarray(e.tensor_proto))) for e in events.Tensors(name))
        assert [step for step, _ in found] == [1, 2, 3]
        np.testing.assert_allclose([v for _, v in found], [entry[name] for entry in log], rtol=1e-6)


def test_the_picture_changes_with_the_log(tmp_path):
    pictures = []
    for end in (1, 2):
        write_curves(tmp_path, [line(epoch) for epoch in range(1, end + 1)])
        pictures.append(np.asarray(Image.open(tmp_path / "curves.png").convert("L")))
    assert pictures[0].shape == pictures[1].shape == (300, 1200)
    assert (pictures[0] != pictures[1]).any() and pictures[1].min() < 100
