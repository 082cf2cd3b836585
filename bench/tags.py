"""Keywords and related tags, measured: `python -m bench.tags DATA`.

Keywords: docs/tags.tsv has ids of 100 test photos, drawn by a seed, with nouns that one person
wrote by looking at them. F1 of at most k keywords, mean over photos; a keyword is right if it is
written the same (NFC). Every system may only say nouns of model/nouns.tsv. YAKE needs
requirements-bench.txt.

Related tags: of each test photo the nouns of its first caption are given and a noun of the others
is held out, drawn by a seed; is it among the first ten?

--fit prints the weights of model/keywords.py, from validation photos.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from model.caption import Caption
from model.captioner import Captioner
from model.keywords import Reading, features, of_caption, shares
from model.related import Related, nouns, written
from model.things import Thing
from model.words import Words
from preprocess.dataset import Dataset, load
from preprocess.pictures import read_picture
from video.options import DEFAULT_MODEL
from video.scenes.tags import sentences

TAGS = Path(__file__).parents[1] / "docs" / "tags.tsv"
TOPS, RELATED, LEAST_HITS = (3, 5, 10), 10, 0.30
FITTED, TAGGED = 200, 4  # validation photos; nouns of each that most people wrote


@dataclass(frozen=True, eq=False)
class Seen:
    """What is known of a photo: its sentences cut into morphemes, and the captioner's readings."""

    caption: Caption
    told: tuple[tuple[str, ...], ...]  # the nouns of each of the three sentences, in order
    thing: Thing | None

    @property
    def readings(self) -> list[Reading]:
        """Each guess once."""
        return [(guess, 1.0) for guess in self.caption.guesses]


System = Callable[[Seen, int], Sequence[str]]


def look(path: str, captioner: Captioner, words: Words) -> Seen:
    """Captions one photo."""
    picture = read_picture(Path(path))[None]
    caption = captioner.caption(picture)
    told = tuple(tuple(nouns(words.split(text))) for text in sentences(caption))
    return Seen(caption, told, captioner.recognised(picture))


def by_position(seen: Seen, most: int) -> Sequence[str]:
    """In the order in which the three sentences name them."""
    return list(dict.fromkeys(noun for told in seen.told for noun in told))[:most]


def by_frequency(seen: Seen, most: int) -> Sequence[str]:
    """By how often the three sentences name them, then in order."""
    return [noun for noun, _ in Counter(n for told in seen.told for n in told).most_common(most)]


def by_readings(seen: Seen, most: int) -> Sequence[str]:
    """By how many of all readings name them."""
    found = shares(seen.readings)
    return sorted(found, key=lambda noun: (-found[noun], noun))[:most]


def by_yake(words: Words) -> System:
    """YAKE (Campos et al. 2020) on the three sentences; its words' particles are taken off."""
    import yake

    def system(seen: Seen, most: int) -> Sequence[str]:
        reader = yake.KeywordExtractor(lan="ko", n=1, top=30, dedupLim=1.0)
        found = reader.extract_keywords(". ".join(sentences(seen.caption)) + ".")
        return list(dict.fromkeys(n for word, _ in found for n in nouns(words.split(word))))[:most]

    return system


def f1(system: System, photos: Sequence[tuple[Seen, frozenset[str]]], most: int) -> float:
    """Mean F1 of at most `most` keywords."""
    scores = []
    for seen, tags in photos:
        said = set(system(seen, most))
        scores.append(2 * len(said & tags) / (len(said) + len(tags)))
    return float(np.mean(scores))


def hits(
    near: Callable[[Mapping[str, float], int], Sequence[str]], data: Dataset, seed: int
) -> float:
    """Share of test photos whose held-out noun is among the first ten."""
    rng, found = np.random.default_rng(seed), []
    for row in data.rows("test"):
        first, *others = data.sentences[row]
        given = dict.fromkeys(nouns(first), 1.0)
        left = sorted({noun for sentence in others for noun in nouns(sentence)} - set(given))
        if given and left:
            found.append(left[rng.integers(len(left))] in near(given, RELATED))
    return float(np.mean(found))


