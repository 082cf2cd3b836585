"""What cutting captions into morphemes costs: `python -m bench.tagging captions_ko.json ...`.

Recombines halves of people's captions into as many different ones as are asked for, cuts them as
`python -m preprocess` does, once without a break and once killed (kill -9) and begun again, and
prints wall and CPU seconds and the memory of all processes together. With --compare it cuts
people's captions with every tagger instead. Linux only (/proc).
"""

import argparse
import filecmp
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from os import times
from pathlib import Path

from model.gist import Gist, gist
from preprocess.captions import clean, usable
from preprocess.korean import Morpheme, compose
from preprocess.morpheme_cache import MorphemeCache
from preprocess.morphemes import analyse_all, read_morphemes
from preprocess.records import Sample
from preprocess.tagger import NAMES, load_tagger
from preprocess.tagging import processes

EACH = 5  # captions a picture


@dataclass(frozen=True)
class Work:
    """What a process is to cut, and where to."""

    files: tuple[Path, ...]
    count: int
    tagger: str
    jobs: int


@dataclass(frozen=True)
class Cost:
    """Wall and CPU seconds, the processes that were waited for included; resident memory in MB."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def people(files: Sequence[Path]) -> list[str]:
    """The usable captions of files like Flickr8k-ko's, each once, sorted."""
    rows = [row for file in files for row in json.loads(file.read_text(encoding="utf-8"))]
    said = (caption for row in rows for caption in row["caption_ko"] if not usable(caption))
    return sorted({clean(caption) for caption in said})


