"""train.py as it is run: killed, on other backends, on several devices, from a captioner."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

import train
from model.captioner import Captioner
from model.gist import PLAIN
from model.runs import load
from model.storage import read_captioner
from preprocess import __main__ as preprocess
from preprocess.tagger import Tagger

ROOT = Path(__file__).resolve().parents[1]
COLOURS = {"빨간": (255, 0, 0), "파란": (0, 0, 255), "초록": (0, 255, 0)}
SMALL = ["--batch", "9", "--min-count", "1", "--hidden", "16", "--embedding", "12"]
SMALL += ["--average", "0.5", "--patience", "50"]


def folder_of(tmp_path, count=36):
    """A data folder of pictures of one colour, seen by the CNN that knows nothing."""
    raw = tmp_path / "raw"
    raw.mkdir()
    rows = ["image,caption,split"]
    for i in range(count):
        name, colour = list(COLOURS.items())[i % 3]
        picture = np.full((40, 48, 3), colour[::-1], np.uint8) // 2 + i
        cv2.imwrite(str(raw / f"{i}.png"), picture)
        rows.append(f"{i}.png,{name} 화면 이다,{'val' if i >= count - 9 else 'train'}")
    (raw / "captions.csv").write_text("\n".join(rows), encoding="utf-8")
    data = tmp_path / "data"
    command = [str(raw), "--out", str(data), "--encoder", "scratch", "--side", "32"]
    assert preprocess.main(command) == 0
    return data


@pytest.fixture
def data(tmp_path, monkeypatch):
    def words(sentence):
        return [(word, "Noun") for word in sentence.split()]

    monkeypatch.setattr(preprocess, "load_tagger", lambda name: Tagger(name, "1", words))
    return folder_of(tmp_path)


def started(data, out, *more, **environment):
    command = [sys.executable, str(ROOT / "train.py"), str(data), *SMALL, *more]
    command += ["--out", str(out), "--run", str(out.with_suffix(""))]
    return subprocess.Popen(
        command, env=os.environ | environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, encoding="utf-8",
    )  # fmt: skip


def ran(*arguments, **environment):
    process = started(*arguments, **environment)
    told = process.communicate()[0]
    assert process.returncode == 0, told
    return told


def log_of(run):
    with (run / "log.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def states(run):
    return {f.relative_to(run): load(f, "state") for f in sorted(run.rglob("last.npz"))}


@pytest.mark.slow
def test_a_killed_run_ends_as_if_it_had_not_been(tmp_path, data):
    stages = ["--epochs", "6", "--reward-epochs", "2", "--tune-epochs", "2"]
    stages += ["--tune-after", "scale", "--learning-rate", "0.01"]
    whole, cut = tmp_path / "whole.kcap", tmp_path / "cut.kcap"
    ran(data, whole, *stages)
    places = [tmp_path / "cut" / name for name in ("log.csv", "tuned/log.csv", "reward/log.csv")]
    for place in places:  # killed in each of the three stages
        process = started(data, cut, *stages)
        while not place.exists() and process.poll() is None:
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        assert not cut.exists()
    ran(data, cut, *stages)
    one, other = states(tmp_path / "whole"), states(tmp_path / "cut")
    assert set(one) == set(other) and len(one) == 3
    for name, arrays in one.items():
        for a, b in zip(arrays, other[name], strict=True):
            np.testing.assert_array_equal(a, b)
    first, second = read_captioner(whole), read_captioner(cut)
    for name, array in first.weights.items():
        np.testing.assert_array_equal(array, second.weights[name])
    told = json.loads((tmp_path / "cut/run.json").read_text("utf-8"))
    assert len(told["commands"]) == 4 and "train.py" in told["commands"][0]["command"]
    assert told["data"]["pictures"] == 27 and told["versions"]["keras"]


@pytest.mark.slow
def test_pytorch_trains_every_stage_and_writes_the_same_kind_of_file(tmp_path, data):
    pytest.importorskip("torch")
    out = tmp_path / "torch.kcap"
    stages = ["--epochs", "12", "--learning-rate", "0.03", "--tune-epochs", "1", "--tune-after"]
    stages += ["scale", "--reward-epochs", "1", "--precision", "mixed_bfloat16", "--motion"]
    ran(data, out, *stages, KERAS_BACKEND="torch")
    told = json.loads((tmp_path / "torch/run.json").read_text("utf-8"))
    assert told["versions"]["backend"] == "torch"
    losses = [float(line["loss"]) for line in log_of(tmp_path / "torch")]
    assert losses[-1] < 0.7 * losses[0]
    frames = np.full((2, 40, 48, 3), (255, 0, 0), np.uint8) // 2
    captioner = Captioner.load(out, hedge=PLAIN)
    assert captioner.caption(frames).text in {f"{name} 화면 이다" for name in COLOURS}


NO_DROPOUT = """
import functools, pathlib, sys
import numpy as np
from model import training
from tests.test_training import SMALL, colours
training.CaptionerConfig = functools.partial(  # which is drawn elsewhere otherwise
    training.CaptionerConfig, feature_dropout=0.0, embedding_dropout=0.0, output_dropout=0.0)
data, folder = colours(), pathlib.Path(sys.argv[1])
rows = data.rows("train"), data.rows("val")
"""
FROM_GIVEN_WEIGHTS = """
vocabulary = training.Vocabulary.build((s for r in rows[0] for s in data.sentences[r]), 1)
trainer = training.Trainer(data, *rows, vocabulary, training.TrainOptions(**SMALL, epochs=4))
random = np.random.default_rng(0)
trainer.decoder.set_weights([random.normal(0, .2, w.shape) for w in trainer.decoder.get_weights()])
folder.mkdir()
training.run_epochs(trainer, folder)
"""


@pytest.mark.slow
def test_pytorch_has_the_losses_of_tensorflow(tmp_path):
    pytest.importorskip("torch")
    program = NO_DROPOUT + FROM_GIVEN_WEIGHTS
    for backend in ("tensorflow", "torch"):
        command = [sys.executable, "-c", program, str(tmp_path / backend)]
        subprocess.run(command, cwd=ROOT, env=os.environ | {"KERAS_BACKEND": backend}, check=True)
    one, other = (log_of(tmp_path / backend) for backend in ("tensorflow", "torch"))
    assert len(one) == len(other) == 4
    for a, b in zip(one, other, strict=True):
        assert float(a["loss"]) == pytest.approx(float(b["loss"]), abs=1e-4)


TWO_DEVICES = """
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
for devices in (1, 2):  # batches of 7: one device gets four, the other three
    options = training.TrainOptions(**SMALL | {"batch": 7, "epochs": 4, "devices": devices})
    training.fit(data, *rows, options, folder / str(devices))
"""


@pytest.mark.slow
def test_two_devices_have_the_losses_of_one(tmp_path):
    command = [sys.executable, "-c", NO_DROPOUT + TWO_DEVICES, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    one, two = (log_of(tmp_path / devices) for devices in ("1", "2"))
    assert len(one) == len(two) == 4
    for a, b in zip(one, two, strict=True):
        assert float(a["loss"]) == pytest.approx(float(b["loss"]), abs=1e-5)
    for a, b in zip(*(load(tmp_path / d / "last.npz", "state") for d in ("1", "2")), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)


def test_devices_that_are_not_there_are_told(data, tmp_path, capsys):
    command = [str(data), "--run", str(tmp_path / "run"), *SMALL, "--devices", "64"]
    assert train.main([*command, "--lang", "en"]) == 1
    assert "--devices 64: TensorFlow finds" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
