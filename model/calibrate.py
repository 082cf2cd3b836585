"""`python -m model.calibrate CAPTIONER.kcap DATA`: how far the captioner's scores can be trusted.

Held-out pictures are captioned; how often sentences of a score agree with what people wrote
becomes the confidence that captions carry from then on, and that decides when one gives way to a
sentence in general words.
"""

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from model import revise
from model.caption import Caption
from model.captioner import Captioner
from model.cider import CiderD
from model.confidence import RIGHT, Confidence, calibration_error, fit_confidence
from model.gist import HEDGE, PLAIN, HedgeOptions, gist, widened
from model.storage import CaptionerFile
from preprocess.dataset import Dataset
from preprocess.errors import DataError
from preprocess.korean import Morpheme, forms
from preprocess.pictures import Picture, read_picture, shot
from preprocess.records import Sample

CHUNK = 16  # pictures captioned at once
PICTURES = 512  # most pictures that confidence is fitted on
FEW = 30  # fewer do not replace a fit


@dataclass(frozen=True)
class Calibration:
    """The fit, and what it is worth.

    Attributes:
        confidence: slope and intercept, fitted on all pictures.
        pictures: how many.
        right: share of sentences with a CIDEr-D of at least RIGHT.
        error: expected calibration error of each half by a fit on the other.
        general: share of the pictures whose sentence gives way to a general one.
        general_true: of these, share where people wrote of the same kind of thing.
    """

    confidence: Confidence
    pictures: int
    right: float
    error: float
    general: float
    general_true: float


def calibrate(contents: CaptionerFile, data: Dataset, rows: Sequence[int]) -> Calibration:
    """Fits the confidence of a captioner on held-out pictures.

    Raises:
        DataError: no pictures, or one cannot be read.
    """
    if not rows:
        raise DataError(
            "확신을 맞출 val 사진이 없습니다. --splits로 나눈 데이터를 주세요.",
            "no val pictures to calibrate on. Give data that was split with --splits.",
        )
    captions = _captions(Captioner(contents, hedge=PLAIN), data, rows)
    references = CiderD([forms(data.sentences[row]) for row in rows])
    right = references.scores([c.morphemes for c in captions]) >= RIGHT
    scores = [c.score for c in captions]
    fitted = _fitted(scores, list(right))
    doubtful = [row for row, s in zip(rows, scores, strict=True)
                if fitted.of(s) < HEDGE.min_confidence]  # fmt: skip
    general = _captions(Captioner(contents, hedge=HedgeOptions(1)), data, doubtful)
    hits = [_agrees(c, data.sentences[r]) for c, r in zip(general, doubtful, strict=True)]
    return Calibration(
        fitted, len(rows), float(right.mean()), _crossed_error(scores, right.tolist()),
        len(doubtful) / len(rows), float(np.mean(hits)) if hits else 1.0,
    )  # fmt: skip


def _fitted(scores: Sequence[float], right: Sequence[bool]) -> Confidence:
    """The likeliest fit; the share that is right (rule of succession) if scores tell nothing."""
    fitted = fit_confidence(scores, right)
    if fitted.slope > 0 and 0 < sum(right) < len(right):
        return fitted
    return Confidence(0.0, math.log((1 + sum(right)) / (1 + len(right) - sum(right))))


def calibrated(contents: CaptionerFile, found: Calibration) -> CaptionerFile:
    """The same captioner that knows how far it can be trusted."""
    told = {**asdict(found.confidence), "right": f"CIDEr-D >= {RIGHT}", "pictures": found.pictures}
    told |= {"calibration_error": round(found.error, 4)}
    about: Mapping[str, object] = {**contents.about, "confidence": told}
    return replace(contents, about=about)


def _captions(captioner: Captioner, data: Dataset, rows: Sequence[int]) -> list[Caption]:
    said: list[Caption] = []
    for start in range(0, len(rows), CHUNK):
        chunk = (data.samples[row] for row in rows[start : start + CHUNK])
        said += captioner.caption_many([frames_of(sample) for sample in chunk])
    return said


def frames_of(sample: Sample) -> Picture:
    """A photo, or the frames of a shot in order of time: uint8 (n, H, W, 3)."""
    pictures = [read_picture(Path(path)) for path in sample.shown]
    return shot(pictures, len(pictures[0]))


def _agrees(caption: Caption, references: Sequence[Sequence[Morpheme]]) -> bool:
    """Whether somebody wrote of the kind of thing that a general sentence names."""
    kinds = {gist(reference).kind for reference in references}
    return any(word in caption.morphemes for kind in kinds for word in widened(kind))


def _crossed_error(scores: Sequence[float], right: Sequence[bool]) -> float:
    """Calibration error of every other picture by a fit on the rest, and the other way round."""
    halves = [(scores[i::2], right[i::2]) for i in (0, 1)]
    told: list[float] = []
    for (own, _), other in zip(halves, reversed(halves), strict=True):
        told += map(_fitted(*other).of, own)
    return calibration_error(told, [*halves[0][1], *halves[1][1]])


def some(rows: Sequence[int]) -> list[int]:
    """The pictures that confidence is fitted on."""
    return revise.some(rows, PICTURES, seed=1)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; the exit status."""
    return revise.revise(
        argv, "calibrate",
        "캡션의 점수를 얼마나 믿을 수 있는지 val 사진으로 재어 캡셔너 파일에 적습니다. "
        "(Fits how far scores can be trusted and writes it into the captioner file.)",
        _anew,
    )  # fmt: skip


def change(path: Path, contents: CaptionerFile, data: Dataset) -> tuple[CaptionerFile, str]:
    """What revise makes of it: the captioner that knows how far to trust itself, and how well."""
    found = calibrate(contents, data, some(data.rows("val")))
    return calibrated(contents, found), report(found)


def _anew(path: Path, contents: CaptionerFile, data: Dataset) -> tuple[CaptionerFile, str]:
    """The same in place of an earlier fit, for which few pictures are no reason."""
    pictures = len(data.rows("val"))
    if 0 < pictures < FEW and "confidence" in contents.about:
        raise DataError(
            f"val 사진이 {pictures}장뿐이라 '{path}'의 확신을 그대로 두었습니다. {FEW}장 넘게 "
            "주세요.",
            f"there are only {pictures} val pictures: the confidence of '{path}' stays as it is. "
            f"Give {FEW} or more.",
        )
    return change(path, contents, data)


def report(found: Calibration) -> str:
    """The figures in words."""
    told = (
        f"confidence = sigmoid({found.confidence.slope:.2f} * score "
        f"{found.confidence.intercept:+.2f}); {found.pictures} val pictures, "
        f"{found.right:.0%} with CIDEr-D >= {RIGHT}; expected calibration error "
        f"{found.error:.3f} (two halves crossed)\n"
        f"below {HEDGE.min_confidence}: {found.general:.1%} of the pictures"
    )
    named = f"names what somebody wrote of in {found.general_true:.0%} of them"
    return f"{told}; the general sentence {named}" if found.general else told


if __name__ == "__main__":
    sys.exit(main())
