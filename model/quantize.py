"""`python -m model.quantize CAPTIONER.kcap DATA`: the captioner's graphs count in eight bits.

Captioning then costs about half of the CPU. Some training pictures are captioned to see how far
the numbers reach; weights to train on from stay in the file as they were.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from model import revise
from model.beam import BeamOptions, beam_search
from model.calibrate import frames_of
from model.captioner import VIEWS
from model.decoding import looks, merged, together
from model.storage import CaptionerFile
from preprocess.dataset import Dataset
from preprocess.errors import DataError, SettingError
from preprocess.graph import Graph, Session
from preprocess.pictures import Picture, nearer, to_square
from preprocess.quantization import CNN, FULL, PRODUCTS, is_quantized, quantized

Array = npt.NDArray[Any]
Calls = list[list[Array]]
PICTURES = 40
STEPS = 4  # one step of so many is looked at: neighbours are alike
MOVED = 0.25  # most that what the CNN sees may move, as a share of its mean; else it stays exact


def quantize(contents: CaptionerFile, data: Dataset, rows: Sequence[int]) -> CaptionerFile:
    """The same captioner in eight bits.

    Args:
        contents: of a captioner file.
        data: the data it was trained on.
        rows: pictures to look at.

    The CNN stays in float32 if it would see more than MOVED otherwise.

    Raises:
        DataError: there are none, or one cannot be read.
    """
    if not rows:
        raise DataError(
            "살펴볼 train 사진이 없습니다. --splits로 나눈 데이터를 주세요.",
            "no train pictures to look at. Give data that was split with --splits.",
        )
    seen, begun, stepped = _calls(contents, [frames_of(data.samples[row]) for row in rows])
    graphs = dict(contents.graphs)
    for name, calls in {"start": begun, "step": stepped}.items():
        graphs[name] = quantized(graphs[name], calls, PRODUCTS)
    encoder = quantized(graphs["encoder"], seen, CNN, FULL)
    moved = distance(graphs["encoder"], encoder, seen)
    if moved <= MOVED:  # networks that are not made for it can lose what they see
        graphs["encoder"] = encoder
        if "things" in graphs:
            graphs["things"] = _classifier(graphs["things"], encoder, seen)
    told = {"bits": 8, "pictures": len(rows), "cnn": moved <= MOVED, "moved": round(moved, 4)}
    return replace(contents, graphs=graphs, about={**contents.about, "quantized": told})


def _classifier(graph: Graph, encoder: Graph, seen: Calls) -> Graph:
    """The classifier rounded: it goes on from the encoder, in files of format 1 from pictures."""
    look = Session(encoder)
    below = [look(*call)[1:] for call in seen]
    return quantized(graph, below, CNN) if all(below) else quantized(graph, seen, CNN, FULL)


def _calls(contents: CaptionerFile, shots: Sequence[Picture]) -> tuple[Calls, Calls, Calls]:
    """What the encoder and both halves of the decoder are given while shots are captioned."""
    encode, start, step = (Session(contents.graphs[n]) for n in ("encoder", "start", "step"))
    side, motion = int(contents.about["side"]), bool(contents.about["config"].get("motion", False))
    seen: Calls = []
    begun: Calls = []
    stepped: Calls = []

    def run(*inputs: Array) -> list[Array]:
        stepped.append(list(map(np.ascontiguousarray, inputs)))
        return step(*inputs)

    options = BeamOptions()
    for frames in shots:
        views = [to_square(view, side) for frame in frames for view in (frame, nearer(frame))]
        seen += [[view[None].astype(np.float32)] for view in views]
        regions = np.concatenate([encode(*call)[0] for call in seen[-len(views) :]])
        counts = np.array([len(frames)])
        shaped = regions.reshape(1, len(frames), VIEWS, *regions.shape[1:])
        begun.append(looks(shaped, counts, motion))
        state = merged(start(*begun[-1]), VIEWS)
        beam_search(*together(run, state, counts, options.beam, []), options)
    return seen, begun, stepped[::STEPS]


def distance(exact: Graph, rounded: Graph, calls: Calls) -> float:
    """How far the first output moves in the mean, as a share of its mean size."""
    one, other = Session(exact), Session(rounded)
    pairs = [(one(*call)[0], other(*call)[0]) for call in calls]
    size = np.mean([np.abs(a).mean() for a, _ in pairs])
    return float(np.mean([np.abs(a - b).mean() for a, b in pairs]) / max(size, 1e-9))


def report(contents: CaptionerFile) -> str:
    """What became of a captioner, in a line."""
    told = contents.about["quantized"]
    kept = "" if told["cnn"] else f"; > {MOVED:.0%}: CNN은 float32로 둠 (the CNN stays in float32)"
    return f"8비트 (8 bits): CNN이 보는 것이 {told['moved']:.1%} 다름 (of what it sees moved){kept}"


def some(rows: Sequence[int]) -> list[int]:
    """The pictures that are looked at."""
    return revise.some(rows, PICTURES, seed=2)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; the exit status."""
    return revise.revise(
        argv, "quantize",
        "캡셔너를 8비트 정수로 계산하게 바꿉니다. CPU를 절반쯤만 씁니다. "
        "(Makes the captioner count in eight bits.)",
        _change,
    )  # fmt: skip


def _change(path: Path, contents: CaptionerFile, data: Dataset) -> tuple[CaptionerFile, str]:
    if is_quantized(contents.graphs["step"]):
        raise SettingError(
            f"'{path}'은(는) 이미 8비트입니다. 그대로 쓰세요.",
            f"'{path}' counts in eight bits already. Use it as it is.",
        )
    after = quantize(contents, data, some(data.rows("train")))
    return after, report(after)


if __name__ == "__main__":
    sys.exit(main())