def usual(data: Dataset) -> Callable[[Mapping[str, float], int], Sequence[str]]:
    """The most frequent nouns that are not given: the peer of related tags."""
    counts = Counter(noun for picture in written(data, "train") for noun in set(picture))
    order = [noun for noun, _ in counts.most_common()]
    return lambda given, most: [noun for noun in order if noun not in given][:most]


def fit(photos: Sequence[tuple[Seen, frozenset[str]]], related: Related) -> npt.NDArray[np.float64]:
    """Logistic regression (Newton's method, ridge 1) of 'is a tag' on what is known of a noun."""
    rows, wanted = [], []
    for seen, tags in photos:
        for noun, values in features(seen.readings, related, seen.thing).items():
            rows.append(values)
            wanted.append(float(noun in tags))
    x, y = np.array(rows), np.array(wanted)
    weights = np.zeros(x.shape[1])
    for _ in range(30):
        likely = 1 / (1 + np.exp(-x @ weights))
        curve = (x * (likely * (1 - likely))[:, None]).T @ x + np.eye(len(weights))
        weights -= np.linalg.solve(curve, x.T @ (likely - y) + weights)
    return np.asarray(weights)


def validation(
    data: Dataset, captioner: Captioner, words: Words
) -> list[tuple[Seen, frozenset[str]]]:
    """Photos whose tags are the nouns that most of their captions name, rarer ones first."""
    often = Counter(noun for picture in written(data, "train") for noun in set(picture))
    rows = np.random.default_rng(3).permutation(data.rows("val"))[:FITTED].tolist()
    photos = []
    for row in rows:
        counts = Counter(n for one in data.sentences[row] for n in set(nouns(one)))
        tags = sorted(counts, key=lambda n: (-counts[n], often[n], n))[:TAGGED]
        photos.append((look(data.samples[row].pictures[0], captioner, words), frozenset(tags)))
    return photos


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the tables; returns 0 when both are ahead of their peers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path)
    parser.add_argument("--fit", action="store_true", help="print the weights and end")
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL)
    arguments = parser.parse_args(argv)
    data = load(arguments.data, features=False)
    captioner, words = Captioner.load(arguments.model), Words.load(arguments.model)
    related = Related.load()
    if arguments.fit:
        print(fit(validation(data, captioner, words), related).round(2).tolist())
        return 0
    pictures = {sample.key: sample.pictures[0] for sample in data.samples}
    lines = [line.split("\t") for line in TAGS.read_text(encoding="utf-8").splitlines()[1:]]
    photos = [
        (look(pictures[key], captioner, words), frozenset(tags.split())) for key, tags in lines
    ]
    systems: dict[str, System] = {
        "keywords": lambda seen, most: [
            k.noun for k in of_caption(seen.caption, seen.thing, related, most)
        ],
        "position": by_position,
        "frequency": by_frequency,
        "frequency, all readings": by_readings,
        "YAKE": by_yake(words),
    }
    print(f"F1|photos:{len(photos)}|match:exact|nouns:model/nouns.tsv|top:{TOPS}")
    scores = {name: [f1(s, photos, top) for top in TOPS] for name, s in systems.items()}
    for name, values in scores.items():
        print(f"{name:24}" + "".join(f"{value:8.3f}" for value in values))
    shown, peer = hits(related.near, data, 0), hits(usual(data), data, 0)
    print(
        f"held-out noun among {RELATED} related tags {shown:.1%}, among the most usual {peer:.1%}"
    )
    ours, *others = (values[1] for values in scores.values())
    return 0 if ours > max(others) and shown >= LEAST_HITS and shown > peer else 1


if __name__ == "__main__":
    sys.exit(main())
