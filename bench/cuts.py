"""Shots against PySceneDetect, cuts found and CPU time: `python -m bench.cuts`.

Needs scenedetect without its OpenCV (see requirements-bench.txt). A cut counts as found within one
frame of it, in a dissolve or fade anywhere inside; every detector runs with its own defaults, in
turn. CPU seconds are those of finding shots (ours: with the pictures that the captioner sees),
without imports.
"""

# ruff: noqa: E402 - the sizes of thread pools are read when numpy is imported
import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import scenedetect

for _pool in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_pool, "1")  # as the program does

from bench.films import Film, made, real
from preprocess.frames import probe
from video.shots import ShotOptions, find_shots

DETECTORS = ("ours", "ContentDetector", "AdaptiveDetector")
_NEAR_MS = 42.0  # a frame of 25 a second, rounded


def detect(name: str, path: Path) -> tuple[list[float], float]:
    """Cut times in ms and the CPU seconds of finding them."""
    before = _cpu_s()
    if name == "ours":
        whole = ShotOptions(max_shot_ms=10**8)  # what is cut for length alone is no cut
        starts = [float(one.shot.start_ms) for one in find_shots(probe(path), whole)]
    else:
        scenes = scenedetect.detect(str(path), getattr(scenedetect, name)())
        starts = [1000 * start.seconds for start, _ in scenes]
    return starts[1:], _cpu_s() - before


def matched(cuts: Sequence[float], film: Film) -> int:
    """How many of the film's cuts were found, each by one cut at most."""
    left, hits = sorted(cuts), 0
    for first, last in film.cuts:
        inside = [cut for cut in left if first - _NEAR_MS <= cut <= last + _NEAR_MS]
        if inside:
            hits += 1
            left.remove(inside[0])
    return hits


def f1(hits: int, found: int, there: int) -> float:
    """2 hits / (found + there); 1 where nothing was there and nothing found."""
    return 2 * hits / (found + there) if found + there else 1.0


def main() -> int:
    """Prints the table; returns 0 when every bound holds, else 1."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--shots", type=int, default=8, help="shots a synthetic film (default 8)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each (default 3)")
    parser.add_argument("--clips", type=Path, help="a folder with the clips of bench/cuts.tsv")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        films = made(Path(folder), args.shots) + (real(args.clips) if args.clips else [])
        return _report(films, args.rounds)


def _report(films: Sequence[Film], rounds: int) -> int:
    totals = {name: [0, 0, 0] for name in DETECTORS}
    bounds = True
    print(f"{'film':38}" + "".join(f"{name:>22}" for name in DETECTORS) + "   ratio", flush=True)
    for film in films:
        runs = [[detect(name, film.path) for name in DETECTORS] for _ in range(rounds)]
        cells = ""
        for place, name in enumerate(DETECTORS):
            cuts = runs[0][place][0]
            counts = (matched(cuts, film), len(cuts), len(film.cuts))
            totals[name] = [a + b for a, b in zip(totals[name], counts, strict=True)]
            cost = statistics.median(run[place][1] for run in runs)
            cells += f"{f1(*counts):9.2f} F1 {cost:6.2f} s "
        ratio = statistics.median(run[0][1] / min(run[1][1], run[2][1]) for run in runs)
        bounds &= ratio <= film.most_cost
        print(f"{film.name:38}{cells} {ratio:6.2f} (bound {film.most_cost:.2f})", flush=True)
    scores = {name: f1(*counts) for name, counts in totals.items()}
    print(f"{'all':38}" + "".join(f"{scores[name]:9.3f} F1 {'':9}" for name in DETECTORS))
    return 0 if bounds and scores["ours"] >= max(scores.values()) else 1


def _cpu_s() -> float:
    used = os.times()
    return used.user + used.system


if __name__ == "__main__":
    sys.exit(main())
