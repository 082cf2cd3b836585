"""Region captions on collages of four test photos: `python -m bench.regions DATA`.

How many of the photos have a box with an intersection over union of at least 0.5 among ten, the
CIDEr-D of those boxes' sentences against what people wrote of the photos, and beside it that of
the photos whole and of a fixed 3x3 grid. DATA is a folder that `python -m preprocess` made.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.collages import PHOTOS, Collage, collage
from model.captioner import Caption, Captioner
from model.metrics import CiderD, Tokens, signature
from preprocess.dataset import load
from preprocess.korean import forms
from preprocess.pictures import Picture, read_picture
from video.options import DEFAULT_MODEL
from video.scenes.boxes import Box, iou
from video.scenes.regions import regions

LEAST_IOU, LEAST_RECALL = 0.5, 0.6
GRID = 3


@dataclass(frozen=True)
class Said:
    """A box and the morphemes of its sentence."""

    box: Box
    tokens: Tokens


class Remembering:
    """A captioner that remembers the morphemes of its sentences."""

    def __init__(self, captioner: Captioner) -> None:
        self._captioner = captioner
        self.tokens: dict[str, Tokens] = {}

    def caption_many(self, shots: Sequence[npt.NDArray[np.uint8]]) -> list[Caption]:
        """See Captioner."""
        said = self._captioner.caption_many(shots)
        self.tokens |= {caption.text: caption.morphemes for caption in said}
        return said


def found(picture: Picture, captioner: Remembering) -> list[Said]:
    """The regions of a picture."""
    return [Said(r.box, captioner.tokens[r.caption]) for r in regions(picture, captioner)]


def gridded(picture: Picture, captioner: Remembering) -> list[Said]:
    """The nine cells of a picture."""
    height, width = picture.shape[:2]
    rows, columns = ([side * i // GRID for i in range(GRID + 1)] for side in (height, width))
    boxes = [(columns[i], rows[j], columns[i + 1], rows[j + 1])
             for j in range(GRID) for i in range(GRID)]  # fmt: skip
    crops = [picture[top:bottom, left:right][None] for left, top, right, bottom in boxes]
    return [Said(b, c.morphemes) for b, c in zip(boxes, captioner.caption_many(crops), strict=True)]


def matched(made: Collage, said: Sequence[Said]) -> list[Tokens | None]:
    """What the best box of each photo says; None where no box fits it."""
    sentences: list[Tokens | None] = []
    for photo in made.boxes:
        best = max(said, key=lambda one: iou(one.box, photo), default=None)
        fits = best is not None and iou(best.box, photo) >= LEAST_IOU
        sentences.append(best.tokens if best is not None and fits else None)
    return sentences


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the table; returns 0 when the recall is reached and the grid is behind."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path)
    parser.add_argument("--collages", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL)
    arguments = parser.parse_args(argv)
    data = load(arguments.data, features=False)
    test = [row for row, sample in enumerate(data.samples) if sample.split == "test"]
    count = PHOTOS * arguments.collages
    rows = np.random.default_rng(arguments.seed).permutation(test)[:count].tolist()
    photos = [read_picture(Path(data.samples[row].pictures[0])) for row in rows]
    captioner = Remembering(Captioner.load(arguments.model))
    ours: list[Tokens | None] = []
    grid: list[Tokens | None] = []
    cpu_s = 0.0
    for number in range(arguments.collages):
        made = collage(photos[PHOTOS * number : PHOTOS * (number + 1)], arguments.seed + number)
        before = time.process_time()
        said = found(made.picture, captioner)
        cpu_s += time.process_time() - before
        ours += matched(made, said)
        grid += matched(made, gridded(made.picture, captioner))
    whole = [c.morphemes for photo in photos for c in captioner.caption_many([photo[None]])]
    references = [forms(data.sentences[row]) for row in rows]
    cider = CiderD(references)
    print(signature("CIDEr-D", str(data.settings["tagger"]), references, "these photos"))
    print(f"recall at IoU >= {LEAST_IOU}, {count} photos, and CIDEr-D of the boxes that match")
    shares = []
    for name, sentences in (("ours, 10 boxes", ours), ("3x3 grid", grid), ("whole photos", whole)):
        hits = [(s, i) for i, s in enumerate(sentences) if s is not None]
        shares.append(len(hits) / count)
        same = cider.corpus([whole[i] for _, i in hits], [i for _, i in hits]) if hits else 0.0
        score = cider.corpus([s for s, _ in hits], [i for _, i in hits]) if hits else 0.0
        print(f"{name:16} {shares[-1]:7.1%} {score:7.3f}   (the same photos whole: {same:.3f})")
    for kind, name in enumerate(("side by side", "scattered")):
        part = [s for i, s in enumerate(ours) if i // PHOTOS % 2 == (kind + arguments.seed) % 2]
        print(f"  ours, {name:14} {sum(s is not None for s in part) / max(1, len(part)):7.1%}")
    print(f"CPU seconds a collage: {cpu_s / arguments.collages:.2f}")
    return 0 if shares[0] >= LEAST_RECALL and shares[0] > shares[1] else 1


if __name__ == "__main__":
    sys.exit(main())
