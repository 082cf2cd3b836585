"""Whether --motion tells what single frames cannot: `python -m bench.motion`.

Films of a ball that rolls left or right and of a box that grows or shrinks, made in pairs: one
is the other backwards, so the frames of both are the same ones. They go the way of any download:
`python -m preprocess`, `train.py` with and without --motion, then captioning of the films that were
held out. Without the order of frames half of the sentences can be right.
"""

import argparse
import csv
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

import train
from model.captioner import Captioner
from model.gist import PLAIN
from preprocess import __main__ as preprocess
from preprocess.dataset import load
from preprocess.pictures import read_picture

SIZE = (96, 72)  # width and height in pixels
# of so many frames each, so that the moments that are looked at lie alike from both ends
STEPS, HELD = 7, 3
SENTENCES = {
    "ball": ("공이 오른쪽으로 굴러간다", "공이 왼쪽으로 굴러간다"),
    "box": ("상자가 점점 커진다", "상자가 점점 작아진다"),
}
TRAIN = ["--epochs", "40", "--batch", "16", "--min-count", "1", "--hidden", "64"]
TRAIN += ["--embedding", "32", "--patience", "40"]

Film = list[npt.NDArray[np.uint8]]


def film(kind: str, random: np.random.Generator) -> Film:
    """A ball from left to right, or a box that grows, in colours and places of its own."""
    width, height = SIZE
    ground, colour = random.integers(0, 120, 3), random.integers(150, 256, 3)
    start, end = random.uniform(0.1, 0.3), random.uniform(0.7, 0.9)
    at, radius = random.uniform(0.3, 0.7, 2), random.uniform(0.08, 0.16) * height
    frames = []
    for share in np.linspace(start, end, STEPS):
        frame = np.full((height, width, 3), ground, np.uint8)
        paint = [int(channel) for channel in colour]
        if kind == "ball":
            place = (round(share * width), round(at[1] * height))
            cv2.circle(frame, place, round(radius), paint, -1)
        else:
            middle, half = at * SIZE, share * height / 2
            low, high = (np.round(middle + sign * half).astype(int).tolist() for sign in (-1, 1))
            cv2.rectangle(frame, low, high, paint, -1)
        frames += [frame] * HELD
    return frames


def pairs(count: int) -> Iterator[tuple[str, Film, str]]:
    """(name, film, sentence): each film, and the same one backwards."""
    random = np.random.default_rng(0)
    for number in range(count):
        kind = list(SENTENCES)[number % 2]
        forwards = film(kind, random)
        for turn, sentence in enumerate(SENTENCES[kind]):
            yield f"{kind}{number}-{turn}", forwards[:: -1 if turn else 1], sentence


def write(folder: Path, count: int) -> None:
    """The films and a table of them; a fifth of the pairs is for val, a fifth for test."""
    splits = (*["train"] * 6, "val", "val", "test", "test")
    folder.mkdir()
    rows = []
    for number, (name, frames, sentence) in enumerate(pairs(count)):
        # each frame alone: a codec that predicts frames leaves traces of their order
        writer = cv2.VideoWriter(str(folder / f"{name}.avi"), _codec("MJPG"), 10, SIZE)
        for frame in frames:
            writer.write(frame)
        writer.release()
        rows.append((f"{name}.avi", sentence, splits[number // 4 % 10], name.split("-")[0]))
    with (folder / "films.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("video", "caption", "split", "group"), *rows])


def _codec(name: str) -> int:
    return cv2.VideoWriter.fourcc(*name)


def accuracy(captioner: Captioner, data: Path) -> dict[str, float]:
    """Share of the test films whose sentence is right, by what moves."""
    dataset = load(data, features=False)
    right: dict[str, list[bool]] = {kind: [] for kind in SENTENCES}
    for row in dataset.rows("test"):
        sample = dataset.samples[row]
        pictures = [read_picture(Path(path)) for path in sample.shown]
        said = captioner.caption(np.stack(pictures)).text
        kind = next(k for k, told in SENTENCES.items() if sample.captions[0] in told)
        right[kind].append(said == sample.captions[0])
    return {kind: statistics.mean(found) for kind, found in right.items()}


def compare(folder: Path, count: int, more: Sequence[str]) -> dict[str, dict[str, float]]:
    """Accuracy with and without --motion, of films made in the folder."""
    write(folder / "films", count)
    data = folder / "data"
    looks = ["--side", "128", "--nearer"]  # whole and from nearer, as captioning looks at frames
    if preprocess.main([str(folder / "films"), "--out", str(data), *looks]):
        raise SystemExit(1)
    found = {}
    for name, flag in (("averaged frames", []), ("--motion", ["--motion"])):
        out = folder / f"{'motion' if flag else 'mean'}.kcap"
        if train.main(
            [str(data), "--out", str(out), "--run", str(folder / out.stem), *TRAIN, *more, *flag]
        ):
            raise SystemExit(1)
        found[name] = accuracy(Captioner.load(out, hedge=PLAIN), data)
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the table; 1 if --motion is not the better one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--pairs", type=int, default=120, help="pairs of films (default 120)")
    arguments, more = parser.parse_known_args(argv)
    with tempfile.TemporaryDirectory() as name:
        found = compare(Path(name), arguments.pairs, more)
    for way, scores in found.items():
        told = "  ".join(f"{kind} {share:.0%}" for kind, share in scores.items())
        print(f"{way:16} {told}")
    mean = {way: statistics.mean(scores.values()) for way, scores in found.items()}
    return int(mean["--motion"] <= mean["averaged frames"])


if __name__ == "__main__":
    sys.exit(main())
