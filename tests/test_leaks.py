"""Nearly equal pictures in different splits are found; others are not taken for equal."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage

from preprocess import leaks
from preprocess.dataset import Dataset
from preprocess.pictures import read_picture
from preprocess.records import Sample

PHOTOS = ("chelsea", "coffee", "astronaut", "camera")


def photos():
    folder = Path(skimage.__file__).parent / "data"
    return [read_picture(folder / f"{name}.png") for name in PHOTOS]


def compressed(picture):
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 30])
    return cv2.imdecode(data, cv2.IMREAD_COLOR)


CHANGES = {
    "smaller": lambda p: cv2.resize(p, (200, 150), interpolation=cv2.INTER_AREA),
    "compressed": compressed,
    "darker": lambda p: (p * 0.7).astype(np.uint8),
    "grey": lambda p: p.mean(-1, keepdims=True).repeat(3, -1).astype(np.uint8),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_near_and_another_photo_is_not(change):
    hashes = [leaks.difference_hash(p) for p in photos()]
    for number, photo in enumerate(photos()):
        again = leaks.difference_hash(CHANGES[change](photo))
        distances = [int((again != h).sum()) for h in hashes]
        assert distances[number] <= leaks.NEAR
        assert min(d for i, d in enumerate(distances) if i != number) > 2 * leaks.NEAR


def test_near_counts_bits():
    random = np.random.default_rng(0)
    one = random.random((6, 128)) < 0.5
    other = one.copy()
    for row in range(6):
        other[row, : 4 * row] ^= True  # 0, 4, ... 20 bits differ
    assert leaks.near(one, other).tolist() == [[0, 0], [1, 1], [2, 2]]


@pytest.mark.parametrize(("split", "status"), [("test", 1), ("train", 0)])
def test_the_command_names_the_pair(tmp_path, monkeypatch, capsys, split, status):
    samples = []
    for number, photo in enumerate([*photos(), compressed(photos()[0])]):
        path = tmp_path / f"{number}.png"
        cv2.imwrite(str(path), photo[..., ::-1])
        own = split if number == 4 else "train"
        samples.append(Sample(f"s/{number}", (str(path),), ("x",), own, f"{number}"))
    data = Dataset(tuple(samples), (), np.zeros((5, 0)), {})
    monkeypatch.setattr(leaks, "load", lambda folder, features: data)
    assert leaks.main(["data"]) == status
    said = capsys.readouterr().out.splitlines()
    assert said[:-1] == (["s/4\ts/0"] if status else [])
    assert said[-1] == f"5 pictures, {status} pairs within 10 of 128 bits"
    samples[0] = Sample("s/0", (str(tmp_path / "gone.png"),), ("x",), "train", "0")
    monkeypatch.setattr(
        leaks, "load", lambda *_, **__: Dataset(tuple(samples), (), data.features, {})
    )
    assert leaks.main(["data"]) == 1
    assert "gone.png" in capsys.readouterr().err
