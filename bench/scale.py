"""What the data path costs for 120,000 pictures: `python -m bench.scale FOLDER`.

Makes small pictures with captions, then goes from a table to an epoch of batches as `python -m
preprocess` and train.py do: reading, morphemes (words stand in), features (a cheap stand-in for
the CNN, so that the volume and not the network is measured), a resumed run, verifying, one
shuffled epoch; each in a process of its own, with CPU seconds, wall seconds and peak memory. Then
the real CNN, a picture at a time of a film's size.
"""

import argparse
import json
import multiprocessing
import resource
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from preprocess.dataset import batches, load
from preprocess.features import EncoderOptions, Looker, cache_features, encoding, read_files
from preprocess.gathering import Wanted, gathered
from preprocess.morphemes import analyse_all
from preprocess.records import read_samples, write_samples
from preprocess.tagger import Tagger
from preprocess.vocabulary import Vocabulary

SIDE, REGIONS, WIDTH = 28, 49, 160  # 49 regions, as the CNN has of 224 pixels
CAPTIONS = 5
OPTIONS = EncoderOptions("stand-in", SIDE)
Array = npt.NDArray[np.float32]


def eye(pictures: Array) -> Array:
    """The mean colour of each of 49 squares, many times: float32 (B, 49, 160)."""
    squares = pictures.reshape(len(pictures), 7, SIDE // 7, 7, SIDE // 7, 3).mean((2, 4))
    return np.asarray(squares.reshape(len(pictures), REGIONS, 3).repeat(54, 2)[:, :, :WIDTH])


def words(sentence: str) -> list[tuple[str, str]]:
    return [(word, "Noun") for word in sentence.split()]


def make(folder: Path, count: int) -> None:
    """A table of pictures and captions, 1,000 pictures a folder."""
    random = np.random.default_rng(0)
    nouns = [f"{a}{b}" for a in "개소말곰새꽃산강집차" for b in "가나다라마바사아자차카타파하"]
    with (folder / "captions.jsonl").open("w", encoding="utf-8") as file:
        for i in range(count):
            path = folder / "images" / f"{i // 1000:04d}" / f"{i:07d}.jpg"
            if i % 1000 == 0:
                path.parent.mkdir(parents=True)
            cv2.imwrite(str(path), random.integers(0, 255, (32, 32, 3), np.uint8))
            said = [" ".join(random.choice(nouns, 8)) for _ in range(CAPTIONS)]
            for caption in said:
                line = {"image": str(path.relative_to(folder)), "caption": caption}
                file.write(json.dumps(line, ensure_ascii=False) + "\n")


def read(folder: Path) -> None:
    out = folder / "data"
    found = gathered(Wanted([folder / "captions.jsonl"], [folder / "images"]), out, print)
    samples, _ = analyse_all(out, found.samples, Tagger("words", "1", words))
    write_samples(out / "samples.jsonl", samples)
    settings = {"tagger": "words", "encoder": "stand-in", "side": SIDE}
    (out / "dataset.json").write_text(json.dumps(settings), encoding="utf-8")


def look(folder: Path, verify: bool = False) -> None:
    samples = list(read_samples(folder / "data" / "samples.jsonl"))
    cache_features(folder / "data" / "features", samples, OPTIONS, eye, verify=verify, say=print)


def epoch(folder: Path) -> None:
    data = load(folder / "data")
    rows = data.rows("train")
    vocabulary = Vocabulary.build((s for row in rows for s in data.sentences[row]), 5)
    random = np.random.default_rng(0)
    seen = sum(len(b.rows) for b in batches(data, rows, vocabulary, 64, 3, 24, random))
    print(f"{seen:,} of {len(rows):,} train pictures in batches")


def shuffled(folder: Path, single: bool) -> None:
    """Reads 20,000 rows of one view, shuffled: from shards, or from the same in one file."""
    features = load(folder / "data").features
    path = folder / "single.npy"
    if single and not path.exists():
        whole = np.lib.format.open_memmap(path, "w+", np.float16, features.shape)
        for start in range(0, len(features), 1000):
            whole[start : start + 1000] = features[start : start + 1000]
        whole.flush()
    store = np.load(path, mmap_mode="r") if single else features
    rows = np.random.default_rng(0).permutation(len(features))[:20_000]
    for _ in range(2):  # the first time brings the file into the page cache
        started = time.process_time()
        for start in range(0, len(rows), 64):
            np.stack([store[row, 0] for row in rows[start : start + 64]])
    print(f"{1e6 * (time.process_time() - started) / len(rows):.0f} CPU µs a row")


def real(folder: Path) -> None:
    """The CNN itself, on pictures of 640 x 480."""
    random = np.random.default_rng(0)
    names = [str(folder / f"real{i}.jpg") for i in range(64)]
    for name in names:
        noise = random.integers(0, 255, (60, 80, 3), np.uint8)
        cv2.imwrite(name, cv2.resize(noise, (640, 480), interpolation=cv2.INTER_CUBIC))
    options = EncoderOptions()
    with encoding(options) as (encode, _):
        looker = Looker(encode, options)
        rows = looker(read_files(names[:16]))
        started = time.process_time()
        for start in range(0, len(names), 16):
            looker(read_files(names[start : start + 16]))
        spent = time.process_time() - started
    print(f"{1000 * spent / len(names):.0f} CPU ms a picture, {rows[0].nbytes:,} bytes on the disk")


STEPS: dict[str, Callable[[Path, int], None]] = {
    "make the pictures": make,
    "read, analyse (words)": lambda folder, _: read(folder),
    "features, stand-in CNN": lambda folder, _: look(folder),
    "again, all there": lambda folder, _: look(folder),
    "again, --verify": lambda folder, _: look(folder, verify=True),
    "one shuffled epoch": lambda folder, _: epoch(folder),
    "20,000 rows, shards": lambda folder, _: shuffled(folder, single=False),
    "20,000 rows, one file": lambda folder, _: shuffled(folder, single=True),
    "the real CNN": lambda folder, _: real(folder),
}


# Not of the data path: what is compared with, and TensorFlow, which exports the CNN's graph.
APART = {"20,000 rows, one file", "the real CNN"}


def main() -> int:
    """Prints a line a step; 0 when no step of the data path needed more than 1.5 GB."""
    parser = argparse.ArgumentParser(description="what the data path costs at full scale")
    parser.add_argument("folder", type=Path, help="for pictures and features; removed at the end")
    parser.add_argument("--pictures", type=int, default=120_000)
    args = parser.parse_args()
    args.folder.mkdir(parents=True)
    peaks = []
    try:
        for name in STEPS:
            cpu_s, wall_s, peak_mb = _measured(name, args)
            peaks += [] if name in APART else [peak_mb]
            print(f"{name:24} {cpu_s:8.1f} CPU s {wall_s:8.1f} s {peak_mb:6.0f} MB", flush=True)
        sizes = [path.stat().st_size for path in (args.folder / "data/features").iterdir()]
        print(f"features on the disk     {sum(sizes) / 1e9:8.2f} GB in {len(sizes) - 2} shards")
    finally:
        shutil.rmtree(args.folder)
    return int(max(peaks) > 1500)


def _measured(name: str, args: argparse.Namespace) -> tuple[float, float, float]:
    """CPU seconds, wall seconds and peak resident MB of a step in a process of its own."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_step, args=(theirs, name, args.folder, args.pictures))
    process.start()
    theirs.close()
    found: tuple[float, float, float] = ours.recv()
    process.join()
    return found


def _step(pipe: Any, name: str, folder: Path, count: int) -> None:
    started = time.monotonic()
    STEPS[name](folder, count)
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu_s, wall_s = used.ru_utime + used.ru_stime, time.monotonic() - started
    pipe.send((cpu_s, wall_s, used.ru_maxrss / 1024))


if __name__ == "__main__":
    sys.exit(main())
