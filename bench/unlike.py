"""Whether frames that look the same are said to be the same: `python -m bench.unlike CLIPS`.

Of every two moments in a row, half a second apart, the picture difference tells the nearly
identical ones: mean absolute difference of luma on 64x36 thumbs at most 3 of 255. Their distance
(cosine, to the moment before) is told for sentences captioned frame by frame, and for ours; beside
it the distance over the cuts of `bench/cuts.tsv`, which must not vanish with it.
"""

import argparse
import csv
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from model.captioner import Captioner
from model.words import Words
from preprocess.frames import frames, probe
from preprocess.media import MediaInfo
from video.scenes.curve import dissimilarity, steadied
from video.scenes.moments import moments, sampled

ROOT = Path(__file__).resolve().parent.parent
EVERY_MS, NEAR = 500, 3.0
WAYS = ("frame by frame", "ours")
Values = npt.NDArray[np.float64]


def luma_changes(media: MediaInfo, count: int) -> Values:
    """Mean absolute difference of each sampled thumb's luma to the one before; the first is 255."""
    due_ms, thumbs = 0, []
    for frame in frames(media):
        if frame.time_ms >= due_ms:
            thumbs.append(frame.thumb()[..., 0].astype(np.float64))
            due_ms = (frame.time_ms // EVERY_MS + 1) * EVERY_MS
    pairs = itertools.pairwise(thumbs[:count])
    return np.array([255.0, *(float(np.abs(a - b).mean()) for a, b in pairs)])


def steps(media: MediaInfo, captioner: Captioner, words: Words) -> tuple[list[int], list[Values]]:
    """The moments' times, and their distances to the moment before, in each of WAYS."""
    alone = [
        words.vector(captioner.caption(picture[None]).text)
        for _, picture in sampled(media, EVERY_MS)
    ]
    found = list(moments(media, captioner, words, EVERY_MS))
    ours = steadied(np.stack([m.meaning for m in found]), np.stack([m.features for m in found]))
    both = (np.stack(alone), ours)
    return [m.time_ms for m in found], [dissimilarity(v, 1, "cosine") for v in both]


def cuts() -> list[tuple[str, int]]:
    """Film and last moment of each cut that was marked by hand."""
    with (ROOT / "bench" / "cuts.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return [(row["clip"], int(row["last_ms"])) for row in rows if row["last_ms"]]


def _line(name: str, values: Values) -> str:
    median, high = np.percentile(values, [50, 95]) if len(values) else (np.nan, np.nan)
    return f"  {name:16} n {len(values):4}  median {median:.3f}  95th percentile {high:.3f}"


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the table; 0 when ours is near zero where naive is not, and cuts stay."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("clips", type=Path, help="a folder of films")
    parser.add_argument("--model", type=Path, default=ROOT / "model" / "default.kcap")
    args = parser.parse_args(argv)
    captioner, words = Captioner.load(args.model), Words.load(args.model)
    near: dict[str, list[Values]] = {way: [] for way in WAYS}
    jumps: dict[str, list[float]] = {way: [] for way in WAYS}
    for path in sorted(p for p in args.clips.iterdir() if p.suffix in (".mp4", ".mkv")):
        media = probe(path)
        times, found = steps(media, captioner, words)
        still = luma_changes(media, len(times)) <= NEAR
        print(f"{path.name}: {len(times)} moments")
        for way, distances in zip(WAYS, found, strict=True):
            near[way].append(distances[still])
            print(_line(way, distances[still]), flush=True)
            for name, cut_ms in cuts():
                if name == path.name:
                    after = np.searchsorted(times, cut_ms + media.start_ms)
                    jumps[way].append(float(distances[max(0, after - 1) : after + 2].max()))
    return _total(near, jumps)


def _total(near: dict[str, list[Values]], jumps: dict[str, list[float]]) -> int:
    print("all nearly identical moments")
    for way in WAYS:
        print(_line(way, np.concatenate(near[way])))
    print("over cuts, the highest of the moments around each")
    for way in WAYS:
        print(_line(way, np.array(jumps[way])))
    high = {way: float(np.percentile(np.concatenate(near[way]), 95)) for way in WAYS}
    return 0 if high["ours"] <= 0.05 and high["ours"] <= high["frame by frame"] else 1


if __name__ == "__main__":
    sys.exit(main())