def recombined(captions: Sequence[str], count: int) -> list[str]:
    """`count` different captions: the first half of one, the second half of another."""
    words = [caption.split() for caption in captions]
    heads = [" ".join(w[: len(w) // 2]) for w in words if len(w) > 1]
    tails = [" ".join(w[len(w) // 2 :]) for w in words if len(w) > 1]
    draw, found = random.Random(0), dict[str, None]()
    while len(found) < count:
        found[f"{draw.choice(heads)} {draw.choice(tails)}"] = None
    return list(found)


def samples(work: Work) -> list[Sample]:
    captions = recombined(people(work.files), work.count)
    groups = [tuple(captions[i : i + EACH]) for i in range(0, len(captions), EACH)]
    return [Sample(f"made/{i}", ("x",), said, "train", str(i)) for i, said in enumerate(groups)]


def prepare(work: Work, out: Path) -> None:
    """As `python -m preprocess` does it, to the morphemes in memory that the report is made of."""
    kept, losses = analyse_all(out, samples(work), load_tagger(work.tagger), work.jobs)
    sentences = [found for _, found in read_morphemes(out / "tokens.jsonl")]
    print(f"{len(sentences)} of {len(kept)} samples, {len(losses)} captions lost", flush=True)


def run(work: Work, out: Path, kill_after: float | None = None) -> Cost:
    """Prepares in a process of its own, which is killed after so many seconds if any are given."""
    out.mkdir(exist_ok=True)
    started, before, peak = time.monotonic(), times(), 0.0
    process = get_context("spawn").Process(target=prepare, args=(work, out))
    process.start()
    while process.is_alive() and not _late(started, kill_after):
        peak = max(peak, sum(map(_resident_mb, _family(process))))
        process.join(0.5)
    if process.is_alive():
        process.kill()
    process.join()
    used = (*times()[2:4], *(-t for t in before[2:4]))
    return Cost(time.monotonic() - started, sum(used), peak)


def _late(started: float, kill_after: float | None) -> bool:
    return kill_after is not None and time.monotonic() - started > kill_after


def _family(process: BaseProcess) -> Iterator[int]:
    """The process and what it started, as long as they are there."""
    waiting = [process.pid or 0]
    while waiting:
        pid = waiting.pop()
        yield pid
        with suppress(OSError):
            for task in Path(f"/proc/{pid}/task").iterdir():
                waiting += map(int, (task / "children").read_text().split())


def _resident_mb(pid: int) -> float:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    return 0.0


def measure(work: Work, kill_after: float) -> int:
    """Prints what a whole run and a broken one cost; 0 if both give the same morphemes."""
    tagger = load_tagger(work.tagger)
    with tempfile.TemporaryDirectory() as name:
        whole, broken = Path(name) / "whole", Path(name) / "broken"
        _told("without a break", run(work, whole))
        _told("killed", run(work, broken, kill_after))
        with MorphemeCache(broken / "morphemes.sqlite", tagger) as cache:
            left = len(cache.missing(recombined(people(work.files), work.count)))
        _told(f"begun again, {left} of {work.count} left", run(work, broken))
        _told("begun again, nothing left", run(work, broken))
        sizes = [(whole / n).stat().st_size / 1e6 for n in ("morphemes.sqlite", "tokens.jsonl")]
        same = filecmp.cmp(whole / "tokens.jsonl", broken / "tokens.jsonl", shallow=False)
    print(f"cache {sizes[0]:.0f} MB, tokens.jsonl {sizes[1]:.0f} MB; equal: {same}")
    return 0 if same else 1


def _told(what: str, cost: Cost) -> None:
    print(f"{what}: {cost.wall_s:.0f} s, {cost.cpu_s:.0f} CPU s, {cost.peak_mb:.0f} MB", flush=True)


PARTS = ("kind", "many", "place", "pose")


def compare(captions: Sequence[str]) -> None:
    """A line a tagger: what comes back, what it costs, and what is understood as with Okt."""
    understood: list[Gist] = []
    print(f"{len(captions)} captions: tagger, CPU s a 1,000 and to start, back, {', '.join(PARTS)}")
    for name in NAMES:
        with get_context("spawn").Pool(1) as pool:  # one Java for each
            start, cost, found = pool.apply(_cut, (name, captions))
        back = sum(compose(f) == c for f, c in zip(found, captions, strict=True))
        gists = [gist(sentence) for sentence in found]
        understood = understood or gists  # Okt comes first
        shares = [back / len(captions), *(_kept(gists, understood, part) for part in PARTS)]
        told = [f"{share:.2%}" for share in shares]
        print(f"{name} {1000 * cost / len(captions):.2f} {start:.1f}", *told)


def _kept(gists: Sequence[Gist], understood: Sequence[Gist], part: str) -> float:
    """Of the captions of which something was understood, the share that says the same here."""
    pairs = [(getattr(a, part), getattr(b, part)) for a, b in zip(gists, understood, strict=True)]
    same = [a == b for a, b in pairs if b]
    return same.count(True) / max(1, len(same))


def _cut(name: str, captions: Sequence[str]) -> tuple[float, float, list[tuple[Morpheme, ...]]]:
    """CPU seconds to start, CPU seconds to cut the captions, their morphemes (() where lost)."""
    tagger = load_tagger(name)
    began = time.process_time()
    tagger.analyse(captions[0])
    started = time.process_time()
    found = [tagger.analyse(caption) or () for caption in captions]
    return started - began, time.process_time() - started, found


def main() -> int:
    """Prints the figures; 0 if the run that was killed comes to the same morphemes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("files", type=Path, nargs="+", metavar="captions_ko.json")
    parser.add_argument("--captions", type=int, default=600_000, help="how many (%(default)s)")
    parser.add_argument("--tagger", choices=NAMES, default="okt")
    parser.add_argument("--jobs", type=int, help="processes (default: as python -m preprocess)")
    parser.add_argument("--kill-after", type=float, default=60, help="seconds (%(default)s)")
    parser.add_argument("--compare", type=int, metavar="N", help="N captions with every tagger")
    args = parser.parse_args()
    if args.compare:
        compare(random.Random(0).sample(people(args.files), args.compare))
        return 0
    work = Work(tuple(args.files), args.captions, args.tagger, processes(args.jobs))
    return measure(work, args.kill_after)


if __name__ == "__main__":
    sys.exit(main())
