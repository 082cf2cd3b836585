"""How well groups agree with the classes of photos: `python -m bench.group PHOTOS --held-out`.

PHOTOS is a folder with classes.tsv (file, source set, class), captions_ko.json and splits.json. The
number of groups is given, five seeds are tried, the adjusted Rand index is told. Without --held-out
the photos that the captioner learned from are grouped, too: it has read people's sentences of them.
"""

import argparse
import csv
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from model.captioner import Captioner
from model.words import Words
from preprocess.pictures import read_picture
from video.scenes.clusters import adjusted_rand, k_means
from video.scenes.grouping import Item, together
from video.scenes.pictures import item_of

ROOT = Path(__file__).resolve().parent.parent
SEEDS = range(5)
SETS = ("imagenet1000", "caltech101", "pacs_photo", "sun_")


def photos(folder: Path, least: int, held_out: bool) -> list[tuple[str, str]]:
    """File and class of each photo whose class has at least so many."""
    told = json.loads((folder / "captions_ko.json").read_text(encoding="utf-8"))
    splits = json.loads((folder / "splits.json").read_text(encoding="utf-8"))
    learned = set(splits["train"])
    known = {one["file_path"] for one in told if not (held_out and one["id"] in learned)}
    with (folder / "classes.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t"))
    found = [(f, c) for f, source, c in rows if c and f in known and source.startswith(SETS)]
    sizes = Counter(name for _, name in found)
    return [(file, name) for file, name in found if sizes[name] >= least]


def seen(folder: Path, files: Sequence[str], model: Path, kept: Path) -> list[Item]:
    """What the captioner sees in the photos; kept, because it takes a while."""
    stored: dict[str, Item] = {}
    if kept.exists():
        with np.load(kept) as held:
            columns = (held["files"].tolist(), held["captions"].tolist(), held["meanings"])
            rows = zip(*columns, held["features"], strict=True)
            stored = {file: Item(file, text, about, looks) for file, text, about, looks in rows}
    missing = [file for file in files if file not in stored]
    if missing:
        captioner, words = Captioner.load(model), Words.load(model)
        for number, file in enumerate(missing, 1):
            stored[file] = item_of(file, read_picture(folder / file), captioner, words)
            print(f"\r{number}/{len(missing)}", end="", file=sys.stderr, flush=True)
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(
            kept,
            files=np.array(list(stored)),
            captions=np.array([item.caption for item in stored.values()]),
            meanings=np.stack([item.meaning for item in stored.values()]),
            features=np.stack([_features(item) for item in stored.values()]),
        )
    return [stored[file] for file in files]


def _features(item: Item) -> np.ndarray:
    return np.zeros(0, np.float32) if item.features is None else item.features


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the table; 0 when ours is ahead of the features alone."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--held-out", action="store_true", help="only val and test photos")
    parser.add_argument("--least", type=int, default=10, help="photos a class (default 10)")
    parser.add_argument("--model", type=Path, default=ROOT / "model" / "default.kcap")
    parser.add_argument("--kept", type=Path, default=ROOT / "build" / "bench" / "seen.npz")
    args = parser.parse_args(argv)
    chosen = photos(args.photos, args.least, args.held_out)
    items = seen(args.photos, [file for file, _ in chosen], args.model, args.kept)
    names = [name for _, name in chosen]
    count = len(set(names))
    print(f"{len(items)} photos, {count} classes of at least {args.least}; k = {count}")
    features = np.stack([_features(item) for item in items])
    middle = features - features.mean(axis=0)
    captions = Words.load(args.model).vectors([item.caption for item in items])
    ways = {
        "CNN features alone": features,
        "CNN features, centred": middle / np.linalg.norm(middle, axis=1, keepdims=True),
        "captions alone": captions,
        "ours": together(items),
    }
    means = {}
    for name, vectors in ways.items():
        found = [adjusted_rand(names, k_means(vectors, count, seed).tolist()) for seed in SEEDS]
        means[name] = float(np.mean(found))
        print(f"  {name:22} ARI {np.mean(found):.3f}, sd {np.std(found, ddof=1):.3f}", flush=True)
    best = max(means["CNN features alone"], means["CNN features, centred"])
    return 0 if means["ours"] > best else 1


if __name__ == "__main__":
    sys.exit(main())
